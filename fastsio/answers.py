"""Answers: the acknowledgements of one broadcast, collected until all have come or time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from fastsio.errors import AckTimeout, Disconnected
from fastsio.tasks import FAILURES, call, spawn

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

    def ask(self, adapter: Adapter, packet: Packet, options: BroadcastOptions) -> Callable[[], None]:
        """Sends the packet. Returns `give_up`."""
        try:
            count = 1 if options.local else adapter.server_count()
            forget = adapter.broadcast_with_ack(packet, options, self.on_client_count, self.on_ack)
        except BaseException:
            self.stop()
            raise
        if isawaitable(count) or isawaitable(forget):
            spawn(self.wait_for(count, forget))
        else:
            self.asked(count, forget)
        return self.give_up

    async def wait_for(self, *results: Any) -> None:
        """With an adapter that takes its time over one of them."""
        try:
            count, forget = [await result if isawaitable(result) else result for result in results]
        except FAILURES as error:
            self.settle(error)
        else:
            self.asked(count, forget)

    def asked(self, count: int, forget: Callable[[], object] | None) -> None:
        self.all_servers, self.forget = count, forget
        if self.callback is None:
            self.give_up()
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
        callback = self.callback
        self.give_up()
        if callback is not None:
            call(callback, AckTimeout("operation has timed out", self.responses), self.responses)

    def give_up(self) -> None:
        """Nobody waits any more, and no client has to be remembered for it."""
        forget, self.forget = self.forget, None
        if forget is not None:
            forget()
        self.stop()

    def stop(self) -> Callable[..., object] | None:
        """Nothing more is called; returns what would have been."""
        callback, self.callback = self.callback, None
        if self.timer is not None:
            self.timer.cancel()
        return callback

    def settle(self, error: BaseException | None) -> None:
        callback = self.stop()
        if callback is not None:
            call(callback, error, self.responses)


async def answers_of(ask: Callable[[Callable[..., object]], Callable[[], object] | None]) -> list[Any]:
    """The answers that `ask(callback)` gets, or the error: its callback is called with (error, answers), once.

    What it returns is called when nobody waits any more.
    """
    future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def settle(error: Exception | None, answers: list[Any]) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(answers)

    give_up = ask(settle)
    try:
        return await future
    except asyncio.CancelledError:
        if give_up is not None:
            give_up()
        raise


async def or_error(sent: Awaitable[None], ack: Callable[..., object] | None) -> None:
    """Waits for what an adapter does to get answers; what it raises is the answer then."""
    try:
        await sent
    except FAILURES as error:
        if ack is None:
            raise
        ack(error, [])


class OneAnswer:
    """What one server answers to another's event: the first that its listeners give."""

    def __init__(self, send: Callable[[Any], object] | None) -> None:
        self._send = send

    def __call__(self, answer: Any = None) -> None:
        send, self._send = self._send, None
        if send is not None:
            send(answer)

    settle = __call__
