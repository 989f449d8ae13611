"""HostingConnection: a connection that is shared with an application.

Requests that are not the engine's go to a host, made at the first of them, which
writes the answers; the others take the ways of every Connection. The two kinds take turns
on one connection, one answer after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, Self

from fastsio.engine.connection import Connection
from fastsio.engine.core import Core
from fastsio.engine.http import HttpError
from fastsio.engine.request import Request


class Host(Protocol):
    """What answers the application's requests of one connection. It calls write, answered, read, close and abort."""

    def request(self, head: bytes, upgrade: bool) -> None: ...
    def data(self, data: bytes) -> None: ...
    def malformed(self, what: str) -> None: ...
    def on_eof(self, connection: HostingConnection) -> bool: ...
    def aborted(self, connection: HostingConnection) -> None: ...
    def lost(self, error: Exception | None) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def shutdown(self) -> None: ...


class BufferedConnection(Connection, asyncio.BufferedProtocol):
    """What asyncio's own event loop takes for a buffered protocol, by its type; uvloop looks for the methods."""

    __slots__ = ()

    def delegate(self, event: Request | bytes | HttpError) -> None:
        """Nobody is here to take it: another port has an application."""
        if isinstance(event, Request):
            self.refuse(404, [])


class HostingConnection(BufferedConnection):
    """new_host: makes the host of a connection."""

    __slots__ = ("_closing", "_host", "_new_host", "_waits")

    def __new__(cls, core: Core, secure: bool, *args: Any) -> Self:
        return super().__new__(cls, core, secure)  # type: ignore[call-arg]

    def __init__(self, core: Core, secure: bool, new_host: Callable[[HostingConnection], Host]) -> None:
        self._new_host = new_host
        self._host: Host | None = None
        self._waits = False  # for the peer to take what was sent
        self._closing = False  # once it has

    def delegate(self, event: Request | bytes | HttpError) -> None:
        """A request of the application, or what follows it."""
        if isinstance(event, bytes):
            if self._host is not None:
                self._host.data(event)
            return
        if isinstance(event, HttpError):
            if self._host is not None:
                self._host.malformed(str(event))
            return
        self.wait()
        if self._host is None:
            self._host = self._new_host(self)
            if self._waits:
                self._host.pause_writing()
        self.waiter = self._host
        self._host.request(event.head, event.upgrade)

    def close(self) -> None:
        """Ends the connection once everything is sent, however slowly the peer takes it."""
        self._closing = True
        asyncio.get_running_loop().call_soon(self._close_when_sent)

    def _close_when_sent(self) -> None:
        if self._closing and not self._waits:
            self._closing = False
            self.answered(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio's protocols have it."""
        host, self._host = self._host, None
        self._closing = False
        try:
            if host is not None:
                host.lost(exc)
        finally:
            super().connection_lost(exc)

    def pause_writing(self) -> None:
        """As asyncio's protocols have it."""
        self._waits = True
        super().pause_writing()
        if self._host is not None:
            self._host.pause_writing()

    def resume_writing(self) -> None:
        """As asyncio's protocols have it."""
        self._waits = False
        super().resume_writing()
        if self._host is not None:
            self._host.resume_writing()
        self._close_when_sent()

    def hang_up(self) -> None:
        """Closes the connection after what it has still to send: a whole answer, where one is under way."""
        if self._host is not None and self.waiter is self._host:
            self._host.shutdown()
        else:
            super().hang_up()
