// Scenarios about who is connected: namespaces, auth, middlewares, disconnects, reconnects, rooms.

import assert from "node:assert/strict";

import { ask, collect, next, refusal, settled, sleep, steady, until } from "./harness.mjs";

/** Leave to enter /guarded, or not; a client of 2.x has no auth, its query is for the namespace. */
function token(t, value) {
  return t.generation === 2 ? { query: `token=${value}` } : { auth: { token: value } };
}

export async function namespaces(t) {
  const main = await t.connect();
  const chat = await t.join(main, "/chat");
  const name = t.generation === 2 ? "/other" : "/other/ü";
  const other = await t.join(main, name);
  if (t.generation > 2) {
    assert.equal(new Set([main.id, chat.id, other.id, main.io.engine.id]).size, 4, "ids of their own");
  }
  assert.deepEqual(await ask(chat, "where"), ["/chat"]);
  assert.deepEqual(await ask(other, "where"), [name]);
  assert.deepEqual(await ask(main, "where"), ["/"]);
  const heard = [main, chat, other].map((socket) => collect(socket, "said"));
  chat.emit("say", Buffer.from([1]));
  other.emit("say", 2);
  main.emit("say", 3);
  await settled(main, chat, other);
  assert.deepEqual(heard, [[[3]], [[Buffer.from([1])]], [[2]]]);
  const before = chat.id;
  chat.disconnect();
  assert.deepEqual(await ask(main, "echo", 1), [1], "the others stay");
  assert.deepEqual(await ask(other, "echo", 1), [1]);
  chat.connect();
  await next(chat, "connect");
  assert.equal(chat.id === before, t.generation === 2);
  assert.deepEqual(await ask(chat, "where"), ["/chat"], "joined again");
}

export async function only_a_namespace(t) {
  const chat = await t.connect("/chat");
  assert.deepEqual(await ask(chat, "where"), ["/chat"]);
}

export async function events_at_connect(t) {
  const socket = t.open("/greeting");
  const greeted = next(socket, "greeting");
  assert.deepEqual(await greeted, [socket.id, 1]);
  assert.ok(socket.connected, "the CONNECT came first");
}

export async function auth_object(t) {
  const auth = { token: "secret", "é€😀": [1, null, { deep: true }] };
  const socket = await t.connect("/guarded", { auth, query: { room: "a b&c=1" } });
  const [shake] = await ask(socket, "handshake");
  assert.deepEqual(shake, { auth, query: { room: "a b&c=1" } });
}

export async function auth_function(t) {
  let calls = 0;
  const auth = (give) => setTimeout(() => give({ token: "secret", call: ++calls }), 5);
  const socket = await t.connect("/guarded", { auth });
  assert.equal((await ask(socket, "handshake"))[0].auth.call, 1);
}

export async function no_auth(t) {
  const socket = await t.connect();
  assert.deepEqual((await ask(socket, "handshake"))[0].auth, {});
}

/** How a client learns that /guarded does not take it. */
function refused(t) {
  const data = { content: "Please retry later" };
  return t.generation === 2 ? data : { message: "not authorized", data };
}

export async function refused_then_admitted(t) {
  const socket = t.open("/guarded", token(t, "wrong"));
  assert.deepEqual(await refusal(t, socket), refused(t));
  assert.equal(socket.connected, false);
  Object.assign(socket, token(t, "secret"));
  socket.connect();
  await next(socket, "connect");
  assert.deepEqual(await ask(socket, "echo", 1), [1]);
}

export async function refused_without_data(t) {
  const socket = t.open("/closed");
  const message = "closed for today";
  assert.deepEqual(await refusal(t, socket), t.generation === 2 ? message : { message, data: undefined });
}

export async function refused_while_another_is_connected(t) {
  const main = await t.connect();
  const guarded = main.io.socket("/guarded", token(t, "wrong"));
  t.closing.push(guarded);
  assert.deepEqual(await refusal(t, guarded), refused(t));
  assert.deepEqual(await ask(main, "echo", 1), [1]);
}

export async function slow_middleware(t) {
  const socket = await t.connect("/slow");
  assert.deepEqual(await ask(socket, "where"), ["/slow"]);
}

export async function unknown_namespace(t) {
  const socket = t.open("/nowhere");
  const refused = await refusal(t, socket);
  // The reference of 4.x sends 2.x clients an object, that of 2.x and ours the text.
  assert.equal(t.generation === 2 && !t.reference ? refused : refused.message, "Invalid namespace");
  const chat = await t.join(socket, "/chat");
  assert.deepEqual(await ask(chat, "echo", 1), [1], "the connection lives");
}

