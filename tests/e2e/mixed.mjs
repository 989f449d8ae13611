// Scenarios of one server with clients of every generation on every transport.

import assert from "node:assert/strict";

import { ask, collect, settled, steady } from "./harness.mjs";

const VARIANTS = [
  "4-polling",
  "4-fetch",
  "4-websocket",
  "4-upgrade",
  "3-polling",
  "3-websocket",
  "3-upgrade",
  "2-polling",
  "2-websocket",
  "2-upgrade",
];

/** What is told the i-th time: text, or binary of all sizes. */
const told = (i) => (i % 3 ? `é€😀 ${i}` : { i, bytes: Buffer.alloc(i * 31, i), list: [Buffer.from("b"), "text"] });

/** A client of every variant, and one over websocket whose binary travels as base64; all in the room "red". */
async function everybody(t, namespace = "/") {
  const opened = VARIANTS.map((variant) => t.as(variant).connect(namespace));
  for (const variant of ["4-websocket", "2-websocket"]) {
    opened.push(t.as(variant).connect(namespace, { forceBase64: true, query: { b64: 1 } }));
  }
  const sockets = await Promise.all(opened);
  await Promise.all(sockets.map((socket) => ask(socket, "join", ["red"])));
  return sockets;
}

/** Tells the room `count` things and returns them as its members must have heard them. */
async function tell(socket, count, target = { io: true, to: ["red"] }) {
  const expected = Array.from({ length: count }, (_, i) => [told(i)]);
  const done = expected.map(([value]) => ask(socket, "shout", target, value));
  await Promise.all(done);
  return expected;
}

export async function mixed_room(t) {
  const sockets = await everybody(t);
  for (const [i, speaker] of sockets.entries()) {
    const heard = sockets.map((socket) => collect(socket, "heard"));
    const expected = await tell(speaker, 30);
    await settled(...sockets);
    heard.forEach((one, j) => assert.deepEqual(one, expected, `told by ${i}, heard by ${j}`));
    sockets.forEach((socket) => socket.off("heard"));
  }
}

export async function mixed_room_of_a_namespace(t) {
  const sockets = await everybody(t, "/chat");
  const heard = sockets.map((socket) => collect(socket, "heard"));
  const expected = await tell(sockets[0], 30, {});
  await settled(...sockets);
  heard.forEach((one, j) => assert.deepEqual(one, j ? expected : [], `heard by ${j}`));
}

export async function mixed_upgrades(t) {
  const sockets = await everybody(t);
  const heard = sockets.map((socket) => collect(socket, "heard"));
  const expected = await tell(sockets[2], 300); // while some of them upgrade
  await steady(...sockets);
  expected.push(...(await tell(sockets[0], 30)));
  await settled(...sockets);
  heard.forEach((one, j) => assert.deepEqual(one, expected, `heard by ${j}`));
}

export async function mixed_all_talk(t) {
  const sockets = await everybody(t);
  const heard = sockets.map((socket) => collect(socket, "heard"));
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  const talk = (socket, speaker) => numbers.map((i) => ask(socket, "shout", { to: ["red"] }, [speaker, i, told(i % 4)]));
  await Promise.all(sockets.flatMap(talk));
  await settled(...sockets);
  heard.forEach((one, listener) => {
    sockets.forEach((_, speaker) => {
      const from = one.filter(([value]) => value[0] === speaker).map(([value]) => value.slice(1));
      const expected = speaker === listener ? [] : numbers.map((i) => [i, told(i % 4)]);
      assert.deepEqual(from, expected, `of ${speaker} to ${listener}`);
    });
  });
}
