"""Answers: the acknowledgements of one broadcast, collected until all have come or time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from fastsio.errors import AckTimeout, Disconnected
from fastsio.tasks import call

if TYPE_CHECKING:
    from fastsio.adapter import Adapter, BroadcastOptions, Packet


class Answers:
    """callback(error, responses) is called once: with None when every client has answered; with AckTimeout after
    `timeout` seconds; without a timeout with Disconnected, when all others went before they answered."""

    def __init__(self, callback: Callable[..., object], timeout: float | None) -> None:
        self.callback: Callable[..., object] | None = callback
        self.responses: list[object] = []
        self.failed = 0  # clients that will not answer
        self.expected = 0
        self.servers = 0  # those that have said how many clients they asked
        self.all_servers: int | None = None
        self.forget: Callable[[], object] | None = None
        self.has_timeout = timeout is not None
        self.timer = None if timeout is None else asyncio.get_running_loop().call_later(timeout, self.on_timeout)

    def ask(self, adapter: Adapter, packet: Packet, options: BroadcastOptions) -> None:
        """Sends the packet."""
        try:
            count = 1 if options.local else adapter.server_count()
            self.forget = adapter.broadcast_with_ack(packet, options, self.on_client_count, self.on_ack)
        except BaseException:
            self.stop()
            raise
        if isawaitable(count):
            call(self.wait_for_count, count)
        else:
            self.all_servers = count
        self.check()

    async def wait_for_count(self, count: object) -> None:
        self.all_servers = await count  # type: ignore[misc]
        self.check()

    def on_client_count(self, count: int) -> None:
        """One server more has asked its clients."""
        self.servers += 1
        self.expected += count
        self.check()

    def on_ack(self, error: Exception | None, *answer: object) -> None:
        """A client has answered, or never will."""
        if error is not None:
            self.failed += 1
        else:
            self.responses.append(answer[0] if answer else None)
        self.check()

    def check(self) -> None:
        """Whether nothing more is to come."""
        if self.all_servers is None or self.servers < self.all_servers:
            return
        if len(self.responses) + self.failed < self.expected:
            return
        if self.failed == 0:
            self.settle(None)
        elif not self.has_timeout:
            gone = f"{self.failed} of {self.expected} clients disconnected before they answered"
            self.settle(Disconnected(gone, self.responses))

    def on_timeout(self) -> None:
        forget, self.forget = self.forget, None
        if forget is not None:
            forget()
        self.settle(AckTimeout("operation has timed out", self.responses))

    def stop(self) -> Callable[..., object] | None:
        """Nothing more is called; returns what would have been."""
        callback, self.callback = self.callback, None
        if self.timer is not None:
            self.timer.cancel()
        return callback

    def settle(self, error: Exception | None) -> None:
        callback = self.stop()
        if callback is not None:
            call(callback, error, self.responses)


async def answers_of(ask: Callable[[Callable[..., object]], object]) -> list[Any]:
    """The answers that `ask(callback)` gets, or the error: its callback is called with (error, answers), once."""
    future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def settle(error: Exception | None, answers: list[Any]) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(answers)

    ask(settle)
    return await future


class OneAnswer:
    """What one server answers to another's event: the first that its listeners give."""

    def __init__(self, send: Callable[[Any], object] | None) -> None:
        self._send = send

    def __call__(self, answer: Any = None) -> None:
        send, self._send = self._send, None
        if send is not None:
            send(answer)

    settle = __call__
