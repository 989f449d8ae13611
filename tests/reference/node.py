"""Official clients in a Node process (driver.mjs), as objects of a test.

`Driver` is the process: one for a whole run of tests. `Node` is one test's connection to it: `connect` makes clients,
and they end with the test. `Client` is one client's socket: what arrives is kept, in order, until it is received.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import subprocess
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fastsio import Server, Socket

HERE = Path(__file__).parent
TIMEOUT = 3.0
TRANSPORTS = {None: ["polling", "websocket"], "polling": ["polling"], "websocket": ["websocket"]}
VERSIONS = (4, 3, 2)
NEWER = (4, 3)  # those that speak Engine.IO protocol 4


class Refusal(NamedTuple):
    """Why a client was not taken; status and text are those of an HTTP answer, as far as the client tells them."""

    message: str
    data: Any = None
    type: str | None = None
    status: int | None = None
    text: str | None = None


class Driver:
    """The Node process; it starts with the first test that needs it, and again should it have died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        if self.process is None or self.process.poll() is not None:
            self.close()
            command = ["node", "driver.mjs"]
            self.process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            assert self.process.stdout is not None
            with self.process.stdout as told:
                self.port = int(told.readline())

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Node(asyncio.Protocol):
    """One test's clients."""

    def __init__(self) -> None:
        self.clients: dict[int, Client] = {}
        self.ids = itertools.count()
        self.answers: dict[int, asyncio.Future[Any]] = {}
        self.rest = b""
        self.fatal = ""
        self.ended = asyncio.get_running_loop().create_future()

    async def connect(
        self,
        server: Server | str,
        nsp: str = "/",
        *,
        version: int = 4,
        transport: str | None = "websocket",
        wait: bool = True,
        **options: Any,
    ) -> Client:
        """A client on a connection of its own; with `wait` it is connected.

        server: or a URL. nsp: with a query, if there is one. transport: None for polling that upgrades. options:
        those of the client, in snake_case; it does not reconnect unless they tell it to.
        """
        url = server if isinstance(server, str) else url_of(server)
        options = {"transports": TRANSPORTS[transport]} | camel_case(options)
        client = self._client(server, nsp, version)
        await self._do("connect", client=client.number, version=version, url=url + nsp, options=options)
        return await client.joined() if wait else client

    def _client(self, server: Server | str, nsp: str, version: int) -> Client:
        client = Client(self, next(self.ids), server, nsp, version)
        self.clients[client.number] = client
        return client

    async def end(self) -> None:
        """Ends all clients; fails if something in the driver did."""
        await self._do("end")
        self._transport.close()
        await self.ended
        if self.fatal:
            pytest.fail(f"in driver.mjs: {self.fatal}", pytrace=False)

    async def _do(self, name: str, **request: Any) -> Any:
        """Asks the driver to do something, and returns what comes of it."""
        id = next(self.ids)
        answer = self.answers[id] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": id, "do": name, **request}, default=tagged)
        self._transport.write(line.encode() + b"\n")
        try:
            return await asyncio.wait_for(answer, TIMEOUT)
        except TimeoutError:
            what = {key: value for key, value in request.items() if key != "client"}
            pytest.fail(f"{name} {what} had no result within {TIMEOUT} s; {self.fatal}", pytrace=False)
        finally:
            del self.answers[id]

    # ---- what the driver says ----

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self._told(json.loads(line, object_hook=untagged))

    def _told(self, told: dict[str, Any]) -> None:
        if "client" in told:
            self.clients[told["client"]]._told(told)
        elif "fatal" in told:
            self.fatal = told["fatal"]
        elif (answer := self.answers.get(told["id"])) is not None and not answer.done():
            if "error" in told:
                answer.set_exception(AssertionError(f"in the client: {told['error']}"))
            else:
                answer.set_result(told["value"])


