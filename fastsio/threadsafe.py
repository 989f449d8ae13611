"""Threadsafe: targets for other threads than the event loop's.

A call is put into the server's Mailbox, and the loop is woken once for all that is in it. Calls of one thread are
done in their order.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from copy import deepcopy
from logging import getLogger
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from fastsio.event import Event, event_items
from fastsio.events import P
from fastsio.packets import Packet
from fastsio.tasks import spawn
from fastsio.wire import payload
from fastsio.wire.sio import EVENT

if TYPE_CHECKING:
    from fastsio.broadcast import BroadcastOperator, Rooms
    from fastsio.engine.engine import Engine
    from fastsio.remote import RemoteSocket
    from fastsio.sockets import Socket

T = TypeVar("T")

log = getLogger("fastsio")


class Mailbox:
    """What other threads want done in the event loop's."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], object]] = deque()
        self._woken = False  # the loop is on its way

    def post(self, engine: Engine, call: Callable[[], object]) -> None:
        """Any thread. RuntimeError: the server is not listening."""
        core = engine._core
        if core is None:
            raise RuntimeError("the server does not listen, so that there is no event loop to do this in")
        self._calls.append(call)
        if not self._woken:  # set to False before the calls are taken: one that was put in before that is seen
            self._woken = True
            try:
                core.loop.call_soon_threadsafe(self._deliver)
            except BaseException:
                self._woken = False
                raise

    def _deliver(self) -> None:
        self._woken = False
        calls = self._calls
        for _ in range(len(calls)):
            try:
                calls.popleft()()
            except Exception:
                log.exception("exception in a call from another thread")


class Threadsafe:
    """A target that any thread may use: what `threadsafe` of a Server, a Namespace or a target gives. Immutable.

    Each call returns at once and is done by the event loop soon after, those of one thread in their order. What
    they find out comes as a `concurrent.futures.Future`; waiting for its `result()` in the event loop's own thread
    would wait forever, there it is `await asyncio.wrap_future(...)`. RuntimeError, from every call: the server does
    not listen. Source: ours.
    """

    __slots__ = ("_target",)

    def __init__(self, target: BroadcastOperator) -> None:
        self._target = target

    # ---- to whom, and how ----

    def to(self, rooms: Rooms) -> Threadsafe:
        """As BroadcastOperator.to."""
        return Threadsafe(self._target.to(rooms))

    def in_(self, rooms: Rooms) -> Threadsafe:
        """The same as `to`."""
        return self.to(rooms)

    def except_(self, rooms: Rooms) -> Threadsafe:
        """As BroadcastOperator.except_."""
        return Threadsafe(self._target.except_(rooms))

    def compress(self, compress: bool) -> Threadsafe:
        """As BroadcastOperator.compress."""
        return Threadsafe(self._target.compress(compress))

    @property
    def volatile(self) -> Threadsafe:
        """As BroadcastOperator.volatile."""
        return Threadsafe(self._target.volatile)

    @property
    def local(self) -> Threadsafe:
        """As BroadcastOperator.local."""
        return Threadsafe(self._target.local)

    def timeout(self, seconds: float) -> Threadsafe:
        """As BroadcastOperator.timeout."""
        return Threadsafe(self._target.timeout(seconds))

    # ---- what is done ----

    @overload
    def emit(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
    @overload
    def emit(self, event: str | int, /, *args: object, ack: Callable[..., Any] | None = None) -> bool: ...
    def emit(self, event: Any, /, *args: Any, ack: Any = None, **kwargs: Any) -> bool:
        """As BroadcastOperator.emit; returns True. The arguments are copied, so that they may change afterwards,
        and checked, so that the caller gets the error. `ack` is called in the thread of the event loop."""
        target, items = self._target, self._copied(event_items(event, args, kwargs))
        self._post(lambda: target.emit(*items, ack=ack))
        return True

    def send(self, *args: object) -> bool:
        """Emits "message"."""
        return self.emit("message", *args)

    @overload
    def emit_with_ack(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> Future[list[Any]]: ...
    @overload
    def emit_with_ack(self, event: str | int, /, *args: object) -> Future[list[Any]]: ...
    def emit_with_ack(self, event: Any, /, *args: Any, **kwargs: Any) -> Future[list[Any]]:
        """As BroadcastOperator.emit_with_ack: the future of a list with the first argument of each answer.

        Its errors: AckTimeout, Disconnected.
        """
        target, items = self._target, self._copied(event_items(event, args, kwargs))
        future: Future[list[Any]] = Future()

        def settle(error: Exception | None, responses: list[Any]) -> None:
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(responses)

        def begin() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    target.emit(*items, ack=settle)
                except Exception as error:
                    future.set_exception(error)

        self._post(begin)
        return future

    def sockets_join(self, rooms: Rooms) -> Future[None]:
        """As BroadcastOperator.sockets_join; the future of its end."""
        return self._ask(lambda: self._target.sockets_join(rooms))

    def sockets_leave(self, rooms: Rooms) -> Future[None]:
        """As BroadcastOperator.sockets_leave; the future of its end."""
        return self._ask(lambda: self._target.sockets_leave(rooms))

    def disconnect_sockets(self, close: bool = False) -> Future[None]:
        """As BroadcastOperator.disconnect_sockets; the future of its end."""
        return self._ask(lambda: self._target.disconnect_sockets(close))

    def fetch_sockets(self) -> Future[list[Socket | RemoteSocket]]:
        """The future of what BroadcastOperator.fetch_sockets finds. Sockets of this node are the event loop's own:
        other threads may read their `id`, and reach them by `to(id)`."""
        return self._ask(self._target.fetch_sockets)

    def clients(self) -> Future[list[str]]:
        """The future of what BroadcastOperator.clients finds: ids."""
        return self._ask(self._target.clients)

    # ---- how ----

    def _copied(self, items: list[Any]) -> list[Any]:
        """As they are now. TypeError: a value that cannot be sent."""
        nsp = self._target._nsp
        if nsp.parser is not None:
            nsp.parser.encode(Packet(EVENT, nsp.name, items))
            return [copied(item) for item in items]
        return cast(list[Any], payload.decode(*payload.encode(items)))

    def _post(self, call: Callable[[], object]) -> None:
        server = self._target._nsp.server
        server._mailbox.post(server.engine, call)

    def _ask(self, function: Callable[[], Awaitable[T]]) -> Future[T]:
        future: Future[T] = Future()

        def begin() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function()  # now, so that it keeps its place among the calls
            except Exception as error:
                future.set_exception(error)
            else:
                spawn(finish(future, result))

        self._post(begin)
        return future

    def __repr__(self) -> str:
        return f"<Threadsafe {self._target!r}>"


def copied(value: Any) -> Any:
    """With other containers: what is in them is copied too."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copied(item) for item in value]
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return deepcopy(value)


async def finish(future: Future[T], result: Awaitable[T]) -> None:
    try:
        future.set_result(await result)
    except CancelledError as error:
        future.set_exception(error)
        raise
    except Exception as error:
        future.set_exception(error)
