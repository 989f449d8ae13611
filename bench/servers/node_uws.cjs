// socket.io on uWebSockets: node node_uws.cjs PORT [deflate]

const { App } = require("@trufflesuite/uws-js-unofficial");
const { Server } = require("socket.io");
const answer = require("./events.cjs");

const loaded = Object.keys(require.cache);
if (!loaded.some((path) => /uws_[^/]*\.node$/.test(path))) {
  throw new Error("no uWebSockets binary for this Node: the JavaScript substitute would be measured");
}

const app = App();
const io = new Server({ serveClient: false, perMessageDeflate: process.argv[3] === "deflate" });
io.attachApp(app);
answer(io);
app.listen("127.0.0.1", Number(process.argv[2]), (listening) => {
  if (!listening) throw new Error(`port ${process.argv[2]} is taken`);
  console.log("ready");
});
