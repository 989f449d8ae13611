"""io.stats(): every number, and that those since the start outlive the connections that they come from."""

from __future__ import annotations

import asyncio
import json
import typing

import aiohttp
import pytest

from fastsio import Engine, Server
from fastsio.engine import stats as module
from tests.e2e.rawws import text
from tests.engine.peer import TICK, Stage, blocked
from tests.engine.poller import EIO4_POLLING, Poller
from tests.wsclient import serving, wire


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.clear()


def test_before_the_start():
    stats = Server().stats()
    assert set(stats) == set(module.ServerStats.__annotations__)
    assert stats["namespaces"] == {"/": {"sockets": 0, "rooms": 0}}
    assert stats["flushes"] == {"count": 0, "mean": 0.0, "largest": 0, "sizes": []}
    engine = Engine().stats()
    assert set(engine) == set(module.EngineStats.__annotations__)
    assert json.dumps(engine)


async def test_the_same_keys_and_types_once_it_listens():
    async with serving() as io, wire(io, join=True):
        stats = io.stats()
        assert set(stats) == set(module.ServerStats.__annotations__)
        for name, hint in typing.get_type_hints(module.ServerStats).items():
            assert type(stats[name]) is (hint if hint in (int, float) else dict), name
        for part, hints in (("flushes", module.FlushStats), ("loop_lag", module.LoopLagStats)):
            for name, hint in typing.get_type_hints(hints).items():
                assert type(stats[part][name]) is (typing.get_origin(hint) or hint), name
        assert json.loads(json.dumps(stats)) == stats


async def test_connections_sessions_sockets_and_rooms():
    async with serving() as io:
        chat = io.of("/chat")
        async with wire(io, join=True) as one, wire(io) as two:
            await two.join("/chat")
            await one.join("/chat")
            io.sockets.sockets[one.sid].join(["a", "b"])
            stats = io.stats()
            assert (stats["connections"], stats["sessions"], stats["sockets"], stats["rooms"]) == (2, 2, 3, 2)
            assert stats["namespaces"] == {"/": {"sockets": 1, "rooms": 2}, "/chat": {"sockets": 2, "rooms": 0}}
        while chat.sockets or io.stats()["connections"]:
            await asyncio.sleep(0.01)
        async with wire(io, join=True):
            stats = io.stats()
            assert (stats["connections"], stats["connections_total"], stats["connections_peak"]) == (1, 3, 2)
            assert (stats["sessions"], stats["sessions_total"], stats["sessions_peak"]) == (1, 3, 2)
            assert (stats["sockets"], stats["rooms"]) == (1, 0)
    assert io.stats()["connections_total"] == 0  # it was closed: the next start is another


def difference(stage, action):
    """What the action adds to the numbers."""
    before = stage.io.stats()
    action()
    stage.loop.settle()
    after = stage.io.stats()
    return {name: after[name] - before[name] for name in before if isinstance(before[name], int)}


def test_messages_and_bytes(stage):
    peer = stage.peer().join()
    stage.peer().join()
    data = text('421["echo","x"]')
    added = difference(stage, lambda: peer.send(data))
    assert (added["messages_in"], added["bytes_in"]) == (1, len(data))
    assert (added["messages_out"], added["bytes_out"], added["sends"]) == (1, len(peer.received()), 1)
    added = difference(stage, lambda: [stage.io.emit("n", number) for number in range(3)])
    assert (added["messages_in"], added["messages_out"], added["sends"]) == (0, 6, 2)
    added = difference(stage, lambda: peer.send(text("3")))  # a pong is no message
    assert (added["messages_in"], added["messages_out"]) == (0, 0)


def test_binary_is_counted_piece_by_piece(stage):
    peer = stage.peer().join()
    added = difference(stage, lambda: stage.io.emit("b", b"\0"))
    assert added["messages_out"] == 1  # one delivery, of two frames
    assert len(peer.frames()) == 2


def test_bytes_of_polling_are_counted_once(stage):
    one = Poller(stage, EIO4_POLLING).join()
    stage.io.emit("n", "x" * 1000)
    peers = []
    added = difference(stage, lambda: peers.append(one.get()))
    assert added["bytes_out"] == len(peers[0].received())
    added = difference(stage, lambda: one.push('42["a"]', '42["b"]'))
    assert added["messages_in"] == 2


def test_bytes_that_go_by_the_transport(stage):
    peer = stage.peer(secure=True)
    peer.transport.eager = True
    peer.join()
    added = difference(stage, lambda: stage.io.emit("n"))
    assert (added["bytes_out"], added["sends"]) == (len(peer.received()), 0)


def test_drops(stage):
    stage.io.engine._core.counters["something"] += 2
    blocked(stage)
    stage.io.volatile.emit("dropped")
    assert stage.io.stats()["drops"] == {"volatile": 1, "slow readers": 0, "something": 2}


def test_slow_readers():
    stage = Stage(max_backlog=100_000)
    blocked(stage)
    stage.io.emit("too much", "x" * 100_000)
    stage.loop.settle()
    assert stage.io.stats()["drops"] == {"volatile": 0, "slow readers": 1, "max_backlog reached": 1}
    stage.clear()


def test_flushes(stage):
    for _ in range(5):
        stage.peer().join()
    before = stage.io.stats()["flushes"]
    stage.io.emit("all")
    stage.loop.settle()
    after = stage.io.stats()["flushes"]
    assert after["count"] == before["count"] + 1
    assert after["largest"] == 5
    assert after["sizes"][2] == 1
    assert sum(after["sizes"]) == after["count"]
    assert after["mean"] * after["count"] == pytest.approx(before["mean"] * before["count"] + 5)


def test_loop_lag():
    stage = Stage(ping_interval=0.05)
    stage.peer().join()
    stage.wait(0.3)  # nobody looks for a quarter of a second
    lag = stage.io.stats()["loop_lag"]
    assert lag["count"] == 1
    assert 0.3 - 0.05 - 2 * TICK <= lag["last"] == lag["largest"] == lag["mean"]
    while lag["count"] == 1:
        stage.wait(0)
        lag = stage.io.stats()["loop_lag"]
    assert lag["last"] < lag["largest"]
    assert lag["mean"] == pytest.approx((lag["last"] + lag["largest"]) / 2)
    stage.clear()


async def test_under_load_nothing_falls():
    """Numbers since the start never fall, whatever comes and goes."""
    now = {"connections", "sessions", "sockets", "rooms"}
    async with serving() as io:
        io.event("echo")(lambda socket, *args: args)
        last = io.stats()
        for number in range(5):
            async with wire(io, join=True) as client, aiohttp.ClientSession() as http:
                client.emit("echo", number, ack=1)
                await client.ack(1)
                host, port = io.addresses[0]
                async with http.get(f"http://{host}:{port}/socket.io/?EIO=4&transport=polling") as answer:
                    assert answer.status == 200
            stats = io.stats()
            grown = [name for name in stats if isinstance(stats[name], int) and name not in now]
            assert len(grown) == 9
            assert all(stats[name] >= last[name] for name in grown)
            last = stats
        assert last["messages_in"] == 10
        assert last["sessions_total"] == 10
