"""Host: uvicorn's HTTP protocol on a connection of ours, for the requests that belong to the application.

The connection parses every head, and a request of the application comes here: its
head as it was sent, then its body as it came, framing and all. uvicorn parses them
once more, calls the application and writes the answer to a HostTransport. Only after
the whole answer does the connection go on to the next request, so uvicorn never sees
two at a time. Once it has handed over to one of its websocket protocols, everything
that comes goes there.

HostedConnection what the connection must offer
Surroundings     what uvicorn's protocols need beside it
HostTransport    what uvicorn takes for the transport; from the end of its exchange on it does nothing any more
HostedHttp       uvicorn's protocol, which tells when an answer is complete
Host             what the connection talks to, made at its first such request
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from uvicorn import Config


class HostedConnection(Protocol):
    """A connection as the host sees it. Nothing is called any more after `lost`."""

    def write(self, data: bytes) -> None:
        """Sends, after what was sent before."""

    def answered(self, close: bool) -> Any:
        """The answer is complete (`close` is False): the next request may come."""

    def close(self) -> None:
        """Closes the connection, after what was sent."""

    def abort(self) -> None:
        """Closes the connection at once."""

    def read(self, on: bool) -> Any:
        """Reads, or does not while the application is slower than the peer."""

    def get_extra_info(self, name: str) -> Any:
        """As asyncio's transports have it."""


class Surroundings(Protocol):
    """The application and what its connections share."""

    config: Config
    state: Any  # as uvicorn.server.ServerState
    app_state: dict[str, Any]
    loop: asyncio.AbstractEventLoop
    ws_protocol_class: Any

    def upgraded(self, connection: Any) -> None:
        """The connection has become a websocket of the application."""


class HostTransport(asyncio.Transport):
    """The transport of one exchange: a request and its answer, or a websocket."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host: Host | None = host
        self._closing = False

    def end(self) -> None:
        """The exchange is over: a late close() must not hit the request that follows on the same connection."""
        self._host = None
        self._closing = True

    # ---- writing ----

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._host is not None and not self._closing and data:
            self._host.connection.write(bytes(data))

    def can_write_eof(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The connection has its own."""

    def get_write_buffer_size(self) -> int:
        return 0

    # ---- reading ----

    def pause_reading(self) -> None:
        if self._host is not None and not self._closing:
            self._host.connection.read(False)

    def resume_reading(self) -> None:
        if self._host is not None and not self._closing:
            self._host.connection.read(True)

    # ---- the end ----

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._host is not None and not self._closing:
            self._closing = True
            self._host.connection.close()

    def abort(self) -> None:
        if self._host is not None:
            self._closing = True
            self._host.connection.abort()

    # ---- the rest ----

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        if self._host is not None:
            self._host.hand_over(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._host is not None
        protocol: asyncio.BaseProtocol = self._host.protocol
        return protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """No "socket": uvicorn would ask the kernel for the addresses again and again."""
        if self._host is None or name == "socket":
            return default
        info = self._host.connection.get_extra_info(name)
        if info is None:
            return default
        return info[:2] if name in ("peername", "sockname") and isinstance(info, tuple) else info


class HostedHttp(HttpToolsProtocol):
    """One at a time, and without a timer of its own: the connection knows how long it may be idle."""

    host: Host

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.connections.discard(self)  # uvicorn's set is for whole connections

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()
        self.host.answered()


class Host:
    """What a connection talks to when a request is the application's."""

    def __init__(self, connection: HostedConnection, application: Surroundings) -> None:
        self.connection = connection
        self._application = application
        self._transport: HostTransport | None = None  # of the exchange under way
        self._upgrade = False
        self._paused = False
        http = HostedHttp(application.config, application.state, application.app_state, application.loop)
        http.host = self
        http.ws_protocol_class = application.ws_protocol_class
        self.protocol: Any = http  # until it hands over

    # ---- what the connection tells ----

    def request(self, head: bytes, upgrade: bool = False) -> None:
        """The head of a request; `upgrade`: it asks for a websocket, so that no other request can follow."""
        self._upgrade = upgrade
        self._transport = HostTransport(self)
        self.protocol.connection_made(self._transport)
        if self._paused:
            self.protocol.pause_writing()
        self.protocol.data_received(head)

    def data(self, data: bytes) -> None:
        """What follows the head: the body, also after the answer, or a websocket's frames."""
        if self._transport is None or not self._transport.is_closing():
            self.protocol.data_received(data)

    def malformed(self, what: str) -> None:
        """The body is not what its head says: nothing more of it comes."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not self.protocol.cycle.response_started:
            self.protocol.send_400_response(what)
        transport.close()

    def on_eof(self, connection: HostedConnection) -> bool:
        """The peer ended its direction. Whether the connection stays open: as under uvicorn it does not."""
        self.protocol.eof_received()
        return False

    def aborted(self, connection: HostedConnection) -> None:
        """The connection is gone with an answer due; `lost` follows."""

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.end()
        self.protocol.connection_lost(error)
        self.protocol = None  # they know each other

    def pause_writing(self) -> None:
        """The peer does not take what is sent."""
        self._paused = True
        if self._transport is not None:
            self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """The peer has taken it."""
        self._paused = False
        if self._transport is not None:
            self.protocol.resume_writing()

    def shutdown(self) -> None:
        """The server is closing: what is under way is brought to its end, and then the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self.protocol.shutdown()

    @property
    def busy(self) -> bool:
        """Whether an answer, or a websocket, is under way."""
        return self._transport is not None

    # ---- what uvicorn tells ----

    def hand_over(self, protocol: asyncio.BaseProtocol) -> None:
        """The request became a websocket."""
        self.protocol = protocol
        self._application.upgraded(self.connection)

    def answered(self) -> None:
        """The answer is complete."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._upgrade:  # it was declined, and what follows is not HTTP
            transport.close()
            return
        self._transport = None
        transport.end()
        self.connection.answered(False)
