"""Connections without an event loop: transports that the test moves, and the peers' ends of real socket pairs.

Stage         a Server in a loop that stands still
FakeTransport asyncio's part: it holds what is written until `drain`, and ends in the next round of the loop
Peer          one connection, seen from the other side
Answer        to an HTTP request
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import suppress
from typing import Any, NamedTuple

from fastsio import Server
from fastsio.engine.connection import Connection
from fastsio.engine.core import Core
from tests.csrc.probing import StillLoop
from tests.e2e.rawws import TEXT, Frame, frame
from tests.engine.requests import GOOD, sent

TICK = 0.02  # of the deadlines


class Answer(NamedTuple):
    """headers: by name in lower case; what is there twice is joined by a comma."""

    status: int
    headers: dict[str, str]
    body: bytes


class FakeTransport(asyncio.Transport):
    """Plain TCP, or with `secure` as TLS: nothing is written to the descriptor behind its back."""

    def __init__(self, loop: StillLoop, sock: socket.socket, connection: Connection, secure: bool) -> None:
        super().__init__({"socket": sock, "peername": ("192.0.2.1", 4242)})
        self.loop, self.sock, self.connection, self.secure = loop, sock, connection, secure
        self.held: list[bytes] = []
        self.high = self.low = 0
        self.paused = self.closing = self.aborted = self.eof = self.gone = False
        self.reading = True
        self.eager = False  # the kernel takes whatever is written, at once

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high, self.low = high or 0, low or 0

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.held))

    def write(self, data: Any) -> None:
        assert not self.eof
        if self.eager and not self.held:
            self.sock.sendall(data)
            return
        self.held.append(bytes(data))
        if self.get_write_buffer_size() > self.high and not self.paused:
            self.paused = True
            self.connection.pause_writing()

    def drain(self, size: int | None = None) -> bytes:
        """The peer gets what is held, or the first so many bytes of it, which are returned."""
        data = b"".join(self.held)
        taken, rest = data[:size], data[len(data[:size]) :]
        self.held = [rest] if rest else []
        if self.paused and len(rest) <= self.low:
            self.paused = False
            self.connection.resume_writing()
        if not rest and self.closing:
            self.loop.call_soon(self.lose, None)
        return taken

    def can_write_eof(self) -> bool:
        return not self.secure

    def write_eof(self) -> None:
        self.eof = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.closing
        self.reading = True

    def close(self) -> None:
        self.closing = True
        if not self.held:
            self.loop.call_soon(self.lose, None)

    def abort(self) -> None:
        self.closing = self.aborted = True
        self.held = []
        self.loop.call_soon(self.lose, None)

    def lose(self, error: Exception | None) -> None:
        if not self.gone:
            self.gone = True
            self.connection.connection_lost(error)
            self.sock.close()


class Peer:
    """One connection. Of what the server sends, `received` gives what came since the last look."""

    def __init__(self, stage: Stage, secure: bool) -> None:
        self.stage = stage
        ours, self.sock = socket.socketpair()
        ours.setblocking(False)
        self.sock.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.connection = Connection(stage.core, secure)
        self.transport = FakeTransport(stage.loop, ours, self.connection, secure)
        self.connection.connection_made(self.transport)

    def send(self, *data: bytes) -> None:
        """The loop has read this from the descriptor, in one go."""
        assert self.transport.reading and not self.transport.gone
        whole = b"".join(data)
        buffer = self.connection.get_buffer(-1)
        assert len(whole) <= len(buffer)
        memoryview(buffer)[: len(whole)] = whole
        self.connection.buffer_updated(len(whole))

    def end(self) -> None:
        """The peer ends its direction: the transport closes unless it is told to stay."""
        assert self.transport.reading
        if not self.connection.eof_received() and not self.transport.closing:
            self.transport.close()

    def received(self) -> bytes:
        """What the kernel has for the peer, after the loop has done what there was to do."""
        self.stage.loop.settle()
        parts = []
        with suppress(BlockingIOError):
            while part := self.sock.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def everything(self) -> bytes:
        """What there is for the peer, who reads until nothing more comes."""
        found = b""
        while part := self.received() + self.transport.drain():
            found += part
        return found

    def answers(self) -> list[Answer]:
        return answers_in(self.everything())

    def frames(self) -> list[Frame]:
        return frames_in(self.received())

    def texts(self) -> list[str]:
        """The frames, which are all texts."""
        found = self.frames()
        assert {got.opcode for got in found} <= {TEXT}, found
        return [got.payload.decode() for got in found]

    def upgrade(self, query: str = GOOD, *more: bytes) -> bytes:
        """Becomes a websocket, with more bytes right behind the request; returns the head of the answer."""
        self.send(sent(query), *more)
        head, separator, frames = self.received().partition(b"\r\n\r\n")
        self.first = frames_in(frames)
        return head + separator

    def join(self, query: str = GOOD) -> Peer:
        """Is in "/" afterwards, with nothing left to receive."""
        self.upgrade(query)
        self.send(frame(TEXT, b"40"))
        (answer,) = self.texts()
        assert answer.startswith('40{"sid":"')
        return self


class Stage:
    """io: the server; told: why sockets of "/" disconnected."""

    def __init__(self, **options: Any) -> None:
        self.loop = StillLoop()
        self.io = Server(**{"serve_client": False, **options})
        self.core = self._start()
        self.told: list[Any] = []
        self.io.event("disconnect")(lambda socket, reason, description: self.told.append((reason, description)))
        self.io.event("echo")(lambda socket, *args: args)
        self.peers: list[Peer] = []

    def _start(self) -> Core:
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self.loop)  # type: ignore[arg-type]
        try:
            return self.io.engine._start()
        finally:
            asyncio._set_running_loop(before)

    def peer(self, *, secure: bool = False) -> Peer:
        self.peers.append(Peer(self, secure))
        return self.peers[-1]

    @property
    def counters(self) -> dict[str, int]:
        return self.io.engine.counters

    def wait(self, seconds: float) -> None:
        """Time passes, the timers come and the loop goes on until nothing is left to do."""
        time.sleep(seconds)
        self.loop.fire()
        self.loop.settle()

    def clear(self) -> None:
        """Every connection is reset, and sessions without one end; afterwards nothing may be left of them."""
        for peer in self.peers:
            peer.transport.lose(ConnectionResetError())
            peer.sock.close()
        for session in list(self.io.engine.clients.values()):
            session.end("server shutting down")
        for polling in list(self.core.lingering.values()):
            polling.drop()
        self.loop.settle()
        self.loop.fire()  # a look at the deadlines that finds none plans no other
        self.loop.settle()
        assert self.loop.pending() == []
        assert self.core.owners() == []
        assert self.io.engine.clients == {}
        assert self.io.sockets.sockets == {}


def answers_in(data: bytes) -> list[Answer]:
    """A server's answers, whole ones only, each with a Content-Length where it may have a body."""
    found = []
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator, head
        line, *fields = head.decode().split("\r\n")
        headers = {}
        for field in fields:
            name, _, value = field.partition(": ")
            before = f"{headers[name.lower()]}, " if name.lower() in headers else ""
            headers[name.lower()] = before + value
        status = int(line.removeprefix("HTTP/1.1 ")[:3])
        size = 0 if status == 204 else int(headers["content-length"])
        assert len(data) >= size
        found.append(Answer(status, headers, data[:size]))
        data = data[size:]
    return found


def frames_in(data: bytes) -> list[Frame]:
    """A server's frames, whole ones only: FIN, not masked, nothing left over."""
    found = []
    while data:
        assert data[0] & 0x70 == 0 and data[0] & 0x80 and data[1] < 128
        head = {126: 4, 127: 10}.get(data[1], 2)
        size = data[1] if head == 2 else int.from_bytes(data[2:head], "big")
        assert len(data) >= head + size
        found.append(Frame(data[0] & 0x0F, data[head : head + size]))
        data = data[head + size :]
    return found


def numbers(texts: list[str]) -> list[int]:
    """The numbers that events carry."""
    return [json.loads(got[2:])[1] for got in texts]


def blocked(stage: Stage) -> Peer:
    """A peer that does not read, for which the transport holds bytes."""
    peer = stage.peer().join()
    stage.io.emit("big", 0, "x" * 300_000)
    stage.loop.settle()
    assert peer.transport.held and peer.transport.paused
    return peer
