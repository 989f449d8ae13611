"""How a socket ends: from which side, for which reason, and what still goes through before and after."""

import asyncio
import re

import pytest

from tests.reference.node import Calls, until
from tests.wsclient import serving

TRANSPORTS = ("websocket", "polling")


def ending(client):
    """What the `disconnect` listener of the client's socket is called with."""
    seen = Calls()
    client.peer.on("disconnect", seen)
    return seen


# ---- reasons ----

WAYS = {
    "the client leaves": ("socket.disconnect()", "client namespace disconnect", {"io client disconnect"}),
    "the client closes": ("engine.close()", "transport close", {"forced close"}),
    "the wire is cut": ("engine.transport.ws._socket.destroy()", "transport close", {"transport close"}),
}


@pytest.mark.parametrize("way", WAYS)
async def test_reasons_on_both_sides(client, way):
    expression, here, there = WAYS[way]
    seen = ending(client)
    await client.eval(f"void {expression}")
    assert (await seen.next())[0] == here
    assert await client.closed() in there


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("close", [False, True])
async def test_sent_away(io, node, version, transport, close):
    """A client whose last namespace it was closes the connection by itself."""
    client = await node.connect(io, version=version, transport=transport)
    seen, peer = ending(client), client.peer
    assert peer.disconnect(close) is peer
    assert seen.all() == [("server namespace disconnect", None)]
    assert (peer.conn.ready_state == "open") is not close
    assert await client.closed() == "io server disconnect"
    await until(lambda: io.engine.clients_count == 0)


async def test_sent_away_by_the_connection_listener(io, node, version):
    seen = Calls()

    @io.on("connection")
    def connected(socket):
        socket.on("disconnect", seen)
        socket.emit("bye")
        socket.disconnect()
        socket.emit("too late")

    client = await node.connect(io, version=version)
    assert await client.closed() == "io server disconnect"
    assert client.heard == [["bye"]]
    assert seen.all() == [("server namespace disconnect", None)]


async def test_all_namespaces_are_left_when_one_closes_the_connection(io, node, version):
    seen = Calls()
    for name in ("/", "/foo", "/bar"):
        io.of(name).event("disconnect")(lambda socket, reason: seen(socket.nsp.name, reason))
    main = await node.connect(io, version=version)
    foo = await main.join("/foo")
    io.of("/bar").on("connection", lambda socket: socket.disconnect(True))
    bar = await main.join("/bar", wait=False)
    assert {await client.closed() for client in (main, foo, bar)} <= {"io server disconnect", "transport close"}
    assert sorted(seen.all()) == [(name, "server namespace disconnect") for name in ("/", "/bar", "/foo")]
    await until(lambda: io.engine.clients_count == 0)


async def test_the_server_closes(node, version):
    """ "server shutting down" here; a client takes it for a broken connection, and comes back."""
    async with serving() as io:
        client = await node.connect(io, version=version)
        seen = ending(client)
        await io.close()
        assert await seen.next() == ("server shutting down", None)
        assert await client.closed() == "transport close"


async def test_listeners_take_what_they_want(client):
    peer, seen = client.peer, Calls()
    peer.on("disconnect", lambda: seen(0))
    peer.on("disconnect", lambda reason: seen(1, reason))
    peer.on("disconnect", lambda reason, description: seen(2, reason, description))

    @peer.on("disconnecting")
    async def leaving(*args):
        seen("disconnecting", *args)

    await client.disconnect()
    reason = "client namespace disconnect"
    told = [await seen.next() for _ in range(4)]
    assert sorted(told, key=str) == [("disconnecting", reason, None), (0,), (1, reason), (2, reason, None)]


