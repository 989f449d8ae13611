"""Server: namespaces on an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, Unpack

from fastsio.adapter import Adapter
from fastsio.broadcast import BroadcastOperator, Targeting
from fastsio.client import Client
from fastsio.engine.engine import Engine
from fastsio.engine.running import Runnable
from fastsio.events import Emitter
from fastsio.handlers import Listeners
from fastsio.namespace import Middleware, Namespace
from fastsio.options import Options, resolve
from fastsio.wire.sio import CONNECT_ERROR

if TYPE_CHECKING:
    from fastsio.outbox import Outbox


class Server(Runnable, Emitter, Targeting):
    """A Socket.IO server. Source: Socket.IO 2.x and 4.x.

    target: a port for `run()` and `listen()` (default: to be named there), or an ASGI application to share the
    port with, see `attach`; options: see fastsio.options.Options.
    TypeError: an unknown option, or one of the wrong type; ValueError: a number out of range.
    """

    def __init__(self, target: Any = None, **options: Unpack[Options]) -> None:
        self._options = resolve(**options)
        self.max_attachments: int = self._options["max_attachments"]
        self.nsps: dict[str, Namespace] = {}
        self.engine = Engine._under(self._options, self._new_client)
        self.sockets = self.of("/")
        if target is not None:
            self.attach(target)

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

    def _share(self, new_application: Callable[[], Any]) -> None:
        self.engine._share(new_application)

    async def _listen(self, port: int | None, host: str, **listen: Any) -> None:
        await self.engine._listen(port, host, **listen)

    @property
    def addresses(self) -> list[tuple[str, int] | str]:
        """What the server listens on: (host, port) pairs and paths of Unix sockets."""
        return self.engine.addresses

    async def close(self) -> None:
        """Stops listening and closes every connection; each socket gets the reason "server shutting down".

        Clients are not told to leave their namespaces, so that they reconnect. The ports are free when it
        returns. Source: Socket.IO 2.x and 4.x.
        """
        await self.engine.close()

    def __repr__(self) -> str:
        return f"<Server {self.addresses or 'not listening'}, {self.engine.clients_count} clients>"
