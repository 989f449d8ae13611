"""The server's side of the scenarios: `install(io)` sets the handlers that the Node scripts talk to.

reference.mjs has the same handlers for the reference server; keep the two alike.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastsio import AckTimeout, ConnectError, Namespace, Server

HERE = Path(__file__).parent
MOMENT = datetime(2024, 2, 29, 12, 34, 56, 789_000, UTC)
NAMES = ("/", "/chat", "/other", "/other/ü", "/guarded", "/closed", "/slow", "/greeting")
ENGINE_QUERY = {"EIO", "transport", "t", "b64", "j", "sid"}
Reasons = list[tuple[str, str]]


def odd_names() -> list[str]:
    """The event names that data.mjs tries."""
    found = re.search(r"ODD_NAMES = (\[.*\]);", (HERE / "data.mjs").read_text())
    assert found
    return json.loads(found[1])


def reversed_bytes(value: Any) -> Any:
    """The value with all bytes in it reversed."""
    if isinstance(value, bytes):
        return value[::-1]
    if isinstance(value, list):
        return [reversed_bytes(item) for item in value]
    if isinstance(value, dict):
        return {key: reversed_bytes(item) for key, item in value.items()}
    return value


def install(io: Server) -> Reasons:
    """Sets the handlers; returns the list in which every disconnected socket's namespace and reason will be."""
    reasons: Reasons = []
    for name in NAMES:
        nsp = io.of(name)
        for add in (messages, streams, odd_events, acknowledgements, rooms, life):
            add(nsp)
        nsp.event("disconnect")(lambda socket, reason: reasons.append((socket.nsp.name, reason)))
    admission(io)
    io.of("/greeting").on("connection", lambda socket: socket.emit("greeting", socket.id, 1))
    return reasons


def messages(nsp: Namespace) -> None:
    nsp.event("echo")(lambda socket, *args: args)
    nsp.event("say")(lambda socket, *args: socket.emit("said", *args))
    nsp.event("say volatile")(lambda socket, *args: socket.volatile.emit("said", *args))
    nsp.event("message")(lambda socket, *args: socket.send(*args))
    nsp.event("reverse")(lambda socket, *args: socket.emit("reversed", *map(reversed_bytes, args)))
    nsp.event("size")(lambda socket, value: socket.emit("sized", len(value)))
    nsp.event("big please")(lambda socket, size: socket.emit("big", "y" * size))
    nsp.event("dates please")(lambda socket: socket.emit("dates", MOMENT, {"list": [MOMENT.replace(microsecond=0)]}))

    @nsp.event("bytes")
    def binary(socket):
        return bytes(range(256)), {"list": [bytearray(b"bytearray"), memoryview(b"memoryview")]}, "end"

    @nsp.event("count to")
    def count_to(socket, count):
        for i in range(count):
            socket.emit("numbered", i)


def streams(nsp: Namespace) -> None:
    @nsp.event
    async def stream(socket):
        """A number each millisecond until the client says stop; then the count is acknowledged."""
        socket.data["streaming"] = True
        count = 0
        while socket.data["streaming"] and socket.connected:
            socket.emit("streamed", count, None if count % 10 else bytes([count & 255]))
            count += 1
            await asyncio.sleep(0.001)
        return count

    nsp.event("stop")(lambda socket: socket.data.update(streaming=False))


def odd_events(nsp: Namespace) -> None:
    def named(name: str) -> None:
        nsp.event(name)(lambda socket, *args: (name, *args))

    for name in [*odd_names(), "error"]:
        named(name)
    nsp.event("emit this")(lambda socket, name, *args: socket.emit(name, *args))


def acknowledgements(nsp: Namespace) -> None:
    @nsp.event
    async def later(socket, *args):
        await asyncio.sleep(0.005)
        return args

    nsp.event("by callable")(lambda socket, *args, ack: ack("called", *args))
    nsp.event("never")(lambda socket, ack: None)

    @nsp.event("ask me")
    async def ask(socket, value):
        answer = await socket.emit_with_ack("question", value)
        socket.emit("answered", *(answer if isinstance(answer, tuple) else () if answer is None else (answer,)))

    @nsp.event("ask me in vain")
    async def ask_in_vain(socket):
        try:
            await socket.timeout(0.05).emit_with_ack("silence")
        except AckTimeout:
            socket.emit("timed out")

    nsp.event("number")(lambda socket, i: socket.data.setdefault("numbers", []).append(i))

    @nsp.event("numbers")
    def numbers(socket):
        got = socket.data["numbers"]
        return len(got), got == list(range(len(got)))


def rooms(nsp: Namespace) -> None:
    nsp.event("join")(lambda socket, names: socket.join(names))
    nsp.event("leave")(lambda socket, name: socket.leave(name))
    nsp.event("rooms")(lambda socket: sorted(socket.rooms))

    @nsp.event
    def shout(socket, target, value):
        start = socket.nsp if target.get("io") else socket.broadcast
        if target.get("volatile"):
            start = start.volatile
        if "to" in target:
            start = start.to(target["to"])
        if "except" in target:
            start = start.except_(target["except"])
        start.emit("heard", value)


def life(nsp: Namespace) -> None:
    nsp.event("where")(lambda socket: socket.nsp.name)
    nsp.event("id")(lambda socket: socket.id)
    nsp.event("members")(lambda socket, name: list(nsp.server.of(name).sockets))

    @nsp.event
    def handshake(socket):
        query = {name: value for name, value in socket.handshake.query.items() if name not in ENGINE_QUERY}
        return {"auth": socket.handshake.auth, "query": query}

    @nsp.event("leave me")
    def leave_me(socket):
        socket.disconnect()

    @nsp.event("throw me out")
    def throw_me_out(socket):
        socket.disconnect(True)

    @nsp.event("drop me")
    def drop_me(socket):
        socket.conn.close()

    @nsp.event("later please")
    async def later_please(socket, delay, what):
        await asyncio.sleep(delay / 1000)
        for i in range(10):
            socket.emit("numbered", i)
        if what == "drop":
            socket.conn.close()
        else:
            socket.disconnect(True)

    @nsp.event("count to and close")
    def count_to_and_close(socket, count):
        for i in range(count):
            socket.emit("numbered", i)
        socket.conn.close()

    @nsp.event("shut down")
    async def shut_down(socket):
        await socket.nsp.server.close()


def admission(io: Server) -> None:
    @io.use
    def main(socket):
        reason = socket.handshake.query.get("refuse")
        if reason is not None:
            raise ConnectError("not in main", data={"reason": reason}) if reason else ConnectError("not in main")

    @io.of("/guarded").use
    def guarded(socket):
        if socket.handshake.auth.get("token") != "secret":
            raise ConnectError("not authorized", data={"content": "Please retry later"})

    @io.of("/closed").use
    async def closed(socket):
        raise ConnectError("closed for today")

    @io.of("/slow").use
    async def slow(socket):
        await asyncio.sleep(0.02)
