"""Coroutine handlers as tasks: begun in the order of arrival, then concurrent."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Protocol

# The event loop itself only keeps weak references to tasks.
_running: set[asyncio.Task[None]] = set()


class _Socket(Protocol):
    def _failed(self, error: Exception) -> None: ...


class _Answer(Protocol):
    def settle(self, result: object) -> None: ...


async def _finish(socket: _Socket, coroutine: Coroutine[Any, Any, object], ack: _Answer | None) -> None:
    try:
        result = await coroutine
        if ack is not None:
            ack.settle(result)
    except Exception as error:
        socket._failed(error)


def start(socket: _Socket, coroutine: Coroutine[Any, Any, object], ack: _Answer | None) -> None:
    """Runs a handler's coroutine; its result answers `ack`, its exception is logged.

    From Python 3.12 on its first step runs now, otherwise in the next round of the loop.
    """
    spawn(_finish(socket, coroutine, ack))


if sys.version_info >= (3, 12):

    def spawn(coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine that handles its own exceptions, as a task that is not lost."""
        task = asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            _running.add(task)
            task.add_done_callback(_running.discard)

else:

    def spawn(coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine that handles its own exceptions, as a task that is not lost."""
        task = asyncio.get_running_loop().create_task(coroutine)
        _running.add(task)
        task.add_done_callback(_running.discard)
