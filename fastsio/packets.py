"""Packet: a Socket.IO packet before it is encoded, as adapters and parsers see it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Packet(NamedTuple):
    """type: 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR; nsp: the namespace's name.

    data: of an EVENT [event, *arguments], of an ACK [*arguments], of a CONNECT a dict or None, of a CONNECT_ERROR a
    dict or a string, of a DISCONNECT None. id: the number of the acknowledgement that is asked for or given, None
    without. Source: Socket.IO protocol 5.
    """

    type: int
    nsp: str
    data: Any
    id: int | None = None