@pytest.mark.parametrize("close", [False, True])
async def test_disconnecting_in_the_listeners_of_the_end(client, close):
    """Whoever began it: all is told once, with the first reason. In the reference `disconnecting` calls itself then."""
    peer, seen = client.peer, Calls()
    for event in ("disconnecting", "disconnect"):
        peer.on(event, lambda reason, description, event=event: seen(event, reason))
        peer.on(event, lambda: peer.disconnect(close))
    await client.disconnect()
    await until(lambda: peer.disconnected)
    assert peer.disconnect() is peer.disconnect(True) is peer
    reason = "client namespace disconnect"
    assert seen.all() == [("disconnecting", reason), ("disconnect", reason)]
    await until(lambda: peer.conn.ready_state == "closed")


async def test_disconnecting_in_the_listeners_of_ones_own_disconnect(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    peer, seen = chat.peer, ending(chat)
    peer.on("disconnecting", lambda: peer.disconnect())
    peer.disconnect()
    assert await chat.closed() == "io server disconnect"
    assert seen.all() == [("server namespace disconnect", None)]
    await main.settle()
    assert main.peer.connected


# ---- before the end ----


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_was_sent_before_arrives(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport)
    for number in range(50):
        client.peer.emit("news", number, b"binary")
    client.peer.disconnect(close=True)
    assert await client.closed() == "io server disconnect"
    assert client.heard == [["news", number, b"binary"] for number in range(50)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_a_client_sent_before_it_left_arrives(io, node, version, transport):
    """The reference may drop it: it hands an event on one turn later, and not to a socket that has left by then."""
    client = await node.connect(io, version=version, transport=transport)
    seen = Calls()
    client.peer.on("news", seen)
    client.peer.on("disconnect", lambda: seen("gone"))
    await client.eval("void (socket.emit('news', 1), socket.emit('news', Buffer.from('2')), socket.disconnect())")
    assert [await seen.next() for _ in range(3)] == [(1,), (b"2",), ("gone",)]


async def test_events_behind_the_one_that_ended_it(io, node, version):
    """They were under way: nobody gets them, and the connection stays for its other namespaces."""
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    peer, seen = chat.peer, Calls()
    peer.on("leave", lambda: peer.disconnect())
    peer.on("news", seen)
    await chat.eval("void ['leave', 'news', 'news'].forEach((name) => socket.emit(name, Buffer.from('x')))")
    assert await chat.closed() == "io server disconnect"
    await main.settle()
    assert seen.all() == []
    assert main.connected and main.peer.connected


async def test_other_listeners_of_the_event_that_ended_it(client):
    """They are called all the same, as in the reference."""
    peer, seen = client.peer, Calls()
    peer.on("leave", lambda: peer.disconnect())
    peer.on("leave", lambda: seen(peer.connected))
    await client.emit("leave")
    assert await client.closed() == "io server disconnect"
    assert seen.all() == [(False,)]


# ---- after the end ----


async def test_what_is_sent_afterwards_goes_nowhere(io, node, version):
    chat = io.of("/chat")
    main = await node.connect(io, version=version)
    client = await main.join("/chat")
    peer, asked = client.peer, Calls()
    peer.on("disconnecting", lambda: peer.emit("while it leaves"))
    peer.on("disconnect", lambda: peer.emit("gone"))
    await client.disconnect()
    await until(lambda: peer.disconnected)
    assert peer.emit("late", b"binary") is True
    assert peer.send("late") is True
    assert peer.volatile.emit("late") is True
    assert peer.compress(False).emit("late", ack=asked) is True
    chat.to(peer.id).emit("late")
    await main.settle()
    await client.open()
    await client.joined()
    await client.settle()
    assert client.heard == []
    assert asked.all() == []


async def test_broadcasts_of_one_that_is_gone_reach_the_others(io, node, version):
    leaver, stayer = [await node.connect(io, version=version) for _ in range(2)]
    peer = leaver.peer
    await leaver.disconnect()
    await until(lambda: peer.disconnected)
    peer.broadcast.emit("news", 1)
    peer.to(stayer.id).emit("news", 2)
    assert await stayer.collect("news") == [[1], [2]]


async def test_a_coroutine_that_outlives_its_socket(io, node, version):
    """Its answer is not for the client's next socket."""
    gate, seen = asyncio.Event(), Calls()

    @io.of("/chat").event
    async def work(socket):
        await gate.wait()
        seen(socket.connected, socket.emit("done"))
        return "an answer for nobody"

    main = await node.connect(io, version=version)
    client = await main.join("/chat")
    await client.eval("void socket.emit('work', () => (io.answered = true))")
    await client.settle()
    await client.disconnect()
    await client.open()
    await client.joined()
    gate.set()
    assert await seen.next() == (False, True)
    await client.settle()
    assert await client.eval("io.answered ?? false") is False
    assert client.heard == []


# ---- coming back ----


async def test_what_a_client_sends_while_it_is_away(io, node, version):
    seen = Calls()
    io.event("news")(lambda socket, value: seen(socket.id, value))
    client = await node.connect(io, version=version, reconnection=True)
    first = client.id
    await client.eval("void engine.close()")
    await client.closed()
    await client.emit("news", b"while away")
    await client.joined()
    await client.emit("news", "back")
    assert [await seen.next(), await seen.next()] == [(client.id, b"while away"), (client.id, "back")]
    assert client.id != first


async def test_a_client_that_gives_up(node, version):
    async with serving() as io:
        client = await node.connect(io, version=version, reconnection=True, reconnection_attempts=3)
        await client.eval("void io.on('reconnect_failed', () => (io.failures = (io.failures ?? 0) + 1))")
        await client.eval("void io.on('reconnect_error', () => (io.errors = (io.errors ?? 0) + 1))")
        await io.close()
        await client.closed()
    async with asyncio.timeout(3):
        while not await client.eval("io.failures ?? 0"):
            await asyncio.sleep(0.01)
    assert await client.eval("[io.failures, io.errors]") == [1, 3]


# ---- what makes no sense ----

SENSELESS = {
    "5woooot": "attachments",
    "5": "attachments",
    "51-": "array",
    "5999999-[1]": "attachments",
    "9": "unknown packet type",
    "": "empty",
    "woot": "unknown packet type",
    "2": "array",
    '2{"event":1}': "array",
    '2["news"': "not valid JSON",
    "2[]": "name",
    "2[{}]": "name",
    '2["disconnect"]': "name",
    "3": "array",
    "0": "joined already",
    "1{}": "no payload",
    '44["handle me please"]': "CONNECT_ERROR",
}


@pytest.mark.parametrize("packet", SENSELESS)
async def test_a_packet_that_makes_no_sense(io, node, newer, packet, caplog):
    """It ends this connection alone, and is told as the description. The reference tells its `error` listeners instead,
    and takes no offence at an event or an answer without a payload."""
    client, other = [await node.connect(io, version=newer) for _ in range(2)]
    seen, errors = ending(client), Calls()
    client.peer.on("error", errors)
    await client.eval("void engine.write(args[0])", packet)
    reason, description = await seen.next()
    assert reason in ("forced close", "forced server close")
    assert re.search(SENSELESS[packet], description)
    assert await client.closed() == "transport close"
    assert errors.all() == []
    await other.settle()
    assert other.peer.connected
    assert not any(record.exc_info for record in caplog.records)


async def test_binary_that_nothing_announced(io, node, newer):
    client = await node.connect(io, version=newer)
    seen = ending(client)
    await client.eval("void engine.write(Buffer.from('raw'))")
    assert await seen.next() == ("forced close", "a binary message while none is due")
    assert await client.closed() == "transport close"


async def test_text_where_binary_is_due(io, node, newer):
    client = await node.connect(io, version=newer)
    seen, heard = ending(client), Calls()
    client.peer.on("news", heard)
    await client.eval(
        'void [\'51-["news",{"_placeholder":true,"num":0}]\', \'2["news"]\'].map((text) => engine.write(text))'
    )
    assert await seen.next() == ("forced close", "a text message while attachments are due")
    assert heard.all() == []
