// What every scenario uses: clients of one generation over one kind of transport, awaited events, a generous time
// limit on each wait. A variant is "<generation>-<kind>", such as "2-polling" or "4-fetch-upgrade".

import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { Proxy } from "./proxy.mjs";

const require = createRequire(import.meta.url);
const PACKAGES = { 2: "socket.io-client-v2", 3: "socket.io-client-v3", 4: "socket.io-client" };
const { Fetch, NodeWebSocket } = require("engine.io-client");
export const TRANSPORTS = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
  fetch: [Fetch],
  "fetch-upgrade": [Fetch, NodeWebSocket],
};
const WAIT = 15_000;

/** Rejects when nothing came of the promise: a scenario fails with the name of what it waited for. */
export function within(promise, what, milliseconds = WAIT) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

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
    await sleep(5);
  }
}

/** Everything that the server sent so far to these sockets has been read when each got its own echo. */
export async function settled(...sockets) {
  for (const socket of sockets) await ask(socket, "echo");
}

/** The name of the transport that a socket's connection is on. */
export function transportOf(socket) {
  return socket.io.engine.transport.name;
}

/** Waits until the upgrade is over, if this connection upgrades at all. */
export async function steady(...sockets) {
  for (const { io } of sockets) {
    if (io.opts.transports.length === 1) continue;
    await until(() => io.engine.transport.name === "websocket" && !io.engine.upgrading, "the upgrade");
  }
}

/** Why a namespace did not take the client: {message, data}; a client of 2.x has data, or else the message. */
export async function refusal(t, socket) {
  const [error] = await next(socket, t.generation === 2 ? "error" : "connect_error");
  if (t.generation > 2) assert.ok(error instanceof Error);
  return t.generation > 2 ? { message: error.message, data: error.data } : error;
}

export class Harness {
  constructor(variant, url) {
    this.variant = variant;
    this.generation = Number(variant[0]);
    this.kind = variant.slice(2);
    this.polls = this.kind === "polling" || this.kind === "fetch";
    this.url = url;
    this.client = require(PACKAGES[this.generation]);
    this.closing = [];
    /** Whether it is the reference server, which is less patient in places. */
    this.reference = false;
  }

  /** The same server by clients of another variant, or at another address; closed with this one. */
  as(variant, url = this.url) {
    const other = new Harness(variant, url);
    other.closing = this.closing;
    other.reference = this.reference;
    return other;
  }

  /** The same server and variant, with a proxy of these options between; `proxy` is it. */
  async behind(options) {
    const proxy = new Proxy(this.url, options);
    this.closing.push(proxy);
    const other = this.as(this.variant, await proxy.listen());
    other.proxy = proxy;
    return other;
  }

  /** A socket on a connection of its own, not waited for. */
  open(namespace = "/", options = {}) {
    const socket = this.client(this.url + namespace, {
      transports: TRANSPORTS[this.kind],
      forceNew: true,
      reconnectionDelay: 10,
      randomizationFactor: 0,
      ...options,
    });
    this.closing.push(socket);
    return socket;
  }

  /** A socket on a connection of its own, connected. */
  async connect(namespace, options) {
    const socket = this.open(namespace, options);
    await next(socket, "connect");
    return socket;
  }

  /** The same, its upgrade over. */
  async settle(namespace, options) {
    const socket = await this.connect(namespace, options);
    await steady(socket);
    return socket;
  }

  /** Another namespace on the connection of a socket, connected. */
  async join(socket, namespace, options) {
    const other = socket.io.socket(namespace, options);
    this.closing.push(other);
    if (!other.connected) await next(other, "connect");
    return other;
  }

  close() {
    for (const one of this.closing) one.disconnect();
  }
}
