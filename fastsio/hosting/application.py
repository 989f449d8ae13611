"""Application: the user's ASGI application as uvicorn runs it, without uvicorn's server.

From uvicorn come the configuration, the lifespan and the protocols; sockets and
signals stay ours. Needs the extra fastsio[asgi].
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import Any

try:
    import uvicorn
    from uvicorn.lifespan.on import LifespanOn
except ImportError as error:
    raise ImportError("an application beside Socket.IO needs uvicorn: pip install fastsio[asgi]") from error

from fastsio.hosting.host import Host, HostedConnection

PATIENCE = 5.0  # seconds that the application's tasks get to end in when the server closes


class State:
    """What uvicorn's protocols share: as uvicorn.server.ServerState, without a clock that ticks."""

    def __init__(self, config: uvicorn.Config) -> None:
        self.total_requests = 0
        self.connections: set[Any] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._config = config
        self._second = 0
        self._headers: list[tuple[bytes, bytes]] = []

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Those that every answer begins with; the date is of the current second."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            date = [(b"date", formatdate(now, usegmt=True).encode())] if self._config.date_header else []
            self._headers = [*date, *self._config.encoded_headers]
        return self._headers


class Lifespan(LifespanOn):
    """Remembers what the application says when it fails."""

    reason = ""

    async def send(self, message: Any) -> None:
        if message["type"].endswith(".failed"):
            self.reason = message.get("message", "")
        await super().send(message)


class Application:
    """An ASGI application, or a uvicorn.Config with one in it, for one running of a server."""

    def __init__(self, app: Any) -> None:
        if isinstance(app, uvicorn.Config):
            self.config = app
        else:
            self.config = uvicorn.Config(app, log_config=None, server_header=False)
        self.loop = asyncio.get_running_loop()
        self.app_state: dict[str, Any] = {}
        self._lifespan: Lifespan | None = None

    async def startup(self) -> None:
        """The application's own start. RuntimeError: it failed."""
        if not self.config.loaded:
            self.config.load()
        self.state = State(self.config)
        self.ws_protocol_class = self.config.ws_protocol_class
        if self.config.lifespan == "off":
            return
        self._lifespan = lifespan = Lifespan(self.config)
        self.app_state = lifespan.state
        await lifespan.startup()
        if lifespan.should_exit:
            self._lifespan = None
            raise RuntimeError(f"the application did not start: {lifespan.reason.strip() or 'see the log'}")

    def host(self, connection: HostedConnection) -> Host:
        """What serves the application's requests on this connection."""
        return Host(connection, self)

    def upgraded(self, connection: HostedConnection) -> None:
        """Nobody counts connections here."""

    async def shutdown(self) -> None:
        """Waits for the application's tasks, cancels those that do not end, and tells the application."""
        if self.state.tasks:
            await asyncio.wait(self.state.tasks, timeout=PATIENCE)
        for task in self.state.tasks:
            task.cancel("the server is closing")
        if self.state.tasks:
            await asyncio.wait(self.state.tasks, timeout=PATIENCE)
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.shutdown()
