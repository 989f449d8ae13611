"""Fixtures: `node`, the test's official clients, and `io`, a server that listens."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from fastsio import Server
from tests.reference.node import Driver, Node
from tests.requirements import require_npm
from tests.wsclient import serving


@pytest.fixture(scope="session")
def _driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture
async def node(_driver: Driver) -> AsyncIterator[Node]:
    require_npm("socket.io")
    _driver.start()
    _, node = await asyncio.get_running_loop().create_connection(Node, "127.0.0.1", _driver.port)
    yield node
    await node.end()


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    """With the default options, on a port of its own."""
    async with serving() as server:
        yield server
