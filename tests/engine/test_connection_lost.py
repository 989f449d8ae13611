"""On what the slots rely: an event loop calls connection_lost before it closes the descriptor.

Otherwise another connection could get the number in between, and what is sent to the slot would reach that one.
"""

import asyncio
import os

import pytest
import uvloop

from fastsio import Server
from fastsio.engine import engine as module
from tests.e2e.rawws import close, rawws

LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


def identity(descriptor):
    """What the number stands for now; no two sockets that are there have the same."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


class Watched(module.BufferedConnection):
    """Notes at its end whether the descriptor is still its own, and whether the slot is given back by then."""

    __slots__ = ("core", "descriptor", "identity")
    notes: list[tuple[bool, bool]] = []

    def __init__(self, core, secure):
        self.core = core

    def connection_made(self, transport):
        self.descriptor = transport.get_extra_info("socket").fileno()
        self.identity = identity(self.descriptor)
        super().connection_made(transport)

    def connection_lost(self, exc):
        assert self in self.core.owners()
        super().connection_lost(exc)
        self.notes.append((identity(self.descriptor) == self.identity, self in self.core.owners()))


async def reset(io, ws):
    ws.reset()


async def client_closes(io, ws):
    ws.send(close(1000))


async def client_ends(io, ws):
    ws.writer.write_eof()


async def server_closes(io, ws):
    (session,) = io.engine.clients.values()
    session.close()
    assert await ws.rest() == ([], None)


async def server_discards(io, ws):
    (session,) = io.engine.clients.values()
    session.close(discard=True)


async def server_aborts(io, ws):
    (session,) = io.engine.clients.values()
    session.transport.abort()


async def shutdown(io, ws):
    await asyncio.gather(io.close(), ws.rest())


async def reset_under_load(io, ws):
    """With bytes in the transport's hands."""
    io.emit("big", "x" * 8_000_000)
    await asyncio.sleep(0)
    ws.reset()


ENDS = (reset, client_closes, client_ends, server_closes, server_discards, server_aborts, shutdown, reset_under_load)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_the_descriptor_is_open_until_the_slot_is_free(loop, end, monkeypatch):
    async def main():
        io = Server()
        await io.listen(0)
        async with rawws(io, join=True) as ws:
            await end(io, ws)
            async with asyncio.timeout(5):
                while not Watched.notes:
                    await asyncio.sleep(0.005)
        await io.close()

    monkeypatch.setattr(module, "BufferedConnection", Watched)
    Watched.notes.clear()
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())
    assert Watched.notes == [(True, False)]
