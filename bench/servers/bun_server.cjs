// socket.io on @socket.io/bun-engine: bun bun_server.cjs PORT

const { Server: Engine } = require("@socket.io/bun-engine");
const { Server } = require("socket.io");
const answer = require("./events.cjs");

const engine = new Engine({ path: "/socket.io/" });
const io = new Server({ serveClient: false });
io.bind(engine);
answer(io);
Bun.serve({ port: Number(process.argv[2]), hostname: "127.0.0.1", ...engine.handler() });
console.log("ready");
