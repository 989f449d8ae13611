"""What a broadcast is about and whom it reaches."""

from __future__ import annotations

from typing import NamedTuple


class BroadcastOptions(NamedTuple):
    """To whom: everybody in any of `rooms` (none: everybody) who is in none of `excepts`, but not `sender`."""

    rooms: tuple[str, ...] = ()
    excepts: tuple[str, ...] = ()
    sender: str | None = None  # a socket's id
    volatile: bool = False
    local: bool = False
    compress: bool = True
    timeout: float | None = None  # seconds that acknowledgements may take
