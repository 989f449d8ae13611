"""A server with an application on one port, and a client that speaks HTTP byte by byte."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from fastsio import Server

TIMEOUT = 5.0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes


class HttpClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, method: str, target: str, *headers: str, body: bytes = b"") -> None:
        """A request; Content-Length is added for a body."""
        length = [f"Content-Length: {len(body)}"] if body else []
        head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *headers, *length, "", ""])
        self.writer.write(head.encode() + body)

    async def answer(self) -> Answer:
        """The next answer, whole."""
        async with asyncio.timeout(TIMEOUT):
            status, headers = await self.head()
            if headers.get("transfer-encoding") == "chunked":
                body = b"".join([piece async for piece in self.chunks()])
            elif status in (204, 304):
                body = b""
            else:
                body = await self.reader.readexactly(int(headers["content-length"]))
            return Answer(status, headers, body)

    async def head(self) -> tuple[int, dict[str, str]]:
        start = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), TIMEOUT)
        status, *lines = start.decode()[:-4].split("\r\n")
        pairs = [line.partition(":") for line in lines]
        return int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)

    async def request(self, method: str, target: str, *headers: str, body: bytes = b"") -> Answer:
        self.send(method, target, *headers, body=body)
        return await self.answer()

    async def ended(self) -> bytes:
        """What still comes until the server ends the connection."""
        return await asyncio.wait_for(self.reader.read(), TIMEOUT)


@asynccontextmanager
async def http(address: Any, ssl: ssl_module.SSLContext | None = None) -> AsyncIterator[HttpClient]:
    """A connection to (host, port)."""
    reader, writer = await asyncio.open_connection(*address, ssl=ssl)
    try:
        yield HttpClient(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def sharing(app: Any, *, ssl: ssl_module.SSLContext | None = None, **options: Any) -> AsyncIterator[Server]:
    """A server that listens on a port of its own, beside the application."""
    io = Server(app, **options)
    await io.listen(0, ssl=ssl)
    try:
        yield io
    finally:
        await io.close()
