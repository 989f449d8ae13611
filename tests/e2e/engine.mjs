// Scenarios of engine.io-client against an Engine.IO server alone. The server sends every message back, but for the
// commands below. A variant is "<3 or 6>-<kind>", for engine.io-client 3.5 (protocol 3) and 6.6 (protocol 4).

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";

import { Proxy } from "./proxy.mjs";
import { TRANSPORTS, next, until } from "./harness.mjs";

const require = createRequire(import.meta.url);
const { Server } = require("engine.io");
const CLIENTS = { 3: require("engine.io-client-v3").Socket, 6: require("engine.io-client").Socket };

export class EngineHarness {
  constructor(variant, url) {
    this.variant = variant;
    this.version = Number(variant[0]);
    this.kind = variant.slice(2);
    this.polls = this.kind === "polling" || this.kind === "fetch";
    this.upgrades = this.kind.endsWith("upgrade");
    this.url = url;
    this.closing = [];
  }

  /** A connection, not waited for; `messages` and `reasons` are what it got. */
  open(options = {}) {
    const socket = new CLIENTS[this.version](this.url, { transports: TRANSPORTS[this.kind], ...options });
    this.closing.push(socket);
    socket.messages = [];
    socket.reasons = [];
    socket.on("message", (data) => socket.messages.push(data ?? ""));
    socket.on("close", (reason) => socket.reasons.push(reason));
    return socket;
  }

  async connect(options) {
    const socket = this.open(options);
    await next(socket, "open");
    return socket;
  }

  /** The same, its upgrade over. */
  async settle(options) {
    const socket = await this.connect(options);
    if (this.upgrades) await until(() => socket.transport.name === "websocket" && !socket.upgrading, "the upgrade");
    return socket;
  }

  /** A connection through a proxy. */
  async behind(options) {
    const proxy = new Proxy(this.url, options);
    this.closing.push({ close: () => proxy.disconnect() });
    const other = new EngineHarness(this.variant, await proxy.listen());
    other.closing = this.closing;
    other.proxy = proxy;
    return other;
  }

  close() {
    for (const one of this.closing) one.close();
  }
}

/** Sends, and waits for as many messages; returns them. */
async function echo(socket, ...values) {
  socket.messages.length = 0;
  for (const value of values) socket.send(value);
  await until(() => socket.messages.length >= values.length, `${values.length} messages`);
  return socket.messages;
}

const ALL = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const VALUES = [
  ...["text", "", "é€ – 日本語", "😀𝒳👩‍👩‍👧 \u0000\u0001\u007f\u2028\u2029", ":", "3:4ab", "b4AAAA", "\\n\n\\", "\ufeff", "0"],
  ...[ALL, Buffer.alloc(0), Buffer.from([0]), Buffer.from([4, 255, 0, 9]), Buffer.from("text")],
  ...["x".repeat(400_000), Buffer.alloc(400_000, "large"), "é".repeat(65_536), Buffer.alloc(65_536, 1)],
];

export async function engine_echo(t) {
  const socket = await t.connect();
  for (const value of VALUES) assert.deepEqual(await echo(socket, value), [value]);
}

export async function engine_bursts(t) {
  const socket = await t.connect();
  const small = VALUES.filter((value) => value.length < 1_000);
  const values = Array.from({ length: 600 }, (_, i) => small[i % small.length]);
  assert.deepEqual(await echo(socket, ...values), values);
  const texts = values.filter((value) => typeof value === "string");
  assert.deepEqual(await echo(socket, ...texts), texts);
}

export async function engine_numbered(t) {
  const behind = t.upgrades ? await t.behind({ delay: 20 }) : t;
  const socket = await behind.connect();
  let sent = 0;
  const value = (i) => (i % 10 ? String(i) : Buffer.from(String(i)));
  const timer = setInterval(() => socket.send(value(sent++)), 1);
  await until(() => sent >= 300, "three hundred messages sent");
  clearInterval(timer);
  await until(() => socket.messages.length >= sent, "every message");
  assert.deepEqual(socket.messages, Array.from({ length: sent }, (_, i) => value(i)));
}

