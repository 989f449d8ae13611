"""Namespace: the sockets of one name, who may join, and what is called when they do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from logging import getLogger
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, Self, overload

from fastsio.adapter import Adapter, RecoverableSession
from fastsio.answers import answers_of, or_error
from fastsio.broadcast import BroadcastOperator, Reaching
from fastsio.checks import check_callable
from fastsio.engine.ids import generate_id
from fastsio.errors import ConnectError
from fastsio.event import Event, event_items
from fastsio.events import Emitter, Function, P, R
from fastsio.handlers import Listeners
from fastsio.sockets import Socket
from fastsio.space import NamespaceBase
from fastsio.tasks import FAILURES, spawn, unattended
from fastsio.wire.sio import CONNECT_ERROR

if TYPE_CHECKING:
    from fastsio.client import Client
    from fastsio.server import Server

Handling = Callable[Concatenate[Socket, P], R]  # of an Event, for all sockets of a namespace
Middleware = Callable[[Socket], None | Awaitable[None]]

log = getLogger("fastsio")

RESERVED_HERE = frozenset(["connect", "connection", "new_namespace"])  # our own events of a namespace


class Namespace(NamespaceBase, Emitter, Reaching):
    """A namespace of a server: `server.of(name)` makes it.

    A subclass with methods `on_connect(self, socket)`, `on_disconnect(self, socket, reason)` and
    `on_<event>(self, socket, *args)` is registered by `server.register(Subclass("/name"))`.

    name: starts with "/", has no comma, at most 256 bytes. server: that it belongs to; adapter: what keeps its rooms.
    Source: Socket.IO 2.x and 4.x; subclasses are ours.
    """

    server: Server
    adapter: Adapter

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a namespace's name is a str, got {type(name).__name__}")
        if not name.startswith("/") or "," in name:
            raise ValueError(f"a namespace's name starts with '/' and has no comma in it, got {name!r}")
        super().__init__(name)
        if len(self.wire_name) > 256:
            raise ValueError(f"a namespace's name has at most 256 bytes, {name[:20]!r}... has more")
        self._connection_listeners = Listeners()
        self._middlewares: tuple[Middleware, ...] = ()
        self._sockets: dict[str, Socket] = {}
        self._pids: dict[str, Socket] = {}  # connected sockets by what clients recover them by
        self._outgoing: set[str] = set()  # ids of sockets with listeners for all that goes out
        self._everybody = BroadcastOperator(self)
        self._register_methods()

    def _register_methods(self) -> None:
        """The on_<event> methods of a subclass are handlers."""
        for attribute in dir(type(self)):
            if attribute.startswith("on_") and not hasattr(Namespace, attribute):
                function = getattr(self, attribute)
                if callable(function):
                    self._handle(attribute[3:], function)

    def _handle(self, event: Event[Any] | str | int, function: Callable[..., Any]) -> None:
        """A client may send "connection" but not "connect", by which the handler of both is called."""
        self.handlers.add("connect" if event == "connection" else event, function, with_socket=True)

    def _is_used(self) -> bool:
        """Whether there is anything that would be lost with it."""
        return bool(self._sockets or self._middlewares or self.handlers.names() or self._connection_listeners.names())

    @property
    def sockets(self) -> Mapping[str, Socket]:
        """The connected sockets by id, on this node. Source: Socket.IO 4.x."""
        return MappingProxyType(self._sockets)

    @property
    def connected(self) -> Mapping[str, Socket]:
        """The same as `sockets`, by its 2.x name."""
        return self.sockets

    # ---- handlers ----

    def use(self, middleware: Middleware) -> Middleware:
        """Asks a function, sync or async, before each connection: `middleware(socket)`, in the order of
        registration. Raising ConnectError refuses the client with its message and data; any other exception
        with "Internal server error", and it is logged. Returns the function, so that it decorates too.
        Source: Socket.IO 2.x.
        """
        if not callable(middleware):
            raise TypeError(f"a middleware must be callable, got {type(middleware).__name__}")
        self._middlewares += (middleware,)
        return middleware

    @overload
    def event(self, name: Event[P]) -> Callable[[Handling[P, R]], Handling[P, R]]: ...
    @overload
    def event(self, name: str | int) -> Callable[[Function], Function]: ...
    @overload
    def event(self, name: Function) -> Function: ...
    def event(self, name: Any) -> Any:
        """Decorates a handler for all sockets of the namespace, `handler(socket, *args)`.

        `@nsp.event` takes the function's name for the event's, `@nsp.event("my other event")` another,
        `@nsp.event(news)` that of an Event. "connect" and "disconnect" (with the reason) are called as
        well. Source: ours.
        """
        if callable(name):
            if not hasattr(name, "__name__"):
                raise TypeError(f'{name!r:.80} has no name: give the event\'s, event("name")(function)')
            self._handle(name.__name__, name)
            return name

        def decorate(function: Function) -> Function:
            self._handle(name, function)
            return function

        return decorate

    def _table(self) -> Listeners:
        return self._connection_listeners

    def _name_of(self, event: Any) -> Any:
        return "connection" if event == "connect" else super()._name_of(event)

    # ---- out ----

    def send(self, *args: object) -> Self:
        """Emits "message" to everybody; returns the namespace. Source: Socket.IO 2.x."""
        self._target().send(*args)
        return self

    def _target(self) -> BroadcastOperator:
        return self._everybody

    # ---- other servers ----

    def server_side_emit(
        self, event: Event[Any] | str | int, *args: object, ack: Callable[..., Any] | None = None
    ) -> bool:
        """Calls the listeners that the other servers have for the event on this namespace: `nsp.on(event, fn)`.

        ack: called with (error, answers). Returns True. ValueError: a reserved name. Source: Socket.IO 4.x.
        """
        items = event_items(event, args, {})
        if items[0] in RESERVED_HERE:
            raise ValueError(f'"{items[0]}" is a reserved event name: choose another')
        if ack is not None:
            check_callable("ack", ack)
        sent = self.adapter.server_side_emit(items, ack)
        if sent is not None:
            unattended(or_error(sent, ack))
        return True

    async def server_side_emit_with_ack(self, event: Event[Any] | str | int, *args: object) -> list[Any]:
        """The same, and waits for the answers: a list, one of each other server. Source: Socket.IO 4.x."""

        def ask(ack: Callable[..., object]) -> None:
            self.server_side_emit(event, *args, ack=ack)

        return await answers_of(ask)

    # ---- connections ----

    def _admit(self, client: Client, auth: Any) -> None:
        """A client asks to join: as a new socket, or as one that it had."""
        if self.server._recovery is None or client.conn.protocol == 3:
            socket = self._new_socket(client, client.new_id(self.name), auth)
            if self._middlewares:
                self._ask(socket)
            else:
                self._enter(socket)
            return
        pid, offset = (auth.get("pid"), auth.get("offset")) if isinstance(auth, dict) else (None, None)
        session = self._restore(pid, offset) if isinstance(pid, str) else None
        if isawaitable(session):
            spawn(self._admit_restored(client, auth, session), client.context)
        else:
            self._admit_session(client, auth, session)

    def _restore(self, pid: str, offset: object) -> Any:
        """The session of an earlier connection, which ends now if it has not before."""
        former = self._pids.get(pid)
        if former is not None:
            former.conn.close(discard=True)
        return self.adapter.restore_session(pid, offset if isinstance(offset, str) else None)

    async def _admit_restored(self, client: Client, auth: Any, restoring: Awaitable[Any]) -> None:
        try:
            session = await self._restored(auth, restoring)
        except Exception:
            log.exception("the adapter of namespace %s could not restore a session", self.name)
            session = None
        self._admit_session(client, auth, session)

    async def _restored(self, auth: Any, session: Any) -> RecoverableSession | None:
        """The session, once it is there, and no other connection has it."""
        while True:
            if isawaitable(session):
                session = await session
            if auth["pid"] not in self._pids:
                return session  # type: ignore[no-any-return]
            session = self._restore(auth["pid"], auth.get("offset"))

    def _admit_session(self, client: Client, auth: Any, session: RecoverableSession | None) -> None:
        assert self.server._recovery is not None
        if session is None:
            socket = self._new_socket(client, client.new_id(self.name), auth)
            socket._pid = generate_id()
        else:
            socket = self._new_socket(client, session.sid, auth)
            socket._recover(session)
        if self._middlewares and not (socket.recovered and self.server._recovery.skip_middlewares):
            self._ask(socket)
        else:
            self._enter(socket)

    def _new_socket(self, client: Client, id: str, auth: object) -> Socket:
        outbox = self.server._outbox
        assert outbox is not None  # there is a client
        return Socket(self, client, id, outbox, auth)

    def _ask(self, socket: Socket) -> None:
        """The middlewares decide, now or later."""
        socket._hold()
        remaining = iter(self._middlewares)
        try:
            for middleware in remaining:
                result = middleware(socket)
                if isawaitable(result):
                    spawn(self._ask_later(socket, result, remaining), socket.client.context)
                    return
        except FAILURES as error:
            self._refuse(socket, error)
        else:
            self._enter(socket)

    async def _ask_later(self, socket: Socket, result: Awaitable[None] | None, remaining: Any) -> None:
        """From the first middleware that has to be waited for."""
        try:
            await result  # type: ignore[misc]
            for middleware in remaining:
                result = middleware(socket)
                if isawaitable(result):
                    await result
            if socket.recovered:
                await self._recover_again(socket)
        except FAILURES as error:
            self._refuse(socket, error)
        else:
            self._enter(socket)

    async def _recover_again(self, socket: Socket) -> None:
        """More may have been missed while the middlewares were at it."""
        assert socket._pid is not None and isinstance(socket._auth, dict)
        session = await self._restored(socket._auth, self._restore(socket._pid, socket._auth.get("offset")))
        if session is not None:
            socket._missed = session.missed_packets

    def _refuse(self, socket: Socket, error: BaseException) -> None:
        client = socket.client
        socket._leave_slot()
        if not isinstance(error, ConnectError):
            log.error("exception in a middleware of namespace %s", self.name, exc_info=error)
        if client.is_joining(self.wire_name):
            client.refuse(self.wire_name)
            self._tell_refused(client, error)

    def _tell_refused(self, client: Client, error: BaseException) -> None:
        if isinstance(error, ConnectError):
            data = {} if error.data is None else {"data": error.data}
            try:
                client.send(CONNECT_ERROR, self.name, {"message": error.message, **data})
                return
            except Exception:
                log.exception("a refusal of namespace %s cannot be sent", self.name)
        client.send(CONNECT_ERROR, self.name, {"message": "Internal server error"})

    def _enter(self, socket: Socket) -> None:
        client = socket.client
        if not client.is_joining(self.wire_name):
            socket._leave_slot()  # gone while the middlewares were at it
            return
        socket._take_slot(client.conn.slot_number)
        self._sockets[socket.id] = socket
        self.adapter._attach(socket.id, socket._slot)
        if socket._pid is None:
            client.join(socket, {"sid": socket.id})
        else:
            self._pids[socket._pid] = socket
            socket._replay()
            client.join(socket, {"sid": socket.id, "pid": socket._pid})
        if self._middlewares or socket.recovered:
            socket._join_early_rooms()
            socket._release()
        self._connected(socket)

    def _connected(self, socket: Socket) -> None:
        for handler in self._connection_listeners.get("connection"):
            if handler.once:
                self._connection_listeners.discard(handler, "connection")
            socket._call(handler, ["connection", socket])
        socket._fire("connect")

    def _failed(self, error: BaseException) -> None:
        log.error("exception in a listener of namespace %s", self.name, exc_info=error)

    def _remove(self, socket: Socket) -> None:
        self._sockets.pop(socket.id, None)
        if socket._pid is not None:
            self._pids.pop(socket._pid, None)
        if self._outgoing:
            self._outgoing.discard(socket.id)
        deleted = self.adapter.delete_all(socket.id)
        if deleted is not None:
            unattended(deleted)
            self.adapter._detach(socket.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, {len(self._sockets)} sockets>"
