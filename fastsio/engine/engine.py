"""Engine: an Engine.IO server as users see it: its options, listening and closing, its sessions."""

from __future__ import annotations

import asyncio
import resource
import ssl as ssl_module
from collections.abc import Callable, Collection, Mapping
from logging import getLogger
from socket import AF_UNIX
from socket import socket as RawSocket
from typing import Any, Protocol, Unpack

from fastsio.engine.connection import CLOSE_TIMEOUT, Connection
from fastsio.engine.core import Core
from fastsio.engine.hosting import BufferedConnection, Host, HostingConnection
from fastsio.engine.http import HttpError
from fastsio.engine.ids import generate_id
from fastsio.engine.reception import EngineSocket, Middleware, Reception
from fastsio.engine.request import Request
from fastsio.engine.running import Runnable
from fastsio.engine.session import Receiver, Session
from fastsio.engine.static import StaticFile, client_files
from fastsio.engine.stats import EngineStats, engine_stats
from fastsio.events import Emitter
from fastsio.handlers import Listeners
from fastsio.options import OF_SERVER, EngineOptions, resolve

log = getLogger("fastsio")

SPARE_DESCRIPTORS = 64  # for the application's own files when max_connections is not given


class Beside(Protocol):
    """An application on the engine's port."""

    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...
    def host(self, connection: HostingConnection) -> Host: ...


class Above(Protocol):
    """A Server on the engine."""

    def _configured(self) -> None: ...
    async def _starting(self) -> None: ...
    async def _closed(self) -> None: ...