export async function client_disconnects(t) {
  const socket = await t.connect();
  const chat = await t.join(socket, "/chat");
  const gone = next(chat, "disconnect");
  chat.disconnect();
  assert.equal((await gone)[0], "io client disconnect");
  await settled(socket);
}

export async function client_closes_transport(t) {
  const socket = await t.settle("/", { reconnection: false });
  const gone = next(socket, "disconnect");
  socket.io.engine.close();
  assert.equal((await gone)[0], "forced close");
}

export async function client_vanishes(t) {
  const behind = await t.behind();
  const socket = await behind.settle("/", { reconnection: false });
  await settled(socket);
  await sleep(50); // until its next request waits
  const gone = next(socket, "disconnect");
  behind.proxy.cut();
  assert.equal((await gone)[0], t.polls ? "transport error" : "transport close");
}

export async function server_disconnects(t) {
  const socket = await t.connect();
  const chat = await t.join(socket, "/chat");
  const gone = next(chat, "disconnect");
  chat.emit("leave me");
  assert.equal((await gone)[0], "io server disconnect");
  assert.deepEqual(await ask(socket, "echo", 1), [1], "the connection lives");
  chat.connect();
  await next(chat, "connect");
  assert.deepEqual(await ask(chat, "where"), ["/chat"]);
}

export async function server_disconnects_with_events_under_way(t) {
  const socket = await t.connect();
  const chat = await t.join(socket, "/chat");
  const gone = next(chat, "disconnect");
  chat.emit("leave me");
  for (let i = 0; i < 50; i++) chat.emit("say", i);
  await gone;
  if (!t.reference) assert.deepEqual(await ask(socket, "echo", 1), [1], "an honest client was not thrown out");
}

export async function server_closes_connection(t) {
  const socket = await t.connect();
  const chat = await t.join(socket, "/chat");
  const reasons = [next(socket, "disconnect"), next(chat, "disconnect")];
  let tries = 0;
  socket.io.on("reconnect_attempt", () => tries++);
  socket.emit("throw me out");
  for (const [reason] of await Promise.all(reasons)) assert.equal(reason, "io server disconnect");
  await sleep(100);
  assert.equal(tries, 0, "a client that was thrown out does not come back by itself");
}

export async function reconnects(t) {
  const socket = await t.connect();
  const chat = await t.join(socket, "/chat");
  const before = [socket.id, chat.id];
  for (let round = 0; round < 3; round++) {
    const gone = next(socket, "disconnect");
    const back = Promise.all([next(socket, "connect"), next(chat, "connect")]);
    socket.emit("drop me");
    assert.equal((await gone)[0], "transport close");
    await back;
    assert.deepEqual(await ask(socket, "echo", round), [round]);
    assert.deepEqual(await ask(chat, "where"), ["/chat"]);
  }
  assert.ok(!before.includes(socket.id) && !before.includes(chat.id), "new ids");
}

export async function buffers_while_away(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  const gone = next(socket, "disconnect");
  socket.emit("drop me");
  await gone;
  for (let i = 0; i < 5; i++) socket.emit("say", i);
  await next(socket, "connect");
  await settled(socket);
  assert.deepEqual(seen, [[0], [1], [2], [3], [4]]);
}

export async function shutdown(t) {
  const socket = await t.connect("/", { reconnection: false });
  const chat = await t.join(socket, "/chat");
  const reasons = [next(socket, "disconnect"), next(chat, "disconnect")];
  socket.emit("shut down");
  for (const [reason] of await Promise.all(reasons)) assert.equal(reason, "transport close");
}

/** Counts the heartbeats as they come: 2.x clients ask and are answered, later ones are asked. */
function heartbeats(t, socket) {
  const counted = { beats: 0 };
  socket.io.engine.on("packet", ({ type }) => (counted.beats += type === (t.generation === 2 ? "pong" : "ping")));
  return counted;
}

export async function heartbeat(t) {
  const socket = await t.connect("/", { reconnection: false });
  const gone = collect(socket, "disconnect");
  const counted = heartbeats(t, socket);
  await until(() => counted.beats >= 4, "four heartbeats");
  assert.deepEqual(gone, []);
  assert.deepEqual(await ask(socket, "echo", 1), [1]);
}

