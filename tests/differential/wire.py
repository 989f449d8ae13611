"""One connection of a case: sends bytes, reads answers and frames, and tells of each in one normalised line.

Left out of a line is what a server may choose: how the body is framed, the order and case of header fields, Date,
Server, Keep-Alive, and Connection but for "close". Ids are told as <sid>, <sid2> (sessions of this case) and <id>.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b

import brotli

from tests.e2e.rawws import BINARY, CLOSE, TEXT

LIMIT = 2**22
LONGEST = 400  # bytes of a body that is told in full
TOLD = (
    "content-type",
    "content-encoding",
    "cache-control",
    "etag",
    "set-cookie",
    "vary",
    "allow",
    "x-xss-protection",
    "sec-websocket-accept",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
)
OPENED = re.compile(rb'(___eio\[\d*\]\(")?(?:(?:\d+(:))?)0\{\\?"sid\\?":\\?"([\w-]{20})\\?",\\?"upgrades')
QUESTION = re.compile(rb'42\d+\["question"')  # the ids count as long as a server runs
FRAMES = {TEXT: "text", BINARY: "binary", 9: "ping", 10: "pong"}


def matters(name: str) -> bool:
    return name in TOLD or name.startswith("access-control-")


class Ids:
    """The sessions that a case has opened, in order.

    third: those of Engine.IO 3 over polling; forms: those that take their POSTs as forms, that is by JSONP.
    """

    def __init__(self) -> None:
        self.sessions: list[bytes] = []
        self.third: set[bytes] = set()
        self.forms: set[bytes] = set()

    def learn(self, body: bytes) -> None:
        for script, length, id in OPENED.findall(body):
            if id not in self.sessions:
                self.sessions.append(id)
            if length:
                self.third.add(id)
            if script:
                self.forms.add(id)

    def names(self) -> list[tuple[bytes, bytes]]:
        return [(id, b"<sid%b>" % (b"%d" % n if n > 1 else b"")) for n, id in enumerate(self.sessions, 1)]

    def filled(self, data: bytes) -> bytes:
        for id, name in self.names():
            data = data.replace(name, id)
        return data

    def hidden(self, data: bytes) -> bytes:
        for id, name in self.names():
            data = data.replace(id, name)
        data = QUESTION.sub(b'42<id>["question"', data)
        return re.sub(rb'"[\w-]{20}(\\?")', rb'"<id>\1', data)


class Wire:
    """told: the names of the header fields that are told."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ids: Ids, told: Callable[[str], bool]
    ) -> None:
        self.reader, self.writer, self.ids, self.told = reader, writer, ids, told

    @classmethod
    async def connect(cls, address: tuple[str, int], ids: Ids, told: Callable[[str], bool] = matters) -> Wire:
        return cls(*await asyncio.open_connection(*address, limit=LIMIT), ids, told)

    def send(self, data: bytes) -> None:
        self.writer.write(self.ids.filled(data))

    async def close(self, *, reset: bool = False) -> None:
        if reset:
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def receive(self, what: str) -> str:
        """What comes next, as one line. "end" when nothing comes any more."""
        try:
            if what == "frame":
                return await self._frame()
            if what == "end":
                rest = await self.reader.read(LIMIT)
                self.ids.learn(rest)
                return f"not the end: {self.ids.hidden(rest)[:LONGEST]!r}" if rest else "end"
            return await self._answer(with_body=what != "head")
        except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError) as error:
            partial = getattr(error, "partial", b"")
            return f"end after {partial[:LONGEST]!r}" if partial else "end"

    # ---- HTTP ----

    async def _answer(self, with_body: bool) -> str:
        start, *fields = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        status = int(start.split(" ")[1])
        headers: dict[str, list[str]] = {}
        for field in fields:
            name, _, value = field.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        body = await self._body(status, headers) if with_body else b""
        self.ids.learn(body)
        return self.ids.hidden(b" ".join([b"%d" % status, *self._fields(headers), shown(body)])).decode()

    async def _body(self, status: int, headers: dict[str, list[str]]) -> bytes:
        if status in (101, 204, 304) or status < 200:
            return b""
        if "chunked" in headers.get("transfer-encoding", []):
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
        elif "content-length" in headers:
            (length,) = headers["content-length"]
            body = await self.reader.readexactly(int(length))
        else:
            body = await self.reader.read(-1)
        return decompressed(body, headers.get("content-encoding", ["identity"])[0])

    def _fields(self, headers: dict[str, list[str]]) -> list[bytes]:
        """Those that are told, in an order of their own."""
        found = [
            f"[{name}: {', '.join(ordered(name, value) for value in headers[name])}]".encode()
            for name in sorted(headers)
            if self.told(name)
        ]
        if "close" in ",".join(headers.get("connection", [])).lower():
            found.append(b"[close]")
        return found

    # ---- websocket ----

    async def _frame(self) -> str:
        first, second = await self.reader.readexactly(2)
        size = second
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        payload = await self.reader.readexactly(size)
        if first & 0x0F == CLOSE:
            return f"close {int.from_bytes(payload[:2], 'big')}" if payload else "close"
        assert first & 0xF0 == 0x80, first
        self.ids.learn(payload)
        told = payload.hex().encode() if first & 0x0F == BINARY else shown(self.ids.hidden(payload))
        return f"{FRAMES[first & 0x0F]} {told.decode()}"


def ordered(name: str, value: str) -> str:
    """The value, in one order where the order has no meaning."""
    if name == "vary":
        return ", ".join(sorted(part.strip().lower() for part in value.split(",")))
    if name == "set-cookie":
        first, *attributes = [part.strip() for part in value.split(";")]
        return "; ".join([first, *sorted(attributes)])
    return value


def shown(body: bytes) -> bytes:
    """The body as text where it is UTF-8, as hex where not; of a long one its length and digest."""
    if len(body) > LONGEST:
        return b"<%d bytes %b>" % (len(body), blake2b(body, digest_size=6).hexdigest().encode())
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return b"<" + body.hex(" ").encode() + b">"
    if any(ord(c) < 32 and c != "\x1e" for c in text):
        return b"<" + body.hex(" ").encode() + b">"
    return text.replace("\x1e", "^^").encode()


def decompressed(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "br":
        return brotli.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    return body
