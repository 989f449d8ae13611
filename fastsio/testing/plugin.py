"""The pytest plugin: a fixture that connects clients, and closes them after the test.

    async def test_chat(sio_connect):
        ada, bob = await sio_connect(io), await sio_connect(io)
        ada.emit("say", "hello")
        assert await bob.receive("said") == "hello"

It is found by itself once fastsio is installed; coroutine tests need pytest-asyncio or anyio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from fastsio.server import Server
from fastsio.testing.client import Client, connect

try:
    from pytest_asyncio import fixture as fixture_of_coroutines
except ImportError:
    fixture_of_coroutines = pytest.fixture  # type: ignore[assignment]

Connect = Callable[..., Awaitable[Client]]


@fixture_of_coroutines
async def sio_connect() -> AsyncIterator[Connect]:
    """Connects a client for as long as the test runs: `client = await sio_connect(io, "/chat", auth=...)`.

    The arguments are those of fastsio.testing.connect.
    """
    async with AsyncExitStack() as stack:

        async def connect_now(io: Server, nsp: str = "/", **options: Any) -> Client:
            return await stack.enter_async_context(connect(io, nsp, **options))

        yield connect_now
