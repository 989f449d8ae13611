"""Engine: accepts connections, answers requests, opens sessions."""

from __future__ import annotations

import asyncio
import resource
import ssl as ssl_module
from collections.abc import Callable, Generator
from inspect import isawaitable
from logging import getLogger
from socket import AF_UNIX
from socket import socket as RawSocket
from typing import Any

from fastsio.engine.connection import CLOSE_TIMEOUT, Connection
from fastsio.engine.core import Core
from fastsio.engine.handshake import MESSAGES, Handshake, Refusal, generate_id, switching_protocols
from fastsio.engine.http import HttpError
from fastsio.engine.request import Request
from fastsio.engine.response import response
from fastsio.engine.session import Receiver, Session
from fastsio.engine.static import StaticFile, client_files
from fastsio.limits import rate_limited
from fastsio.outbox import Outbox
from fastsio.tasks import spawn

log = getLogger("fastsio")


class BufferedConnection(Connection, asyncio.BufferedProtocol):
    """What asyncio's own event loop takes for a buffered protocol, by its type; uvloop looks for the methods."""

    __slots__ = ()


# What is left to do for a handshake: yields what the application's functions return, ends with the session's id.
Steps = Generator[object, Any, str]

SPARE_DESCRIPTORS = 64  # for the application's own files when max_connections is not given


