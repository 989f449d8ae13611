"""Coroutine handlers as tasks: begun in the order of arrival, then concurrent."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from inspect import isawaitable
from logging import getLogger
from typing import Any, Protocol

log = getLogger("fastsio")

# What a function of the application may raise without stopping more than itself. A CancelledError is that of something
# that the function waited for: one that is meant for our own task is told apart by `cancelling`.
FAILURES = (Exception, asyncio.CancelledError)

# The event loop itself only keeps weak references to tasks.
_running: set["asyncio.Future[Any]"] = set()


class _Socket(Protocol):
    def _failed(self, error: BaseException) -> None: ...


class _Answer(Protocol):
    def settle(self, result: object) -> None: ...


# Set in a connection's context to that context: a coroutine that runs in it cannot enter it again.
_entered: ContextVar[Context | None] = ContextVar("fastsio.entered", default=None)


class _Done:
    """Something to await that is done already."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield

    def __repr__(self) -> str:
        return "<done>"


DONE: Awaitable[None] = _Done()


def settled(result: Awaitable[None] | None) -> Awaitable[None]:
    """What a method gives its caller to await or not: DONE, or a task that goes on by itself."""
    if result is None:
        return DONE
    task = asyncio.ensure_future(result)
    _keep(task)
    return task


def together(results: list[Awaitable[None]]) -> Awaitable[None] | None:
    """What several `settled` ones come to; None: they are all done."""
    pending = [result for result in results if result is not DONE]
    return _all(pending) if pending else None


async def _all(pending: list[Awaitable[None]]) -> None:
    for result in pending:
        await result


def new_context() -> Context:
    """The context of one connection: what its coroutines set is there for those that come later."""
    context = copy_context()
    context.run(_entered.set, context)
    return context


async def _finish(socket: _Socket, coroutine: Coroutine[Any, Any, object], ack: _Answer | None) -> None:
    try:
        result = await coroutine
        if ack is not None:
            ack.settle(result)
    except Exception as error:
        socket._failed(error)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        socket._failed(error)


def start(
    socket: _Socket,
    coroutine: Coroutine[Any, Any, object],
    ack: _Answer | None,
    context: Context | None = None,
    tasks: set[asyncio.Task[None]] | None = None,
) -> None:
    """Runs a handler's coroutine; its result answers `ack`, its exception is logged.

    context: runs in it; tasks: holds the task until it is done. From Python 3.12 on its first step runs now,
    otherwise in the next round of the loop.
    """
    task = spawn(_finish(socket, coroutine, ack), context)
    if tasks is not None and not task.done():
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def call(function: Callable[..., object], *args: object) -> None:
    """Calls a function of the application, sync or async; an exception is logged."""
    try:
        unattended(function(*args))
    except FAILURES:
        log.exception("exception in %r", function)


def unattended(result: object, context: Context | None = None) -> None:
    """Lets an awaitable run though nobody waits for it: an exception is logged. Anything else is left alone."""
    if isawaitable(result):
        spawn(_wait(result), context)


async def _wait(awaitable: Awaitable[object]) -> None:
    try:
        await awaitable
    except Exception:
        log.exception("exception in %r", awaitable)


async def value_of(awaitable: Awaitable[object]) -> object:
    """What an awaitable that is no coroutine comes to."""
    return await awaitable


def _keep(task: "asyncio.Future[Any]") -> None:
    _running.add(task)
    task.add_done_callback(_running.discard)


async def finished(seconds: float) -> None:
    """Returns when all that was begun in this event loop is done, or after so many seconds."""
    loop = asyncio.get_running_loop()
    tasks = [task for task in _running if task.get_loop() is loop]
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


def spawn(coroutine: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
    """Runs a coroutine that handles its own exceptions, as a task that is not lost."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12) and (context is None or _entered.get() is not context):
        task = asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)
        if task.done():
            return task
    else:
        task = loop.create_task(coroutine, context=context)
    _keep(task)
    return task
