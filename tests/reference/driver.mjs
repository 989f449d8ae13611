// Official clients of three generations, driven by tests in Python (node.py). One process serves a whole run of tests.
//
// It prints the port that it listens on. Each TCP connection is one test: JSON lines both ways, and when it ends all of
// its clients end too. A request {id, do, ...} is one of the COMMANDS and gets {id, value} or {id, error} back. What
// happens to a client comes without being asked for: {client, event, args} for an event of the server's (asks: it wants
// an acknowledgement), {client, life, args} for its own: connect, disconnect, refused. {fatal} is a fault in here.
// Binary values are {"$bytes": base64} anywhere, both ways.

import { createRequire } from "node:module";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const CLIENTS = { 2: "socket.io-client-v2", 3: "socket.io-client-v3", 4: "socket.io-client" };
const DEFAULTS = { forceNew: true, reconnection: false, reconnectionDelay: 10, randomizationFactor: 0 };
const AsyncFunction = (async () => {}).constructor;

// ---- values ----

/** A value as JSON has it; functions, undefined and objects of the clients' own classes become null. */
function encoded(value) {
  if (value === undefined || typeof value === "function") return null;
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return bytes(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  if (value instanceof ArrayBuffer) return bytes(Buffer.from(value));
  if (value instanceof Error) return refusal(value);
  if (Array.isArray(value)) return value.map(encoded);
  if (typeof value.toJSON === "function") return value.toJSON();
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encoded(item)]));
}

function bytes(buffer) {
  return { $bytes: buffer.toString("base64") };
}

/** The reverse, as the second argument of JSON.parse. */
function reviver(_, value) {
  return typeof value?.$bytes === "string" ? Buffer.from(value.$bytes, "base64") : value;
}

/** Why a client was not taken. Clients of 2.x have the data or the message alone. */
function refusal(error) {
  if (typeof error === "string") return { message: error };
  if (!(error instanceof Error)) return { message: "", data: encoded(error) };
  const { message, type, data } = error;
  const context = error.context ?? error.description;
  const status = typeof error.description === "number" ? error.description : context?.status;
  return { message, type, data: encoded(data), status, text: context?.responseText };
}

// ---- one client ----

/** A client's socket: tells the test what comes, and answers as the test wishes. */
class Client {
  constructor(test, number, version, socket) {
    Object.assign(this, { test, number, version, socket });
    this.answers = new Map(); // event -> (args) => values
    this.waiting = new Map(); // event -> acknowledgements not given yet
    this.settles = 0;
    this.#listen();
    this.#live();
  }

  #listen() {
    const { socket } = this;
    const heard = (event, ...args) => this.#heard(event, args);
    if (this.version > 2) {
      socket.onAny(heard);
      return;
    }
    const { onevent } = socket;
    socket.onevent = (packet) => {
      onevent.call(socket, packet);
      heard(...packet.data);
    };
  }

  #heard(event, args) {
    const asks = typeof args.at(-1) === "function";
    const ack = asks ? args.pop() : null;
    this.test.tell({ client: this.number, event, args: encoded(args), asks });
    const answer = this.answers.get(event);
    if (!asks) return;
    if (answer) ack(...answer(args));
    else if (this.waiting.has(event)) this.waiting.get(event).push(ack);
    else this.waiting.set(event, [ack]);
  }

  #live() {
    const { socket } = this;
    const tell = (life, ...args) => this.test.tell({ client: this.number, life, args: encoded(args) });
    socket.on("connect", () => tell("connect", socket.id, socket.recovered ?? null));
    socket.on("disconnect", (reason) => tell("disconnect", reason));
    socket.on("connect_error", (error) => tell("refused", refusal(error)));
    if (this.version === 2) socket.on("error", (error) => tell("refused", refusal(error)));
  }

  /** Gives the answer to the oldest request for an acknowledgement that has none. */
  answer(event, values) {
    const ack = this.waiting.get(event)?.shift();
    if (!ack) throw new Error(`no "${event}" waits for an acknowledgement`);
    ack(...values);
  }

  /** A round trip to the server by a packet that needs nothing there: to join a namespace that nobody has. */
  settle() {
    const manager = this.socket.io;
    if (manager.engine?.readyState !== "open") return null;
    const nsp = `/settle-${this.number}-${this.settles++}`;
    const send = (type) => (manager._packet ?? manager.packet).call(manager, { type, nsp });
    return new Promise((resolve) => {
      const done = () => {
        manager.off("packet", answered);
        manager.off("close", done);
        resolve();
      };
      const answered = (packet) => {
        if (packet.nsp !== nsp) return;
        if (packet.type === 0) send(1); // a namespace that takes any name: left at once
        done();
      };
      manager.on("packet", answered);
      manager.on("close", done);
      send(0);
    });
  }

  evaluate(expression, args) {
    const { socket } = this;
    const run = new AsyncFunction("socket", "io", "engine", "args", `return (${expression});`);
    return run(socket, socket.io, socket.io.engine, args);
  }

  end() {
    const { socket } = this;
    socket.io.reconnection(false);
    socket.disconnect();
    socket.io.engine?.close();
    (socket.io._close ?? socket.io.close).call(socket.io);
  }
}

