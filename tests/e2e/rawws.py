"""A websocket client that sends exactly the bytes it is told to, well-formed or not.

Frames go out as bytes made by `frame`, `text` and `binary`; what comes back is parsed strictly: an answer
that breaks RFC 6455 fails the test.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from fastsio import Server

TIMEOUT = 10.0
MASK = b"\x37\xfa\x21\x3d"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
END = None  # what `next` gives when the server has ended the connection


class Frame(NamedTuple):
    """A frame of the server's: always FIN and unmasked."""

    opcode: int
    payload: bytes

    def __repr__(self) -> str:
        return f"<frame {self.opcode}: {self.payload[:200]!r}>"


def normalised(frame: Frame | None) -> Frame | None:
    """Ids are 20 characters and differ each time."""
    return frame and Frame(frame.opcode, re.sub(rb'"[\w-]{20}"', b'"<id>"', frame.payload))


def masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def head(
    opcode: int, size: int, *, fin: bool = True, rsv: int = 0, form: int | None = None, mask: bool = True
) -> bytes:
    """A frame's head. form: bytes of the length field, 1, 2 or 8 (default: the shortest)."""
    form = form or (1 if size < 126 else 2 if size < 65536 else 8)
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    second = 0x80 if mask else 0
    if form == 1:
        return bytes([first, second | size])
    return bytes([first, second | (126 if form == 2 else 127)]) + size.to_bytes(form, "big")


def frame(opcode: int, payload: bytes = b"", *, mask: bytes | None = MASK, **head_options: Any) -> bytes:
    """A client's frame; mask None: not masked."""
    start = head(opcode, len(payload), mask=mask is not None, **head_options)
    return start + payload if mask is None else start + mask + masked(payload, mask)


def text(packet: str) -> bytes:
    return frame(TEXT, packet.encode())


def binary(data: bytes) -> bytes:
    return frame(BINARY, data)


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def inflated(payload: bytes) -> bytes:
    """A message of its own (RFC 7692 section 7.2.2): no context of earlier ones."""
    stream = zlib.decompressobj(-15)
    result = stream.decompress(payload + b"\x00\x00\xff\xff")
    assert not stream.unused_data
    return result


class RawWebSocket:
    """One connection. status: of the answer to the handshake; opened: the open packet; sid: the id in "/".

    extensions: what the server agreed to; where that is permessage-deflate, frames with RSV1 are inflated, and
    compressed_size is that of the last frame as it came, None: without RSV1.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.opened = ""
        self.sid = ""
        self.extensions = ""
        self.compressed_size: int | None = None

    async def handshake(self, address: tuple[str, int], query: str, offers: str | None = None) -> None:
        """offers: the header Sec-WebSocket-Extensions."""
        offered = "" if offers is None else f"Sec-WebSocket-Extensions: {offers}\r\n"
        request = (
            f"GET /socket.io/?{query} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{offered}\r\n"
        )
        self.send(request.encode())
        answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), TIMEOUT)
        self.status = int(answer.split(b" ", 2)[1])
        if self.status == 101:
            assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer, answer
        found = re.search(r"\r\nSec-WebSocket-Extensions: *(.*?)\r\n", answer.decode(), re.IGNORECASE)
        self.extensions = found[1] if found else ""

    def send(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    async def next(self) -> Frame | None:
        """The next frame; END when there is none and the connection is closed in order."""
        return await asyncio.wait_for(self._read(), TIMEOUT)

    async def _read(self) -> Frame | None:
        start = await self.reader.read(1)
        if not start:
            return END
        may_deflate = "permessage-deflate" in self.extensions and start[0] & 0x0F in (TEXT, BINARY)
        assert start[0] & (0x30 if may_deflate else 0x70) == 0, "reserved bits set by the server"
        assert start[0] & 0x80, "fragments from the server"
        size = (await self.reader.readexactly(1))[0]
        assert size & 0x80 == 0, "a masked frame from the server"
        if size >= 126:
            length = await self.reader.readexactly(2 if size == 126 else 8)
            size = int.from_bytes(length, "big")
            assert size >= (126 if len(length) == 2 else 65536), "not the shortest form"
        payload = await self.reader.readexactly(size)
        self.compressed_size = size if start[0] & 0x40 else None
        return Frame(start[0] & 0x0F, inflated(payload) if self.compressed_size else payload)

    async def text(self) -> str:
        """The next frame, which is a text."""
        got = await self.next()
        assert got is not None and got.opcode == TEXT, got
        return got.payload.decode()

    async def barrier(self) -> list[Frame]:
        """The frames that the server sends until it has read everything sent so far."""
        self.send(frame(PING, b"barrier"))
        seen: list[Frame] = []
        while (got := await self.next()) != (PONG, b"barrier"):
            assert got is not END, seen
            seen.append(got)
        return seen

    async def rest(self, *, answer: bool = True) -> tuple[list[Frame], int | None]:
        """The frames up to the server's close frame, and its code (None: a close frame without one).

        The close is answered, unless ours went first, and then the server must end the connection.
        """
        seen: list[Frame] = []
        while (got := await self.next()) is not END and got.opcode != CLOSE:
            seen.append(got)
        assert got is not END, f"the connection ended without a close frame, after {seen}"
        assert len(got.payload) != 1
        code = int.from_bytes(got.payload[:2], "big") if got.payload else None
        if answer:
            self.send(frame(CLOSE, got.payload[:2]))
        after = await self.next()
        assert after is END, f"{after} after the close frame"
        return seen, code

    def reset(self) -> None:
        """Drops the connection with a TCP RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def connected(address: tuple[str, int], receive_buffer: int | None) -> RawWebSocket:
    """receive_buffer: bytes that kernel and reader may hold each, to make a client that fills up early."""
    raw = socket.socket()
    raw.setblocking(False)
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(raw, address)
    return RawWebSocket(*await asyncio.open_connection(sock=raw, limit=receive_buffer or 2**16))


@asynccontextmanager
async def rawws(
    io: Server,
    query: str = "EIO=4&transport=websocket",
    *,
    join: bool = False,
    offers: str | None = None,
    receive_buffer: int | None = None,
) -> AsyncIterator[RawWebSocket]:
    """A connection that has its open packet; with `join` it is in "/" too."""
    address = io.addresses[0]
    assert not isinstance(address, str)
    ws = await connected(address, receive_buffer)
    try:
        await ws.handshake(address, query, offers)
        if ws.status == 101:
            ws.opened = await ws.text()
        if join:
            ws.send(text("40"))
            answer = await ws.text()
            assert answer.startswith('40{"sid":"'), answer
            ws.sid = answer[10:-2]
        yield ws
    finally:
        ws.writer.close()
        with suppress(OSError):  # the server or a test has reset it
            await ws.writer.wait_closed()
