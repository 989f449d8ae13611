// Scenarios about what one polling request carries: many packets, all kinds of text, binary, a lot of it.

import assert from "node:assert/strict";

import { ask, collect, next, settled, steady, until } from "./harness.mjs";

const TEXTS = ["plain", "é€", "😀𝒳👩‍👩‍👧", "\u2028\u2029\u0001\\n\n", ":3:4abc", "b4AAAA", "", "0", "\ufeff"];

/** The i-th of many values: texts of all kinds, sometimes binary. */
const value = (i) => (i % 7 === 3 ? Buffer.from(TEXTS[i % TEXTS.length] + i) : TEXTS[i % TEXTS.length].repeat(i % 5));

export async function payloads_of_many_packets(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  for (let i = 0; i < 500; i++) socket.emit("say", value(i), i);
  await settled(socket);
  assert.deepEqual(seen, Array.from({ length: 500 }, (_, i) => [value(i), i]));
}

export async function payloads_of_texts_alone(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  const texts = Array.from({ length: 300 }, (_, i) => TEXTS[i % TEXTS.length].repeat(i % 5));
  for (const text of texts) socket.emit("say", text);
  await settled(socket);
  assert.deepEqual(seen.flat(), texts);
}

export async function payloads_split(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  const text = "é".repeat(50_000);
  const bytes = Buffer.alloc(100_000, "bytes");
  for (let i = 0; i < 40; i++) socket.emit("say", i, i % 2 ? text : bytes);
  await settled(socket);
  assert.deepEqual(seen, Array.from({ length: 40 }, (_, i) => [i, i % 2 ? text : bytes]));
}

export async function buffered_while_the_server_closes(t) {
  const socket = await t.connect("/", { reconnection: false });
  await steady(socket);
  const seen = collect(socket, "numbered");
  const gone = next(socket, "disconnect");
  socket.emit("count to and close", 100);
  assert.equal((await gone)[0], "transport close");
  assert.deepEqual(seen.flat(), Array.from({ length: 100 }, (_, i) => i), "all came before the end");
}

export async function sent_before_the_client_leaves(t) {
  const [socket, other] = [await t.connect(), await t.connect()];
  const heard = collect(other, "heard");
  for (let i = 0; i < 100; i++) socket.emit("shout", {}, i, () => {});
  await until(() => heard.length > 0, "the first of them");
  socket.disconnect();
  await until(() => heard.length === 100, "what was sent before it left");
  assert.deepEqual(heard.flat(), Array.from({ length: 100 }, (_, i) => i));
  await ask(other, "echo", 1);
}
