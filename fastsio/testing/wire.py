"""Wire: the client's end of a connection, from the upgrade to its close: packets in, packets out.

A websocket client as small as a test needs it. Frames and JSON are those of fastsio.wire; what the server sends is
taken for right, other parts test that.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastsio.packets import Packet
from fastsio.parser import Parser
from fastsio.wire import payload, sio

if TYPE_CHECKING:
    from fastsio.engine.engine import Engine

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA  # opcodes (RFC 6455 5.2)
SPOKEN = {"EIO": "4", "transport": "websocket"}  # of the query
MAX_ATTACHMENTS = 1000
BINARY_OF = {sio.EVENT: sio.BINARY_EVENT, sio.ACK: sio.BINARY_ACK}
PLAIN_OF = {sio.BINARY_EVENT: sio.EVENT, sio.BINARY_ACK: sio.ACK}


class Refused(Exception):
    """The server answered the upgrade with something else; the text is the answer's status and body."""


class Wire:
    """An open connection to an engine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, engine: Engine, query: Mapping[str, str], headers: Iterable[tuple[str, str]]) -> Wire:
        """Connects and upgrades. Refused: the server would not; ValueError: the query asks for another client."""
        for name, value in SPOKEN.items():
            if query.get(name, value) != value:
                raise ValueError(f"query: {name!r} is always {value!r} for a test client, got {query[name]!r}")
        own, other = socket.socketpair()
        try:
            await engine._take(other)
        except BaseException:
            own.close()
            other.close()
            raise
        wire = cls(*await asyncio.open_connection(sock=own))
        try:
            await wire._upgrade(engine._options["path"], query, headers)
        except BaseException:
            wire.abort()
            raise
        return wire

    async def _upgrade(self, path: str, query: Mapping[str, str], headers: Iterable[tuple[str, str]]) -> None:
        target = f"{path}/?{urlencode({**SPOKEN, **query})}"
        lines = [f"GET {target} HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        given = list(headers)
        if not any(name.lower() == "host" for name, _ in given):
            lines.append("Host: fastsio.test")
        lines += [f"{name}: {value}" for name, value in given]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status = head.split("\r\n")[0].split(" ", 1)[1]
        if not status.startswith("101"):
            raise Refused(f"{status}: {(await self._reader.read()).decode(errors='replace')}")

    # ---- out ----

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._writer.is_closing()

    def send(self, packet: str | bytes) -> None:
        """Sends an Engine.IO packet: text with its type, or the bytes of a message. Nobody gets it after the end."""
        opcode, data = (TEXT, packet.encode()) if isinstance(packet, str) else (BINARY, packet)
        self._frame(opcode, data)

    def _frame(self, opcode: int, data: bytes) -> None:
        if self.closed:  # uvloop raises then
            return
        size, mask = len(data), os.urandom(4)
        if size < 126:
            head = bytes((0x80 | opcode, 0x80 | size))
        elif size < 65536:
            head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
        self._writer.write(head + mask + masked(data, mask))

    # ---- in ----

    async def receive(self) -> str | bytes | None:
        """The next packet, None after the last; pings of both layers are answered here."""
        while True:
            try:
                opcode, data = await self._read_frame()
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            if opcode == PING:
                self._frame(PONG, data)
            elif opcode == CLOSE:
                self._frame(CLOSE, data)
            elif opcode == BINARY:
                return data
            elif opcode == TEXT and data == b"2":
                self.send("3")
            elif opcode == TEXT:
                return data.decode()

    async def _read_frame(self) -> tuple[int, bytes]:
        first, size = await self._reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
        return first & 0x0F, await self._reader.readexactly(size)

    # ---- the end ----

    def close(self) -> None:
        """Begins the closing handshake."""
        self._frame(CLOSE, (1000).to_bytes(2, "big"))

    def abort(self) -> None:
        """Drops the connection."""
        self._writer.close()


def masked(data: bytes, mask: bytes) -> bytes:
    """RFC 6455 5.3."""
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def encoded(type: int, nsp: str, data: object = None, id: int | None = None) -> list[str | bytes]:
    """The Engine.IO packets of one Socket.IO packet, by the built-in JSON format."""
    json, attachments = (b"", None) if data is None else payload.encode(data)
    type = BINARY_OF[type] if attachments else type
    head = sio.write_header(type, len(attachments or ()), b"" if nsp == "/" else nsp.encode(), id)
    return [(b"4" + head + json).decode(), *(attachments or ())]


def encoded_by(parser: Parser, type: int, nsp: str, data: Any = None, id: int | None = None) -> list[str | bytes]:
    """The same, by a parser of the application's."""
    pieces = parser.encode(Packet(type, nsp, data, id))
    return ["4" + piece if isinstance(piece, str) else piece for piece in pieces]


class Decoder:
    """Makes packets of what a connection receives: (type, namespace, data, id)."""

    def __init__(self) -> None:
        self._head: tuple[int, str, bytes, int | None] | None = None
        self._due = 0
        self._attachments: list[bytes] = []

    def __call__(self, message: str | bytes) -> tuple[int, str, object, int | None] | None:
        """One message; None: attachments are still to come."""
        if isinstance(message, str):
            data = message.encode()
            type, self._due, name, id, start = sio.scan(data, MAX_ATTACHMENTS)
            self._head = PLAIN_OF.get(type, type), name.decode() or "/", data[start:], id
            self._attachments = []
        else:
            self._attachments.append(message)
        if self._head is None or len(self._attachments) < self._due:
            return None
        type, nsp, json, id = self._head
        self._head = None
        return type, nsp, payload.decode(json, self._attachments or None) if json else None, id
