"""An adapter as a user would write it, with the public interface alone: it records every call, and answers later.

What it does to the sockets of this process it does at once, as adapters with a message bus do; what has to hear from
other processes takes a while: two rounds of the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import Any

from fastsio.adapter import Adapter, BroadcastOptions, Packet, RecoveryAdapter


class Recording(Adapter):
    """calls: (name of the method, arguments), in order."""

    def __init__(self, nsp: Any) -> None:
        super().__init__(nsp)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def done(self, function: Callable[..., Any], *args: Any) -> Awaitable[Any]:
        """Calls it now; what it returns is there later."""
        self.calls.append((function.__name__, args))
        result = function(*args)
        return asyncio.ensure_future(after_a_while(result)) if in_a_loop() else result

    def later(self, function: Callable[..., Any], *args: Any) -> Awaitable[Any]:
        self.calls.append((function.__name__, args))
        return asyncio.ensure_future(called_later(function, *args)) if in_a_loop() else function(*args)

    # ---- life ----

    def init(self) -> Awaitable[None]:
        return self.later(super().init)

    def close(self) -> Awaitable[None]:
        return self.later(super().close)

    def server_count(self) -> Awaitable[int]:
        return self.later(super().server_count)

    # ---- rooms ----

    def add_all(self, id: str, rooms: Iterable[str]) -> Awaitable[None]:
        return self.done(super().add_all, id, tuple(rooms))

    def delete(self, id: str, room: str) -> Awaitable[None]:
        return self.done(super().delete, id, room)

    def delete_all(self, id: str) -> Awaitable[None]:
        return self.done(super().delete_all, id)

    # ---- reaching sockets ----

    def broadcast(self, packet: Packet, options: BroadcastOptions) -> Awaitable[None]:
        return self.done(super().broadcast, packet, options)

    def broadcast_with_ack(
        self,
        packet: Packet,
        options: BroadcastOptions,
        on_client_count: Callable[[int], object],
        on_ack: Callable[..., object],
    ) -> Callable[[], object] | None:
        self.calls.append(("broadcast_with_ack", (packet, options)))
        return super().broadcast_with_ack(packet, options, on_client_count, on_ack)

    def sockets(self, rooms: Iterable[str] = ()) -> Awaitable[set[str]]:
        return self.later(super().sockets, tuple(rooms))

    def fetch_sockets(self, options: BroadcastOptions) -> Awaitable[Any]:
        return self.later(super().fetch_sockets, options)

    def add_sockets(self, options: BroadcastOptions, rooms: Iterable[str]) -> Awaitable[None]:
        return self.done(super().add_sockets, options, tuple(rooms))

    def del_sockets(self, options: BroadcastOptions, rooms: Iterable[str]) -> Awaitable[None]:
        return self.done(super().del_sockets, options, tuple(rooms))

    def disconnect_sockets(self, options: BroadcastOptions, close: bool = False) -> Awaitable[None]:
        return self.done(super().disconnect_sockets, options, close)

    # ---- other servers, recovery ----

    def server_side_emit(self, args: list[object], ack: Callable[..., object] | None = None) -> Awaitable[None]:
        return self.later(super().server_side_emit, args, ack)

    def persist_session(self, session: Any) -> Awaitable[None]:
        return self.done(super().persist_session, session)

    def restore_session(self, pid: str, offset: str | None) -> Awaitable[Any]:
        return self.later(super().restore_session, pid, offset)


class RecordingRecovery(Recording, RecoveryAdapter):
    """The same where clients recover."""


def recording(nsp: Any) -> Recording:
    """The option `adapter`."""
    return RecordingRecovery(nsp) if nsp.server.options["connection_state_recovery"] else Recording(nsp)


def in_a_loop() -> bool:
    """Before the event loop runs there is nobody to wait for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def after_a_while(result: Any) -> Any:
    await asyncio.sleep(0)
    return await result if isawaitable(result) else result


async def called_later(function: Callable[..., Any], *args: Any) -> Any:
    await asyncio.sleep(0)
    return await after_a_while(function(*args))
