"""The driver itself: what a test may rely on when it uses `node`, with each generation of clients."""

import asyncio

import pytest

from tests.reference import node as node_module
from tests.reference.node import Calls

TRANSPORTS = ("websocket", "polling", None)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_connects(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport)
    assert client.connected
    assert client.peer.id == client.id
    assert client.peer.conn.protocol == (3 if version == 2 else 4)
    name = await client.eval("engine.transport.name")
    assert name == transport or transport is None


async def test_values_travel_both_ways(io, node, version):
    values = [1, "é", None, True, 1.5, {"a": [b"\x00\xff", {"b": b""}]}, []]
    client = await node.connect(io, version=version)
    client.peer.on("echo", lambda *args: args)
    assert await client.emit_with_ack("echo", *values) == values
    client.peer.emit("news", *values)
    assert await client.receive("news") == values


async def test_events_are_kept_in_order(io, node, version):
    client = await node.connect(io, version=version)
    for number in range(3):
        client.peer.emit("a", number)
        client.peer.emit("b", number)
    assert await client.collect("b") == [[0], [1], [2]]
    assert [await client.receive("a") for _ in range(3)] == [[0], [1], [2]]
    assert client.heard == [[name, number] for number in range(3) for name in ("a", "b")]


async def test_nothing_sees_what_came(io, node, version):
    client = await node.connect(io, version=version)
    await client.nothing("news")
    client.peer.emit("news", 1)
    with pytest.raises(AssertionError, match="'news' came"):
        await client.nothing("news")


async def test_receive_tells_what_came_instead(io, node, monkeypatch):
    client = await node.connect(io)
    client.peer.emit("news", 1)
    await client.settle()
    monkeypatch.setattr(node_module, "TIMEOUT", 0.01)
    with pytest.raises(pytest.fail.Exception, match=r"no event 'olds'.*'event news': \[\[1\]\]"):
        await client.receive("olds")


async def test_settle_waits_for_both_sides(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()
    client.peer.on("news", seen)
    await client.emit("news", 1)
    await client.settle()
    assert seen.all() == [(1,)]


async def test_settle_where_every_name_is_a_namespace(io, node, version):
    io.of(lambda name, auth: True)
    client = await node.connect(io, version=version)
    await client.settle()
    await client.settle()
    assert client.connected


async def test_answers(io, node, version):
    client = await node.connect(io, version=version)
    await client.answers("fixed", "a", b"b")
    await client.echoes("echo")
    assert await client.peer.emit_with_ack("fixed") == ("a", b"b")
    assert await client.peer.emit_with_ack("echo", 1) == 1
    asked = asyncio.ensure_future(client.peer.emit_with_ack("later", 2))
    assert await client.receive("later") == [2]
    assert not asked.done()
    await client.answer("later", 3)
    assert await asked == 3


async def test_disconnects(io, node, version):
    client = await node.connect(io, version=version)
    gone = Calls()
    client.peer.on("disconnect", gone)
    await client.disconnect()
    assert await client.closed() == "io client disconnect"
    assert (await gone.next())[0] == "client namespace disconnect"
    assert not client.connected


async def test_refused(io, node, version):
    client = await node.connect(io, "/unknown", version=version, wait=False)
    assert (await client.refused()).message == "Invalid namespace"


async def test_several_namespaces(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    assert chat.peer.client is main.peer.client


async def test_an_expression_that_fails(io, node):
    client = await node.connect(io)
    with pytest.raises(AssertionError, match="in the client: TypeError"):
        await client.eval("socket.nothing.there")
    assert await client.eval("args[0] + args[1]", 1, 2) == 3
