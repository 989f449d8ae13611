"""fastsio under uvicorn: `uvicorn --http fastsio.uvicorn:HttpProtocol app:app`, where app is a fastsio.ASGIApp.

Socket.IO's requests and websockets go to our own connection, without ASGI between; everything else
goes to uvicorn's own protocols, on the same connection. uvicorn keeps its command line, reload, workers, lifespan
and shutdown. (`--ws fastsio.uvicorn:WebSocketProtocol` does the same for websockets alone.)

What it stands on, in uvicorn: the class is called with (config, server_state, app_state) for each connection, and
must be in server_state.connections from connection_made to connection_lost; at the end shutdown() is called on each
one there and uvicorn waits until they are gone. A class given for --ws is called at an upgrade with the
transport and a head that uvicorn has put together again, then becomes the transport's protocol; bytes that came
right behind that head uvicorn drops with httptools. No client may send any before the answer (RFC 6455 4.1); the
stream of one that does is not understood and its connection closed.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from copy import copy
from typing import Any, Self

from uvicorn import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol
from uvicorn.server import ServerState

from fastsio.asgi import ASGIApp, announce
from fastsio.engine.hosting import HostingConnection
from fastsio.hosting.host import Host
from fastsio.limits import rate_limited

__all__ = ["HttpProtocol", "WebSocketProtocol"]

# Under which names middlewares keep the application that they wrap.
INNER = ("app", "application", "asgi", "_app", "other_app", "inner")
DEEPEST = 20

FORWARDED = ("x-forwarded-for", "x-forwarded-proto")


def find_asgi_app(app: Any) -> ASGIApp:
    """The ASGIApp in an application, below its middlewares. RuntimeError: there is none."""
    for _ in range(DEEPEST):
        if isinstance(app, ASGIApp):
            return app
        for name in INNER:
            inner = getattr(app, name, None)
            if callable(inner):
                app = inner
                break
        else:
            break
    raise RuntimeError(
        "fastsio.uvicorn finds no fastsio.ASGIApp: give uvicorn `app = fastsio.ASGIApp(io, other_app)`, "
        "with nothing around it but middlewares that keep what they wrap as `app`"
    )


class FromUvicorn:
    """What a Host asks of the application, from uvicorn's server."""

    def __init__(self, config: Config, state: ServerState, app_state: dict[str, Any]) -> None:
        self.config = config
        self.state = state
        self.app_state = app_state
        self.loop = asyncio.get_running_loop()
        # The one for --ws is for our clients, and has sent this request here.
        own: Any = config.ws_protocol_class
        self.ws_protocol_class = AutoWebSocketsProtocol if own is WebSocketProtocol else own

    def upgraded(self, connection: Any) -> None:
        """The websocket's protocol has taken its place in the set."""
        self.state.connections.discard(connection)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """The application of which a middleware only changes the scope."""


class Refused(asyncio.Protocol):
    """A connection that is closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio's protocols have it."""
        transport.close()


class HttpProtocol(HostingConnection):
    """A connection of uvicorn's whose Socket.IO requests are ours, for `--http fastsio.uvicorn:HttpProtocol`."""

    __slots__ = ("_engine", "_proxies", "_server_state")

    _way = "raw protocol on uvicorn's port"

    def __new__(
        cls,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Self:
        if not config.loaded:
            config.load()
        try:
            engine = find_asgi_app(config.loaded_app).engine
            core = engine._start()
        except Exception:  # which a loop must not see here: uvloop would call again and again
            if rate_limited("fastsio.uvicorn"):
                logging.getLogger("uvicorn.error").exception("a connection was closed")
            return Refused()  # type: ignore[return-value]
        if core.hosted is None:
            engine._leave_others()
            announce(cls._way)
        return super().__new__(cls, core, config.ssl is not None)

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        def new_host(connection: HostingConnection) -> Host:
            return Host(connection, FromUvicorn(config, server_state, app_state))

        self._engine = find_asgi_app(config.loaded_app).engine
        self._server_state = server_state
        outermost = config.loaded_app
        self._proxies = outermost if isinstance(outermost, ProxyHeadersMiddleware) else None
        super().__init__(self._engine._start(), config.ssl is not None, new_host)

    # ---- behind a proxy ----

    @property
    def peer(self) -> str:
        """The client's address; the one that a proxy names which uvicorn trusts."""
        return self._client()[0]

    @property
    def secure(self) -> bool:  # type: ignore[override]
        """Whether the client speaks TLS, to such a proxy or to us."""
        return self._client()[1]

    def _client(self) -> tuple[str, bool]:
        request, peer, secure = self.request, super().peer, super().secure
        if self._proxies is None or request is None or not any(map(request.header, FORWARDED)):
            return peer, secure
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.items()]
        scope = {"type": "http", "client": (peer, 0), "scheme": "https" if secure else "http", "headers": pairs}
        proxies = copy(self._proxies)
        proxies.app = nothing
        with suppress(StopIteration):  # it waits for nothing
            proxies(scope, None, None).send(None)  # type: ignore[arg-type]
        return scope["client"][0], scope["scheme"] in ("https", "wss")  # type: ignore[return-value]

    # ---- asyncio's side ----

    def connection_made(self, transport: Any) -> None:
        """As asyncio's protocols have it."""
        connections: set[Any] = self._server_state.connections
        connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio's protocols have it."""
        self._server_state.connections.discard(self)
        super().connection_lost(exc)

    def respond(self, status: int, headers: Any, body: bytes) -> None:
        """Counted, as uvicorn does for `--limit-max-requests`."""
        self._server_state.total_requests += 1
        super().respond(status, headers, body)

    def shutdown(self) -> None:
        """uvicorn is about to end: so is the engine, with every session and connection of its."""
        self._engine._begin_close()


class WebSocketProtocol(HttpProtocol):
    """The same for websockets alone, for `--ws fastsio.uvicorn:WebSocketProtocol`: polling goes through ASGI."""

    __slots__ = ()

    _way = "raw protocol on uvicorn's port, for websockets only: --http fastsio.uvicorn:HttpProtocol is for polling too"

    def connection_made(self, transport: Any) -> None:
        """As asyncio's protocols have it."""
        super().connection_made(transport)
        if transport.get_write_buffer_size() > 0:  # of an answer before: ours would overtake it
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """The head, from uvicorn; all that follows comes as to any BufferedProtocol."""
        at = 0
        while at < len(data):
            buffer = memoryview(self.get_buffer(-1))
            part = data[at : at + len(buffer)]
            buffer[: len(part)] = part
            self.buffer_updated(len(part))
            at += len(part)