class Engine:
    """An Engine.IO server. It becomes part of an event loop with the first `listen`."""

    def __init__(self, options: dict[str, Any], new_receiver: Callable[[], Receiver]) -> None:
        self._options = options
        self._new_receiver = new_receiver
        self._core: Core | None = None
        self._servers: list[asyncio.Server] = []
        self._connections = 0
        self._max_connections: int = options["max_connections"] or default_max_connections()
        self._all_closed: asyncio.Event | None = None
        self._closing: asyncio.Task[None] | None = None
        self.clients: dict[str, Session] = {}
        self.generate_id: Callable[[Request], Any] = lambda request: generate_id()
        #: Files that are served beside Socket.IO, by path: `engine.files["/"] = StaticFile("text/html", page)`.
        self.files: dict[str, StaticFile] = {}
        # Connections whose handshake waits for a function of the application.
        self._deciding: set[Connection] = set()

    @property
    def clients_count(self) -> int:
        """The number of open sessions."""
        return len(self.clients)

    @property
    def counters(self) -> dict[str, int]:
        """What was refused, dropped or cut short since the start, by name."""
        return dict(self._core.counters) if self._core is not None else {}

    @property
    def _outbox(self) -> Outbox | None:
        return self._core.outbox if self._core is not None else None

    # ---- listening ----

    async def listen(
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
        """As Server.listen."""
        loop = asyncio.get_running_loop()
        core = self._core
        if core is None:
            core = self._core = Core(loop, self._options, self)
            self._handshake = Handshake(self._options, self.clients)
            if self._options["serve_client"]:
                self.files = {**client_files(self._options["path"]), **self.files}
        elif core.loop is not loop:
            raise RuntimeError("the server listens in another event loop already: close it there first")

        def new_connection() -> BufferedConnection:
            return BufferedConnection(core, ssl is not None)

        if unix_path is not None or (sock is not None and sock.family == AF_UNIX):
            server = await loop.create_unix_server(new_connection, unix_path, sock=sock, ssl=ssl, backlog=backlog)
        elif sock is not None:
            server = await loop.create_server(new_connection, sock=sock, ssl=ssl, backlog=backlog)
        else:
            server = await loop.create_server(
                new_connection, host, port, ssl=ssl, backlog=backlog, reuse_port=reuse_port
            )
        self._servers.append(server)

    @property
    def addresses(self) -> list[tuple[str, int] | str]:
        """What is listened on: (host, port) pairs and paths of Unix sockets."""
        names = [sock.getsockname() for server in self._servers for sock in server.sockets]
        return [name if isinstance(name, str) else (name[0], name[1]) for name in names]

    async def close(self) -> None:
        """Stops listening, closes every connection and returns when all are gone; so does a call meanwhile."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            await self._close_all()
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
        if self._connections:
            self._all_closed = asyncio.Event()
            for connection in core.connections():
                if connection.session is None:
                    connection.abort()
            try:
                await asyncio.wait_for(self._all_closed.wait(), CLOSE_TIMEOUT)
            except TimeoutError:
                for connection in core.connections():
                    connection.abort()
                await self._all_closed.wait()
        for server in servers:
            await server.wait_closed()
        core.deadlines.stop()
        self._core = None
        self._all_closed = None

    # ---- what connections call ----

    def on_made(self, connection: Connection) -> None:
        """A connection was accepted."""
        self._connections += 1
        if self._connections > self._max_connections:
            self._count("connections above max_connections")
            connection.respond(response(503, [("Retry-After", "10")], b"", close=True), True)

    def on_lost(self, connection: Connection) -> None:
        """A connection is gone."""
        self._deciding.discard(connection)
        self._connections -= 1
        if self._connections == 0 and self._all_closed is not None:
            self._all_closed.set()

    def on_request(self, connection: Connection, request: Request | HttpError) -> None:
        """Answers a request, or begins to; an HttpError stands for what is not HTTP as we take it."""
        if isinstance(request, HttpError):
            self._deciding.discard(connection)
            self._count(f"http {request.status}")
            connection.respond(response(request.status, [], str(request).encode(), close=True), True)
            return
        try:
            request.address = connection.peer
            request.secure = connection.secure
            path = request.path
            if not request.upgrade and path in self.files:
                connection.respond(self.files[path].answer(request), not request.keep_alive)
            elif self._handshake.matches(path):
                self._advance(connection, request, self._admission(request))
            else:
                self._not_found(connection, request)
        except Exception as error:
            self._fail(connection, request, error)

    def _not_found(self, connection: Connection, request: Request) -> None:
        self._count("http 404")
        close = request.upgrade or not request.keep_alive
        connection.respond(response(404, [], b"", close=close), close)

    # ---- handshakes ----

    def _admission(self, request: Request) -> Steps:
        """Yields what the application's functions return and takes what came of it; returns the session's id."""
        yield from self._handshake.check(request)
        id = yield self.generate_id(request)
        if not isinstance(id, str) or not id or id in self.clients:
            raise ValueError(f"generate_id must return a new, non-empty str, got {id!r}")
        return id

    def _advance(self, connection: Connection, request: Request, steps: Steps) -> None:
        """Takes the steps of an admission; from the first that has to be waited for on, in a task."""
        result: object = None
        try:
            while True:
                result = steps.send(result)
                if type(result) is not str and isawaitable(result):
                    self._deciding.add(connection)
                    spawn(self._advance_later(connection, request, steps, result))
                    return
        except StopIteration as end:
            self._open(connection, request, end.value)

    async def _advance_later(self, connection: Connection, request: Request, steps: Steps, result: object) -> None:
        try:
            id = await remaining(steps, result)
            if connection in self._deciding:  # else it is gone
                self._open(connection, request, id)
        except BaseException as error:
            self._fail(connection, request, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._deciding.discard(connection)

    def _open(self, connection: Connection, request: Request, id: str) -> None:
        assert self._core is not None
        key = request.header("sec-websocket-key")
        assert key is not None  # checked by the handshake
        receiver = self._new_receiver()
        session = Session(self._core, id, request, receiver)
        session.on_closed = self._forget
        receiver.attach(session)
        self.clients[id] = session
        connection.upgrade(switching_protocols(key, ()), session)

    def _fail(self, connection: Connection, request: Request, error: BaseException) -> None:
        """Whatever went wrong, the request gets an answer."""
        close = request.upgrade or not request.keep_alive
        if isinstance(error, Refusal):
            self._count(f"refused: {MESSAGES[error.code]}")
            connection.respond(error.answer(request), close)
            return
        self._count("http 500")
        if rate_limited("http 500"):
            log.error("exception while a request was answered", exc_info=error)
        if connection.session is not None:
            connection.abort()  # the 101 is out: there is no other answer any more
        else:
            connection.respond(response(500, [], b"", close=True), True)

    def _forget(self, session: Session) -> None:
        del self.clients[session.id]

    def _count(self, what: str) -> None:
        assert self._core is not None
        self._core.counters[what] += 1


async def remaining(steps: Steps, result: object) -> str:
    """Takes the steps from a result on, which may have to be awaited like those after it."""
    try:
        while True:
            try:
                value = await result if isawaitable(result) else result
            except Exception as error:
                result = steps.throw(error)
            else:
                result = steps.send(value)
    except StopIteration as end:
        id: str = end.value
        return id


def default_max_connections() -> int:
    """What the limit on file descriptors leaves, after some for the application itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 1_000_000
    return max(soft - SPARE_DESCRIPTORS, 1)
