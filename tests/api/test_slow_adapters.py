"""Adapters that take their time, and adapters that fail: who is told, and what goes on."""

import asyncio
import re

import pytest

from fastsio import Disconnected, Event, Server
from fastsio.adapter import Adapter, RecoveryAdapter
from fastsio.limits import MAX_PENDING_ACKS
from tests.wsclient import serving, wire


class Slow(Adapter):
    """As if there was another server, whose only client answers "there"."""

    async def server_count(self):
        await asyncio.sleep(0)
        return 2

    async def broadcast_with_ack(self, packet, options, on_client_count, on_ack):
        forget = super().broadcast_with_ack(packet, options, on_client_count, on_ack)
        await asyncio.sleep(0.01)
        if not options.local:
            on_client_count(1)
            on_ack(None, "there")
        return forget

    async def sockets(self, rooms=()):
        return {"there"} | super().sockets(rooms)


@pytest.mark.parametrize("nsp", ["/", "/d1"])
async def test_answers_that_take_their_time(nsp):
    async with serving(adapter=Slow) as io, wire(io) as client:
        target = io if nsp == "/" else io.of(re.compile("^/d"))
        sid = await client.join(nsp)
        asked = asyncio.create_task(target.timeout(5).emit_with_ack("question"))
        client.send((await client.next()).replace("42", "43").replace('"question"', '"here"'))
        assert sorted(await asked) == ["here", "there"]
        assert set(await target.clients()) == {sid, "there"}


@pytest.mark.parametrize("nsp", ["/", "/d1"])
async def test_local_ones(nsp):
    async with serving(adapter=Slow) as io, wire(io) as client:
        target = io if nsp == "/" else io.of(re.compile("^/d"))
        sid = await client.join(nsp)
        asked = asyncio.create_task(target.local.emit_with_ack("question"))
        client.send((await client.next()).replace("42", "43").replace('"question"', '"here"'))
        assert await asked == ["here"]
        assert await target.local.clients() == [sid]
        assert await target.local.all_sockets() == {sid}


@pytest.mark.parametrize("adapter", [Adapter, Slow])
async def test_answers_that_nobody_waits_for_any_more(adapter):
    """A client that never answers is not held to account for them."""
    async with serving(adapter=adapter) as io, wire(io, join=True) as client:
        for _ in range(MAX_PENDING_ACKS // 100):
            asked = [asyncio.create_task(io.emit_with_ack("question")) for _ in range(100)]
            await asyncio.sleep(0)
            for task in asked:
                task.cancel()
            await asyncio.wait(asked)
        await asyncio.sleep(0.05)
        io.sockets.sockets[client.sid].emit("last", ack=print)  # RuntimeError: too many


class Failing(Adapter):
    async def server_count(self):
        raise OSError("no bus")

    async def server_side_emit(self, args, ack=None):
        raise OSError("no bus")

    async def broadcast(self, packet, options):
        raise OSError("no bus")


async def test_adapters_that_fail(caplog):
    async with serving(adapter=Failing) as io:
        with pytest.raises(OSError, match="no bus"):
            await io.emit_with_ack("question")
        with pytest.raises(OSError, match="no bus"):
            await io.server_side_emit_with_ack("question")
        told = asyncio.get_running_loop().create_future()
        io.server_side_emit("question", ack=lambda error, answers: told.set_result((str(error), answers)))
        assert await told == ("no bus", [])
        assert caplog.records == []
        io.emit("e")
        io.server_side_emit("e")
        await asyncio.sleep(0.01)
    assert [record.getMessage()[:12] for record in caplog.records] == ["exception in"] * 2
    assert {record.name for record in caplog.records} == {"fastsio"}


async def test_one_that_cannot_be_closed(caplog):
    closed = []

    class Stuck(Adapter):
        async def close(self):
            closed.append(self.nsp.name)
            raise OSError("stuck")

    io = Server(adapter=Stuck)
    io.of("/a")
    await io.listen(0)
    await io.close()
    assert closed == ["/", "/a"]
    assert caplog.text.count("could not be closed") == 2


async def test_answers_of_one_that_is_gone():
    """Without a timeout; the callback is called once."""
    async with serving(adapter=Slow) as io, wire(io, join=True) as client:
        told = []
        io.emit("question", ack=lambda error, responses: told.append((type(error), responses)))
        await client.next()
        client.send("41")
        await asyncio.sleep(0.05)
        assert told == [(Disconnected, ["there"])]


@Event
def load(server: str) -> None: ...


async def test_events_for_other_servers_have_names_and_signatures():
    class Noting(Adapter):
        def server_side_emit(self, args, ack=None):
            noted.append(args)

    noted: list[list[object]] = []
    io = Server(adapter=Noting)
    io.server_side_emit(load, "a")
    assert noted == [["load", "a"]]
    with pytest.raises(TypeError):
        io.server_side_emit(load)


async def test_two_connections_recover_one_session():
    """The later one has it then, whichever of them the adapter was done with first."""

    class Late(RecoveryAdapter):
        async def restore_session(self, pid, offset):
            await asyncio.sleep(0.02)
            return super().restore_session(pid, offset)

    async with serving(connection_state_recovery=True, adapter=Late) as io, wire(io) as first:
        first.send("40")
        answer = (await first.next())[2:]
        pid = re.search('"pid":"([^"]*)"', answer)[1]
        first.transport.disconnect(graceful=False)
        while io.sockets.sockets:
            await asyncio.sleep(0.005)
        async with wire(io) as second, wire(io) as third:
            for client in (second, third):
                client.send(f'40{{"pid":"{pid}"}}')
            assert [(await client.next()) for client in (second, third)] == ["40" + answer] * 2
            assert await second.next() is None
            assert len(io.sockets.sockets) == 1


def test_nothing_to_wait_for_takes_no_event_loop():
    """In memory there is no other server: the answer is there at once, before anything runs."""
    told = []
    io = Server(adapter=Adapter)
    io.server_side_emit("load", ack=lambda error, answers: told.append((error, answers)))
    assert told == [(None, [])]
