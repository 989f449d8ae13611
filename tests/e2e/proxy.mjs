// A TCP proxy before the server: it delays, swallows or refuses the websockets, or cuts every connection.

import { connect, createServer } from "node:net";

const IS_WEBSOCKET = /^GET [^\r\n]*[?&]transport=websocket/;

export class Proxy {
  /** options: `delay` of a websocket's bytes both ways, in milliseconds; `websocket` "refused" or "swallowed". */
  constructor(url, { delay = 0, websocket = "passed" } = {}) {
    this.target = new URL(url);
    this.delay = delay;
    this.websocket = websocket;
    this.connections = new Set();
    this.server = createServer((socket) => socket.once("data", (head) => this.accept(socket, head)).on("error", () => {}));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  accept(socket, head) {
    const isWebsocket = IS_WEBSOCKET.test(head.toString("latin1"));
    this.connections.add(socket);
    socket.on("close", () => this.connections.delete(socket));
    if (isWebsocket && this.websocket === "refused") return socket.destroy();
    if (isWebsocket && this.websocket === "swallowed") return socket.resume();
    const server = connect(this.target.port, this.target.hostname);
    const delay = isWebsocket ? this.delay : 0;
    server.setNoDelay(true);
    pass(server, socket, delay);
    pass(socket, server, delay);
    later(delay, () => server.write(head));
  }

  /** Cuts every connection, as a cable does; nothing passes any more. */
  cut() {
    this.server.close();
    for (const socket of this.connections) socket.destroy();
  }

  disconnect() {
    this.cut();
  }
}

function later(delay, action) {
  if (delay) setTimeout(action, delay);
  else action();
}

/** Hands on the bytes and the end of one direction, in their order. */
function pass(from, to, delay) {
  from.on("data", (bytes) => later(delay, () => to.write(bytes)));
  from.on("end", () => later(delay, () => to.end()));
  from.on("error", () => {});
  from.on("close", () => later(delay, () => to.destroy()));
}
