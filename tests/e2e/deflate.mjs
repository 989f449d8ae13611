// node deflate.mjs URL
//
// Clients from npm that offer permessage-deflate, against a server whose threshold is 1024 and whose "echo"
// answers with what it got, "say" with the event "said", "say plainly" with it not compressed. How a message
// travelled is seen by the bytes of its connection: those sent here all shrink to less than half.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { Harness, ask, next, within } from "./harness.mjs";

const require = createRequire(import.meta.url);
const WebSocket = require("ws");
const LONG = "permessage-deflate ".repeat(500) + "é€😀";

const connection = (socket) => socket.io.engine.transport.ws;
const traffic = (ws) => [ws._socket.bytesWritten, ws._socket.bytesRead];

/** Which way the bytes of this work shrank: [to the server, from the server]. */
async function shrunk(socket, size, work) {
  const before = traffic(connection(socket));
  await work();
  return traffic(connection(socket)).map((bytes, i) => bytes - before[i] < size / 2);
}

async function said(socket, name, ...args) {
  const answer = next(socket, "said");
  socket.emit(name, ...args);
  assert.deepEqual(await answer, args);
}

async function messages(harness, perMessageDeflate) {
  const socket = await harness.connect("/", { perMessageDeflate });
  const binary = Buffer.from(LONG);
  assert.match(connection(socket).extensions, /permessage-deflate/);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await ask(socket, "echo", i), [i]);
    assert.deepEqual(await shrunk(socket, LONG.length, () => said(socket, "say", LONG)), [true, true]);
    assert.deepEqual(await shrunk(socket, LONG.length, () => said(socket, "say plainly", LONG)), [true, false]);
    assert.deepEqual(await shrunk(socket, LONG.length, () => said(socket.compress(false), "say", LONG)), [false, true]);
    assert.deepEqual(await shrunk(socket, binary.length, () => said(socket, "say", { binary }, LONG)), [true, true]);
    const short = "x".repeat(900);
    assert.deepEqual(await shrunk(socket, short.length, () => said(socket, "say", short)), [false, false]);
  }
}

async function plain(harness) {
  const socket = await harness.connect("/", { perMessageDeflate: false });
  assert.deepEqual(connection(socket).extensions, "");
  assert.deepEqual(await shrunk(socket, LONG.length, () => said(socket, "say", LONG)), [false, false]);
}

/** ws alone, which compresses whatever it sends with threshold 0, in several frames too. */
async function fragments(url) {
  const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: { threshold: 0 },
  });
  const message = () => within(new Promise((resolve) => ws.once("message", (data) => resolve(String(data)))), "a message");
  assert.match(await message(), /^0/);
  assert.match(ws.extensions, /^permessage-deflate/);
  ws.send("40");
  assert.match(await message(), /^40/);
  ws.send('421["echo",', { fin: false });
  ws.ping();
  ws.send(`"${LONG.slice(0, 5000)}`, { fin: false });
  ws.send(`${LONG.slice(5000)}"]`, { fin: true });
  assert.equal(await message(), `431["${LONG}"]`);
  ws.close();
}

const harness = new Harness("4-websocket", process.argv[2]);
try {
  await messages(harness, true);
  await messages(harness, { threshold: 1024 });
  await messages(harness, { threshold: 1024, clientMaxWindowBits: 9 });
  await plain(harness);
  await fragments(process.argv[2]);
} catch (error) {
  console.error(error.stack);
  process.exitCode = 1;
} finally {
  harness.close();
}
