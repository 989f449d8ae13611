// The reference server with the same handlers as app.py, to show that the scenarios are true of it.

import { createServer } from "node:http";
import { Server } from "socket.io";

import { ODD_NAMES } from "./data.mjs";
import { until } from "./harness.mjs";

const MOMENT = new Date(Date.UTC(2024, 1, 29, 12, 34, 56, 789));
const SECOND = new Date(Date.UTC(2024, 1, 29, 12, 34, 56));

function reversed(value) {
  if (Buffer.isBuffer(value)) return Buffer.from(value).reverse();
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reversed(item)]));
}

function messages(socket) {
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("later", (...args) => setTimeout(args.pop(), 5, ...args));
  socket.on("by callable", (...args) => args.pop()("called", ...args));
  socket.on("never", () => {});
  socket.on("say", (...args) => socket.emit("said", ...args));
  socket.on("say volatile", (...args) => socket.volatile.emit("said", ...args));
  socket.on("message", (...args) => socket.send(...args));
  socket.on("reverse", (...args) => socket.emit("reversed", ...args.map(reversed)));
  socket.on("bytes", (ack) => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    ack(all, { list: [Buffer.from("bytearray"), Buffer.from("memoryview")] }, "end");
  });
  socket.on("size", (value) => socket.emit("sized", value.length));
  socket.on("big please", (size) => socket.emit("big", "y".repeat(size)));
  socket.on("dates please", () => socket.emit("dates", MOMENT, { list: [SECOND] }));
  for (const name of ODD_NAMES) socket.on(name, (...args) => args.pop()(name, ...args));
  // Of the client, or of the server itself without an acknowledgement.
  socket.on("error", (...args) => typeof args.at(-1) === "function" && args.pop()("error", ...args));
  socket.on("emit this", (name, ...args) => socket.emit(name, ...args));
}

/** A number each millisecond until the client says stop; then the count is acknowledged. */
function stream(socket) {
  socket.on("stream", (ack) => {
    let count = 0;
    const emit = () => socket.emit("streamed", count, count++ % 10 ? null : Buffer.from([(count - 1) & 255]));
    const timer = setInterval(emit, 1);
    socket.once("disconnect", () => clearInterval(timer));
    socket.once("stop", () => {
      clearInterval(timer);
      ack(count);
    });
  });
}

function acknowledgements(socket) {
  const numbers = [];
  socket.on("ask me", (value) => socket.emit("question", value, (...answer) => socket.emit("answered", ...answer)));
  socket.on("ask me in vain", () => socket.timeout(50).emit("silence", (error) => error && socket.emit("timed out")));
  socket.on("number", (i) => numbers.push(i));
  socket.on("numbers", (ack) => ack(numbers.length, numbers.every((n, i) => n === i)));
  socket.on("count to", (count) => {
    for (let i = 0; i < count; i++) socket.emit("numbered", i);
  });
}

function rooms(io, socket) {
  socket.on("join", async (names, ack) => ack(await socket.join(names)));
  socket.on("leave", async (name, ack) => ack(await socket.leave(name)));
  socket.on("rooms", (ack) => ack([...socket.rooms].sort()));
  socket.on("shout", (target, value, ack) => {
    let operator = target.io ? socket.nsp : socket.broadcast;
    if (target.volatile) operator = operator.volatile;
    if (target.to) operator = operator.to(target.to);
    if (target.except) operator = operator.except(target.except);
    operator.emit("heard", value);
    ack();
  });
}

/** A query without what belongs to Engine.IO. */
function own({ EIO, transport, t, b64, j, sid, ...query }) {
  return query;
}

function life(io, socket) {
  socket.on("where", (ack) => ack(socket.nsp.name));
  socket.on("id", (ack) => ack(socket.id));
  socket.on("members", (name, ack) => ack([...io.of(name).sockets.keys()]));
  socket.on("handshake", (ack) => ack({ auth: socket.handshake.auth, query: own(socket.handshake.query) }));
  socket.on("leave me", () => socket.disconnect());
  socket.on("throw me out", () => socket.disconnect(true));
  socket.on("drop me", () => socket.conn.close());
  socket.on("later please", (delay, what) => {
    setTimeout(() => {
      for (let i = 0; i < 10; i++) socket.emit("numbered", i);
      if (what === "drop") socket.conn.close();
      else socket.disconnect(true);
    }, delay);
  });
  socket.on("count to and close", (count) => {
    for (let i = 0; i < count; i++) socket.emit("numbered", i);
    socket.conn.close();
  });
  socket.on("shut down", () => io.close());
}

function namespaces(io) {
  io.use((socket, next) => {
    const reason = socket.handshake.query.refuse;
    if (reason === undefined) return next();
    next(Object.assign(new Error("not in main"), reason ? { data: { reason } } : {}));
  });
  io.of("/guarded").use((socket, next) => {
    if (socket.handshake.auth.token === "secret") return next();
    next(Object.assign(new Error("not authorized"), { data: { content: "Please retry later" } }));
  });
  io.of("/closed").use((socket, next) => next(new Error("closed for today")));
  io.of("/slow").use((socket, next) => setTimeout(next, 20));
  io.of("/greeting").on("connection", (socket) => socket.emit("greeting", socket.id, 1));
  return ["/", "/chat", "/other", "/other/ü", "/guarded", "/closed", "/slow", "/greeting"].map((name) => io.of(name));
}

/** Starts it with these options; `reasons()` ends it. */
export async function startReference(options) {
  const http = createServer();
  const io = new Server(http, { allowEIO3: true, ...options });
  const reasons = [];
  for (const namespace of namespaces(io)) {
    namespace.on("connection", (socket) => {
      for (const add of [messages, stream, acknowledgements]) add(socket);
      for (const add of [rooms, life]) add(io, socket);
      socket.on("disconnect", (reason) => reasons.push([namespace.name, reason]));
    });
  }
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    reasons: async () => {
      await until(() => io.engine.clientsCount === 0, "the end of every session");
      await io.close();
      return reasons.sort();
    },
  };
}