export async function engine_who(t) {
  const socket = await t.settle({ query: { name: "é&=" } });
  const who = JSON.parse((await echo(socket, "who"))[0]);
  assert.deepEqual(who, {
    id: socket.id,
    protocol: t.version === 3 ? 3 : 4,
    transport: t.polls ? "polling" : "websocket",
    upgraded: t.upgrades,
    name: "é&=",
  });
}

export async function engine_client_closes(t) {
  const socket = await t.settle();
  await echo(socket, "before");
  socket.close();
  await until(() => socket.reasons.length, "the close");
  assert.deepEqual(socket.reasons, ["forced close"]);
}

export async function engine_client_sends_and_closes(t) {
  const socket = await t.settle();
  const other = await t.settle();
  for (let i = 0; i < 20; i++) socket.send(`tell others ${i}`);
  socket.close();
  await until(() => other.messages.length >= 20, "what it sent before it closed");
  assert.deepEqual(other.messages, Array.from({ length: 20 }, (_, i) => `${i}`));
}

async function closed_by(t, command, expected = []) {
  const socket = await t.settle();
  socket.send(command);
  await until(() => socket.reasons.length, "the close");
  assert.deepEqual(socket.reasons, ["transport close"]);
  assert.deepEqual(socket.messages, expected);
}

export async function engine_server_closes(t) {
  await closed_by(t, "close");
}

export async function engine_server_sends_and_closes(t) {
  await closed_by(t, "send three and close", ["0", Buffer.from("1"), "2"]);
}

export async function engine_server_discards(t) {
  await closed_by(t, "discard");
}

export async function engine_shutdown(t) {
  await closed_by(t, "shut down");
}

export async function engine_heartbeat(t) {
  const socket = await t.connect();
  let beats = 0;
  socket.on("packet", ({ type }) => (beats += type === (t.version === 3 ? "pong" : "ping")));
  await until(() => beats >= 4, "four heartbeats");
  assert.deepEqual(await echo(socket, "alive"), ["alive"]);
}

export async function engine_initial_packet(t) {
  const socket = await t.connect();
  await until(() => socket.messages.length, "the initial packet");
  assert.deepEqual(socket.messages, ["welcome"]);
  assert.deepEqual(await echo(socket, "text"), ["text"]);
}

export async function engine_many(t) {
  const sockets = await Promise.all(Array.from({ length: 30 }, () => t.connect()));
  await Promise.all(
    sockets.map(async (socket, i) => {
      const values = Array.from({ length: 20 }, (_, j) => (j % 3 ? `${i} ${j}` : Buffer.from([i, j])));
      assert.deepEqual(await echo(socket, ...values), values);
    }),
  );
  assert.equal(new Set(sockets.map(({ id }) => id)).size, 30);
}

function answer(server, socket, data) {
  if (data === "close") return socket.close();
  if (data === "discard") return socket.close(true);
  if (data === "shut down") return server.close();
  if (data === "send three and close") {
    for (const value of ["0", Buffer.from("1"), "2"]) socket.send(value);
    return socket.close();
  }
  if (data === "who") {
    const { id, protocol, transport, upgraded, request } = socket;
    return socket.send(JSON.stringify({ id, protocol, transport: transport.name, upgraded, name: request._query.name }));
  }
  if (typeof data === "string" && data.startsWith("tell others ")) {
    const others = Object.values(server.clients).filter((other) => other !== socket);
    return others.forEach((other) => other.send(data.slice("tell others ".length)));
  }
  socket.send(data);
}

/** The reference, npm engine.io, answering as the server in test_engine_clients.py does. */
export async function startEngine(options) {
  const http = createServer();
  const server = new Server({ allowEIO3: true, ...options });
  server.attach(http);
  const reasons = [];
  server.on("connection", (socket) => {
    socket.on("message", (data) => answer(server, socket, data));
    socket.on("close", (reason) => reasons.push(["", reason]));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    reasons: async () => {
      await until(() => server.clientsCount === 0, "the end of every session");
      http.close();
      return reasons;
    },
  };
}
