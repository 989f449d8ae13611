// A TCP proxy before the server: it delays, swallows or refuses the websockets, or cuts every connection.

import { connect, createServer } from "node:net";

const IS_WEBSOCKET = /^GET [^\r\n]*[?&]transport=websocket/;

export class Proxy {
  /**
   * options: `delay` of a websocket's bytes both ways, in milliseconds; `websocket` "refused", "swallowed" (the
   * server does not hear of it) or "silent" (after the handshake, the server hears nothing).
   */
  constructor(url, { delay = 0, websocket = "passed" } = {}) {
    this.target = new URL(url);
    this.delay = delay;
    this.websocket = websocket;
    this.connections = new Set();
    this.websockets = new Set();
    this.server = createServer((socket) => socket.once("data", (head) => this.accept(socket, head)).on("error", () => {}));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  accept(socket, head) {
    const isWebsocket = IS_WEBSOCKET.test(head.toString("latin1"));
    this.connections.add(socket);
    if (isWebsocket) this.websockets.add(socket);
    socket.on("close", () => this.connections.delete(socket) && this.websockets.delete(socket));
    if (isWebsocket && this.websocket === "refused") return socket.destroy();
    if (isWebsocket && this.websocket === "swallowed") return socket.resume();
    const server = connect(this.target.port, this.target.hostname);
    const delay = () => (isWebsocket ? this.delay : 0);
    server.setNoDelay(true);
    pass(server, socket, inOrder(delay));
    const later = inOrder(delay);
    later(() => server.write(head));
    pass(socket, server, later, isWebsocket && this.websocket === "silent");
  }

  /** Cuts every connection, as a cable does; nothing passes any more. */
  cut() {
    this.server.close();
    for (const socket of this.connections) socket.destroy();
  }

  cutWebsockets() {
    for (const socket of this.websockets) socket.destroy();
  }

  /** What clients say at last may still pass. */
  disconnect() {
    setTimeout(() => this.cut(), 1_000);
  }
}

/** A function that does things later, but in their order, even if the delay becomes shorter. */
function inOrder(delay) {
  const waiting = [];
  const work = () => {
    while (waiting.length && waiting[0].due <= performance.now()) waiting.shift().action();
    if (waiting.length) setTimeout(work, waiting[0].due - performance.now());
  };
  return (action) => {
    const due = performance.now() + delay();
    if (waiting.push({ due, action }) === 1) work();
  };
}

/** Hands on the bytes and the end of one direction, in their order; or the end alone. */
function pass(from, to, later, silent = false) {
  from.on("data", (bytes) => silent || later(() => to.write(bytes)));
  from.on("end", () => later(() => to.end()));
  from.on("error", () => {});
  from.on("close", () => later(() => to.destroy()));
}
