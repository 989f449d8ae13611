// socket.io on Node's http server with ws: node node_ws.cjs PORT [deflate]

const { createServer } = require("node:http");
const { Server } = require("socket.io");
const answer = require("./events.cjs");

const http = createServer();
answer(new Server(http, { serveClient: false, perMessageDeflate: process.argv[3] === "deflate" }));
http.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 }, () => console.log("ready"));
