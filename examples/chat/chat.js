// The page of the chat. The official client is window.io; without npm it comes from its CDN.

const CDN = "https://cdn.socket.io/4.8.4/socket.io.min.js";
const ROOMS = ["Lobby", "Music", "Science"];
const $ = (id) => document.getElementById(id);

let source = "";
if (!window.io) {
  source = " · npm was not there at set-up: the client comes from cdn.socket.io";
  await new Promise((resolve) => {
    const script = Object.assign(document.createElement("script"), { src: CDN, onload: resolve });
    script.onerror = () => ($("status").textContent = "Neither npm nor cdn.socket.io had the Socket.IO client.");
    document.head.append(script);
  });
}

let room = ROOMS[0];
$("name").value = localStorage.name ?? `Guest ${1000 + Math.floor(Math.random() * 9000)}`;
const socket = io({ transports: ["websocket"], auth: (give) => give({ name: $("name").value }) });

// ---- connection ----

socket.on("connect", () => {
  status(`Connected as ${socket.id}`);
  enter(room);
});
socket.on("connect_error", (error) => status(`Not connected: ${error.message}`));
socket.on("disconnect", (reason) => status(`Disconnected: ${reason}`));

function status(text) {
  $("status").textContent = text + source;
}

$("name").onchange = () => {
  localStorage.name = $("name").value;
  socket.disconnect().connect();
};

// ---- rooms and people ----

function enter(name) {
  socket.emit("enter", name, (entered) => {
    room = entered;
    $("room").textContent = room;
    $("messages").replaceChildren();
    document.querySelectorAll("#rooms button").forEach(mark);
  });
}

const mark = (button) => button.setAttribute("aria-current", button.dataset.room === room);

socket.on("rooms", (counts) => {
  const names = [...new Set([...ROOMS, ...Object.keys(counts)])];
  $("rooms").replaceChildren(...names.map((name) => {
    const button = Object.assign(document.createElement("button"), { textContent: name, onclick: () => enter(name) });
    button.dataset.room = name;
    button.dataset.count = counts[name] ?? "";
    mark(button);
    return item(button);
  }));
});

socket.on("people", (names) => $("people").replaceChildren(...names.map((name) => item(name))));

function item(...content) {
  const li = document.createElement("li");
  li.append(...content);
  return li;
}

// ---- messages ----

socket.on("message", (name, text) => {
  const author = document.createElement("b");
  author.textContent = name;
  show(item(author, text));
});
socket.on("note", (text) => show(Object.assign(item(text), { className: "note" })));

function show(li) {
  $("messages").append(li);
  li.scrollIntoView({ block: "end" });
}

function onSubmit(form, act) {
  form.onsubmit = (event) => {
    event.preventDefault();
    act(form.elements[0].value);
    form.reset();
  };
}
onSubmit($("say"), (text) => socket.emit("say", text));
onSubmit($("open"), (name) => name.trim() && enter(name));

// ---- messages a second ----

let count = 0;
const history = Array(60).fill(0);
socket.onAny(() => count++);

setInterval(() => {
  const mine = count;
  count = 0;
  $("mine").textContent = mine.toLocaleString();
  history.push(mine);
  history.shift();
  const highest = Math.max(...history, 10);
  const points = history.map((value, second) => `${second},${23 - (value / highest) * 22}`);
  $("chart").firstElementChild.setAttribute("points", points.join(" "));
  socket.connected && socket.emit("received", mine, (total) => ($("total").textContent = total.toLocaleString()));
}, 1000);

$("flood").onclick = () => socket.emit("flood", $("flood").ariaPressed !== "true");
socket.on("flooding", (on) => {
  $("flood").ariaPressed = on;
  $("flood").textContent = on ? "Stop the broadcast" : "Broadcast 1,000 messages a second";
});
