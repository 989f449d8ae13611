// node reference_http.mjs '{"NAME": {"version": 4 | 2, "options": {...}}, ...}'
//
// Reference servers with the application of tests/differential/app.py, each on a free port, to compare answers
// with. Prints one line of JSON, {"ports": {NAME: port}, "control": port}, and ends when its parent is gone.
// `GET /fate?sid=SID` on the control port tells {"engine": reason | null, "sockets": [[namespace, reason], ...]};
// with `&ended=1` it answers when the session has ended.

import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const LIBRARIES = { 4: (http, options) => new (require("socket.io").Server)(http, options), 2: require("socket.io-v2") };
const PATIENCE = 3_000;
const parent = process.ppid;

/** sid -> its fate, of every session of every server. */
const sessions = new Map();

function allowRequest(req, answer) {
  const deny = new URL(req.url, "http://localhost").searchParams.get("deny");
  answer(deny === "1" ? "custom msg" : null, deny === null);
}

function admit(socket, next) {
  if (!socket.handshake.auth?.bad && !socket.handshake.query.bad) return next();
  next(Object.assign(new Error("not authorized"), { data: { content: "Please retry later" } }));
}

function own(query) {
  const rest = Object.entries(query).filter(([name]) => !["EIO", "transport", "t", "sid", "b64", "j"].includes(name));
  return Object.fromEntries(rest.sort());
}

function messages(socket) {
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("say", (...args) => socket.emit("said", ...args));
  socket.on("say volatile", (...args) => socket.volatile.emit("said", ...args));
  socket.on("bin", () => socket.emit("bin", Buffer.from([1, 2, 3]), "é€😀"));
  socket.on("big", (size) => socket.emit("big", "x".repeat(size)));
  socket.on("big plain", (size) => socket.compress(false).emit("big", "x".repeat(size)));
  socket.on("ask", (value) => socket.emit("question", value, (...args) => socket.emit("answered", ...args)));
  socket.on("query", () => socket.emit("query", own(socket.handshake.query)));
  socket.on("transport", () => socket.emit("transport", socket.conn.transport.name));
}

function life(socket) {
  socket.on("sdisc", () => socket.disconnect());
  socket.on("sdisc1", () => socket.disconnect(true));
  socket.on("sdisc1 soon", () => setTimeout(() => socket.disconnect(true), 20));
  socket.on("close soon", () => setTimeout(() => socket.conn.close(), 20));
  socket.on("say soon", (...args) => setTimeout(() => socket.emit("said", ...args), 20));
  socket.on("disconnect", (reason) => sessions.get(socket.conn.id).sockets.push([socket.nsp.name, reason]));
}

function install(io) {
  io.use(admit);
  io.of("/deny").use((socket, next) => next(new Error("no")));
  for (const name of ["/", "/custom", "/deny"]) {
    io.of(name).on("connection", (socket) => {
      messages(socket);
      life(socket);
      if (name === "/custom") socket.emit("hello", socket.id);
    });
  }
  io.engine.on("connection", (conn) => {
    const fate = { engine: null, sockets: [], waiting: [] };
    sessions.set(conn.id, fate);
    conn.on("close", (reason) => {
      fate.engine = reason;
      setImmediate(() => fate.waiting.forEach((tell) => tell()));
    });
  });
}

function control(req, res) {
  const query = new URL(req.url, "http://localhost").searchParams;
  const fate = sessions.get(query.get("sid"));
  const tell = () => res.writableEnded || res.end(JSON.stringify({ engine: fate.engine, sockets: fate.sockets.sort() }));
  if (!query.has("ended") || fate.engine !== null) return tell();
  fate.waiting.push(tell);
  setTimeout(tell, PATIENCE).unref();
}

async function listen(handler) {
  const http = createServer(handler);
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return [http, http.address().port];
}

const ports = {};
for (const [name, { version, options }] of Object.entries(JSON.parse(process.argv[2]))) {
  const [http, port] = await listen((req, res) => res.writeHead(404).end());
  install(LIBRARIES[version](http, { ...options, allowRequest }));
  ports[name] = port;
}
const [, controlPort] = await listen(control);
console.log(JSON.stringify({ ports, control: controlPort }));
setInterval(() => process.ppid === parent || process.exit(0), 500);
