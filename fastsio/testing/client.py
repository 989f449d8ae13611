"""Client: one namespace on one in-process connection, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from inspect import isawaitable
from itertools import count
from logging import getLogger
from typing import Any, ParamSpec, overload
from weakref import WeakKeyDictionary

from fastsio.errors import AckTimeout, ConnectError, Disconnected
from fastsio.event import Event, event_items
from fastsio.events import Emitter
from fastsio.handlers import Listeners
from fastsio.parser import Parser
from fastsio.server import Server
from fastsio.tasks import start, value_of
from fastsio.testing.wire import Decoder, Refused, Wire, encoded, encoded_by
from fastsio.wire.sio import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT

log = getLogger("fastsio")

P = ParamSpec("P")
Headers = Mapping[str, str] | Iterable[tuple[str, str]]

_clients: WeakKeyDictionary[Server, int] = WeakKeyDictionary()  # those that are open, of servers that do not listen


class Client(Emitter):
    """A connected client, made by `connect`. Source: ours, after socket.io-client 4.x.

    `client.on(event, function)` registers a listener, sync or async, called with the arguments of an event as handlers
    are on the server: surplus ones are dropped, what it returns answers an acknowledgement that the server asked for,
    unless a listener takes `ack`.

    id: the socket's id on the server; recovered: whether it is that of a client that had been connected before, see
    `connect`. received: all events so far, each [event, *arguments], in order.
    disconnect_reason: None while connected; then "io server disconnect", "io client disconnect" or "transport close".
    """

    id: str
    recovered: bool
    received: list[list[Any]]
    disconnect_reason: str | None

    def __init__(self, wire: Wire, nsp: str, parser: Parser | None) -> None:
        self.nsp = nsp
        self.id = ""
        self.recovered = False
        self.received = []
        self.disconnect_reason = None
        self._wire = wire
        self._pid: str | None = None  # with connection state recovery: what the server knows the session by,
        self._offset: str | None = None  # and the last event that came
        self._encode = encoded if parser is None else partial(encoded_by, parser)
        self._decode: Callable[[str | bytes], Any] = Decoder() if parser is None else parser.decoder()
        self._listeners = Listeners()
        self._untaken: list[list[Any]] = []
        self._came = asyncio.Event()  # something arrived, or the end
        self._ack_ids = count()
        self._acks: dict[int, asyncio.Future[list[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the client is in its namespace."""
        return bool(self.id) and self.disconnect_reason is None

    # ---- out ----

    @overload
    def emit(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
    @overload
    def emit(self, event: str | int, /, *args: object) -> None: ...
    def emit(self, event: Any, /, *args: Any, **kwargs: Any) -> None:
        """Sends an event: its name, or an Event, whose signature the arguments have to fit. args: JSON-able values,
        bytes anywhere in them. Disconnected: the client is not connected; ValueError, TypeError: as Socket.emit."""
        self._send(EVENT, event_items(event, args, kwargs))

    async def emit_with_ack(
        self, event: Event[Any] | str | int, /, *args: object, timeout: float = 1.0, **kwargs: object
    ) -> Any:
        """Sends an event and waits for the server's answer, at most `timeout` seconds.

        Returns its argument: None without any, a tuple of several. AckTimeout: no answer came; Disconnected: the
        connection ended before.
        """
        items, id = event_items(event, args, kwargs), next(self._ack_ids)
        answer = self._acks[id] = asyncio.get_running_loop().create_future()
        try:
            self._send(EVENT, items, id)
            return plain(await asyncio.wait_for(answer, timeout))
        except TimeoutError:
            raise AckTimeout(f"no answer to {items[0]!r} within {timeout} s; {self._arrived()}") from None
        finally:
            self._acks.pop(id, None)

    def _send(self, type: int, data: object = None, id: int | None = None) -> None:
        if self.disconnect_reason is not None or self._wire.closed:
            reason = self.disconnect_reason or "transport close"
            raise Disconnected(f"the client is not connected any more: {reason}")
        for packet in self._encode(type, self.nsp, data, id):
            self._wire.send(packet)

    # ---- in ----

    async def receive(self, event: Event[Any] | str | int | None = None, *, timeout: float = 1.0) -> Any:
        """Takes the first event of this name that was not taken yet, and waits for it at most `timeout` seconds.

        event: None for any, then [event, *arguments] is returned; with a name its argument: None without any, a
        tuple of several. TimeoutError: it did not come, the message says what did; Disconnected: the connection
        ended before.
        """
        name = event.name if isinstance(event, Event) else event
        try:
            async with asyncio.timeout(timeout):
                while (items := self._take(name)) is None:
                    if self.disconnect_reason is not None:
                        what = f"disconnected ({self.disconnect_reason}) before {name!r} came; {self._arrived()}"
                        raise Disconnected(what)
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise TimeoutError(f"no {name!r} within {timeout} s; {self._arrived()}") from None
        return items if name is None else plain(items[1:])

    def _take(self, name: str | int | None) -> list[Any] | None:
        for index, items in enumerate(self._untaken):
            if name is None or items[0] == name:
                return self._untaken.pop(index)
        return None

    def _arrived(self) -> str:
        names = [repr(items[0]) for items in self._untaken]
        return f"untaken: {', '.join(names)}" if names else "no untaken events"

    async def _read(self) -> None:
        """From the CONNECT's answer to the end of the connection."""
        reason = "transport close"
        while (message := await self._wire.receive()) is not None:
            if isinstance(message, str):
                if not message.startswith("4"):
                    continue  # noop, or a late packet of the engine
                message = message[1:]
            packet = self._decode(message)
            if packet is not None and packet[0] == DISCONNECT:
                reason = "io server disconnect"
                self._wire.close()
            elif packet is not None:
                self._on_packet(packet[0], packet[2], packet[3])
        self._end(reason)

    def _on_packet(self, type: int, data: Any, id: int | None) -> None:
        if type == EVENT:
            if self._pid is not None and id is None and isinstance(data[-1], str):
                self._offset = data[-1]
            self.received.append(data)
            self._untaken.append(data)
            self._came.set()
            self._call_listeners(data, id)
        elif type == ACK:
            answer = self._acks.get(-1 if id is None else id)
            if answer is not None and not answer.done():
                answer.set_result(data)

    def _call_listeners(self, items: list[Any], id: int | None) -> None:
        taken = any(handler.ack_name is not None for handler in self._listeners.get(items[0]))
        self._listeners.ask(self, items[0], items[1:], Answer(self, id, taken), self._tasks)

    def _failed(self, error: BaseException) -> None:
        log.error("exception in a listener of a test client", exc_info=error)

    def _table(self) -> Listeners:
        return self._listeners

    # ---- life ----

    async def _join(self, auth: Any, former: Client | None) -> None:
        """CONNECTs, as `former` if there is one. ConnectError: the server refuses."""
        if former is not None:
            self._pid, self._offset = former._pid, former._offset
            offset = {} if self._offset is None else {"offset": self._offset}
            auth = {"pid": self._pid, **offset, **(auth or {})}
        for packet in self._encode(CONNECT, self.nsp, auth, None):
            self._wire.send(packet)
        while (message := await self._wire.receive()) is not None:
            if isinstance(message, str) and not message.startswith("4"):
                continue
            packet = self._decode(message[1:] if isinstance(message, str) else message)
            if packet is None:
                continue
            type, _, data, id = packet
            if type == CONNECT:
                self.id, pid = data["sid"], data.get("pid")
                self.recovered = pid is not None and pid == self._pid
                self._pid = pid
                self._reading = asyncio.ensure_future(self._read())
                return
            if type == CONNECT_ERROR:
                raise ConnectError(data["message"], data=data.get("data"))
            self._on_packet(type, data, id)  # sent before the answer: what a recovered socket missed
        raise ConnectError("the connection was closed")

    def disconnect(self) -> None:
        """Leaves the namespace and closes the connection; nothing happens when it is closed already."""
        if self.disconnect_reason is None and not self._wire.closed:
            for packet in self._encode(DISCONNECT, self.nsp, None, None):
                self._wire.send(packet)
            self._end("io client disconnect")
            self._wire.close()

    def drop(self) -> None:
        """Ends the connection without a word, as a network does: the server sees "transport close"."""
        self._end("transport close")
        self._wire.abort()

    def _end(self, reason: str) -> None:
        if self.disconnect_reason is None:
            self.disconnect_reason = reason
            self._came.set()
            for answer in self._acks.values():
                if not answer.done():
                    answer.set_exception(Disconnected(f"disconnected before the answer came: {reason}"))

    async def wait_disconnected(self, timeout: float = 1.0) -> str:
        """Waits until the connection has ended, on the server too; returns `disconnect_reason`.

        TimeoutError: it did not within `timeout` seconds.
        """
        if self._reading is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._reading), timeout)
            except TimeoutError:
                raise TimeoutError(f"still connected after {timeout} s") from None
        assert self.disconnect_reason is not None
        return self.disconnect_reason

    def __repr__(self) -> str:
        return f"<Client {self.id} in {self.nsp}, {self.disconnect_reason or 'connected'}>"


