"""A plain HTTP request on a connection of its own, for what no Socket.IO client asks for."""

from __future__ import annotations

import asyncio
from email.parser import Parser
from typing import NamedTuple

from fastsio import Server

TIMEOUT = 3.0


class Answer(NamedTuple):
    """headers: by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


async def fetch(server: Server, path: str, method: str = "GET", **headers: str) -> Answer:
    """The server's answer; header names with _ for -."""
    address = server.addresses[0]
    assert isinstance(address, tuple)
    reader, writer = await asyncio.open_connection(*address)
    fields = {"host": f"{address[0]}:{address[1]}", "connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    writer.write("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode())
    try:
        answer = await asyncio.wait_for(reader.read(), TIMEOUT)
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, _, rest = head.decode("latin-1").partition("\r\n")
    found = {name.lower(): value for name, value in Parser().parsestr(rest).items()}
    return Answer(int(status.split()[1]), found, body)
