"""What a broadcast is about and whom it reaches."""

from __future__ import annotations

from typing import NamedTuple


class BroadcastOptions(NamedTuple):
    """Whom a broadcast reaches: everybody in any of `rooms` who is in none of `excepts`, but not `sender`.

    rooms: names, none of them for everybody; excepts: names; sender: a socket's id, or None; volatile: not for clients
    that still have messages to read; local: for clients of this process alone; compress: False where it does not pay;
    timeout: seconds that acknowledgements may take, None for any time. Source: Socket.IO 4.x (socket.io-adapter).
    """

    rooms: tuple[str, ...] = ()
    excepts: tuple[str, ...] = ()
    sender: str | None = None
    volatile: bool = False
    local: bool = False
    compress: bool = True
    timeout: float | None = None