class Answer:
    """What listeners answer to an event of the server's, once: the `ack` that they may take."""

    def __init__(self, client: Client, id: int | None, taken: bool) -> None:
        self._client = client
        self._id = id  # None: no answer is asked for any more
        self._taken = taken  # what listeners return is no answer

    def __call__(self, *args: object) -> None:
        """Ignored the second time, when nobody asked, and after the end."""
        id, self._id = self._id, None
        if id is not None:
            with suppress(Disconnected):
                self._client._send(ACK, list(args), id)

    def settle(self, result: object) -> None:
        """What a listener returned."""
        if isawaitable(result):
            start(self._client, value_of(result), self, None, self._client._tasks)
        elif not self._taken:
            self(*(() if result is None else result if isinstance(result, tuple) else (result,)))


def plain(args: list[Any]) -> Any:
    """What is returned for an event's or an answer's arguments."""
    return args[0] if len(args) == 1 else tuple(args) or None


@asynccontextmanager
async def connect(
    io: Server,
    nsp: str = "/",
    *,
    auth: object = None,
    query: Mapping[str, str] | None = None,
    headers: Headers = (),
    recover: Client | None = None,
    timeout: float = 5.0,
) -> AsyncIterator[Client]:
    """A client of the server in the same event loop, connected to a namespace: `async with connect(io) as client:`.

    nsp: the namespace's name, a missing "/" is added; auth: what goes with its CONNECT, a dict; query: parameters
    for the URL; headers: for the request, a mapping or pairs; recover: a client whose connection was lost, as by its
    `drop()`, and that comes back to its namespace as clients do after a while, with connection state recovery:
    `client.recovered` says whether the server knew it; timeout: seconds to connect in. The server needs no
    port: when it does not listen it is started for the time that such clients are connected, and closed after the
    last. At the end the client disconnects, and the server has seen it. Source: ours.

    ConnectError: the server refused, with its message and data; TimeoutError: no answer in time; ValueError: the
    query asks for another protocol or transport, or there is nothing to recover.
    """
    if recover is not None:
        if recover._pid is None:
            raise ValueError("recover: that client's server had no connection_state_recovery")
        nsp = recover.nsp
    nsp = nsp if nsp.startswith("/") else "/" + nsp
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    counted = io in _clients or io._outbox is None  # else it listens, and its life is not ours
    if counted:
        _clients[io] = _clients.get(io, 0) + 1
    try:
        client = await asyncio.wait_for(_open(io, nsp, auth, query or {}, pairs, recover), timeout)
        try:
            yield client
        finally:
            await _close(client)
    finally:
        if counted:
            _clients[io] -= 1
            if not _clients[io]:
                del _clients[io]
                await io.close()


async def _open(
    io: Server,
    nsp: str,
    auth: object,
    query: Mapping[str, str],
    headers: Iterable[tuple[str, str]],
    former: Client | None,
) -> Client:
    try:
        wire = await Wire.open(io.engine, query, headers)
    except Refused as refused:
        raise ConnectError(str(refused)) from None
    client = Client(wire, nsp, io._options["parser"])
    try:
        opened = await wire.receive()
        assert isinstance(opened, str)
        assert opened.startswith("0"), opened
        await client._join(auth, former)
    except BaseException:
        wire.abort()
        raise
    return client


async def _close(client: Client) -> None:
    client.disconnect()
    try:
        await client.wait_disconnected(5.0)
    finally:
        client._wire.abort()
        for task in client._tasks:
            task.cancel()
