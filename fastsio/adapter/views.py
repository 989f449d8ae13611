"""Read-only mappings over the rooms of a namespace, as adapters show them: always as things are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastsio.rooms import Rooms


class RoomsView(Mapping[str, set[str]]):
    """Room -> the ids of the sockets in it."""

    __slots__ = ("_rooms",)

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def __getitem__(self, room: str) -> set[str]:
        if room not in self._rooms:
            raise KeyError(room)
        return {id for slot in self._rooms.members(room) if (id := self._rooms.id_of(slot)) is not None}

    def __contains__(self, room: object) -> bool:
        return isinstance(room, str) and room in self._rooms

    def __iter__(self) -> Iterator[str]:
        return iter(self._rooms.room_names())

    def __len__(self) -> int:
        return len(self._rooms.room_names())


class SidsView(Mapping[str, set[str]]):
    """Id of a socket -> the rooms that it is in."""

    __slots__ = ("_rooms",)

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def __getitem__(self, id: str) -> set[str]:
        return self._rooms.rooms_of(self._rooms.ids[id])

    def __contains__(self, id: object) -> bool:
        return id in self._rooms.ids

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rooms.ids))

    def __len__(self) -> int:
        return len(self._rooms.ids)
