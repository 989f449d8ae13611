"""The in-memory adapter: one process, rooms as sets of slots."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from fastsio.message import Message
from fastsio.rooms import Rooms

if TYPE_CHECKING:
    from fastsio.namespace import Namespace


class Packet(NamedTuple):
    """A Socket.IO packet before it is encoded. type: 2 for an event; data: [event, *arguments]."""

    type: int
    nsp: str
    data: list[object]


class BroadcastOptions(NamedTuple):
    """To whom: everybody in any of `rooms` (none: everybody) who is in none of `excepts`, but not `sender`."""

    rooms: tuple[str, ...] = ()
    excepts: tuple[str, ...] = ()
    sender: str | None = None  # a socket's id
    volatile: bool = False
    local: bool = False
    compress: bool = True


class Adapter:
    """Keeps the rooms of one namespace. nsp: that namespace. Source: Socket.IO 4.x (socket.io-adapter)."""

    __slots__ = ("_rooms", "nsp")

    def __init__(self, nsp: Namespace) -> None:
        self.nsp = nsp
        self._rooms = Rooms()

    def add_socket(self, id: str, slot: int) -> None:
        """A socket connected; it is in the room of its own id."""
        self._rooms.add_socket(id, slot)

    def add_all(self, id: str, rooms: Iterable[str]) -> None:
        """Adds the socket to the rooms; nothing happens when it is gone."""
        slot = self._rooms.ids.get(id)
        if slot is not None:
            for room in rooms:
                self._rooms.join(slot, room)

    def delete(self, id: str, room: str) -> None:
        """Takes the socket out of the room."""
        slot = self._rooms.ids.get(id)
        if slot is not None:
            self._rooms.leave(slot, room)

    def delete_all(self, id: str) -> None:
        """The socket is gone."""
        slot = self._rooms.ids.get(id)
        if slot is not None:
            self._rooms.remove_socket(slot)

    def broadcast(self, packet: Packet, options: BroadcastOptions) -> None:
        """Encodes the packet once and queues it for everybody that the options select.

        TypeError, ValueError: the data cannot be written as JSON.
        """
        outbox = self.nsp.server._outbox
        if outbox is None:
            return  # nobody was ever connected
        rooms = self._rooms
        sender = -1 if options.sender is None else rooms.ids.get(options.sender, -1)
        message = Message(packet.type, packet.nsp, packet.data, compress=options.compress)
        outbox.send_to(rooms, options.rooms, options.excepts, sender, message, options.volatile)

    def sockets(self, rooms: Collection[str], excepts: Collection[str] = ()) -> set[str]:
        """The ids of the sockets in any of the rooms (none: all) and in none of `excepts`."""
        id_of = self._rooms.id_of
        return {id for slot in self._rooms.selected(rooms, excepts) if (id := id_of(slot)) is not None}

    def socket_rooms(self, id: str) -> set[str]:
        """The rooms that the socket is in, its own id among them; empty for an unknown one."""
        slot = self._rooms.ids.get(id)
        return set() if slot is None else self._rooms.rooms_of(slot)
