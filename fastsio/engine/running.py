"""Listening and running, as Server and Engine offer them."""

from __future__ import annotations

import asyncio
import signal
import ssl as ssl_module
from collections.abc import Callable
from logging import getLogger
from socket import socket as RawSocket
from typing import Any, Self, Unpack

from fastsio.checks import check_number
from fastsio.options import Options
from fastsio.tasks import finished

log = getLogger("fastsio")

PATIENCE = 5.0  # seconds that coroutine handlers get to end in


class Runnable:
    """What listens on ports: `_set`, `_share`, `_listen`, `addresses` and `close` are the subclass's."""

    _port: int | None = None

    async def listen(
        self,
        port: int | None = None,
        host: str = "127.0.0.1",
        *,
        ssl: ssl_module.SSLContext | None = None,
        unix_path: str | None = None,
        sock: RawSocket | None = None,
        backlog: int = 4096,
        reuse_port: bool = False,
    ) -> None:
        """Starts accepting connections in the running event loop; may be called for several addresses.

        port: 0 lets the system choose, see `addresses` (default: the one that was given before); host: the
        address to bind; ssl: a context for TLS; unix_path: a Unix socket instead; sock: a bound socket
        instead; backlog: connections that may wait to be accepted; reuse_port: several processes share
        the port. OSError: the address cannot be bound. ValueError: no port is named.
        """
        port = self._port if port is None else port
        if port is None and unix_path is None and sock is None:
            raise ValueError("no port to listen on: give one to listen() or run(), 0 for any free one")
        await self._listen(port, host, ssl=ssl, unix_path=unix_path, sock=sock, backlog=backlog, reuse_port=reuse_port)

    def attach(self, target: Any, **options: Unpack[Options]) -> Self:
        """Shares the port with an ASGI application, or remembers a port for `listen()` and `run()`.

        target: the application, which gets every request but those under `path`, with websockets and
        lifespan (or a uvicorn.Config with one in it, for uvicorn's own options); or a port. options: as the
        constructor takes them; they count for whatever was not said before or said otherwise. ImportError: an
        application needs uvicorn, `pip install fastsio[asgi]`. TypeError, ValueError: as of the constructor.
        RuntimeError: options, while it listens. Returns the server. Source: Socket.IO 2.x and 4.x.
        """
        if options:
            self._set(**options)
        if isinstance(target, int):
            check_number("a port", target, (int,), 0, 65535)
            self._port = target
        elif not callable(target) and not hasattr(target, "app"):
            raise TypeError(f"a port (an int) or an ASGI application to share one with is expected, got {target!r:.50}")
        else:
            from fastsio.hosting.application import Application

            self._share(lambda: Application(target))
        return self

    def _set(self, **options: Any) -> None:
        raise NotImplementedError

    def _share(self, new_application: Callable[[], Any]) -> None:
        raise NotImplementedError

    async def _listen(
        self,
        port: int | None,
        host: str,
        *,
        ssl: ssl_module.SSLContext | None,
        unix_path: str | None,
        sock: RawSocket | None,
        backlog: int,
        reuse_port: bool,
    ) -> None:
        raise NotImplementedError

    @property
    def addresses(self) -> list[tuple[str, int] | str]:
        """What is listened on: (host, port) pairs and paths of Unix sockets."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stops listening and closes every connection."""
        raise NotImplementedError

    def run(self, port: int | None = None, host: str = "127.0.0.1", **listen: Any) -> None:
        """Listens in an event loop of its own (uvloop) until SIGINT or SIGTERM, then closes gracefully.

        Coroutine handlers that still run then, those of `disconnect` among them, get 5 s to end in before they are
        cancelled. The arguments are those of `listen`.
        """
        import uvloop

        async def main() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            await self.listen(port, host, **listen)
            log.info("listening on %s", ", ".join(map(_address_text, self.addresses)))
            await stop.wait()
            await self.close()
            await finished(PATIENCE)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())


def _address_text(address: tuple[str, int] | str) -> str:
    return address if isinstance(address, str) else f"http://{address[0]}:{address[1]}"
