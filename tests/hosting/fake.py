"""A connection with a host on it, and no sockets: what the test sends is parsed by nobody before uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from fastsio.hosting.application import Application
from fastsio.hosting.host import Host

App = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
PATIENCE = 5.0


class FakeConnection:
    """sent: what the host wrote; done: complete answers; closed, aborted, reading: as it asked for."""

    def __init__(self, application: Application, *, secure: bool = False) -> None:
        self.sent = bytearray()
        self.done = 0
        self.closed = self.aborted = False
        self.reading = True
        self.secure = secure
        self.host: Host = application.host(self)

    def write(self, data: bytes) -> None:
        assert type(data) is bytes and not self.closed and not self.aborted
        self.sent += data

    def answered(self, close: bool) -> None:
        assert not self.closed and not close
        self.done += 1

    def close(self) -> None:
        assert not self.closed
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def read(self, on: bool) -> None:
        self.reading = on

    def get_extra_info(self, name: str) -> Any:
        info = {"peername": ("192.0.2.1", 4242), "sockname": ("192.0.2.2", 80), "socket": 1 / 2}
        return object() if self.secure and name == "sslcontext" else info.get(name)

    # ---- what a test does ----

    def get(self, target: str = "/", *headers: str) -> None:
        """A request without a body."""
        self.host.request(head("GET", target, *headers))

    async def until(self, condition: Callable[[], object]) -> None:
        """Lets the loop go on until it holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.001)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The answer that is complete next: status, headers, body as sent. Nothing else may have come."""
        await self.until(lambda: self.done or self.closed)
        assert self.done == 1 or self.closed
        self.done = 0
        start, _, body = bytes(self.sent).partition(b"\r\n\r\n")
        self.sent.clear()
        status, *lines = start.decode().split("\r\n")
        return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def head(method: str, target: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: a", *headers, "", ""]).encode()


@asynccontextmanager
async def hosted(app: App, *, secure: bool = False, **config: Any) -> AsyncIterator[FakeConnection]:
    """A connection for an application that knows no lifespan; at the end it is lost, if the test has not lost it."""
    application = Application(uvicorn.Config(app, lifespan="off", log_config=None, **config))
    await application.startup()
    connection = FakeConnection(application, secure=secure)
    try:
        yield connection
    finally:
        if connection.host.protocol is not None:
            connection.host.lost(None)
        await application.shutdown()


async def answer(send: Callable[[Any], Awaitable[None]], body: bytes, *, status: int = 200, more: bool = False) -> None:
    """What an application says in one go."""
    headers = [(b"content-length", str(len(body)).encode())] if not more else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})
