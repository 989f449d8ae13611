"""An ASGI server whose every step is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from fastsio import ASGIApp

TIMEOUT = 5.0
POLL = "EIO=4&transport=polling"
GOOD = "EIO=4&transport=websocket"


def scope(kind: str, path: str = "/socket.io/", query: str = "", **more: Any) -> dict[str, Any]:
    """As HTTP/1.1 servers make it."""
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"a:3000")],
        "client": ("192.0.2.1", 4242),
        "server": ("192.0.2.2", 80),
        **({"method": "GET"} if kind == "http" else {"subprotocols": []}),
        **more,
    }


class Call:
    """One call of an application. to_app: what it receives next; `next` gives what it sends."""

    def __init__(self, app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> None:
        self.to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.taken = asyncio.Semaphore(1000)  # of what it may send without waiting
        for message in messages:
            self.to_app.put_nowait(message)
        self.task = asyncio.ensure_future(app(scope, self.to_app.get, self.send))

    async def send(self, message: dict[str, Any]) -> None:
        await self.taken.acquire()
        self.from_app.put_nowait(message)

    def tell(self, **message: Any) -> None:
        self.to_app.put_nowait(message)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.from_app.get(), TIMEOUT)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The whole answer to an HTTP request: status, headers, body."""
        start, body = await self.next(), await self.next()
        assert (start["type"], body["type"]) == ("http.response.start", "http.response.body")
        assert not body.get("more_body")
        await self.end()
        assert all(type(part) is bytes and name == name.lower() for name, part in start["headers"])
        return start["status"], {name.decode(): part.decode() for name, part in start["headers"]}, body["body"]

    async def end(self) -> None:
        """The call returns, and has sent nothing more."""
        await asyncio.wait_for(self.task, TIMEOUT)
        assert self.from_app.empty()


def http(app: Any, query: str = POLL, body: bytes | None = None, **more: Any) -> Call:
    """A request whose body comes at once; None: it has not come yet."""
    made = scope("http", query=query, **more)
    if body is None and "method" in more:
        return Call(app, made)
    return Call(app, made, {"type": "http.request", "body": body or b"", "more_body": False})


@asynccontextmanager
async def websocket(app: Any, query: str = GOOD, **more: Any) -> AsyncIterator[Call]:
    """A websocket that has been asked for; at the end its client is gone."""
    call = Call(app, scope("websocket", query=query, **more), {"type": "websocket.connect"})
    try:
        yield call
    finally:
        call.tell(type="websocket.disconnect", code=1006)
        await asyncio.wait_for(call.task, TIMEOUT)


@asynccontextmanager
async def closing(app: ASGIApp) -> AsyncIterator[ASGIApp]:
    try:
        yield app
    finally:
        await app.engine.close()
