"""Socket: one client in one namespace, as users see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Self, overload

from fastsio.adapter import BroadcastOptions, Packet, RecoverableSession
from fastsio.broadcast import BroadcastOperator, Targeting, names_of
from fastsio.checks import check_callable, check_number
from fastsio.dispatch import SocketBase
from fastsio.errors import Disconnected
from fastsio.event import Event, event_items
from fastsio.events import Emitter, Function, P
from fastsio.handlers import Handler, Listeners
from fastsio.handshake import Handshake
from fastsio.message import Message
from fastsio.recovery import RECOVERABLE
from fastsio.tasks import DONE, settled, unattended
from fastsio.threadsafe import copied
from fastsio.wire.sio import EVENT

if TYPE_CHECKING:
    from fastsio.client import Client
    from fastsio.engine.reception import EngineSocket
    from fastsio.engine.request import Request
    from fastsio.namespace import Namespace
    from fastsio.outbox import Outbox


class Socket(SocketBase, Emitter, Targeting):
    """One client in one namespace, from its CONNECT to its disconnect. Source: Socket.IO 2.x and 4.x.

    id: unique among the sockets of the server; nsp: its Namespace; client: the connection, with all its namespaces.
    Applications may set attributes of their own; what should travel with the socket belongs in `data`. Events:
    `disconnecting(reason, description)`, when it is still in its rooms, `disconnect(reason, description)`, and
    `error(exception)` of a handler, or of a packet that was refused.
    """

    nsp: Namespace
    client: Client
    _early_rooms: tuple[str, ...] = ()
    _is_leaving = False
    _pid: str | None = None  # with connection state recovery: what the client recovers the socket by
    _recovered = False
    _missed: Sequence[Any] = ()  # packets that it missed, until they are sent

    def __init__(self, nsp: Namespace, client: Client, id: str, outbox: Outbox, auth: object) -> None:
        self._auth = auth

    # ---- what it is ----

    @property
    def conn(self) -> EngineSocket:
        """The engine socket that carries the connection."""
        return self.client.conn

    @property
    def request(self) -> Request:
        """The HTTP request that opened the connection."""
        return self.client.request

    @property
    def handshake(self) -> Handshake:
        """Details of the connection's opening."""
        return Handshake(self.client, self._auth)

    @property
    def data(self) -> dict[str, Any]:
        """A dict for the application, empty at first. Source: Socket.IO 4.x."""
        if "_data" not in self.__dict__:
            self._data: dict[str, Any] = {}
        return self._data

    @data.setter
    def data(self, value: dict[str, Any]) -> None:
        self._data = value

    @property
    def rooms(self) -> set[str]:
        """The rooms that the socket is in, its own id among them; empty once it is disconnected.

        In a middleware: those that it will be in, besides its own.
        """
        return set(self._early_rooms) if self._is_waiting else self.nsp.adapter.socket_rooms(self.id)

    @property
    def recovered(self) -> bool:
        """Whether the connection state was recovered from an earlier connection. Source: Socket.IO 4.6."""
        return self._recovered

    def _recover(self, session: RecoverableSession) -> None:
        """Becomes the socket of an earlier connection."""
        self._recovered = True
        self._pid = session.pid
        self._data = session.data
        self._early_rooms = tuple(session.rooms)
        self._missed = session.missed_packets

    def _replay(self) -> None:
        """Sends what was missed."""
        missed, self._missed = self._missed, ()
        for packet in missed:
            if not isinstance(packet, Message):
                packet = Message(Packet(EVENT, self.nsp.name, packet), True, self.nsp.parser)
            self._push(packet)

    # ---- out ----

    @overload
    def emit(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
    @overload
    def emit(self, event: str | int, /, *args: object, ack: Callable[..., Any] | None = None) -> bool: ...
    def emit(self, event: Any, /, *args: Any, ack: Any = None, **kwargs: Any) -> bool:
        """Sends an event to this client; returns True.

        event: its name, or an Event, whose signature the arguments have to fit (`ack` is for names).
        args: JSON-able values; bytes, bytearray and memoryview anywhere in them travel as binary.
        ack: called with the client's answer, a function or coroutine function (default: no answer asked
        for). In a middleware: when the client is in. After the disconnect nothing is sent.
        ValueError: a reserved name; TypeError: a value that JSON does not have; RuntimeError: too many
        acknowledgements are pending. Source: Socket.IO 2.x.
        """
        items = event_items(event, args, kwargs)
        if ack is None:
            if self._pid is None:
                self._emit(items)
            else:
                self._emit_stored(items)
            return True
        answered = _answered(ack, with_error=False)
        if self._reachable:
            self._emit_with_ack(items, answered, None)
        return True

    def _emit_stored(self, items: list[object], options: BroadcastOptions = BroadcastOptions()) -> None:
        """With connection state recovery: the adapter keeps it for a while."""
        packet, options = Packet(EVENT, self.nsp.name, items), options._replace(sender=None)
        if self.connected:
            self.nsp.adapter._emit_to(self, packet, options)
        elif self._reachable:  # in a middleware
            Message(packet, True, self.nsp.parser)  # what cannot be sent is an error here
            self._defer(partial(self._emit_stored, copied(items), options))

    def send(self, *args: object, ack: Callable[..., Any] | None = None) -> bool:
        """Emits "message". Source: Socket.IO 2.x."""
        return self.emit("message", *args, ack=ack)

    @overload
    async def emit_with_ack(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    async def emit_with_ack(self, event: str | int, /, *args: object) -> Any: ...
    async def emit_with_ack(self, event: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Sends an event and waits for the client's answer, however long it takes; see `timeout`.

        Returns its argument: None without any, a tuple of several. Disconnected: the socket disconnected
        before. Source: Socket.IO 4.x.
        """
        return await _wait_for_ack(self, event_items(event, args, kwargs))

    def timeout(self, seconds: float) -> SocketEmitter:
        """For the next emit: how long its acknowledgement may take. Source: Socket.IO 4.x."""
        return SocketEmitter(self).timeout(seconds)

    @property
    def volatile(self) -> SocketEmitter:  # type: ignore[override]
        """For the next emit: it is dropped, and counted, when this client still has messages to read.

        Source: Socket.IO 2.x.
        """
        return SocketEmitter(self).volatile

    def compress(self, compress: bool) -> SocketEmitter:  # type: ignore[override]
        """For the next emit: whether it is compressed, where compression is on. Source: Socket.IO 2.x."""
        return SocketEmitter(self).compress(compress)

    def _target(self) -> BroadcastOperator:
        return BroadcastOperator(self.nsp, BroadcastOptions(sender=self.id))

    # ---- all events ----

    def on_any(self, function: Function) -> Function:
        """Calls a function for every event of the client, `function(event, *args)`, before all others.

        Sync or async. Returns the function, so that it decorates too. Source: Socket.IO 4.x (onAny).
        """
        self._catching().add_incoming(function)
        return function

    def prepend_any(self, function: Function) -> Function:
        """As `on_any`, before those that are there. Source: Socket.IO 4.x."""
        self._catching().add_incoming(function, first=True)
        return function

    def off_any(self, function: Callable[..., Any] | None = None) -> Self:
        """Takes the function, or all of them, away again. Source: Socket.IO 4.x."""
        self._catching().remove_incoming(function)
        return self

    def listeners_any(self) -> list[Callable[..., Any]]:
        """Those of `on_any`, in order. Source: Socket.IO 4.x."""
        return self._catching().incoming_functions()

    def on_any_outgoing(self, function: Function) -> Function:
        """Calls a function for every event that is sent to this client, `function(event, *args)`, broadcasts too;
        acknowledgements are none. Returns the function. Source: Socket.IO 4.x.
        """
        self._catching().add_outgoing(function)
        self._watch_outgoing()
        return function

    def prepend_any_outgoing(self, function: Function) -> Function:
        """As `on_any_outgoing`, before those that are there. Source: Socket.IO 4.x."""
        self._catching().add_outgoing(function, first=True)
        self._watch_outgoing()
        return function

    def off_any_outgoing(self, function: Callable[..., Any] | None = None) -> Self:
        """Takes the function, or all of them, away again. Source: Socket.IO 4.x."""
        self._catching().remove_outgoing(function)
        self._watch_outgoing()
        return self

    def listeners_any_outgoing(self) -> list[Callable[..., Any]]:
        """Those of `on_any_outgoing`, in order. Source: Socket.IO 4.x."""
        return self._catching().outgoing_functions()

    def _watch_outgoing(self) -> None:
        """The namespace's broadcasts tell those that want to know."""
        if self.connected and self._catching().outgoing_functions():
            self.nsp._outgoing.add(self.id)
        else:
            self.nsp._outgoing.discard(self.id)

    def use(self, function: Function) -> Function:
        """Asks a function, sync or async, for each event of the client: `function(packet)`, packet = [event, *args].

        It may change the packet. Raising stops the event: the `error` listeners get the exception, and a 2.x client
        an error packet with its message (`data` of a ConnectError). Returns the function. Source: Socket.IO 2.x.
        """
        if not callable(function):
            raise TypeError(f"a middleware must be callable, got {type(function).__name__}")
        self._catching().add_middleware(function)
        return function

    def cancel_handlers(self) -> int:
        """Cancels the coroutine handlers of this socket that are still running, the calling one left out.

        Returns how many. Source: ours.
        """
        return self._cancel_tasks()

    # ---- rooms ----

    def join(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Enters the room, or several: at once with the in-memory adapter, when what is returned was awaited with
        others. Source: Socket.IO 2.x.
        """
        self._check_thread()
        if not self._is_waiting:
            return settled(self.nsp.adapter.add_all(self.id, names_of(rooms)))
        self._early_rooms = (*self._early_rooms, *names_of(rooms))  # in a middleware: when it is through
        return DONE

    @property
    def _is_waiting(self) -> bool:
        """Whether middlewares are at it."""
        return not self.connected and self._reachable

    def _join_early_rooms(self) -> None:
        if self._has_catching:
            self._watch_outgoing()  # those of a middleware
        if self._early_rooms:
            unattended(self.nsp.adapter.add_all(self.id, self._early_rooms))

    def leave(self, room: str) -> Awaitable[None]:
        """Leaves the room, as `join` enters it; nothing happens when it is not in it. Source: Socket.IO 2.x."""
        if not isinstance(room, str):
            raise TypeError(f"a room's name is a str, got {type(room).__name__}")
        self._check_thread()
        if not self._is_waiting:
            return settled(self.nsp.adapter.delete(self.id, room))
        self._early_rooms = tuple(other for other in self._early_rooms if other != room)
        return DONE

    # ---- the end ----

    async def drain(self) -> None:
        """Returns when nothing is left on this server that was queued for this client; at once when nothing is.

        The operating system has it then, or the answer to a client that polls; with TLS up to 64 KiB may still be
        in the TLS layer. Disconnected: the connection ended before. Source: ours.
        """
        await self.conn.drain()

    def disconnect(self, close: bool = False) -> Socket:
        """Leaves the namespace; with `close` the whole connection ends, all its namespaces with it.

        The client does not reconnect by itself after this. Source: Socket.IO 2.x.
        """
        if not self.connected:
            return self
        if close:
            self.client.disconnect()
        elif not self._is_leaving:
            self._send_disconnect()
            self._close("server namespace disconnect")
        return self

    def _close(self, reason: str, description: object = None) -> None:
        """The socket is gone, for this reason: listeners, rooms, acknowledgements, in this order."""
        if not self.connected or self._is_leaving:
            return
        self._is_leaving = True
        self._fire("disconnecting", reason, description)
        if self._pid is not None and reason in RECOVERABLE:
            session = RecoverableSession(self.id, self._pid, self.rooms, self.data)
            unattended(self.nsp.adapter.persist_session(session))
        self._leave_slot()
        self.nsp._remove(self)
        self.client.leave(self)
        self._fire("disconnect", reason, description)

    def _table(self) -> Listeners:
        return SocketBase._table(self)

    def __repr__(self) -> str:
        state = "connected" if self.connected else "disconnected"
        return f"<Socket {self.id} in {self.nsp.name}, {state}>"


class SocketEmitter(Targeting):
    """A socket with flags for an emit: what `socket.volatile`, `socket.compress` and `socket.timeout` give.

    It emits to that client; `to`, `except_` and their like make a target of it, which leaves the client out.
    """

    __slots__ = ("_options", "_socket")

    def __init__(self, socket: Socket, options: BroadcastOptions | None = None) -> None:
        self._socket = socket
        self._options = options or BroadcastOptions(sender=socket.id)

    def timeout(self, seconds: float) -> SocketEmitter:
        """As Socket.timeout."""
        check_number("timeout", seconds, (int, float), 0, inf)
        return SocketEmitter(self._socket, self._options._replace(timeout=seconds))

    @property
    def volatile(self) -> SocketEmitter:  # type: ignore[override]
        """As Socket.volatile."""
        return SocketEmitter(self._socket, self._options._replace(volatile=True))

    def compress(self, compress: bool) -> SocketEmitter:  # type: ignore[override]
        """As Socket.compress."""
        return SocketEmitter(self._socket, self._options._replace(compress=compress))

    def _target(self) -> BroadcastOperator:
        return BroadcastOperator(self._socket.nsp, self._options)

    @overload
    def emit(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
    @overload
    def emit(self, event: str | int, /, *args: object, ack: Callable[..., Any] | None = None) -> bool: ...
    def emit(self, event: Any, /, *args: Any, ack: Any = None, **kwargs: Any) -> bool:
        """As Socket.emit; after `timeout`, ack(error, *answer): error is None, or AckTimeout, or Disconnected."""
        socket, options, items = self._socket, self._options, event_items(event, args, kwargs)
        if ack is None and socket._pid is not None:
            socket._emit_stored(items, options)
        elif ack is None:
            socket._emit(items, options.volatile, options.compress)
        else:
            self._ask(items, ack)
        return True

    def _ask(self, items: list[object], ack: Callable[..., Any]) -> None:
        socket, options = self._socket, self._options
        answered = _answered(ack, with_error=options.timeout is not None)
        if options.timeout is not None:
            socket._emit_with_ack(items, answered, options.timeout, options.volatile, options.compress)
        elif socket._reachable:
            socket._emit_with_ack(items, answered, None, options.volatile, options.compress)

    def send(self, *args: object, ack: Callable[..., Any] | None = None) -> bool:
        """As Socket.send."""
        return self.emit("message", *args, ack=ack)

    @overload
    async def emit_with_ack(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    async def emit_with_ack(self, event: str | int, /, *args: object) -> Any: ...
    async def emit_with_ack(self, event: Any, /, *args: Any, **kwargs: Any) -> Any:
        """As Socket.emit_with_ack; AckTimeout: no answer in time."""
        return await _wait_for_ack(self._socket, event_items(event, args, kwargs), self._options)


def _answered(ack: Callable[..., Any], with_error: bool) -> Callable[..., Any]:
    """Calls the function with the answer, as many arguments of it as it takes; in front an error or None, or, without
    a timeout, never an error."""
    check_callable("ack", ack)
    fitted = Handler(ack).fitted

    def answered(error: Exception | None, *answer: object) -> Any:
        if with_error:
            return ack(*fitted((error, *answer)))
        return ack(*fitted(answer)) if error is None else None

    return answered


async def _wait_for_ack(socket: Socket, items: list[object], options: BroadcastOptions = BroadcastOptions()) -> Any:
    if not socket.connected:
        if socket._reachable:
            raise RuntimeError(
                "the client answers when the middlewares have let it in: ask from there on, or emit with ack="
            )
        raise Disconnected("the socket has disconnected")
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def settle(error: Exception | None, *answer: object) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(answer[0] if len(answer) == 1 else answer or None)

    ack_id = socket._emit_with_ack(items, settle, options.timeout, options.volatile, options.compress)
    try:
        return await future
    finally:
        socket._forget_ack(ack_id)
