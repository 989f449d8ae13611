// What every scenario uses: clients of the chosen version, awaited events, a generous time limit on each wait.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const PACKAGES = { 3: "socket.io-client-v3", 4: "socket.io-client" };
const WAIT = 15_000;

/** Rejects when nothing came of the promise: a scenario fails with the name of what it waited for. */
export function within(promise, what, milliseconds = WAIT) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The arguments of the next event of this name. */
export function next(socket, event) {
  return within(new Promise((resolve) => socket.once(event, (...args) => resolve(args))), `"${event}"`);
}

/** Emits and waits for the acknowledgement's arguments. */
export function ask(socket, event, ...args) {
  const answer = new Promise((resolve) => socket.emit(event, ...args, (...given) => resolve(given)));
  return within(answer, `the acknowledgement of "${event}"`);
}

/** Collects the arguments of every event of this name. */
export function collect(socket, event) {
  const seen = [];
  socket.on(event, (...args) => seen.push(args));
  return seen;
}

/** Waits until the condition holds. */
export async function until(condition, what) {
  const end = Date.now() + WAIT;
  while (!condition()) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Everything that the server sent so far to these sockets has been read when each got its own echo. */
export async function settled(...sockets) {
  for (const socket of sockets) await ask(socket, "echo");
}

export class Harness {
  constructor(version, url) {
    this.version = version;
    this.url = url;
    this.client = require(PACKAGES[version]);
    this.sockets = [];
    /** Whether the server lets events pass for a namespace that it has just thrown the client out of. */
    this.tolerant = true;
  }

  /** A socket on a connection of its own, not waited for. */
  open(namespace = "/", options = {}) {
    const socket = this.client.io(this.url + namespace, {
      transports: ["websocket"],
      forceNew: true,
      reconnectionDelay: 10,
      randomizationFactor: 0,
      ...options,
    });
    this.sockets.push(socket);
    return socket;
  }

  /** A socket on a connection of its own, connected. */
  async connect(namespace, options) {
    const socket = this.open(namespace, options);
    await next(socket, "connect");
    return socket;
  }

  /** Another namespace on the connection of a socket, connected. */
  async join(socket, namespace, options) {
    const other = socket.io.socket(namespace, options);
    this.sockets.push(other);
    if (!other.connected) await next(other, "connect");
    return other;
  }

  close() {
    for (const socket of this.sockets) socket.disconnect();
  }
}
