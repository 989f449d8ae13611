"""Fixed work with polling clients, cut into parts for a counter of instructions: python -m tests.bench.mixed_counts

As tests/counts.py, whose loop and clients these are. In a room only the emit and the flush stand between marks, with
the answers to the pollers' GETs; their next GETs come outside of them. Prints [name, operations] of each part.
"""

import asyncio
import gc
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.counts import BURST, CLIENTS, PAYLOAD, REPEATS, Bench, Loop, Transport

POLLERS = 12  # few: the ids in their requests are random, and so is a little of what they cost
WEBSOCKETS = CLIENTS - POLLERS  # beside the first one
ROUNDS = 10
HOST = b" HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n"
PATH = b"/socket.io/?EIO=4&transport=polling"


class Poller:
    """One polling client, with a connection for GETs and one for POSTs."""

    def __init__(self, bench: "MixedBench", sink: socket.socket) -> None:
        self.bench = bench
        self.gets, self.posts = (bench.new_connection(sink) for _ in range(2))
        known = set(bench.io.engine.clients)
        self.receive(self.gets, b"GET " + PATH + HOST + b"\r\n")
        (sid,) = set(bench.io.engine.clients) - known
        self.path = PATH + b"&sid=" + sid.encode()

    def receive(self, connection: Any, data: bytes) -> None:
        self.bench.receive(connection, data)
        self.bench.loop.settle()

    def get(self) -> None:
        self.receive(self.gets, b"GET " + self.path + HOST + b"\r\n")

    def post(self, body: bytes) -> None:
        head = b"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.receive(self.posts, b"POST " + self.path + HOST + head + body)


class MixedBench(Bench):
    def __init__(self, loop: Loop, sink: socket.socket) -> None:
        super().__init__(loop, sink)
        self.pollers: list[Poller] = []

    def new_connection(self, sink: socket.socket) -> Any:
        connection = self.loop.new_connection()
        connection.connection_made(Transport(sink))
        return connection

    def handshake(self, count: int) -> None:
        """GET the open packet, POST the CONNECT, GET what it is answered with."""
        for _ in range(count):
            poller = Poller(self, self.sink)
            poller.post(b"40")
            poller.get()
            self.pollers.append(poller)

    def poll(self) -> None:
        for poller in self.pollers:
            poller.get()

    def polling_echo(self, count: int) -> None:
        """POST an event, and GET its acknowledgement by a GET that waits already."""
        poller = self.pollers[0]
        for number in range(count):
            poller.get()
            poller.post(b'42%d["echo","%s"]' % (number, PAYLOAD.encode()))

    def emit_once(self) -> None:
        self.io.emit("b", 1, PAYLOAD)
        self.loop.settle()

    def emit_burst(self) -> None:
        for number in range(BURST):
            self.io.emit("b", number, PAYLOAD)
        self.loop.settle()


class Counter:
    """Makes the marks, and remembers what stands between them."""

    def __init__(self, mark: Callable[[], object]) -> None:
        self.mark = mark
        self.parts: list[tuple[str, int]] = []

    def count(self, name: str, operations: int, step: Callable[[], object]) -> None:
        self.mark()
        step()
        self.mark()
        self.parts.append((name, operations))


def count_rooms(bench: MixedBench, counter: Counter, kind: str) -> None:
    """Broadcasts in a room with one websocket, and in the same with many more."""
    for room, websockets in (("one", 1), ("all", WEBSOCKETS)):
        bench.connect(websockets)
        for _ in range(ROUNDS):
            counter.count(f"broadcast_{kind}_{room}", 1, bench.emit_once)
            bench.poll()
            counter.count(f"burst_{kind}_{room}", BURST, bench.emit_burst)
            bench.poll()


def without_pollers(bench: MixedBench, counter: Counter) -> None:
    count_rooms(bench, counter, "alone")


def with_pollers(bench: MixedBench, counter: Counter) -> None:
    for _ in range(REPEATS):
        counter.count("polling_handshake", POLLERS // REPEATS, lambda: bench.handshake(POLLERS // REPEATS))
    for _ in range(REPEATS):
        counter.count("polling_echo", 200, lambda: bench.polling_echo(200))
    bench.poll()
    count_rooms(bench, counter, "mixed")


def run(loop: Loop, counter: Counter, steps: Callable[[MixedBench, Counter], None]) -> None:
    sink, hole = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    with sink, hole:
        hole.bind(("127.0.0.1", 0))
        sink.connect(hole.getsockname())
        bench = MixedBench(loop, sink)
        with suppress(StopIteration):
            bench.io.listen(0).send(None)
        steps(bench, counter)
        assert bench.io._outbox is not None
        stats = bench.io._outbox.stats()
        assert stats["dropped"] == stats["overflows"] == 0, stats


def main() -> None:
    loop = Loop()
    gc.disable()  # what it costs depends on everything that is there, not on the work between two marks
    asyncio._set_running_loop(loop)  # type: ignore[arg-type]
    counter = Counter(os.getppid)
    for steps in (without_pollers, with_pollers):
        run(loop, counter, steps)
    print(json.dumps(counter.parts), flush=True)


if __name__ == "__main__":
    main()
