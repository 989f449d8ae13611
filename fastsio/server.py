"""Server: namespaces on an engine."""

from __future__ import annotations

import asyncio
import signal
import ssl as ssl_module
from collections.abc import Callable
from logging import getLogger
from socket import socket as RawSocket
from typing import TYPE_CHECKING, Any, Self, Unpack

from fastsio.adapter import Adapter
from fastsio.broadcast import BroadcastOperator, Targeting
from fastsio.client import Client
from fastsio.engine.engine import Engine
from fastsio.events import Emitter
from fastsio.handlers import Listeners
from fastsio.namespace import Middleware, Namespace
from fastsio.options import Options, resolve
from fastsio.wire.sio import CONNECT_ERROR

if TYPE_CHECKING:
    from fastsio.outbox import Outbox

log = getLogger("fastsio")


class Server(Emitter, Targeting):
    """A Socket.IO server. Source: Socket.IO 2.x and 4.x.

    port: a port for `run()` and `listen()` (default: to be named there); options: see fastsio.options.Options.
    TypeError: an unknown option, or one of the wrong type; ValueError: a number out of range.
    """

    def __init__(self, port: int | None = None, **options: Unpack[Options]) -> None:
        self._port = port
        self._options = resolve(**options)
        self.max_attachments: int = self._options["max_attachments"]
        self.nsps: dict[str, Namespace] = {}
        self.engine = Engine(self._options, self._new_client)
        self.sockets = self.of("/")

    # ---- namespaces ----

    def of(self, name: str, listener: Callable[..., Any] | None = None) -> Namespace:
        """The namespace of this name, made when it is asked for the first time.

        name: a missing "/" in front is added; listener: registered for its "connection". Source: Socket.IO 2.x.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of a namespace is a str, got {type(name).__name__}")
        name = name if name.startswith("/") else "/" + name
        nsp = self.nsps.get(name) or self.register(Namespace(name))
        if listener is not None:
            nsp.on("connection", listener)
        return nsp

    def register(self, nsp: Namespace) -> Namespace:
        """Adds a namespace of a class of one's own. ValueError: there is one of that name. Source: ours."""
        if nsp.name in self.nsps and self.nsps[nsp.name]._sockets:
            raise ValueError(f"namespace {nsp.name} is there already, with sockets in it")
        nsp.server = self
        nsp.adapter = Adapter(nsp)
        self.nsps[nsp.name] = nsp
        if nsp.name == "/":
            self.sockets = nsp
        return nsp

    def _new_client(self) -> Client:
        return Client(self)

    def _connect(self, client: Client, name: str, auth: object) -> None:
        """A client asks to join a namespace."""
        nsp = self.nsps.get(name)
        if nsp is not None:
            nsp._admit(client, auth)
        else:
            client.refuse(b"" if name == "/" else name.encode())
            client.send(CONNECT_ERROR, name, {"message": "Invalid namespace"})

    @property
    def _outbox(self) -> Outbox | None:
        return self.engine._outbox

    # ---- those of "/" ----

    def _table(self) -> Listeners:
        return self.sockets._table()

    def _add(self, event: str | int, function: Callable[..., Any] | None, once: bool) -> Any:
        result = self.sockets._add(event, function, once)
        return self if result is self.sockets else result

    def use(self, middleware: Middleware) -> Middleware:
        """As Namespace.use, for "/"."""
        return self.sockets.use(middleware)

    def event(self, name: str | int | Callable[..., Any]) -> Any:
        """As Namespace.event, for "/"."""
        return self.sockets.event(name)

    def emit(self, event: str | int, *args: object) -> bool:
        """Sends an event to everybody in "/"; returns True. See BroadcastOperator.emit."""
        return self.sockets.emit(event, *args)

    def send(self, *args: object) -> Self:
        """Emits "message" to everybody in "/"; returns the server. Source: Socket.IO 2.x."""
        self.sockets.send(*args)
        return self

    def _target(self) -> BroadcastOperator:
        return self.sockets._target()

    # ---- life ----

    async def listen(
        self,
        port: int | None = None,
        host: str = "127.0.0.1",
        *,
        ssl: ssl_module.SSLContext | None = None,
        unix_path: str | None = None,
        sock: RawSocket | None = None,
        backlog: int = 4096,
        reuse_port: bool = False,
    ) -> None:
        """Starts accepting connections in the running event loop; may be called for several addresses.

        port: 0 lets the system choose, see `addresses` (default: the one given to Server); host: the
        address to bind; ssl: a context for TLS; unix_path: a Unix socket instead; sock: a bound socket
        instead; backlog: connections that may wait to be accepted; reuse_port: several processes share
        the port. OSError: the address cannot be bound. ValueError: no port is named.
        """
        port = self._port if port is None else port
        if port is None and unix_path is None and sock is None:
            raise ValueError("no port to listen on: give one to listen() or run(), 0 for any free one")
        await self.engine.listen(
            port, host, ssl=ssl, unix_path=unix_path, sock=sock, backlog=backlog, reuse_port=reuse_port
        )

    @property
    def addresses(self) -> list[tuple[str, int] | str]:
        """What the server listens on: (host, port) pairs and paths of Unix sockets."""
        return self.engine.addresses

    def run(self, port: int | None = None, host: str = "127.0.0.1", **listen: Any) -> None:
        """Listens in an event loop of its own (uvloop) until SIGINT or SIGTERM, then closes gracefully.

        The arguments are those of `listen`.
        """
        import uvloop

        async def main() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            await self.listen(port, host, **listen)
            log.info("listening on %s", ", ".join(map(_address_text, self.addresses)))
            await stop.wait()
            await self.close()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    async def close(self) -> None:
        """Stops listening and closes every connection; each socket gets the reason "server shutting down".

        Clients are not told to leave their namespaces, so that they reconnect. The ports are free when it
        returns. Source: Socket.IO 2.x and 4.x.
        """
        await self.engine.close()

    def __repr__(self) -> str:
        return f"<Server {self.addresses or 'not listening'}, {self.engine.clients_count} clients>"


def _address_text(address: tuple[str, int] | str) -> str:
    return address if isinstance(address, str) else f"http://{address[0]}:{address[1]}"
