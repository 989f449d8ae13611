"""Connection state recovery, as clients of 4.x do their part of it: what they get back, what not, and when not at all."""

import time

import pytest

from fastsio import ConnectError
from fastsio.adapter import Adapter, recovery
from tests.reference.node import Calls, until
from tests.wsclient import serving

EACH_TRANSPORT = pytest.mark.parametrize("transport", ["websocket", "polling"])


@pytest.fixture
async def io():
    async with serving(connection_state_recovery=True) as server:
        yield server


async def lose(client):
    """The connection breaks, and both sides know."""
    gone = Calls()
    client.peer.conn.on("close", gone)
    await client.eval("void engine.close()")
    await gone.next()
    await client.closed()


async def back(client):
    """The client is in its namespace again; whether it is recovered, on which both sides agree."""
    await client.open()
    await client.joined()
    assert bool(client.recovered) is client.peer.recovered
    return client.peer.recovered


def without_offset(args):
    return args[:-1]


# ---- what comes back ----


@EACH_TRANSPORT
async def test_the_socket(io, node, transport):
    came = Calls()
    io.on("connection", lambda socket: came(socket.recovered, socket.rooms))
    client = await node.connect(io, transport=transport)
    first, id = client.peer, client.id
    first.join(["a", "b"])
    first.data["name"] = "Ada"
    await lose(client)
    assert first.rooms == set() and io.sockets.sockets == {}
    assert await back(client) is True
    assert client.id == id and client.peer is not first
    assert client.peer.data == {"name": "Ada"}
    assert came.all() == [(False, {id}), (True, {id, "a", "b"})]


@EACH_TRANSPORT
async def test_what_was_missed(io, node, transport):
    client = await node.connect(io, transport=transport)
    peer = client.peer
    peer.join("room")
    io.emit("news", 0)
    await client.receive("news")
    await lose(client)
    io.emit("news", 1)
    io.to("room").emit("news", 2, b"binary")
    io.in_(["room", "other"]).except_("other").emit("news", {"a": [3]})
    io.to(client.id).emit("news", "four")
    assert await back(client) is True
    io.emit("news", 5)
    came = [without_offset(args) for args in await client.collect("news")]
    assert came == [[1], [2, b"binary"], [{"a": [3]}], ["four"], [5]]


async def test_what_is_not_for_it(io, node):
    client, other = await node.connect(io), await node.connect(io)
    client.peer.join(["mine", "left"])
    client.peer.leave("left")
    io.emit("news", "received")
    await client.receive("news")
    await lose(client)
    io.to("elsewhere").emit("news", "another room")
    io.to("left").emit("news", "left")
    io.except_("mine").emit("news", "without mine")
    io.to(other.id).emit("news", "the other's")
    io.volatile.emit("news", "volatile")
    io.of("/chat").emit("news", "another namespace")
    await other.answers("news", 1)
    assert await io.timeout(5).emit_with_ack("news", "with an acknowledgement") == [1]
    io.to("mine").emit("news", "mine")
    assert await back(client) is True
    assert [args[0] for args in await client.collect("news")] == ["mine"]


async def test_before_any_event(io, node):
    """There is no offset then. All of the session was missed."""
    client = await node.connect(io)
    client.peer.join("room")
    await lose(client)
    io.to("room").emit("news", 1)
    assert await back(client) is True
    assert [without_offset(args) for args in await client.collect("news")] == [[1]]


async def test_again_and_again(io, node):
    client = await node.connect(io)
    id = client.id
    for number in range(5):
        io.emit("news", 2 * number)
        await client.settle()
        await lose(client)
        io.emit("news", 2 * number + 1)
        assert await back(client) is True
    assert client.id == id
    assert [args[0] for args in await client.collect("news")] == list(range(10))


async def test_two_namespaces_of_one_connection(io, node):
    io.of("/chat")
    main = await node.connect(io)
    chat = await main.join("/chat")
    ids = main.id, chat.id
    chat.peer.join("room")
    await lose(main)
    io.emit("news", "main")
    io.of("/chat").to("room").emit("news", "chat")
    assert await back(main) is True
    assert await back(chat) is True
    assert (main.id, chat.id) == ids
    assert [args[0] for args in await main.collect("news")] == ["main"]
    assert [args[0] for args in await chat.collect("news")] == ["chat"]


