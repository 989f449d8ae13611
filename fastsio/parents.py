"""Dynamic namespaces: a parent that makes namespaces when clients ask for names that it matches.

Parents are asked in the order of registration. A name is looked up again after a parent that had to be waited for,
so that a namespace is made once however many clients ask for it at a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from inspect import isawaitable
from logging import getLogger
from re import Pattern
from typing import TYPE_CHECKING, Any, TypeVar

from fastsio.adapter import Adapter, BroadcastOptions, Packet
from fastsio.handlers import Listeners
from fastsio.limits import MAX_CHILD_NAMESPACES, rate_limited
from fastsio.namespace import Namespace
from fastsio.tasks import FAILURES, settled, spawn, together, unattended

if TYPE_CHECKING:
    from fastsio.client import Client
    from fastsio.server import Server
    from fastsio.sockets import Socket

log = getLogger("fastsio")

T = TypeVar("T")
Match = Callable[[str, Any], bool | Awaitable[bool]]


class ParentNamespace(Namespace):
    """What `server.of(regex)` and `server.of(function)` give: its middlewares, listeners and handlers are those of
    every namespace that it makes, as they are at that moment. What is sent to it reaches all of them.

    children: the namespaces that it made and that are there. Source: Socket.IO 4.x.
    """

    children: set[Namespace]

    def __init__(self, name: str, server: Server, match: Pattern[str] | Match) -> None:
        super().__init__(name)
        self.server = server
        self.adapter = ParentAdapter(self)
        self.children = set()
        self._match = match

    def _matches(self, name: str, auth: Any) -> bool | Awaitable[bool]:
        if isinstance(self._match, Pattern):
            return self._match.search(name) is not None
        return self._match(name, auth)

    def _make_child(self, name: str) -> Namespace:
        child = ChildNamespace(name, self)
        child._middlewares = self._middlewares
        copy(self._connection_listeners, child._connection_listeners)
        copy(self.handlers, child.handlers)
        self.server.register(child)
        self.children.add(child)
        self.server._tell_new(child)
        return child


class ChildNamespace(Namespace):
    """A namespace that a parent made; with `cleanup_empty_child_namespaces` it goes with its last socket."""

    def __init__(self, name: str, parent: ParentNamespace) -> None:
        super().__init__(name)
        self._parent = parent
        self._admitting = 0  # clients about whom the middlewares have not decided

    def _admit(self, client: Client, auth: Any) -> None:
        self._admitting += 1
        super()._admit(client, auth)

    def _enter(self, socket: Socket) -> None:
        self._admitting -= 1
        super()._enter(socket)
        self._check_empty()

    def _refuse(self, socket: Socket, error: BaseException) -> None:
        self._admitting -= 1
        super()._refuse(socket, error)
        self._check_empty()

    def _remove(self, socket: Socket) -> None:
        super()._remove(socket)
        self._check_empty()

    def _check_empty(self) -> None:
        if self._sockets or self._admitting or not self.server._options["cleanup_empty_child_namespaces"]:
            return
        if self.server.nsps.get(self.name) is self:
            del self.server.nsps[self.name]
            self._parent.children.discard(self)
            unattended(self.adapter.close())


class ParentAdapter(Adapter):
    """Does everything in each of the children."""

    nsp: ParentNamespace

    def _each(self) -> list[Adapter]:
        return [child.adapter for child in self.nsp.children]

    def server_count(self) -> int | Awaitable[int]:
        """How many times broadcast_with_ack tells its number of clients: once for each server of each child."""
        counts = [adapter.server_count() for adapter in self._each()] or [1]
        return with_values(sum, counts)

    def broadcast(self, packet: Packet, options: BroadcastOptions) -> None:
        for adapter in self._each():
            sent = adapter.broadcast(packet._replace(nsp=adapter.nsp.name), options)
            if sent is not None:
                unattended(sent)

    def broadcast_with_ack(
        self, packet: Packet, options: BroadcastOptions, on_client_count: Any, on_ack: Any
    ) -> Callable[[], object] | Awaitable[Callable[[], object]]:
        adapters = self._each()
        if not adapters:
            on_client_count(0)
        forgets = [
            adapter.broadcast_with_ack(packet._replace(nsp=adapter.nsp.name), options, on_client_count, on_ack)
            for adapter in adapters
        ]
        return with_values(one_of, forgets)

    def _local(self, options: BroadcastOptions) -> list[Socket]:
        return [socket for adapter in self._each() for socket in adapter._local(options)]

    async def sockets(self, rooms: Any = ()) -> set[str]:
        return set().union(*await values([adapter.sockets(rooms) for adapter in self._each()]))

    async def fetch_sockets(self, options: BroadcastOptions) -> Sequence[Any]:
        found = await values([adapter.fetch_sockets(options) for adapter in self._each()])
        return [socket for sockets in found for socket in sockets]

    def add_sockets(self, options: BroadcastOptions, rooms: Iterable[str]) -> Awaitable[None] | None:
        return together([settled(adapter.add_sockets(options, rooms)) for adapter in self._each()])

    def del_sockets(self, options: BroadcastOptions, rooms: Iterable[str]) -> Awaitable[None] | None:
        return together([settled(adapter.del_sockets(options, rooms)) for adapter in self._each()])

    def disconnect_sockets(self, options: BroadcastOptions, close: bool = False) -> Awaitable[None] | None:
        return together([settled(adapter.disconnect_sockets(options, close)) for adapter in self._each()])

    def server_side_emit(self, args: list[object], ack: Callable[..., object] | None = None) -> Awaitable[None] | None:
        adapters = self._each()
        answered = None if ack is None else Gathered(ack, len(adapters))
        return together([settled(adapter.server_side_emit(args, answered)) for adapter in adapters])


class Gathered:
    """What several adapters answer to one event: ack is called once, with the first error and all answers."""

    def __init__(self, ack: Callable[..., object], count: int) -> None:
        self._ack = ack
        self._due = count
        self._error: Exception | None = None
        self._answers: list[object] = []
        if count == 0:
            ack(None, [])

    def __call__(self, error: Exception | None, answers: Iterable[object] = ()) -> None:
        self._error = self._error or error
        self._answers += answers
        self._due -= 1
        if self._due == 0:
            self._ack(self._error, self._answers)


async def values(results: Iterable[Any]) -> list[Any]:
    """What is in there, awaited where it has to be."""
    return [await result if isawaitable(result) else result for result in results]


def with_values(function: Callable[[Iterable[Any]], T], results: Collection[Any]) -> T | Awaitable[T]:
    """The function of the values: now, if none has to be waited for."""

    async def later() -> T:
        return function(await values(results))

    return later() if any(map(isawaitable, results)) else function(results)


def one_of(functions: Iterable[Callable[[], object] | None]) -> Callable[[], object]:
    """A function that calls them all."""

    def call_all() -> None:
        for function in functions:
            if function is not None:
                function()

    return call_all


def copy(source: Listeners, target: Listeners) -> None:
    """Registers every handler of one table in another, an empty one."""
    for event in source.names():
        target.replace(event, source.get(event))


def connect(server: Server, client: Client, name: str, auth: Any) -> None:
    """A client asks for a name that is not there: the parents decide, now or later."""
    remaining = iter(server._parents)
    try:
        for parent in remaining:
            result = parent._matches(name, auth)
            if isawaitable(result):
                spawn(connect_later(server, client, name, auth, parent, result, remaining), client.context)
                return
            if result:
                admit(server, client, name, auth, parent)
                return
    except FAILURES:
        log.exception("exception in the function of a dynamic namespace")
    server._refuse(client, name)


async def connect_later(
    server: Server,
    client: Client,
    name: str,
    auth: Any,
    parent: ParentNamespace,
    result: Any,
    remaining: Iterator[ParentNamespace],
) -> None:
    """From the first parent that has to be waited for."""
    found: ParentNamespace | None = None
    try:
        while True:
            if await result if isawaitable(result) else result:
                found = parent
                break
            parent = next(remaining, None)  # type: ignore[assignment]
            if parent is None:
                break
            result = parent._matches(name, auth)
    except FAILURES:
        log.exception("exception in the function of a dynamic namespace")
    if not client.is_joining(name.encode()):
        return  # gone meanwhile
    if found is not None:
        admit(server, client, name, auth, found)
    else:
        server._refuse(client, name)


def admit(server: Server, client: Client, name: str, auth: Any, parent: ParentNamespace) -> None:
    """The client joins the namespace, which somebody else may have got in the meantime."""
    nsp = server.nsps.get(name)
    if nsp is None:
        if sum(len(other.children) for other in server._parents) >= MAX_CHILD_NAMESPACES:
            server.engine._count("child namespaces above the limit")
            if rate_limited("child namespaces"):
                log.warning("refused a namespace: there are %d dynamic ones already", MAX_CHILD_NAMESPACES)
            server._refuse(client, name)
            return
        nsp = parent._make_child(name)
    nsp._admit(client, auth)
