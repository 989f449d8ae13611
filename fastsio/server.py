"""Server: namespaces on an engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from logging import getLogger
from re import Pattern
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from fastsio import parents
from fastsio.adapter import Adapter, RecoveryAdapter
from fastsio.broadcast import BroadcastOperator, Reaching
from fastsio.client import Client
from fastsio.engine.engine import Engine
from fastsio.engine.running import Runnable
from fastsio.engine.session import Receiver, Session
from fastsio.engine.stats import NamespaceStats, ServerStats
from fastsio.event import Event
from fastsio.events import Emitter, Function, P, R
from fastsio.handlers import Listeners
from fastsio.namespace import Handling, Middleware, Namespace
from fastsio.options import OF_SERVER, Options, resolve, split
from fastsio.parsing import ParsingClient
from fastsio.recovery import RecoverySettings
from fastsio.settings import Settings
from fastsio.tasks import settled, unattended
from fastsio.threadsafe import Mailbox
from fastsio.wire.sio import CONNECT_ERROR

if TYPE_CHECKING:
    from fastsio.engine.reception import EngineSocket
    from fastsio.outbox import Outbox

log = getLogger("fastsio")


class Server(Settings, Runnable, Emitter, Reaching):
    """A Socket.IO server. Source: Socket.IO 2.x and 4.x.

    target: a port for `run()` and `listen()` (default: to be named there), or an ASGI application to share the
    port with, see `attach`; options: see fastsio.options.Options.
    TypeError: an unknown option, or one of the wrong type; ValueError: a number out of range.

    nsps: the namespaces by name; sockets: that of "/", as `of("/")`; engine: the Engine underneath, with its events,
    `clients_count` and `use`. Events, those of "/": `connection(socket)` (`connect` is the same), and
    `new_namespace(nsp)` when a namespace was made.
    """

    nsps: dict[str, Namespace]
    sockets: Namespace
    engine: Engine

    def __init__(self, target: Any = None, **options: Unpack[Options]) -> None:
        self._given, engines = split(options)
        self._own = {name: value for name, value in resolve(**self._given).items() if name in OF_SERVER}
        self.nsps = {}
        self._parents: list[parents.ParentNamespace] = []
        self._new_adapter: Callable[[Namespace], Adapter] = Adapter
        self._adapters_started = False
        self._mailbox = Mailbox()
        self._is_fed = True  # every session of the engine is ours
        self.engine = Engine._under(self, engines)
        self._configured()
        self.sockets = self.of("/")
        if target is not None:
            self.attach(target)

    # ---- options ----

    def _set(self, **options: Any) -> None:
        """Changes some of the options; they are all checked before."""
        self.engine._check_stopped(options)
        own, engines = split(options)
        given = {**self._given, **own}
        resolved = resolve(**given)
        self.engine._set(**engines)
        self._given = given
        self._own = {name: resolved[name] for name in OF_SERVER}
        self._configured()

    def _configured(self) -> None:
        """Takes over the options, which may have changed, the engine's too."""
        self._options = {**self.engine._options, **self._own}
        self.max_attachments: int = self._options["max_attachments"]
        self._recovery: RecoverySettings | None = self._options["connection_state_recovery"]
        if self._is_fed:
            self.engine._feed(self._new_client, self._options["connect_timeout"])
        in_memory = Adapter if self._recovery is None else RecoveryAdapter
        new_adapter = self._options["adapter"] or in_memory
        for nsp in self.nsps.values():
            nsp.parser = self._options["parser"]
        if new_adapter is not self._new_adapter:
            self._new_adapter = new_adapter
            for nsp in self.nsps.values():
                nsp.adapter = new_adapter(nsp)

    # ---- namespaces ----

    def of(self, name: str | Pattern[str] | parents.Match, listener: Callable[..., Any] | None = None) -> Namespace:
        """The namespace of this name, made when it is asked for the first time; or one that makes namespaces.

        name: a missing "/" in front is added. A compiled regular expression (found anywhere in the name), or a
        function `fn(name, auth) -> bool`, sync or async: a ParentNamespace, which makes a namespace for each name
        that a client asks for and that it matches, see fastsio.parents.ParentNamespace. listener: registered for its
        "connection". Source: Socket.IO 2.x.
        """
        nsp: Namespace
        if isinstance(name, str):
            name = name if name.startswith("/") else "/" + name
            nsp = self.nsps.get(name) or self.register(Namespace(name))
        elif isinstance(name, Pattern) or callable(name):
            nsp = parents.ParentNamespace(f"/_{len(self._parents)}", self, name)
            self._parents.append(nsp)
        else:
            raise TypeError(f"a namespace is named by a str, a pattern or a function, got {type(name).__name__}")
        if listener is not None:
            nsp.on("connection", listener)
        return nsp

    def register(self, nsp: Namespace) -> Namespace:
        """Adds a namespace of a class of one's own, once; "/" before anything is registered on the server.

        TypeError: no Namespace; ValueError: there is one of that name. Source: ours.
        """
        if not isinstance(nsp, Namespace):
            raise TypeError(f"register takes a Namespace, as in register(Chat('/chat')), got {nsp!r:.50}")
        former = self.nsps.get(nsp.name)
        if former is not None and (nsp.name != "/" or former._is_used()):
            raise ValueError(f"namespace {nsp.name} is there already: register yours before it is used, and once")
        nsp.server = self
        nsp.parser = self._options["parser"]
        nsp.adapter = self._new_adapter(nsp)
        if self._adapters_started:
            self._start_adapter(nsp.adapter)
        self.nsps[nsp.name] = nsp
        if nsp.name == "/":
            self.sockets = nsp
        elif not isinstance(nsp, parents.ChildNamespace):
            self._tell_new(nsp)
        return nsp

    def _tell_new(self, nsp: Namespace) -> None:
        """Calls the listeners of "new_namespace"."""
        self.sockets._connection_listeners.fire(self.sockets, "new_namespace", nsp)

    def _start_adapters(self) -> list[Awaitable[None]]:
        """Those not started yet; with in-memory ones there is nothing to wait for."""
        if self._adapters_started:
            return []
        self._adapters_started = True
        return [settled(nsp.adapter.init()) for nsp in self.nsps.values()]

    def _start_adapter(self, adapter: Adapter) -> None:
        unattended(adapter.init())

    def _new_client(self) -> Client:
        if not self._adapters_started:  # under another server, which does not call listen
            self._start_adapters()
        return Client(self) if self._options["parser"] is None else ParsingClient(self)

    def _connect(self, client: Client, name: str, auth: object) -> None:
        """A client asks to join a namespace."""
        nsp = self.nsps.get(name)
        if nsp is not None:
            nsp._admit(client, auth)
        elif self._parents:
            parents.connect(self, client, name, auth)
        else:
            self._refuse(client, name)

    def _refuse(self, client: Client, name: str) -> None:
        """There is no such namespace."""
        client.refuse(b"" if name == "/" else name.encode())
        client.send(CONNECT_ERROR, name, {"message": "Invalid namespace"})

    @property
    def _outbox(self) -> Outbox | None:
        core = self.engine._core
        return core.outbox if core is not None else None

    # ---- those of "/" ----

    def _table(self) -> Listeners:
        return self.sockets._table()

    def _name_of(self, event: Any) -> Any:
        return self.sockets._name_of(event)

    def _add(self, event: Event[Any] | str | int, function: Callable[..., Any] | None, once: bool) -> Any:
        result = self.sockets._add(event, function, once)
        return self if result is self.sockets else result

    def use(self, middleware: Middleware) -> Middleware:
        """As Namespace.use, for "/"."""
        return self.sockets.use(middleware)

    @overload
    def event(self, name: Event[P]) -> Callable[[Handling[P, R]], Handling[P, R]]: ...
    @overload
    def event(self, name: str | int) -> Callable[[Function], Function]: ...
    @overload
    def event(self, name: Function) -> Function: ...
    def event(self, name: Any) -> Any:
        """As Namespace.event, for "/"."""
        return self.sockets.event(name)

    def send(self, *args: object) -> Self:
        """Emits "message" to everybody in "/"; returns the server. Source: Socket.IO 2.x."""
        self.sockets.send(*args)
        return self

    def _target(self) -> BroadcastOperator:
        return self.sockets._everybody

    def server_side_emit(self, event: str | int, *args: object, ack: Callable[..., Any] | None = None) -> bool:
        """As Namespace.server_side_emit, for "/"."""
        return self.sockets.server_side_emit(event, *args, ack=ack)

    async def server_side_emit_with_ack(self, event: str | int, *args: object) -> list[Any]:
        """As Namespace.server_side_emit_with_ack, for "/"."""
        return await self.sockets.server_side_emit_with_ack(event, *args)

    # ---- the engine ----

    def bind(self, engine: Engine) -> Self:
        """Serves every session of an Engine made elsewhere, from now on: `io.engine is engine`.

        Of the options the engine's own count for all that is Engine.IO's (`path`, `serve_client`, `origins`, the
        heartbeat ...), whatever was said to the server; the server's for the rest (`connect_timeout`, `adapter`,
        `max_attachments`, `connection_state_recovery` ...). The engine may listen already: sessions that are open
        stay its own. Either's `listen`, `run` and `close` do both. Listeners, middlewares and files of the
        server's earlier engine are not taken along, the port and application of `attach` are.

        TypeError: no Engine; ValueError: it is another Server's; RuntimeError: the server listens already, on
        another engine. Returns the server. Source: Socket.IO 2.x and 4.x.
        """
        if not isinstance(engine, Engine):
            raise TypeError(f"bind takes an Engine, got {type(engine).__name__}")
        if engine is not self.engine:
            if self.engine._core is not None:
                raise RuntimeError("an engine is bound before the server listens, not while it does; close it first")
            self._adopt(engine)
        self._is_fed = True
        self._configured()
        return self

    def onconnection(self, conn: EngineSocket) -> Self:
        """Serves one engine socket, for engines of which not every session is Socket.IO's.

        conn: an open one, as in `engine.on("connection", io.onconnection)`. Its engine becomes the server's, as by
        `bind`, but goes on to keep its other sessions for itself. `connect_timeout` begins now.

        TypeError: no engine socket; ValueError: it is closed, has a client already or is of an engine that is
        another Server's, or the server uses another engine. Returns the server. Source: Socket.IO 2.x and 4.x.
        """
        if not isinstance(conn, Session):
            raise TypeError(f"onconnection takes an engine socket, got {type(conn).__name__}")
        engine = conn.core.hooks
        if conn.ready_state != "open":
            raise ValueError("the engine socket is closed")
        if engine is not self.engine and isinstance(engine, Engine):
            if self.engine._core is not None:
                raise ValueError("the engine socket is of another engine than the one that the server listens with")
            self._adopt(engine)
            self._is_fed = False
            self._configured()
        conn.hand_over(self._new_client(), self._options["connect_timeout"])
        return self

    def _adopt(self, engine: Engine) -> None:
        """The engine takes the place of one that is not in use."""
        if engine._server is not None:
            raise ValueError("the engine is another Server's already: each Server needs one of its own")
        old = self.engine
        old._server = None
        old._feed(Receiver, 0.0)
        if engine._new_application is None:
            engine._new_application = old._new_application
        if self._port is None:
            self._port = engine._port
        engine._server = self
        self.engine = engine

    # ---- life ----

    def stats(self) -> ServerStats:
        """What the server holds and has done, in numbers, as a plain dict: as Engine.stats, with sockets and rooms.

        Those of this process alone. Source: ours.
        """
        namespaces: dict[str, NamespaceStats] = {
            name: {"sockets": len(nsp.sockets), "rooms": nsp.adapter._rooms.shared_rooms()}
            for name, nsp in self.nsps.items()
        }
        return {
            **self.engine.stats(),
            "sockets": sum(nsp["sockets"] for nsp in namespaces.values()),
            "rooms": sum(nsp["rooms"] for nsp in namespaces.values()),
            "namespaces": namespaces,
        }

    def _share(self, new_application: Callable[[], Any]) -> None:
        self.engine._share(new_application)

    async def _listen(self, port: int | None, host: str, **listen: Any) -> None:
        await self.engine._listen(port, host, **listen)

    async def _starting(self) -> None:
        for started in self._start_adapters():
            await started

    @property
    def addresses(self) -> list[tuple[str, int] | str]:
        """What the server listens on: (host, port) pairs and paths of Unix sockets."""
        return self.engine.addresses

    async def close(self) -> None:
        """Stops listening and closes every connection; each socket gets the reason "server shutting down".

        Clients are not told to leave their namespaces, so that they reconnect. Adapters are closed, a bound engine
        too. The ports are free when it returns. Source: Socket.IO 2.x and 4.x.
        """
        await self.engine.close()

    async def _closed(self) -> None:
        if self._adapters_started:
            self._adapters_started = False
            for nsp in list(self.nsps.values()):
                try:
                    await settled(nsp.adapter.close())
                except Exception:  # the others are closed all the same
                    log.exception("the adapter of namespace %s could not be closed", nsp.name)

    def __repr__(self) -> str:
        return f"<Server {self.addresses or 'not listening'}, {self.engine.clients_count} clients>"