// ---- one test ----

const COMMANDS = {
  connect: (test, { client, version, url, options }) => {
    if (options.parser) options.parser = require(options.parser);
    const open = require(CLIENTS[version]);
    test.add(client, version, open(url, { ...DEFAULTS, ...options }));
  },
  join: (test, { client, of, nsp, options }) => {
    const { version, socket } = test.client(of);
    test.add(client, version, socket.io.socket(nsp, options));
  },
  emit: (test, { client, event, args }) => void test.client(client).socket.emit(event, ...args),
  ask: (test, { client, event, args }) =>
    new Promise((resolve) => test.client(client).socket.emit(event, ...args, (...values) => resolve(values))),
  answers: (test, { client, event, values }) => void test.client(client).answers.set(event, () => values),
  echoes: (test, { client, event }) => void test.client(client).answers.set(event, (args) => args),
  never: (test, { client, event }) => void test.client(client).answers.delete(event),
  answer: (test, { client, event, values }) => test.client(client).answer(event, values),
  open: (test, { client }) => void test.client(client).socket.connect(),
  disconnect: (test, { client }) => void test.client(client).socket.disconnect(),
  settle: (test, { client }) => test.client(client).settle(),
  eval: (test, { client, expression, args }) => test.client(client).evaluate(expression, args),
  end: (test) => test.end(),
};

/** One connection of node.py's. */
class Test {
  constructor(connection) {
    this.connection = connection;
    this.clients = new Map();
  }

  client(number) {
    const client = this.clients.get(number);
    if (!client) throw new Error(`no client ${number}`);
    return client;
  }

  add(number, version, socket) {
    this.clients.set(number, new Client(this, number, version, socket));
  }

  tell(what) {
    if (this.connection.writable) this.connection.write(`${JSON.stringify(what)}\n`);
  }

  async run(line) {
    const { id, do: name, ...rest } = JSON.parse(line, reviver);
    try {
      this.tell({ id, value: encoded(await COMMANDS[name](this, rest)) });
    } catch (error) {
      this.tell({ id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
  }

  end() {
    for (const client of this.clients.values()) client.end();
    this.clients.clear();
  }
}

const tests = new Set();

const server = createServer((connection) => {
  connection.setNoDelay(true);
  const test = new Test(connection);
  tests.add(test);
  createInterface({ input: connection, crlfDelay: Infinity }).on("line", (line) => test.run(line));
  connection.on("error", () => {});
  connection.on("close", () => {
    tests.delete(test);
    test.end();
  });
});

function fatal(error) {
  for (const test of tests) test.tell({ fatal: error?.stack ?? String(error) });
}

process.on("uncaughtException", fatal);
process.on("unhandledRejection", fatal);

// Whoever started this process may have been killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
