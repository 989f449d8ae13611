from collections.abc import Collection
from enum import IntEnum
from typing import final

class RoomChange(IntEnum):
    """What `Rooms.join` and `Rooms.leave` return, or'ed; 0: nothing changed."""

    ROOM_CHANGED = 1
    ROOM_CREATED = 2
    ROOM_DELETED = 4

@final
class Room: ...

@final
class Rooms:
    """The rooms of one namespace. A socket is known by its slot, a small integer, and by its id."""

    @property
    def ids(self) -> dict[str, int]:
        """Id -> slot of every socket of the namespace. Not to be changed."""

    def __len__(self) -> int:
        """The number of sockets."""

    def __contains__(self, room: str, /) -> bool:
        """Whether anybody is in the room."""

    def add_socket(self, id: str, slot: int) -> int:
        """A new socket, in the room of its own id; returns what `join` does.

        ValueError: the id or the slot is in use.
        """

    def remove_socket(self, slot: int) -> list[str]:
        """Forgets the socket; returns the rooms that it was in. `in` tells which of them still exist."""

    def id_of(self, slot: int) -> str | None:
        """The id of the socket in this slot."""

    def join(self, slot: int, room: str) -> int:
        """Returns ROOM_CHANGED, with ROOM_CREATED for the first member; 0: was in it, or is not here."""

    def leave(self, slot: int, room: str) -> int:
        """Returns ROOM_CHANGED, with ROOM_DELETED for its last member; 0 when it was not in the room."""

    def rooms_of(self, slot: int) -> set[str]:
        """The rooms that the socket is in, its own id among them unless it left that."""

    def room_names(self) -> set[str]:
        """All rooms, those of the sockets' ids included."""

    def shared_rooms(self) -> int:
        """The number of rooms, without those that consist of a socket's own id."""

    def members(self, room: str) -> list[int]:
        """The slots in the room, ascending."""

    def selected(self, rooms: Collection[str] = (), excepts: Collection[str] = (), sender: int = -1) -> list[int]:
        """The slots in any of `rooms` (empty: all sockets) and in none of `excepts`, ascending.

        `sender` is a slot to leave out, -1: nobody.
        """

    def bytes_held(self) -> int:
        """Bytes that the bitsets allocated."""
