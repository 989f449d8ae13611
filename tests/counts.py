"""Fixed work on both straight lines, cut into parts, for a counter of instructions: python tests/counts.py

Bytes go in where a transport would put them, and out by send(2) on a datagram socket that nobody reads: no kernel
buffer fills, nothing depends on time. Each part of the work stands between two calls of getppid, which is called
nowhere else. Prints the names of the parts in their order, and how many operations each is.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastsio import Server

CLIENTS = 600
REPEATS = 3
BURST = 20  # below what makes a connection look at the clock
REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PAYLOAD = "x" * 64


class Loop:
    """An event loop that does what is asked for soon, and nothing later."""

    def __init__(self) -> None:
        self.soon: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.new_connection: Callable[[], Any]

    async def create_server(self, new_connection: Callable[[], Any], *args: object, **options: object) -> None:
        self.new_connection = new_connection

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> "Loop":
        self.soon.append((callback, args))
        return self

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> "Loop":
        return self

    def cancel(self) -> None:
        pass

    def get_debug(self) -> bool:
        return False

    def settle(self) -> None:
        while self.soon:
            calls, self.soon = self.soon, []
            for callback, args in calls:
                callback(*args)


class Transport(asyncio.Transport):
    """Never written to: all goes out by its descriptor."""

    def __init__(self, sink: socket.socket) -> None:
        super().__init__({"socket": sink})

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def frame(text: bytes) -> bytes:
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text


class Bench:
    def __init__(self, loop: Loop, sink: socket.socket) -> None:
        self.loop, self.sink = loop, sink
        self.io = Server(serve_client=False, max_connections=2 * CLIENTS)
        self.io.event("echo")(lambda socket, text: text)
        self.connections: list[Any] = []

    def receive(self, connection: Any, data: bytes) -> None:
        connection.get_buffer(-1)[: len(data)] = data
        connection.buffer_updated(len(data))

    def connect(self, count: int) -> None:
        for _ in range(count):
            connection = self.loop.new_connection()
            connection.connection_made(Transport(self.sink))
            self.receive(connection, REQUEST)
            self.receive(connection, frame(b"40"))
            self.loop.settle()
            self.connections.append(connection)

    def echo(self, count: int) -> None:
        text = PAYLOAD[:40].encode()
        burst = b"".join(frame(b'42%d["echo","%s"]' % (number, text)) for number in range(BURST))
        for _ in range(count // BURST):
            self.receive(self.connections[0], burst)
            self.loop.settle()

    def broadcast(self, count: int) -> None:
        for number in range(count // CLIENTS):
            self.io.emit("b", number, PAYLOAD)
            self.loop.settle()

    def burst(self, count: int) -> None:
        for _ in range(count // CLIENTS // BURST):
            for number in range(BURST):
                self.io.emit("b", number, PAYLOAD)
            self.loop.settle()

    def emit(self, count: int) -> None:
        """To a room with nobody in it: what an emit costs before the first receiver."""
        nobody = self.io.to("nobody")
        for number in range(count):
            nobody.emit("b", number, PAYLOAD)


def work(bench: Bench, pushed: Callable[[], int], mark: Callable[[], int]) -> list[tuple[str, int]]:
    """Does the parts; [(name, operations)]."""
    parts = []
    for name, count, messages in (
        ("connect", CLIENTS // REPEATS, CLIENTS // REPEATS * 3),  # the 101, the open packet, CONNECT
        ("echo", 2000, 2000),
        ("broadcast", 20 * CLIENTS, 20 * CLIENTS),
        ("burst", 3 * BURST * CLIENTS, 3 * BURST * CLIENTS),
        ("emit", 1000, 0),
    ):
        step = getattr(bench, name)
        for _ in range(REPEATS):
            before = pushed()
            mark()
            step(count)
            mark()
            assert pushed() - before == messages, (name, pushed() - before)
            parts.append((name, count))
    return parts


def main() -> None:
    loop = Loop()
    sink, hole = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    with sink, hole:
        hole.bind(("127.0.0.1", 0))
        sink.connect(hole.getsockname())
        bench = Bench(loop, sink)
        asyncio._set_running_loop(loop)  # type: ignore[arg-type]
        with suppress(StopIteration):
            bench.io.listen(0).send(None)
        outbox = bench.io._outbox
        assert outbox is not None
        parts = work(bench, lambda: outbox.stats()["pushed"], os.getppid)
        stats = outbox.stats()
        assert stats["blocked"] == stats["dropped"] == stats["overflows"] == 0, stats
        print(json.dumps(parts), flush=True)


if __name__ == "__main__":
    main()