async def test_an_acknowledgement_over_the_new_connection(io, node):
    client = await node.connect(io)
    await lose(client)
    assert await back(client) is True
    client.peer.on("double", lambda value: 2 * value)
    await client.answers("question", 1)
    assert await client.emit_with_ack("double", 2) == [4]
    assert await client.peer.emit_with_ack("question") == 1


async def test_a_second_connection_takes_the_session_over(io, node):
    """While the first is open still, as after a change of networks."""
    first = await node.connect(io)
    id, pid, gone = first.id, await first.eval("socket._pid"), Calls()
    first.peer.on("disconnect", gone)
    second = await node.connect(io, auto_connect=False, wait=False)
    await second.eval("void (socket._pid = args[0])", pid)
    assert await back(second) is True
    assert second.id == id and list(io.sockets.sockets) == [id]
    assert (await gone.next())[0] == "forced close"
    assert await first.closed() == "transport close"


# ---- when there is nothing to recover ----


async def test_one_that_left(io, node):
    client = await node.connect(io)
    id, peer = client.id, client.peer
    peer.join("room")
    await client.disconnect()
    await until(lambda: not peer.connected)
    assert await back(client) is False
    assert client.id != id and client.peer.rooms == {client.id}


@pytest.mark.parametrize("close", [False, True])
async def test_one_that_was_sent_away(io, node, close):
    client = await node.connect(io)
    id = client.id
    client.peer.disconnect(close)
    await client.closed()
    assert await back(client) is False
    assert client.id != id


async def test_too_long_away(io, node, monkeypatch):
    client = await node.connect(io)
    await lose(client)
    now = time.monotonic()
    monkeypatch.setattr(recovery, "monotonic", lambda: now + 121)
    io.emit("missed")
    assert await back(client) is False
    await client.nothing("missed")


async def test_somebody_elses_session(io, node):
    client = await node.connect(io)
    await lose(client)
    await client.eval("void (socket._pid = args[0])", client.id)  # the id, which others may know, is no key
    assert await back(client) is False


async def test_an_offset_of_another_server(io, node):
    client = await node.connect(io)
    await lose(client)
    await client.eval("void (socket._lastOffset = 'other-1')")
    assert await back(client) is False


# ---- middlewares ----


@pytest.mark.parametrize("skip", [True, False])
async def test_middlewares(node, skip):
    async with serving(connection_state_recovery={"skip_middlewares": skip}) as io:
        asked = Calls()
        io.use(lambda socket: asked(socket.recovered))
        client = await node.connect(io)
        await lose(client)
        io.emit("news", 1)
        assert await back(client) is True
        assert asked.all() == ([(False,)] if skip else [(False,), (True,)])
        assert [args[0] for args in await client.collect("news")] == [1]


async def test_a_middleware_refuses_what_was_recovered(node):
    async with serving(connection_state_recovery={"skip_middlewares": False}) as io:
        client = await node.connect(io)
        await lose(client)
        io.emit("news", 1)

        @io.use
        def refuse(socket):
            raise ConnectError("banned meanwhile")

        await client.open()
        assert (await client.refused()).message == "banned meanwhile"
        assert io.sockets.sockets == {} and client.heard == []


# ---- off, and older clients ----


async def test_off_by_default(node):
    async with serving() as io:
        client = await node.connect(io)
        id = client.id
        assert await client.eval("socket._pid ?? null") is None
        io.emit("news", 1)
        assert await client.receive("news") == [1]
        await lose(client)
        io.emit("missed")
        assert await back(client) is False
        assert client.id != id
        await client.nothing("missed")


class NotAsked(Adapter):
    def persist_session(self, session):
        self.asked = session

    restore_session = persist_session


async def test_the_adapter_is_not_asked_when_it_is_off(node):
    async with serving(adapter=NotAsked) as io:
        client = await node.connect(io)
        await lose(client)
        await client.eval("void (socket._pid = 'somebody')")
        assert await back(client) is False
        assert not hasattr(io.sockets.adapter, "asked")


async def test_a_client_of_3x_begins_anew(io, node):
    """It does not ask. It gets the offset as one argument more, as from the reference."""
    client = await node.connect(io, version=3)
    id = client.id
    io.emit("news", 1)
    assert (await client.receive("news"))[0] == 1
    await lose(client)
    io.emit("missed")
    await client.open()
    await client.joined()
    assert client.id != id and not client.peer.recovered
    await client.nothing("missed")