export async function ping_timeout(t) {
  const socket = t.open("/", { reconnection: false });
  // Else the client gives up at about the same time as the server.
  socket.io.engine.on("handshake", (data) => (data.pingTimeout = 60_000));
  const gone = next(socket, "disconnect");
  await next(socket, "connect");
  await steady(socket);
  const counted = heartbeats(t, socket); // the reference forgets to wait for a pong that an upgrade overtakes
  await until(() => counted.beats >= 2, "two heartbeats");
  socket.io.engine.transport.send = () => {};
  assert.equal((await gone)[0], "transport close");
}

export async function rooms(t) {
  const [a, b, c, d] = await Promise.all([1, 2, 3, 4].map(() => t.connect()));
  const heard = [a, b, c, d].map((socket) => collect(socket, "heard"));
  await ask(a, "join", ["red", "blue"]);
  await ask(b, "join", ["red"]);
  await ask(c, "join", ["blue", "green"]);
  const shouts = [
    ["all", { io: true }, "abcd"],
    ["red", { io: true, to: ["red"] }, "ab"],
    ["red from b", { to: ["red"] }, "a"],
    ["both once", { io: true, to: ["red", "blue"] }, "abc"],
    ["not green", { io: true, except: ["green"] }, "abd"],
    ["blue not green", { io: true, to: ["blue"], except: ["green"] }, "a"],
    ["broadcast", {}, "acd"],
    ["own room", { io: true, to: [d.id] }, "d"],
    ["nobody", { io: true, to: ["nowhere"] }, ""],
  ];
  for (const [text, target] of shouts) await ask(b, "shout", target, text);
  await settled(a, b, c, d);
  "abcd".split("").forEach((name, i) => {
    const expected = shouts.filter(([, , who]) => who.includes(name)).map(([text]) => [text]);
    assert.deepEqual(heard[i], expected, `what ${name} heard`);
  });
  const reached = (...sockets) => sockets.map((i) => heard[i].flat().includes("volatile"));
  while (reached(0, 1).includes(false)) {
    // Again: for a client between two polls it is dropped.
    await ask(b, "shout", { io: true, volatile: true, to: ["red"] }, "volatile");
    await settled(a, b, c, d);
  }
  assert.deepEqual(reached(2, 3), [false, false]);
}

export async function rooms_left(t) {
  const [a, b] = [await t.connect("/chat"), await t.connect("/chat")];
  const heard = collect(a, "heard");
  await ask(a, "join", ["red", "blue"]);
  assert.deepEqual((await ask(a, "rooms"))[0], ["blue", "red", a.id].sort());
  await ask(a, "leave", "red");
  await ask(b, "shout", { to: ["red"] }, "left");
  await ask(b, "shout", { to: ["blue"] }, "still in");
  await t.join(a, "/other"); // keeps the connection open
  a.emit("leave me");
  await next(a, "disconnect");
  a.connect();
  await next(a, "connect");
  await ask(b, "shout", { to: ["blue"] }, "rooms end with the socket");
  await settled(a);
  assert.deepEqual(heard, [["still in"]]);
}

export async function broadcast_of_binary(t) {
  const [a, b, c] = await Promise.all([1, 2, 3].map(() => t.connect()));
  const heard = [a, b, c].map((socket) => collect(socket, "heard"));
  const value = { bytes: Buffer.from([1, 2, 3]), text: "é€😀" };
  await ask(a, "shout", {}, value);
  await ask(a, "shout", { io: true }, [value, Buffer.alloc(70_000, 7)]);
  await settled(a, b, c);
  const everybody = [[value, Buffer.alloc(70_000, 7)]];
  assert.deepEqual(heard, [[everybody], [[value], everybody], [[value], everybody]]);
}

export async function rooms_stay_in_their_namespace(t) {
  const main = await t.connect();
  const chat = await t.join(main, "/chat");
  const heard = [main, chat].map((socket) => collect(socket, "heard"));
  await ask(main, "join", ["red"]);
  await ask(chat, "join", ["red"]);
  await ask(main, "shout", { io: true, to: ["red"] }, "in main");
  await ask(chat, "shout", { io: true, to: ["red"] }, "in chat");
  await settled(main, chat);
  assert.deepEqual(heard, [[["in main"]], [["in chat"]]]);
}

export async function volatile(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  const other = await t.connect();
  const unheard = collect(other, "said");
  await steady(socket);
  await settled(socket);
  await sleep(20); // until its next request waits
  socket.emit("say volatile", 1);
  await settled(socket, other);
  assert.deepEqual(unheard, [], "a socket's own volatile emit is for its client");
  assert.deepEqual(seen, [[1]], "a reader that keeps up gets volatile messages");
}