class Client:
    """One client's socket in a namespace.

    id: as the client knows it, "" before it is connected. recovered: as its last "connect" had it; None before 4.6.
    heard: [event, *args] of all that came, in order.
    """

    def __init__(self, node: Node, number: int, server: Server | str, nsp: str, version: int) -> None:
        self.node = node
        self.number = number
        self.server = server
        self.nsp = nsp.partition("?")[0] or "/"
        self.version = version
        self.id = ""
        self.connected = False
        self.recovered: bool | None = None
        self.heard: list[list[Any]] = []
        self._kept: defaultdict[tuple[str, str], deque[Any]] = defaultdict(deque)
        self._news: asyncio.Future[None] | None = None

    # ---- life ----

    async def joined(self) -> Client:
        """Waits until it is connected, or connected again."""
        await self._next("life", "connect")
        return self

    async def closed(self) -> str:
        """Waits until it is disconnected, and returns the reason."""
        reason: str = (await self._next("life", "disconnect"))[0]
        return reason

    async def refused(self) -> Refusal:
        """Waits until the server refuses it: "connect_error", in 2.x "error" too."""
        return Refusal(**(await self._next("life", "refused"))[0])

    async def open(self) -> None:
        """Connects again, or for the first time with auto_connect=False."""
        await self._do("open")

    async def disconnect(self) -> None:
        await self._do("disconnect")

    async def join(self, nsp: str, *, wait: bool = True, **options: Any) -> Client:
        """Another namespace on the same connection."""
        client = self.node._client(self.server, nsp, self.version)
        await self.node._do("join", client=client.number, of=self.number, nsp=nsp, options=camel_case(options))
        return await client.joined() if wait else client

    @property
    def peer(self) -> Socket:
        """The server's Socket of this client."""
        assert isinstance(self.server, Server)
        return self.server.of(self.nsp).sockets[self.id]

    # ---- out ----

    async def emit(self, event: str, *args: Any) -> None:
        await self._do("emit", event=event, args=args)

    async def emit_with_ack(self, event: str, *args: Any) -> list[Any]:
        """Emits and returns the arguments of the acknowledgement."""
        answer: list[Any] = await self._do("ask", event=event, args=args)
        return answer

    # ---- in ----

    async def receive(self, event: str) -> list[Any]:
        """The arguments of the next event of this name; fails when it does not come."""
        args: list[Any] = await self._next("event", event)
        return args

    async def collect(self, event: str) -> list[list[Any]]:
        """The arguments of each event of this name that the server has sent so far."""
        await self.settle()
        kept = self._kept["event", event]
        found = list(kept)
        kept.clear()
        return found

    async def nothing(self, event: str) -> None:
        """Fails if the server has sent an event of this name that was not received."""
        left = await self.collect(event)
        assert not left, f"{event!r} came: {left}"

    async def settle(self) -> None:
        """Whatever either side has sent before has arrived when it returns."""
        await self._do("settle")

    async def answers(self, event: str, *values: Any) -> None:
        """From now on the server's requests for an acknowledgement get these values."""
        await self._do("answers", event=event, values=values)

    async def echoes(self, event: str) -> None:
        """From now on they get the event's own arguments."""
        await self._do("echoes", event=event)

    async def never_answers(self, event: str) -> None:
        """From now on they get nothing, which is the default; `answer` may be called later."""
        await self._do("never", event=event)

    async def answer(self, event: str, *values: Any) -> None:
        """Answers the oldest request that has no answer."""
        await self._do("answer", event=event, values=values)

    async def eval(self, expression: str, *args: Any) -> Any:
        """A JavaScript expression's value, awaited; it knows `socket`, `io` (the manager), `engine` and `args`."""
        return await self._do("eval", expression=expression, args=args)

    # ---- what the driver says ----

    def _do(self, name: str, **request: Any) -> Awaitable[Any]:
        return self.node._do(name, client=self.number, **request)

    def _told(self, told: dict[str, Any]) -> None:
        args = told["args"]
        if "event" in told:
            self.heard.append([told["event"], *args])
            self._kept["event", told["event"]].append(args)
        else:
            self._lived(told["life"], args)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _lived(self, life: str, args: list[Any]) -> None:
        if life == "connect":
            self.id, self.recovered = args
            self.connected = True
        elif life == "disconnect":
            self.connected = False
        self._kept["life", life].append(args)

    async def _next(self, kind: str, name: str) -> Any:
        kept = self._kept[kind, name]
        try:
            async with asyncio.timeout(TIMEOUT):
                while not kept:
                    self._news = asyncio.get_running_loop().create_future()
                    await self._news
        except TimeoutError:
            left = {" ".join(key): list(items) for key, items in self._kept.items() if items}
            pytest.fail(f"no {kind} {name!r} within {TIMEOUT} s; there is {left}; {self.node.fatal}", pytrace=False)
        return kept.popleft()

    def __repr__(self) -> str:
        return f"<Client {self.version} {self.nsp} {self.id or 'not connected'}>"


class Calls:
    """A listener of the server's that keeps what it was called with: `(args)` each."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()

    def __call__(self, *args: Any) -> None:
        self.queue.put_nowait(args)

    async def next(self) -> tuple[Any, ...]:
        """The arguments of the next call; fails when it does not come."""
        try:
            return await asyncio.wait_for(self.queue.get(), TIMEOUT)
        except TimeoutError:
            pytest.fail(f"not called within {TIMEOUT} s", pytrace=False)

    def all(self) -> list[tuple[Any, ...]]:
        """The arguments of the calls until now."""
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds: for what the server does and no event tells."""
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.002)


def url_of(server: Server) -> str:
    """Where a client finds the server."""
    address = server.addresses[0]
    assert isinstance(address, tuple)
    return "http://{}:{}".format(*address)


def camel_case(options: dict[str, Any]) -> dict[str, Any]:
    """Names as the clients have them; values are left alone."""
    found = {}
    for name, value in options.items():
        first, *rest = name.split("_")
        found[first + "".join(map(str.capitalize, rest))] = value
    return found


def tagged(value: object) -> dict[str, str]:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"{type(value).__name__} does not travel to the driver")
    return {"$bytes": base64.b64encode(value).decode()}


def untagged(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["$bytes"]) if value.keys() == {"$bytes"} else value
