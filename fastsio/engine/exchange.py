"""One request as an ASGI server gives it, in the shape that the engine takes from its own connections.

The head is put together again and read by our own parser, with the body behind it, so
that one set of rules and limits holds however a request came.

Exchange          a request under way, and what came of it
WebSocketExchange one that asks for a websocket
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

from fastsio.engine.asgi import AsgiWebSocket
from fastsio.engine.core import Core
from fastsio.engine.response import header_lines
from fastsio.engine.session import Session

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]

# What is between the server and its client, or done by the server already.
OF_THE_CONNECTION = {b"connection", b"expect", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
OF_THE_WEBSOCKET = {b"content-length", b"sec-websocket-extensions"}
HANDSHAKE = {b"connection": b"Upgrade", b"upgrade": b"websocket"}
# HTTP/2 has neither (RFC 8441).
HTTP_1_HANDSHAKE = {b"sec-websocket-version": b"13", b"sec-websocket-key": b"AAAAAAAAAAAAAAAAAAAAAA=="}
NOT_FOR_ACCEPT = ("connection", "upgrade", "sec-websocket-accept", "sec-websocket-extensions")


def raw_paths(scope: Scope) -> Iterator[bytes]:
    """The path as it was sent: whole, and without what the application is mounted under."""
    raw = scope.get("raw_path") or quote(scope["path"], safe="/%:@!$&'()*+,;=~").encode()
    path = raw.partition(b"?")[0]
    yield path
    root = scope.get("root_path", "").rstrip("/").encode()
    if root and path.startswith(root + b"/"):
        yield path[len(root) :]


def request_head(scope: Scope, path: bytes, chunked: bool) -> bytes:
    """The head of the request. ValueError: it would not stay one head."""
    websocket = scope["type"] == "websocket"
    dropped = OF_THE_CONNECTION | (OF_THE_WEBSOCKET if websocket else set())
    headers = [(name.lower(), value) for name, value in scope["headers"] if name.lower() not in dropped]
    names = {name for name, _ in headers}
    if b"host" not in names:
        host, port = scope.get("server") or ("localhost", None)
        headers.append((b"host", f"{host}:{port}".encode() if port else b"localhost"))
    if websocket:
        headers += HANDSHAKE.items()
        headers += [(name, value) for name, value in HTTP_1_HANDSHAKE.items() if name not in names]
    elif chunked:
        headers.append((b"transfer-encoding", b"chunked"))
    query = scope.get("query_string", b"")
    method = scope.get("method", "GET").encode()
    lines = [b"%b %b HTTP/1.1" % (method, b"%b?%b" % (path, query) if query else path)]
    lines += [b"%b: %b" % header for header in headers]
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise ValueError("a line break in a header")
    return b"\r\n".join([*lines, b"", b""])


def content_length(scope: Scope) -> bool:
    """Whether the request says how long its body is."""
    return any(name.lower() == b"content-length" for name, _ in scope["headers"])


class Exchange:
    """A request under way. answer: done when it is known: (status, headers, body)."""

    def __init__(self, scope: Scope) -> None:
        self.waiter: Any = None
        self.session: Session | None = None
        client = scope.get("client")
        self.peer: str = client[0] if client else ""
        self.secure: bool = scope.get("scheme") in ("https", "wss")
        self.answer: asyncio.Future[tuple[int, Headers, bytes] | None] = asyncio.get_running_loop().create_future()
        self.patient = False

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """Answers, once. ValueError: CR, LF or NUL in a header."""
        header_lines(headers)
        if not self.answer.done():
            self.answer.set_result((status, headers, body))
            waiter, self.waiter = self.waiter, None
            if waiter is not None:  # somebody else answers in its place
                waiter.overtaken(self, False)

    def wait(self) -> None:
        """The request is answered whenever there is something to answer."""
        self.patient = True

    def abort(self) -> None:
        """No answer will come."""
        if not self.answer.done():
            self.answer.set_result(None)

    def upgrade(self, head: bytes, session: Session, probing: bool, deflate: bool) -> None:
        """Never called: it asks for no websocket."""
        raise NotImplementedError

    def end(self) -> None:
        """The server is through with it, or its client has gone."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter.aborted(self)


class WebSocketExchange(Exchange):
    """answer: done with None once the websocket is accepted."""

    def __init__(self, scope: Scope, core: Core) -> None:
        super().__init__(scope)
        self._core = core
        self.socket: AsgiWebSocket | None = None
        self._outgoing: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._close_code: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def upgrade(self, head: bytes, session: Session, probing: bool, deflate: bool) -> None:
        """The request is granted."""
        lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:] if line]
        self._headers = [
            (name.lower(), value) for name, _, value in lines if name.lower().decode("latin-1") not in NOT_FOR_ACCEPT
        ]
        self.session = session
        self.answer.set_result(None)
        self.socket = AsgiWebSocket(self._core, session, self._deliver, self._finish)
        self.socket.begin(probing)

    def abort(self) -> None:
        """Ends it at once."""
        super().abort()
        for task in self._tasks:
            task.cancel()

    # ---- what the websocket calls ----

    def _deliver(self, messages: list[str | bytes]) -> None:
        self._outgoing += messages
        self._wake.set()

    def _finish(self, code: int, discard: bool) -> None:
        self._close_code = code
        self._wake.set()
        if discard:
            self._outgoing.clear()
            self.abort()

    # ---- while it is open ----

    async def run(self, receive: Receive, send: Send, patience: float) -> None:
        """Accepts, and carries messages both ways until one side ends. patience: seconds for the other's close."""
        assert self.socket is not None
        code = 1006
        reader, writer = asyncio.ensure_future(self._read(receive)), asyncio.ensure_future(self._write(send))
        self._tasks = [reader, writer]  # type: ignore[list-item]
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not writer.cancelled() and writer.exception() is None:
                await asyncio.wait({reader}, timeout=patience)
            if reader.done() and not reader.cancelled():
                code = reader.result()
        finally:
            self.abort()
            self.socket.on_lost(code)
            await asyncio.wait({reader, writer})
            if not writer.cancelled():
                writer.exception()  # the peer has gone: the reader tells why

    async def _read(self, receive: Receive) -> int:
        """Until the close; returns its code."""
        assert self.socket is not None
        while (message := await receive())["type"] == "websocket.receive":
            text = message.get("text")
            self.socket.on_message(message["bytes"] if text is None else text)
        code: int = message.get("code") or 1005
        return code

    async def _write(self, send: Send) -> None:
        """Until the session's end."""
        assert self.socket is not None
        await send({"type": "websocket.accept", "headers": self._headers})
        while True:
            while self._outgoing:
                message = self._outgoing.popleft()
                await send({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})
                self.socket.on_progress()
            if self._close_code is not None:
                await send({"type": "websocket.close", "code": self._close_code})
                return
            self._wake.clear()
            self.socket.on_sent()
            await self._wake.wait()
