"""ASGIApp: Socket.IO as an ASGI application, under any ASGI server.

Requests and messages pass through the server and through Python, so this is the slow
way; what they mean is decided by the same engine as everywhere.
"""

from __future__ import annotations

import asyncio
from logging import getLogger
from typing import TYPE_CHECKING, Any

from fastsio.engine.engine import Engine
from fastsio.engine.exchange import (
    Exchange,
    Receive,
    Scope,
    Send,
    WebSocketExchange,
    content_length,
    raw_paths,
    request_head,
)
from fastsio.engine.http import Announcement, HttpError, HttpParser

if TYPE_CHECKING:
    from fastsio.server import Server

log = getLogger("fastsio")

SERVER_LOGS = ("uvicorn.error", "hypercorn.error", "_granian")

# Seconds.
DECISION_TIMEOUT = 10.0  # for functions of the application that a request waits for
BODY_TIMEOUT = 30.0
CLOSE_TIMEOUT = 5.0


class ASGIApp:
    """Socket.IO, and another application for every other path, as one ASGI application.

    io: the server (or an Engine); other_app: an ASGI application (default: other paths are answered 404). The
    other application gets the lifespan. Under uvicorn `--http fastsio.uvicorn:HttpProtocol` takes the same object
    and is much faster. Source: ours (python-socketio has one of the same name).
    """

    def __init__(self, io: Server | Engine, other_app: Any = None) -> None:
        self._io = io
        self.other_app = other_app
        self._told = False
        self._websockets: set[asyncio.Task[Any]] = set()

    @property
    def engine(self) -> Engine:
        """The engine that answers: the server's own, or the one bound to it."""
        return self._io if isinstance(self._io, Engine) else self._io.engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call of the ASGI server."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] in ("http", "websocket"):
            self.engine._start()  # a server may know no lifespan
            for path in raw_paths(scope):
                if self.engine._owns(path.decode("latin-1")):
                    await self._serve(scope, path, receive, send)
                    return
        if self.other_app is not None:
            await self.other_app(scope, receive, send)
        else:
            await refuse(scope, send, 404, [], b"")

    # ---- requests ----

    async def _serve(self, scope: Scope, path: bytes, receive: Receive, send: Send) -> None:
        core = self.engine._start()
        if not self._told:
            self._told = True
            announce("as an ASGI application: with uvicorn, --http fastsio.uvicorn:HttpProtocol is faster")
        websocket = scope["type"] == "websocket"
        exchange = WebSocketExchange(scope, core) if websocket else Exchange(scope)
        try:
            await self._read(exchange, scope, path, receive)
            answer = await self._answer(exchange, receive)
            if answer is not None:
                await refuse(scope, send, *answer)
            elif isinstance(exchange, WebSocketExchange) and exchange.socket is not None:
                await self._carry(exchange, receive, send)
        finally:
            exchange.end()
            self.engine._reception.on_lost(exchange)

    async def _read(self, exchange: Exchange, scope: Scope, path: bytes, receive: Receive) -> None:
        """The whole request, to the engine."""
        message = await receive()
        chunked = not content_length(scope) and bool(message.get("more_body") or message.get("body"))
        parser = HttpParser(self.engine._options["max_http_buffer_size"])
        try:
            self._feed(exchange, parser, request_head(scope, path, chunked))
        except ValueError as error:
            self.engine._reception.on_request(exchange, HttpError(400, str(error)))
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                while message["type"] == "http.request" and not exchange.answer.done():
                    body, more = message.get("body", b""), message.get("more_body", False)
                    if body:
                        self._feed(exchange, parser, b"%x\r\n%b\r\n" % (len(body), body) if chunked else body)
                    if not more:
                        self._feed(exchange, parser, b"0\r\n\r\n" if chunked else b"")
                        return
                    if not exchange.answer.done():
                        message = await receive()
        except TimeoutError:
            self.engine._reception.on_request(exchange, HttpError(408, "the body did not come in time"))
        if message["type"] == "http.disconnect":
            exchange.abort()

    def _feed(self, exchange: Exchange, parser: HttpParser, data: bytes) -> None:
        for event in parser.feed(data):
            if isinstance(event, Announcement):
                self.engine._reception.on_announced(exchange, event.request)
            elif not isinstance(event, bytes):
                self.engine._reception.on_request(exchange, event)

    async def _answer(self, exchange: Exchange, receive: Receive) -> Any:
        """What there is to answer; None: nothing any more."""
        if exchange.answer.done():
            return exchange.answer.result()
        gone: asyncio.Future[Any] = asyncio.ensure_future(disconnected(receive))
        decision: asyncio.Future[Any] = exchange.answer
        both = {decision, gone}
        try:
            await asyncio.wait(
                both,
                timeout=None if exchange.patient else DECISION_TIMEOUT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not decision.done() and not gone.done() and not exchange.patient:
                self.engine._reception.on_request(exchange, HttpError(503, "no decision in time"))
            if not decision.done() and not gone.done():
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        return decision.result() if decision.done() else None

    async def _carry(self, exchange: WebSocketExchange, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._websockets.add(task)
        try:
            await exchange.run(receive, send, CLOSE_TIMEOUT)
        finally:
            self._websockets.discard(task)

    # ---- lifespan ----

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.engine._start()
        began = False

        async def heard() -> dict[str, Any]:
            nonlocal began
            began = True
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._close()
            return message

        if self.other_app is not None:
            try:
                await self.other_app(scope, heard, send)
                return
            except Exception:
                if began:
                    raise
        # Nobody else, or somebody who knows no lifespan.
        while (message := await heard())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})

    async def _close(self) -> None:
        await self.engine.close()
        if self._websockets:
            await asyncio.wait(self._websockets, timeout=CLOSE_TIMEOUT)


def announce(way: str) -> None:
    """One line in the log, the ASGI server's where the application has none: which way is in use."""
    names = () if log.hasHandlers() else SERVER_LOGS
    logger = next((found for name in names if (found := getLogger(name)).hasHandlers()), log)
    logger.info("fastsio: %s", way)


async def refuse(scope: Scope, send: Send, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    """Answers with something other than a websocket."""
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if status not in (204, 304):
        pairs.append((b"content-length", b"%d" % len(body)))
    if scope["type"] == "http":
        kind = "http.response"
    elif "websocket.http.response" in (scope.get("extensions") or {}):
        kind = "websocket.http.response"
    else:
        await send({"type": "websocket.close", "code": 1008})
        return
    shown = b"" if scope.get("method") == "HEAD" or status in (204, 304) else body
    await send({"type": f"{kind}.start", "status": status, "headers": pairs})
    await send({"type": f"{kind}.body", "body": shown})


async def disconnected(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
