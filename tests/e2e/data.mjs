// Scenarios about what travels: JSON, binary, acknowledgements, order, sizes, names.

import assert from "node:assert/strict";

import { ask, collect, next, settled, until, within } from "./harness.mjs";

const VALUES = [
  ["text", "é€ – 日本語"],
  ["astral", "😀𝒳👩‍👩‍👧 \u0000\u0001\u007f\u2028\u2029"],
  ["quotes", '"\\/\b\f\n\r\t'],
  ["empty", ""],
  ["null", null],
  ["booleans", [true, false]],
  ["integers", [0, -1, 1, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
  ["floats", [0.1, -0.5, 1.5e300, 5e-324, 1e21, 123456789.12345679, 3.141592653589793]],
  ["nested", { a: [{ b: { c: [[], {}, [[[1]]]] } }], "é€😀": { "": 0, "a.b": 1, "a b": 2 } }],
  ["keys", { ["__proto__"]: 0, toString: 1, constructor: 2, length: 3 }],
  ["placeholder", { _placeholder: true, num: 0 }],
  ["array", Array.from({ length: 20_000 }, (_, i) => (i % 3 ? i : `item ${i}`))],
  ["object", Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key ${i}`, { i }]))],
];

const clean = (value) => JSON.parse(JSON.stringify(value));

export async function json(t) {
  const socket = await t.connect();
  for (const [name, value] of VALUES) {
    const said = next(socket, "said");
    socket.emit("say", value, [value], 1);
    assert.deepEqual(await said, clean([value, [value], 1]), `${name}, said back`);
    assert.deepEqual(await ask(socket, "echo", value), clean([value]), `${name}, acknowledged`);
  }
  const said = next(socket, "said");
  socket.emit("say");
  assert.deepEqual(await said, [], "no arguments");
  assert.deepEqual(await ask(socket, "echo", undefined, NaN, Infinity), [null, null, null]);
}

export async function odd_text(t) {
  const socket = await t.connect();
  const half = "\ud83d alone, \udc00 too";
  assert.deepEqual(await ask(socket, "echo", half), [half], "lone surrogates");
}

export async function message(t) {
  const socket = await t.connect();
  const got = next(socket, "message");
  socket.send("hello", { a: 1 });
  assert.deepEqual(await got, ["hello", { a: 1 }]);
}

export async function binary(t) {
  const socket = await t.connect();
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const reversed = Buffer.from(all).reverse();
  const value = {
    buffer: all,
    list: ["é€😀", new Uint8Array(all), { deep: [new Uint8Array(all).buffer, null] }],
  };
  const said = next(socket, "reversed");
  socket.emit("reverse", value, Buffer.from([1, 2, 3]), "text");
  assert.deepEqual(await said, [
    { buffer: reversed, list: ["é€😀", reversed, { deep: [reversed, null] }] },
    Buffer.from([3, 2, 1]),
    "text",
  ]);
  const [first, nested, last] = await ask(socket, "bytes");
  assert.deepEqual([first, nested, last], [all, { list: [Buffer.from("bytearray"), Buffer.from("memoryview")] }, "end"]);
}

export async function binary_ten_attachments(t) {
  const socket = await t.connect();
  const ten = Array.from({ length: 10 }, (_, i) => Buffer.alloc(i + 1, i));
  assert.deepEqual(await ask(socket, "echo", ten), [ten]);
  // Two of them; over polling they travel as base64, and only 4.x clients split what is too large for one request.
  const large = Buffer.alloc(t.kind === "websocket" ? 900_000 : t.generation === 4 ? 700_000 : 300_000, "large");
  assert.deepEqual(await ask(socket, "echo", large, { large }), [large, { large }]);
}

export async function binary_empty(t) {
  const socket = await t.connect();
  const none = Buffer.alloc(0);
  assert.deepEqual(await ask(socket, "echo", none, [none]), [none, [none]]);
}

export async function binary_between_texts(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  for (let i = 0; i < 300; i++) socket.emit("say", i % 3 ? i : Buffer.from([i & 255]), i);
  await settled(socket);
  assert.equal(seen.length, 300);
  seen.forEach(([value, index], i) => assert.deepEqual([value, index], [i % 3 ? i : Buffer.from([i & 255]), i]));
}

export async function acks_of_server(t) {
  const socket = await t.connect();
  assert.deepEqual(await ask(socket, "echo"), []);
  assert.deepEqual(await ask(socket, "echo", 1, [2], { three: null }), [1, [2], { three: null }]);
  assert.deepEqual(await ask(socket, "later", "a"), ["a"], "from a coroutine");
  assert.deepEqual(await ask(socket, "by callable", 1, "b"), ["called", 1, "b"], "by the ack parameter");
  const bytes = Buffer.from([0, 255, 4]);
  assert.deepEqual(await ask(socket, "echo", bytes, { bytes }), [bytes, { bytes }], "binary");
  const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(socket, "echo", i)));
  answers.forEach((answer, i) => assert.deepEqual(answer, [i]));
}

export async function acks_of_client(t) {
  const socket = await t.connect();
  const questions = collect(socket, "question");
  const answers = [[], [1], [1, "two"], [Buffer.from([9, 8])], [{ deep: [Buffer.from("x")] }, null]];
  for (const answer of answers) {
    socket.once("question", (value, reply) => reply(...answer));
    const given = next(socket, "answered");
    socket.emit("ask me", { why: "é€😀" });
    assert.deepEqual(await given, answer);
  }
  assert.ok(questions.every(([value]) => value.why === "é€😀"));
  socket.once("question", (value, reply) => reply(value));
  const given = next(socket, "answered");
  socket.emit("ask me", Buffer.from([1, 2, 3]));
  assert.deepEqual(await given, [Buffer.from([1, 2, 3])], "a question with binary");
}

export async function ack_timeout_of_server(t) {
  const socket = await t.connect();
  const out = next(socket, "timed out");
  let late;
  socket.once("silence", (reply) => {
    late = reply;
  });
  socket.emit("ask me in vain");
  await out;
  late("too late");
  assert.deepEqual(await ask(socket, "echo", 1), [1], "a late acknowledgement is ignored");
}

export async function ack_timeout_of_client(t) {
  const socket = await t.connect();
  await assert.rejects(within(socket.timeout(50).emitWithAck("never"), "the timeout"), /timed out/);
  assert.equal(await within(socket.timeout(5000).emitWithAck("later", 7), "the answer"), 7);
  assert.equal(await within(socket.emitWithAck("echo", "x"), "the answer"), "x");
}

const MANY = 10_000;

export async function many_up(t) {
  const socket = await t.connect();
  for (let i = 0; i < MANY; i++) socket.emit("number", i);
  assert.deepEqual(await ask(socket, "numbers"), [MANY, true], "how many, and whether in order");
}

export async function many_down(t) {
  const socket = await t.connect();
  const seen = collect(socket, "numbered");
  socket.emit("count to", MANY);
  await until(() => seen.length >= MANY, `${MANY} messages`);
  await settled(socket);
  assert.equal(seen.length, MANY);
  seen.forEach(([i], index) => assert.equal(i, index));
}

export async function many_both_ways(t) {
  const socket = await t.connect();
  const seen = collect(socket, "said");
  for (let i = 0; i < MANY; i++) socket.emit("say", i);
  await until(() => seen.length >= MANY, `${MANY} messages`);
  seen.forEach(([i], index) => assert.equal(i, index));
}

export async function dates(t) {
  const socket = await t.connect();
  const moments = next(socket, "dates");
  socket.emit("dates please");
  assert.deepEqual(await moments, ["2024-02-29T12:34:56.789Z", { list: ["2024-02-29T12:34:56.000Z"] }]);
  const now = new Date();
  assert.deepEqual(await ask(socket, "echo", now), [now.toJSON()]);
}

export const ODD_NAMES = ["", " ", "é€😀", "a b", "\"", "\\", "[", ",", "/chat,", "4", "\u2028\u0001", "toString", "__proto__"];

export async function odd_names(t) {
  const socket = await t.connect();
  for (const name of ODD_NAMES) {
    assert.deepEqual(await ask(socket, name, 1), [name, 1], JSON.stringify(name));
    const got = next(socket, name);
    socket.emit("emit this", name, "argument");
    assert.deepEqual(await got, ["argument"], `${JSON.stringify(name)} from the server`);
  }
  if (t.generation > 2) {
    assert.deepEqual(await ask(socket, "error", "an ordinary event"), ["error", "an ordinary event"]);
  }
  socket.emit("nobody listens to this", 1);
  await settled(socket);
}

const LIMIT = 1_000_000;

/** A message with which the websocket frame or the POST body is exactly `size` bytes long. */
function filling(t, size) {
  const framing = t.polls && t.generation === 2 ? '999999:42["size",""]' : '42["size",""]';
  return "x".repeat(size - framing.length);
}

export async function largest_message(t) {
  const socket = await t.settle();
  const sized = next(socket, "sized");
  const text = filling(t, LIMIT);
  socket.emit("size", text);
  assert.deepEqual(await sized, [text.length]);
  const big = next(socket, "big");
  socket.emit("big please", 3_000_000);
  assert.equal((await big)[0], "y".repeat(3_000_000), "the limit is for what comes in");
}

async function too_large(t, value) {
  const socket = await t.settle("/", { reconnection: false });
  const gone = next(socket, "disconnect");
  socket.emit("size", value);
  const [reason, details] = await gone;
  assert.equal(reason, t.polls ? "transport error" : "transport close");
  if (t.generation === 4) assert.equal(t.polls ? details.description : details.context.code, t.polls ? 413 : 1009);
}

export async function too_large_message(t) {
  await too_large(t, filling(t, LIMIT + 1));
}

export async function too_large_binary(t) {
  await too_large(t, Buffer.alloc(LIMIT + 1));
}
