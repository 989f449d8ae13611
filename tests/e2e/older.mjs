// Scenarios that only a client of 2.x knows: the query of a namespace, ids of its own making, error packets.

import assert from "node:assert/strict";

import { ask, next } from "./harness.mjs";

export async function query_of_a_namespace(t) {
  const socket = await t.connect("/chat?token=abc&room=a%20b%26c");
  const [shake] = await ask(socket, "handshake");
  const query = { token: "abc", room: "a b&c" };
  assert.deepEqual(shake.auth, query);
  assert.deepEqual(shake.query, query);
}

export async function queries_of_two_namespaces(t) {
  const main = await t.connect("/", { query: { room: "main" } });
  const chat = await t.join(main, "/chat", { query: { token: "é&=" } });
  const other = await t.join(main, "/other", { query: "token=2&token2" });
  assert.deepEqual(await ask(main, "handshake"), [{ auth: {}, query: { room: "main" } }]);
  const [shakes, auths] = [[], [{ token: "é&=" }, { token: "2", token2: "" }]];
  for (const socket of [chat, other]) shakes.push((await ask(socket, "handshake"))[0]);
  assert.deepEqual(shakes.map(({ auth }) => auth), auths);
  // Servers of 2.x hand out the query of the namespace with that of the connection, those of 4.x the latter alone.
  const queries = auths.map((auth) => (t.reference ? { room: "main" } : { room: "main", ...auth }));
  assert.deepEqual(shakes.map(({ query }) => query), queries);
}

export async function ids(t) {
  const main = await t.connect();
  const chat = await t.join(main, "/chat");
  const sid = main.io.engine.id;
  assert.deepEqual([main.id, chat.id], [sid, `/chat#${sid}`], "as the client makes them up");
  assert.deepEqual(await ask(main, "id"), [sid]);
  assert.deepEqual(await ask(chat, "id"), [`/chat#${sid}`]);
  assert.deepEqual(await ask(chat, "rooms"), [[chat.id]]);
}

export async function only_in_main_without_asking(t) {
  const chat = await t.connect("/chat");
  assert.deepEqual(await ask(chat, "members", "/"), [[chat.io.engine.id]]);
  assert.deepEqual(await ask(chat, "members", "/chat"), [[chat.id]]);
}

export async function refused_in_main(t) {
  const socket = t.open("/", { query: { refuse: "with data" } });
  assert.deepEqual(await next(socket, "error"), [{ reason: "with data" }]);
  const other = t.open("/", { query: { refuse: "" } });
  assert.deepEqual(await next(other, "error"), ["not in main"]);
  assert.ok(!socket.connected && !other.connected);
}
