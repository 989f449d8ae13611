"""What may be a handler, and what its signature says."""

import types
from functools import partial

import pytest

from fastsio import Server
from tests.wsclient import serving, wire


def generator(socket):
    yield


async def async_generator(socket):
    yield


class Generator:
    def __call__(self, socket):
        yield

    def method(self, socket):
        yield


@pytest.mark.parametrize(
    "function",
    [generator, async_generator, Generator(), Generator().method, partial(generator), partial(Generator().method)],
)
def test_what_yields_is_refused(function):
    with pytest.raises(TypeError, match="a handler that yields would never run: return or emit instead"):
        Server().event("e")(function)


async def test_a_generator_by_types_coroutine_is_awaitable():
    @types.coroutine
    def ask(socket, x):
        yield
        return x

    async with serving() as io, wire(io) as client:
        io.event("ask")(ask)
        await client.join()
        client.emit("ask", 5, ack=1)
        assert await client.ack(1) == [5]
