// A client of 4.8 that is cut off again and again: sends and receives TOTAL numbered events, then tells what came.
// node recovery.mjs <url> <transport> <total>
import { io } from "socket.io-client";

const [url, transport, total] = process.argv.slice(2);
const TOTAL = Number(total);
const socket = io(url, {
  transports: [transport],
  reconnectionDelay: 5,
  reconnectionDelayMax: 20,
  retries: 1000, // an event is sent again until it is acknowledged
  ackTimeout: 2000,
});
const numbers = [];
const ids = [];
let recovered = 0;
let acknowledged = 0;

function finish() {
  if (numbers.length < TOTAL || acknowledged < TOTAL) return;
  console.log(JSON.stringify({ numbers, ids, recovered }));
  process.exit(0);
}

socket.on("connect", () => {
  ids.push(socket.id);
  if (socket.recovered) recovered++;
});
socket.on("number", (number) => {
  numbers.push(number);
  finish();
});
for (let number = 0; number < TOTAL; number++) {
  socket.emit("up", number, () => {
    acknowledged++;
    finish();
  });
}
