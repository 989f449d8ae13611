// In a browser: connects with the client and by the way that the page's query names, talks, and shows what worked.
// `finished` is true at the end, `heard` what was broadcast, `requests` which requests carried binary.

const query = new URLSearchParams(location.search);
const requests = { sentBinary: 0, gotBinary: 0 };
const heard = [];
window.finished = false;
let socket;

const WAYS = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
  jsonp: { transports: ["polling"], forceJSONP: true },
};
const TEXT = "é€😀 👩‍👩‍👧 \u0000\u2028 \\n 'quotes\" </script>";

function check(condition, what) {
  if (!condition) throw new Error(what);
  document.getElementById("done").append(Object.assign(document.createElement("li"), { textContent: what }));
}

const ask = (...args) => new Promise((resolve) => socket.emit(...args, (...answer) => resolve(answer)));
const next = (event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
const bytesOf = (buffer) => Array.from(new Uint8Array(buffer));

function watchRequests() {
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    if (body instanceof ArrayBuffer || body instanceof Blob || ArrayBuffer.isView(body)) requests.sentBinary++;
    this.addEventListener("load", () => {
      if (this.getResponseHeader("Content-Type") === "application/octet-stream") requests.gotBinary++;
    });
    return send.call(this, body);
  };
}

/** Numbered messages both ways, among them binary ones. */
async function inOrder() {
  const got = [];
  socket.on("said", (i, bytes) => got.push(i + (bytes ? `:${bytesOf(bytes)}` : "")));
  const expected = [];
  for (let i = 0; i < 300; i++) {
    socket.emit("say", i, i % 10 ? null : new Uint8Array([i & 255, 255]).buffer);
    expected.push(i + (i % 10 ? "" : `:${i & 255},255`));
  }
  await ask("echo");
  check(got.join() === expected.join(), "300 messages there and back, in order");
}

async function talk() {
  check((await ask("echo", TEXT, { list: [TEXT] }))[1].list[0] === TEXT, "text of all kinds");
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const reversed = next("reversed");
  socket.emit("reverse", { all: all.buffer }, new Blob(["blob"]), TEXT);
  const [object, blob, text] = await reversed;
  check(`${bytesOf(object.all)}` === `${Array.from(all).reverse()}`, "binary there and back");
  check(new TextDecoder().decode(blob) === "bolb" && text === TEXT, "a Blob beside text");
  const [bytes, nested] = await ask("bytes");
  check(`${bytesOf(bytes)}` === `${Array.from(all)}`, "binary in an acknowledgement");
  check(new TextDecoder().decode(nested.list[0]) === "bytearray", "binary inside");
  await inOrder();
  const big = next("big");
  socket.emit("big please", 1_500_000);
  check((await big)[0] === "y".repeat(1_500_000), "a big message");
}

async function main() {
  const way = query.get("way");
  document.querySelector("h1").textContent = `Client ${query.get("client")}, ${way}`;
  watchRequests();
  socket = io({ ...WAYS[way], reconnection: false });
  socket.on("heard", (value) => heard.push(value.bytes ? `${value.text} ${bytesOf(value.bytes)}` : value));
  await next("connect");
  await talk();
  const { transport } = socket.io.engine;
  check(transport.name === (way === "websocket" || way === "upgrade" ? "websocket" : "polling"), transport.name);
  window.finished = true;
}

const script = document.createElement("script");
script.src = query.get("client") === "2" ? "/client-2.js" : "/socket.io/socket.io.min.js";
script.onload = () => main().catch((error) => (document.getElementById("failed").textContent = error.stack));
document.head.append(script);
