// Scenarios about the way from polling to websocket: nothing is lost or changes places, however slow the probe, and
// whoever cannot go stays on polling.

import assert from "node:assert/strict";

import { ask, collect, next, settled, sleep, steady, transportOf, until } from "./harness.mjs";

const MANY = 1_000;
const AFTERWARDS = 200; // milliseconds for which the messages go on after the upgrade

/** Every tenth message carries binary. */
const attached = (i) => (i % 10 ? null : Buffer.from([i & 255]));

/** Numbered messages both ways, one a millisecond, from connecting until after the upgrade; returns when it was. */
async function stream(t) {
  const socket = await t.connect();
  const seen = collect(socket, "streamed");
  const count = ask(socket, "stream");
  let sent = 0;
  const timer = setInterval(() => socket.emit("number", sent, attached(sent++)), 1);
  await steady(socket);
  const before = seen.length;
  await sleep(AFTERWARDS);
  await until(() => sent >= MANY && seen.length >= MANY, `${MANY} messages each way`);
  clearInterval(timer);
  if (t.proxy) t.proxy.delay = 0;
  socket.emit("stop");
  const [total] = await count;
  await settled(socket);
  assert.equal(seen.length, total);
  seen.forEach(([i, bytes], index) => assert.deepEqual([i, bytes], [index, attached(index)]));
  assert.deepEqual(await ask(socket, "numbers"), [sent, true], "how many, and whether in order");
  return before;
}

export async function upgrade_under_load(t) {
  await stream(t);
}

export async function upgrade_by_a_slow_probe(t) {
  const before = await stream(await t.behind({ delay: 500 }));
  assert.ok(before > 100, `${before} messages came before the upgrade was over`);
}

export async function upgrade_by_a_hesitant_probe(t) {
  await stream(await t.behind({ delay: 20 }));
}

export async function upgrade_in_a_burst(t) {
  const socket = await t.connect();
  const seen = collect(socket, "numbered");
  socket.emit("count to", MANY);
  for (let i = 0; i < MANY; i++) socket.emit("number", i, attached(i));
  await steady(socket);
  socket.emit("count to", MANY);
  await until(() => seen.length >= 2 * MANY, `${2 * MANY} messages`);
  await settled(socket);
  assert.deepEqual(seen.flat(), Array.from({ length: 2 * MANY }, (_, i) => i % MANY));
  assert.deepEqual(await ask(socket, "numbers"), [MANY, true], "how many, and whether in order");
}

export async function upgrade_of_many(t) {
  const speaker = await t.connect();
  const sockets = await Promise.all(Array.from({ length: 20 }, () => t.connect()));
  const heard = sockets.map((socket) => collect(socket, "heard"));
  await Promise.all(sockets.map((socket) => ask(socket, "join", ["red"])));
  let shouts = 0;
  const shout = () => ask(speaker, "shout", { io: true, to: ["red"] }, [shouts, attached(shouts++)]);
  for (const socket of sockets) {
    await shout();
    await steady(socket);
  }
  for (let i = 0; i < 100; i++) await shout();
  await settled(...sockets);
  const all = Array.from({ length: shouts }, (_, i) => [[i, attached(i)]]);
  for (const one of heard) assert.deepEqual(one, all);
}

/** A socket whose upgrade has begun and takes a while: 5 to 6 times the delay. */
async function upgrading(t, options = { delay: 50 }) {
  const behind = await t.behind(options);
  const socket = await behind.connect("/", { reconnection: false });
  assert.equal(transportOf(socket), "polling");
  return [socket, behind.proxy];
}

const MOMENTS = Array.from({ length: 12 }, (_, i) => i * 30);

/** Lets many upgrade and ends each at another moment on the way; all must be told this reason, after these numbers. */
async function ended(t, end, expected, numbers = "") {
  const one = async (moment) => {
    const [socket] = await upgrading(t);
    const seen = collect(socket, "numbered");
    const gone = next(socket, "disconnect");
    await end(socket, moment);
    const [reason] = await gone;
    return `${moment} ms: [${seen}] ${reason}`;
  };
  const all = MOMENTS.map((moment) => `${moment} ms: [${numbers}] ${expected}`);
  assert.deepEqual(await Promise.all(MOMENTS.map(one)), all);
}

export async function client_leaves_while_upgrading(t) {
  await ended(t, (socket, moment) => sleep(moment).then(() => socket.disconnect()), "io client disconnect");
}

export async function client_closes_while_upgrading(t) {
  await ended(t, (socket, moment) => sleep(moment).then(() => socket.io.engine.close()), "forced close");
}

const TEN = "0,1,2,3,4,5,6,7,8,9"; // what the server says before it ends a connection

export async function server_disconnects_while_upgrading(t) {
  await ended(t, (socket, moment) => socket.emit("later please", moment, "throw out"), "io server disconnect", TEN);
}

export async function server_closes_while_upgrading(t) {
  await ended(t, (socket, moment) => socket.emit("later please", moment, "drop"), "transport close", TEN);
}

/** It goes on over polling. */
async function stays(socket, expected = "polling") {
  const seen = collect(socket, "said");
  for (let i = 0; i < 100; i++) socket.emit("say", i, attached(i));
  await settled(socket);
  assert.equal(transportOf(socket), expected);
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => [i, attached(i)]));
}

export async function probe_is_cut(t) {
  const [socket, proxy] = await upgrading(t);
  const failed = next(socket.io.engine, "upgradeError");
  await sleep(20);
  proxy.cutWebsockets();
  await failed;
  await stays(socket);
}

export async function probe_is_silent(t) {
  const [socket] = await upgrading(t, { websocket: "silent" });
  const failed = next(socket.io.engine, "upgradeError");
  await stays(socket);
  await failed; // the server does not wait longer
  await stays(socket);
}

export async function websockets_are_refused(t) {
  const behind = await t.behind({ websocket: "refused" });
  const socket = await behind.connect();
  await sleep(50);
  await stays(socket);
}

export async function websockets_are_swallowed(t) {
  const behind = await t.behind({ websocket: "swallowed" });
  await stays(await behind.connect());
}

export async function upgrades_not_allowed(t) {
  const socket = await t.connect();
  await sleep(50);
  await stays(socket);
}

export async function only_polling_allowed(t) {
  const socket = await t.connect();
  await sleep(50);
  await stays(socket);
  const refused = t.as(`${t.generation}-websocket`).open("/", { reconnection: false });
  await next(refused, "connect_error");
}

export async function only_websocket_allowed(t) {
  const refused = t.open("/", { reconnection: false });
  await next(refused, "connect_error");
  await stays(await t.as(`${t.generation}-websocket`).connect(), "websocket");
}

export async function falls_back_to_polling(t) {
  const behind = await t.behind({ websocket: "refused" });
  const socket = await behind.connect("/", { transports: ["websocket", "polling"], tryAllTransports: true });
  await stays(socket);
}
