"""What a broadcast is about and whom it reaches."""

from __future__ import annotations

from typing import NamedTuple


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
    timeout: float | None = None  # seconds that acknowledgements may take
