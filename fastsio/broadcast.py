"""Targets: whom an emit reaches, described step by step, immutable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import isawaitable
from math import inf
from typing import TYPE_CHECKING, Any, overload

from fastsio.adapter import BroadcastOptions, Packet
from fastsio.answers import Answers, answers_of
from fastsio.checks import check_callable, check_number
from fastsio.event import RESERVED, Event, event_items
from fastsio.events import P
from fastsio.tasks import settled, unattended
from fastsio.threadsafe import Threadsafe
from fastsio.wire.sio import EVENT

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from fastsio.namespace import Namespace
    from fastsio.remote import RemoteSocket
    from fastsio.sockets import Socket

Rooms = str | Iterable[str]


def names_of(rooms: Rooms) -> tuple[str, ...]:
    """A room or several, as a tuple. TypeError: something in it is no string."""
    if not isinstance(rooms, Iterable):
        raise TypeError(f"a room's name is a str, several are an iterable of str, got {type(rooms).__name__}")
    names = (rooms,) if isinstance(rooms, str) else tuple(rooms)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a room's name is a str, got {type(name).__name__}")
    return names


class Targeting:
    """The ways to start a target, shared by Server, Namespace, Socket and the target itself."""

    __slots__ = ()

    def _target(self) -> BroadcastOperator:
        """Everybody that an emit without further words would reach."""
        raise NotImplementedError

    def to(self, rooms: Rooms) -> BroadcastOperator:
        """A target that reaches everybody in the room, or in any of several, once.

        rooms: a name or an iterable of names. Source: Socket.IO 2.x; several since 4.x.
        """
        target = self._target()
        options = target._options
        return BroadcastOperator(target._nsp, BroadcastOptions(options.rooms + names_of(rooms), *options[1:]))

    def in_(self, rooms: Rooms) -> BroadcastOperator:
        """The same as `to`."""
        return self.to(rooms)

    def except_(self, rooms: Rooms) -> BroadcastOperator:
        """A target that leaves out everybody in the room, or in any of several. Source: Socket.IO 4.x."""
        target = self._target()
        return target._with(excepts=target._options.excepts + names_of(rooms))

    def compress(self, compress: bool) -> BroadcastOperator:
        """A target whose messages are compressed or not, where compression is on. Source: Socket.IO 2.x."""
        return self._target()._with(compress=compress)

    @property
    def volatile(self) -> BroadcastOperator:
        """A target that drops what a client cannot take at once, because it still has messages to
        read; each drop is counted. Source: Socket.IO 2.x."""
        return self._target()._with(volatile=True)

    @property
    def broadcast(self) -> BroadcastOperator:
        """A target that reaches everybody but the socket it comes from, where it comes from one.

        Source: Socket.IO 2.x.
        """
        return self._target()

    @property
    def local(self) -> BroadcastOperator:
        """A target that reaches only clients of this node. Source: Socket.IO 2.x."""
        return self._target()._with(local=True)


class Reaching(Targeting):
    """What can be done to everybody in a target, shared by Server, Namespace and the target itself."""

    __slots__ = ()

    @property
    def threadsafe(self) -> Threadsafe:
        """The same target for other threads than the event loop's. Source: ours."""
        return Threadsafe(self._target())

    def timeout(self, seconds: float) -> BroadcastOperator:
        """A target whose acknowledgements may take so many seconds. Source: Socket.IO 4.x."""
        check_number("timeout", seconds, (int, float), 0, inf)
        return self._target()._with(timeout=seconds)

    @overload
    def emit(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
    @overload
    def emit(self, event: str | int, /, *args: object, ack: Callable[..., Any] | None = None) -> bool: ...
    def emit(self, event: Any, /, *args: Any, ack: Any = None, **kwargs: Any) -> bool:
        """Sends an event to everybody in the target (a namespace: in it, the server: in "/"); returns True.

        event: its name, or an Event, whose signature the arguments have to fit (`ack` is for names).
        args: JSON-able values; bytes, bytearray and memoryview anywhere in them travel as binary. ack: a function
        or coroutine function that is called once, ack(error, responses), when all have answered (error is None) or
        not; see emit_with_ack.
        ValueError: a reserved name; TypeError: a value that JSON does not have.
        """
        target = self._target()
        nsp, options = target._nsp, target._options
        is_plain = type(event) is str and event not in RESERVED and not kwargs  # event_items says the same, slower
        packet = Packet(EVENT, nsp.name, [event, *args] if is_plain else event_items(event, args, kwargs))
        if ack is not None:
            check_callable("ack", ack)
            Answers(ack, options.timeout).ask(nsp.adapter, packet, options)
            return True
        sent = nsp.adapter.broadcast(packet, options)
        if sent is not None:
            unattended(sent)
        return True

    @overload
    async def emit_with_ack(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> list[Any]: ...
    @overload
    async def emit_with_ack(self, event: str | int, /, *args: object) -> list[Any]: ...
    async def emit_with_ack(self, event: Any, /, *args: Any, **kwargs: Any) -> list[Any]:
        """Sends an event to everybody in the target and waits for all answers: a list of the first argument of each.

        AckTimeout: not all came within `timeout`, its `responses` are those that did; Disconnected: there is no
        timeout, and a client disconnected before it answered. Source: Socket.IO 4.x.
        """
        target = self._target()
        nsp, options = target._nsp, target._options
        packet = Packet(EVENT, nsp.name, event_items(event, args, kwargs))
        return await answers_of(lambda ack: Answers(ack, options.timeout).ask(nsp.adapter, packet, options))

    async def fetch_sockets(self) -> list[Socket | RemoteSocket]:
        """The sockets in the target, across all nodes: Sockets of this one, RemoteSockets of others.

        Source: Socket.IO 4.x.
        """
        from fastsio.remote import wrapped

        target = self._target()
        found = target._nsp.adapter.fetch_sockets(target._options)
        return wrapped(target._nsp, await found if isawaitable(found) else found)

    async def clients(self) -> list[str]:
        """The ids of the sockets in the target, across all nodes. Source: Socket.IO 2.x."""
        target = self._target()
        options, adapter = target._options, target._nsp.adapter
        if options.local:
            return [socket.id for socket in adapter._local(options)]
        found = adapter.sockets(options.rooms)
        ids = set(await found if isawaitable(found) else found)
        if options.excepts:
            found = adapter.sockets(options.excepts)
            ids -= await found if isawaitable(found) else found
        return [id for id in ids if id != options.sender]

    async def all_sockets(self) -> set[str]:
        """The same as a set. Source: Socket.IO 3.x."""
        return set(await self.clients())

    def sockets_join(self, rooms: Rooms) -> Awaitable[None]:
        """Makes all sockets in the target join the room or rooms, across all nodes; done at once with the in-memory
        adapter, and when what is returned was awaited with others. Source: Socket.IO 4.x."""
        target = self._target()
        return settled(target._nsp.adapter.add_sockets(target._options, names_of(rooms)))

    def sockets_leave(self, rooms: Rooms) -> Awaitable[None]:
        """Makes all sockets in the target leave the room or rooms; see sockets_join. Source: Socket.IO 4.x."""
        target = self._target()
        return settled(target._nsp.adapter.del_sockets(target._options, names_of(rooms)))

    def disconnect_sockets(self, close: bool = False) -> Awaitable[None]:
        """Disconnects all sockets in the target; see sockets_join. close: their connections too.

        Source: Socket.IO 4.x.
        """
        target = self._target()
        return settled(target._nsp.adapter.disconnect_sockets(target._options, close))


class BroadcastOperator(Reaching):
    """A target: to whom, and how. Each word gives a new one; it can be kept and used again."""

    __slots__ = ("_nsp", "_options")

    def __init__(self, nsp: Namespace, options: BroadcastOptions = BroadcastOptions()) -> None:
        self._nsp = nsp
        self._options = options

    def _target(self) -> BroadcastOperator:
        return self

    def _with(self, **changes: Any) -> BroadcastOperator:
        return BroadcastOperator(self._nsp, self._options._replace(**changes))

    def send(self, *args: object) -> bool:
        """Emits "message". Source: Socket.IO 2.x."""
        return self.emit("message", *args)

    def __repr__(self) -> str:
        set_ = {k: v for k, v in self._options._asdict().items() if v != BroadcastOptions._field_defaults[k]}
        return f"<BroadcastOperator {self._nsp.name} {set_}>"
