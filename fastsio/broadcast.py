"""Targets: whom an emit reaches, described step by step, immutable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastsio.adapter import BroadcastOptions, Packet
from fastsio.events import check_event
from fastsio.wire.sio import EVENT

if TYPE_CHECKING:
    from fastsio.namespace import Namespace

Rooms = str | Iterable[str]


def names_of(rooms: Rooms) -> tuple[str, ...]:
    """A room or several, as a tuple. TypeError: something in it is no string."""
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
    def local(self) -> BroadcastOperator:
        """A target that reaches only clients of this node. Source: Socket.IO 2.x."""
        return self._target()._with(local=True)


class BroadcastOperator(Targeting):
    """A target: to whom, and how. Each word gives a new one; it can be kept and used again."""

    __slots__ = ("_nsp", "_options")

    def __init__(self, nsp: Namespace, options: BroadcastOptions = BroadcastOptions()) -> None:
        self._nsp = nsp
        self._options = options

    def _target(self) -> BroadcastOperator:
        return self

    def _with(self, **changes: Any) -> BroadcastOperator:
        return BroadcastOperator(self._nsp, self._options._replace(**changes))

    @property
    def broadcast(self) -> BroadcastOperator:
        """The same target: it has left out its socket, if it came from one. Source: Socket.IO 2.x."""
        return self

    def emit(self, event: str | int, *args: object) -> bool:
        """Sends an event to everybody in the target; returns True.

        args: JSON-able values; bytes, bytearray and memoryview anywhere in them travel as binary.
        ValueError: a reserved name; TypeError: a value that JSON does not have.
        """
        check_event(event)
        self._nsp.adapter.broadcast(Packet(EVENT, self._nsp.name, [event, *args]), self._options)
        return True

    def send(self, *args: object) -> bool:
        """Emits "message". Source: Socket.IO 2.x."""
        return self.emit("message", *args)

    def __repr__(self) -> str:
        set_ = {k: v for k, v in self._options._asdict().items() if v != BroadcastOptions._field_defaults[k]}
        return f"<BroadcastOperator {self._nsp.name} {set_}>"
