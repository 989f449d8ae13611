"""Namespace: the sockets of one name, who may join, and what is called when they do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from logging import getLogger
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from fastsio.adapter import Adapter
from fastsio.broadcast import BroadcastOperator, Reaching
from fastsio.dispatch import NamespaceBase
from fastsio.errors import ConnectError
from fastsio.events import Emitter, Function
from fastsio.handlers import Listeners
from fastsio.sockets import Socket
from fastsio.tasks import settled, spawn
from fastsio.wire.sio import CONNECT, CONNECT_ERROR

if TYPE_CHECKING:
    from fastsio.client import Client
    from fastsio.server import Server

Middleware = Callable[[Socket], None | Awaitable[None]]

log = getLogger("fastsio")

RESERVED_HERE = frozenset(["connect", "connection", "new_namespace"])  # our own events of a namespace


class Namespace(NamespaceBase, Emitter, Reaching):
    """A namespace of a server: `server.of(name)` makes it.

    A subclass with methods `on_connect(self, socket)`, `on_disconnect(self, socket, reason)` and
    `on_<event>(self, socket, *args)` is registered by `server.register(Subclass("/name"))`.

    name: starts with "/", at most 256 bytes. Source: Socket.IO 2.x and 4.x; subclasses are ours.
    """

    server: Server
    adapter: Adapter

    def __init__(self, name: str) -> None:
        if len(self.wire_name) > 256:
            raise ValueError(f"a namespace's name has at most 256 bytes, {name[:20]!r}... has more")
        self._connection_listeners = Listeners()
        self._middlewares: tuple[Middleware, ...] = ()
        self._sockets: dict[str, Socket] = {}
        self._outgoing: set[str] = set()  # ids of sockets with listeners for all that goes out
        self._everybody = BroadcastOperator(self)
        self._register_methods()

    def _register_methods(self) -> None:
        """The on_<event> methods of a subclass are handlers."""
        for attribute in dir(type(self)):
            if attribute.startswith("on_") and not hasattr(Namespace, attribute):
                self.handlers.add(attribute[3:], getattr(self, attribute), with_socket=True)

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

    def event(self, name: str | int | Callable[..., Any]) -> Any:
        """Decorates a handler for all sockets of the namespace, `handler(socket, *args)`.

        `@nsp.event` takes the function's name for the event's, `@nsp.event("my other event")` another.
        "connect" and "disconnect" (with the reason) are called as well. Source: ours.
        """
        if callable(name):
            self.handlers.add(name.__name__, name, with_socket=True)
            return name

        def decorate(function: Function) -> Function:
            self.handlers.add(name, function, with_socket=True)
            return function

        return decorate

    def _table(self) -> Listeners:
        return self._connection_listeners

    def _add(self, event: str | int, function: Callable[..., Any] | None, once: bool) -> Any:
        return super()._add("connection" if event == "connect" else event, function, once)

    # ---- out ----

    def emit(self, event: str | int, *args: object, ack: Callable[..., Any] | None = None) -> bool:
        """Sends an event to everybody in the namespace; returns True. See BroadcastOperator.emit."""
        return self._target().emit(event, *args, ack=ack)

    def send(self, *args: object) -> Self:
        """Emits "message" to everybody; returns the namespace. Source: Socket.IO 2.x."""
        self._target().send(*args)
        return self

    def _target(self) -> BroadcastOperator:
        return self._everybody

    # ---- other servers ----

    def server_side_emit(self, event: str | int, *args: object, ack: Callable[..., Any] | None = None) -> bool:
        """Calls the listeners that the other servers have for the event on this namespace: `nsp.on(event, fn)`.

        ack: called with (error, answers). Returns True. ValueError: a reserved name. Source: Socket.IO 4.x.
        """
        if event in RESERVED_HERE:
            raise ValueError(f'"{event}" is a reserved event name: choose another')
        settled(self.adapter.server_side_emit([event, *args], ack))
        return True

    async def server_side_emit_with_ack(self, event: str | int, *args: object) -> list[Any]:
        """The same, and waits for the answers: a list, one of each other server. Source: Socket.IO 4.x."""
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

        def settle(error: Exception | None, answers: list[Any]) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(answers)

        self.server_side_emit(event, *args, ack=settle)
        return await future

    # ---- connections ----

    def _admit(self, client: Client, auth: object) -> None:
        """A client asks to join: the middlewares decide, now or later."""
        outbox = self.server._outbox
        assert outbox is not None  # there is a client
        socket = Socket(self, client, client.new_id(self.name), outbox, auth)
        remaining = iter(self._middlewares)
        try:
            for middleware in remaining:
                result = middleware(socket)
                if isawaitable(result):
                    spawn(self._admit_later(socket, result, remaining), client.context)
                    return
        except Exception as error:
            self._refuse(socket, error)
        else:
            self._enter(socket)

    async def _admit_later(self, socket: Socket, result: Awaitable[None] | None, remaining: Any) -> None:
        """From the first middleware that has to be waited for."""
        try:
            await result  # type: ignore[misc]
            for middleware in remaining:
                result = middleware(socket)
                if isawaitable(result):
                    await result
        except Exception as error:
            self._refuse(socket, error)
        else:
            self._enter(socket)

    def _refuse(self, socket: Socket, error: Exception) -> None:
        client = socket.client
        answer: dict[str, object] = {"message": "Internal server error"}
        if isinstance(error, ConnectError):
            answer["message"] = error.message
            if error.data is not None:
                answer["data"] = error.data
        else:
            log.error("exception in a middleware of namespace %s", self.name, exc_info=error)
        if client.is_joining(self.wire_name):
            client.refuse(self.wire_name)
            client.send(CONNECT_ERROR, self.name, answer)

    def _enter(self, socket: Socket) -> None:
        client = socket.client
        if not client.is_joining(self.wire_name):
            return  # gone while the middlewares were at it
        socket._take_slot(client.conn.slot_number)
        self._sockets[socket.id] = socket
        self.adapter._attach(socket.id, socket._slot)
        client.join(socket)
        client.send(CONNECT, self.name, {"sid": socket.id})
        socket._join_early_rooms()
        self._connected(socket)

    def _connected(self, socket: Socket) -> None:
        for handler in self._connection_listeners.get("connection"):
            if handler.once:
                self._connection_listeners.discard(handler, "connection")
            socket._call(handler, ["connection", socket])
        socket._fire("connection")
        socket._fire("connect")

    def _remove(self, socket: Socket) -> None:
        self._sockets.pop(socket.id, None)
        if self._outgoing:
            self._outgoing.discard(socket.id)
        deleted = self.adapter.delete_all(socket.id)
        if deleted is not None:
            settled(deleted)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, {len(self._sockets)} sockets>"
