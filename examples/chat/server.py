"""A chat with the official browser client: rooms, who is here, messages, and a thousand messages a second.

`make demo` runs it; open http://127.0.0.1:3000 in two windows. PORT in the environment names another port.
"""

import asyncio
import logging
import os
from collections import Counter
from pathlib import Path

from fastsio import ConnectError, Server, Socket
from fastsio.engine.static import StaticFile

RATE = 1_000  # messages a second that the button asks for
LONGEST = 60.0  # seconds, then it ends by itself

io = Server()


# ---- people and rooms ----


@io.use
def ask_the_name(socket: Socket) -> None:
    """Nobody comes in without a name."""
    name = line(socket.handshake.auth.get("name"), 24)
    if not name:
        raise ConnectError("say who you are")
    socket.data.update(name=name, room="", received=0)


@io.event
def enter(socket: Socket, room: str) -> str:
    """From one room to another; the name of the new one is the answer."""
    leave(socket)
    socket.data["room"] = room = line(room, 24) or "Lobby"
    socket.join(room)
    socket.to(room).emit("note", f"{socket.data['name']} came in")
    tell_who_is_here(room)
    return room


@io.event
def say(socket: Socket, text: str) -> None:
    """A message to the room, its sender included."""
    if text := line(text, 500):
        io.to(socket.data["room"]).emit("message", socket.data["name"], text)


@io.event
def disconnect(socket: Socket, reason: str) -> None:
    leave(socket)


def leave(socket: Socket) -> None:
    room, socket.data["room"] = socket.data["room"], ""
    if room:
        socket.leave(room)
        io.to(room).emit("note", f"{socket.data['name']} left")
        tell_who_is_here(room)


def tell_who_is_here(room: str) -> None:
    """The room gets the names of its people, everybody the list of the rooms."""
    people = [socket.data for socket in io.sockets.sockets.values()]
    io.to(room).emit("people", sorted(person["name"] for person in people if person["room"] == room))
    io.emit("rooms", Counter(person["room"] for person in people if person["room"]))


def line(text: object, longest: int) -> str:
    """What a client sent as one line of text; empty when it is no text."""
    return " ".join(text.split())[:longest] if isinstance(text, str) else ""


# ---- a thousand messages a second ----

flood: asyncio.Task[None] | None = None


@io.on("connection")
def connected(socket: Socket) -> None:
    socket.emit("flooding", flood is not None)


@io.event("flood")
def start_or_stop(socket: Socket, on: bool) -> None:
    """The button: everybody gets a thousand messages a second until somebody presses it again."""
    global flood
    if on and flood is None:
        flood = asyncio.create_task(broadcast_many())
        flood.add_done_callback(flood_ended)
        io.emit("flooding", True)
    elif not on and flood is not None:
        flood.cancel()


async def broadcast_many() -> None:
    clock = asyncio.get_running_loop().time
    begin, sent = clock(), 0
    while clock() - begin < LONGEST and io.engine.clients_count:
        await asyncio.sleep(0.01)
        for number in range(sent, sent := int((clock() - begin) * RATE)):
            io.volatile.emit("number", number)


def flood_ended(task: asyncio.Task[None]) -> None:
    global flood
    flood = None
    io.emit("flooding", False)


@io.event
def received(socket: Socket, count: int) -> int:
    """Every second a page tells how many messages reached it; the answer is how many reached all pages."""
    socket.data["received"] = count if isinstance(count, int) else 0
    return sum(other.data["received"] for other in io.sockets.sockets.values())


# ---- the page ----

FILES = {
    "/": ("text/html", "index.html"),
    "/chat.js": ("text/javascript", "chat.js"),
    "/chat.css": ("text/css", "chat.css"),
    "/socket.io/socket.io.min.js": ("text/javascript", "node_modules/socket.io-client/dist/socket.io.min.js"),
}
for path, (media_type, name) in FILES.items():
    file = Path(__file__).parent / name
    if file.exists():  # without npm there is no client: the page takes it from elsewhere then, and says so
        io.engine.files[path] = StaticFile(f"{media_type}; charset=utf-8", file.read_bytes())

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    io.run(int(os.environ.get("PORT", "3000")))
