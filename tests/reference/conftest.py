"""Fixtures: `node`, the test's official clients, `version` and `newer`, their generations, `io`, a server, and `client`,
one client of each generation."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from fastsio import Server
from tests.reference.node import NEWER, VERSIONS, Client, Driver, Node
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


def name_of(version: int) -> str:
    return f"v{version}"


@pytest.fixture(params=VERSIONS, ids=name_of)
def version(request: pytest.FixtureRequest) -> int:
    """Each generation of clients."""
    return request.param


@pytest.fixture(params=NEWER, ids=name_of)
def newer(request: pytest.FixtureRequest) -> int:
    """Each generation that speaks Engine.IO protocol 4."""
    return request.param


@pytest.fixture
async def client(io: Server, node: Node, version: int) -> Client:
    """One of each generation, in "/" over websocket."""
    return await node.connect(io, version=version)