class Engine(Runnable, Emitter):
    """An Engine.IO server, alone or under a Server: `io.bind(engine)`, or the one that a Server makes for itself.

    options: see fastsio.options.EngineOptions; `path` is "/engine.io" here, and `serve_client` False.
    TypeError: an unknown option, or one of the wrong type; ValueError: a number out of range.
    clients: the open sessions by id. generate_id: makes a session's id from its request, may be replaced by a function
    or coroutine function. files: what is served beside, `engine.files["/"] = StaticFile("text/html", page)`.
    Events: `connection(conn)`, `connection_error(error)` with `code`, `message`, `context` and `request`,
    `initial_headers(headers, request)`, `headers(headers, request)`. Source: Engine.IO 6.x.
    """

    clients: dict[str, EngineSocket]
    generate_id: Callable[[Request], Any]
    files: dict[str, StaticFile]

    def __init__(self, **options: Unpack[EngineOptions]) -> None:
        alone: EngineOptions = {"path": "/engine.io", "serve_client": False}
        alone.update(options)
        self._setup(alone)

    @classmethod
    def _under(cls, server: Above, options: Mapping[str, Any]) -> Engine:
        """The engine that a server makes for itself."""
        engine = cls.__new__(cls)
        engine._setup(options)
        engine._server = server
        return engine

    def _setup(self, options: Mapping[str, Any]) -> None:
        self._given: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._new_receiver: Callable[[], Receiver] = Receiver
        self._server: Above | None = None
        self._listeners = Listeners()
        self._core: Core | None = None
        self._servers: list[asyncio.Server] = []
        self._connections = 0
        self._all_closed: asyncio.Event | None = None
        self._closing: asyncio.Task[None] | None = None
        self._middlewares: tuple[Middleware, ...] = ()
        self.clients = {}
        self.generate_id = lambda request: generate_id()
        # An application on the same port, while the engine listens, and what makes it.
        self._new_application: Callable[[], Beside] | None = None
        self._application: Beside | None = None
        self.files = {}
        self._client_files: dict[str, StaticFile] = {}  # those in `files` that serve_client put there
        self._set(**options)

    # ---- options ----

    def _check_stopped(self, names: Collection[str]) -> None:
        if self._core is not None:
            raise RuntimeError(f"{', '.join(names)}: set before the server listens, not while it does; close it first")

    def _set(self, **options: Any) -> None:
        """Changes some of the options; they are all checked together."""
        self._check_stopped(options)
        for name in options:
            if name in OF_SERVER:
                raise TypeError(f"{name!r} is an option of Server, not of Engine")
        given = {**self._given, **options}
        self._options = {**resolve(**given), "connect_timeout": self._options.get("connect_timeout", 0.0)}
        self._given = given
        self._max_connections: int = self._options["max_connections"] or default_max_connections()
        if self._server is not None:
            self._server._configured()

    def _feed(self, new_receiver: Callable[[], Receiver], connect_timeout: float) -> None:
        """Sessions that open from here on get such a receiver, and join a namespace in time (0: whenever)."""
        self._new_receiver = new_receiver
        self._options["connect_timeout"] = connect_timeout
        if self._core is not None:
            self._core.connect_timeout = connect_timeout

    def _table(self) -> Listeners:
        return self._listeners

    def _failed(self, error: Exception) -> None:
        log.error("exception in a listener of the engine", exc_info=error)

    def use(self, middleware: Middleware) -> Middleware:
        """Asks a function, sync or async, at each request: `middleware(request)`, in the order of registration.

        What it returns, a mapping or None, are headers for the answer. Raising ConnectError refuses the request
        with code 4 and its message; any other exception with code 3, and it is logged. Returns the function, so
        that it decorates too. Source: Engine.IO 6.x (`engine.use`).
        """
        if not callable(middleware):
            raise TypeError(f"a middleware must be callable, got {type(middleware).__name__}")
        self._middlewares += (middleware,)
        return middleware

    @property
    def clients_count(self) -> int:
        """The number of open sessions."""
        return len(self.clients)

    @property
    def counters(self) -> dict[str, int]:
        """What was refused, dropped or cut short since the start, by name."""
        return dict(self._core.counters) if self._core is not None else {}

    def stats(self) -> EngineStats:
        """What the engine holds and has done, in numbers, as a plain dict; each key says what it counts, and whether
        now or since the start. Reading them costs microseconds, and nothing else does. Source: ours.
        """
        return engine_stats(self._core)

    # ---- listening ----

    def _start(self) -> Core:
        """Becomes part of the running event loop."""
        loop = asyncio.get_running_loop()
        core = self._core
        if core is None:
            core = self._core = Core(loop, self._options, self)
            self._reception = Reception(self, core)
            own = {path: file for path, file in self.files.items() if self._client_files.get(path) is not file}
            self._client_files = client_files(self._options["path"]) if self._options["serve_client"] else {}
            self.files = {**self._client_files, **own}
        elif core.loop is not loop:
            raise RuntimeError("the server listens in another event loop already: close it there first")
        return core

    async def _listen(
        self,
        port: int | None,
        host: str,
        *,
        ssl: ssl_module.SSLContext | None,
        unix_path: str | None,
        sock: RawSocket | None,
        backlog: int,
        reuse_port: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        new_connection = await self._begin(ssl is not None)
        if unix_path is not None or (sock is not None and sock.family == AF_UNIX):
            server = await loop.create_unix_server(new_connection, unix_path, sock=sock, ssl=ssl, backlog=backlog)
        elif sock is not None:
            server = await loop.create_server(new_connection, sock=sock, ssl=ssl, backlog=backlog)
        else:
            server = await loop.create_server(
                new_connection, host, port, ssl=ssl, backlog=backlog, reuse_port=reuse_port
            )
        self._servers.append(server)

    async def _begin(self, secure: bool) -> Callable[[], BufferedConnection]:
        """Starts what connections need, and returns what makes one. secure: with TLS."""
        if self._server is not None:
            await self._server._starting()
        core = self._start()
        application = await self._start_application()
        if application is None:
            return lambda: BufferedConnection(core, secure)
        host = application.host
        return lambda: HostingConnection(core, secure, host)

    async def _take(self, sock: RawSocket) -> None:
        """Serves a stream socket that is connected already."""
        new_connection = await self._begin(False)
        await asyncio.get_running_loop().connect_accepted_socket(new_connection, sock)

    def _share(self, new_application: Callable[[], Beside]) -> None:
        self._new_application = new_application

    async def _start_application(self) -> Beside | None:
        if self._new_application is not None and self._application is None:
            application = self._new_application()
            await application.startup()
            self._application = application
            self._leave_others()
            log.info("fastsio: raw protocol, the application on the same port")
        return self._application

    def _leave_others(self) -> None:
        """Requests for other paths are not answered from here on: a HostingConnection takes them."""
        self._start().hosted = lambda request: not self._owns(request.path)

    def _owns(self, path: str) -> bool:
        """Whether requests for this path are the engine's."""
        return path in self.files or self._reception.matches(path)

    @property
    def addresses(self) -> list[tuple[str, int] | str]:
        """What is listened on: (host, port) pairs and paths of Unix sockets."""
        names = [sock.getsockname() for server in self._servers for sock in server.sockets]
        return [name if isinstance(name, str) else (name[0], name[1]) for name in names]

    async def close(self) -> None:
        """Stops listening, closes every connection and returns when all are gone; so does a call meanwhile."""
        await asyncio.shield(self._begin_close())

    def _begin_close(self) -> asyncio.Task[None]:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        return self._closing

    async def _close(self) -> None:
        try:
            await self._close_all()
            if self._server is not None:
                await self._server._closed()
        finally:
            self._closing = None

    async def _close_all(self) -> None:
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        core = self._core
        if core is None:
            return
        for session in list(self.clients.values()):
            session.end("server shutting down")
        for polling in list(core.lingering.values()):
            polling.drop()
        if self._connections:
            await self._close_connections(core)
        for server in servers:
            await server.wait_closed()
        application, self._application = self._application, None
        if application is not None:
            await application.shutdown()
        core.deadlines.stop()
        self._core = None

    async def _close_connections(self, core: Core) -> None:
        self._all_closed = asyncio.Event()
        connections = [owner for owner in core.owners() if isinstance(owner, Connection)]
        for connection in connections:
            if connection.session is None:
                connection.hang_up()
        try:
            await asyncio.wait_for(self._all_closed.wait(), CLOSE_TIMEOUT)
        except TimeoutError:
            for connection in connections:
                connection.abort()
            await self._all_closed.wait()
        self._all_closed = None

    # ---- what connections and sessions call ----

    def on_made(self, connection: Connection) -> None:
        """A connection was accepted."""
        self._connections += 1
        if self._connections > self._max_connections:
            self._count("connections above max_connections")
            connection.refuse(503, [("Retry-After", "10")])

    def on_lost(self, connection: Connection) -> None:
        """A connection is gone."""
        self._reception.on_lost(connection)
        self._connections -= 1
        if self._connections == 0 and self._all_closed is not None:
            self._all_closed.set()

    def on_opened(self, session: Session) -> None:
        """A session is open."""
        self._listeners.fire(self, "connection", session)

    def on_announced(self, connection: Connection, request: Request) -> None:
        """The head of a request whose body is still coming."""
        self._reception.on_announced(connection, request)

    def on_request(self, connection: Connection, request: Request | HttpError) -> None:
        """A request is complete; an HttpError stands for what is not HTTP as we take it."""
        self._reception.on_request(connection, request)

    def _forget(self, session: Session) -> None:
        self.clients.pop(session.id, None)

    def _count(self, what: str) -> None:
        assert self._core is not None
        self._core.counters[what] += 1


def default_max_connections() -> int:
    """What the limit on file descriptors leaves, after some for the application itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 1_000_000
    return max(soft - SPARE_DESCRIPTORS, 1)
