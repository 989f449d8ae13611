"""What is there for all events of a socket: listeners both ways, and middlewares."""

import asyncio

import pytest

from fastsio import ConnectError
from tests.reference.node import Calls, until
from tests.wsclient import serving

# ---- in ----


async def test_every_event(client):
    seen = Calls()
    client.peer.on_any(seen)
    for name in ("a", "", 7, "nobody listens"):
        await client.emit(name, 1, [b"\x00\xff"], {"b": b""})
    await client.emit("b")
    await client.settle()
    assert seen.all() == [*((name, 1, [b"\x00\xff"], {"b": b""}) for name in ("a", "", 7, "nobody listens")), ("b",)]


async def test_before_those_of_the_event(io, client):
    seen = Calls()
    io.event("news")(lambda socket: seen("namespace"))
    client.peer.on("news", lambda: seen("news"))
    client.peer.on_any(lambda event: seen("any"))
    client.peer.prepend_any(lambda event: seen("second"))
    client.peer.prepend_any(lambda event: seen("first"))
    await client.emit("news")
    await client.settle()
    assert [name for (name,) in seen.all()] == ["first", "second", "any", "news", "namespace"]


async def test_what_was_sent_before_the_client_was_in(io, node, version):
    seen = Calls()
    io.on("connection", lambda socket: socket.on_any(seen))
    client = await node.connect(io, version=version, auto_connect=False, wait=False)
    await client.emit("early", "123")
    await client.open()
    assert await seen.next() == ("early", "123")


async def test_registered_in_a_middleware(io, node, version):
    incoming, outgoing = Calls(), Calls()

    @io.use
    def watch(socket):
        socket.on_any(incoming)
        socket.on_any_outgoing(outgoing)
        socket.emit("welcome")

    client = await node.connect(io, version=version)
    await client.emit("hello")
    io.emit("news", 1)
    await client.receive("news")
    assert await incoming.next() == ("hello",)
    assert outgoing.all() == [("welcome",), ("news", 1)]


async def test_an_acknowledgement_is_no_argument(client):
    """The reference hands the callback to catch-all listeners as well."""
    seen = Calls()
    client.peer.on_any(seen)
    client.peer.on("ask", lambda value: value)
    assert await client.emit_with_ack("ask", 1) == [1]
    assert seen.all() == [("ask", 1)]


async def test_not_our_own_events_nor_answers(client):
    seen, peer = Calls(), client.peer
    peer.on_any(seen)
    await client.echoes("ask")
    assert await peer.emit_with_ack("ask", 1) == 1
    await client.disconnect()
    await until(lambda: peer.disconnected)
    assert seen.all() == []


async def test_coroutines(client):
    seen, gate = Calls(), asyncio.Event()

    @client.peer.on_any
    async def later(event, number):
        await gate.wait()
        seen("any", number)

    client.peer.on("news", lambda number: seen("news", number))
    await client.emit("news", 1)
    await client.emit("news", 2)
    await client.settle()
    assert seen.all() == [("news", 1), ("news", 2)]
    gate.set()
    assert [await seen.next(), await seen.next()] == [("any", 1), ("any", 2)]


async def test_taking_them_away(client):
    peer, first, second = client.peer, Calls(), Calls()
    assert peer.listeners_any() == []
    assert peer.off_any(first) is peer.off_any() is peer
    assert peer.on_any(first) is first
    peer.on_any(second)
    peer.on_any(first)
    assert peer.listeners_any() == [first, second, first]
    peer.off_any(first)
    assert peer.listeners_any() == [second, first]
    await client.emit("news", 1)
    await client.settle()
    assert (first.all(), second.all()) == ([("news", 1)], [("news", 1)])
    peer.off_any()
    await client.emit("news", 2)
    await client.settle()
    assert (first.all(), second.all()) == ([], [])


async def test_one_that_takes_itself_away(client):
    peer, seen = client.peer, Calls()

    @peer.on_any
    def first(event):
        seen("first")
        peer.off_any(first)

    peer.on_any(lambda event: seen("second"))
    await client.emit("news")
    await client.emit("news")
    await client.settle()
    assert [name for (name,) in seen.all()] == ["first", "second", "second"]


async def test_they_are_of_one_socket(io, node, version):
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    incoming, outgoing = Calls(), Calls()
    first.peer.on_any(incoming)
    first.peer.on_any_outgoing(outgoing)
    await second.emit("news")
    second.peer.emit("news")
    first.peer.broadcast.emit("news")
    await second.settle()
    assert (incoming.all(), outgoing.all()) == ([], [])


# ---- out ----


async def test_every_event_that_is_sent(client, io):
    seen, peer = Calls(), client.peer
    peer.join(["a", "b"])
    peer.on_any_outgoing(seen)
    peer.emit("emit", 1, [b"\x00"])
    peer.send("send")
    peer.volatile.emit("volatile")
    peer.compress(False).emit("compress")
    peer.emit("ack", 1, ack=print)
    peer.timeout(1).emit("timeout", 1, ack=print)
    io.emit("all", {"b": b"\xff"})
    io.send("all")
    io.to(["a", "b"]).to(peer.id).emit("once, in three rooms")
    io.except_("c").emit("except")
    sent = [
        ("emit", 1, [b"\x00"]),
        ("message", "send"),
        ("volatile",),
        ("compress",),
        ("ack", 1),
        ("timeout", 1),
        ("all", {"b": b"\xff"}),
        ("message", "all"),
        ("once, in three rooms",),
        ("except",),
    ]
    assert seen.all() == sent, "before emit returns"
    await client.settle()
    assert [tuple(items) for items in client.heard] == sent


async def test_what_does_not_go_to_it(io, node, version):
    client, other = [await node.connect(io, version=version) for _ in range(2)]
    seen, peer = Calls(), client.peer
    peer.on_any_outgoing(seen)
    other.peer.join("room")
    io.to("room").emit("room")
    io.except_(client.id).emit("except")
    peer.broadcast.emit("from it")
    peer.to("room").emit("from it")
    other.peer.emit("other")
    other.peer.broadcast.emit("to it")
    assert seen.all() == [("to it",)]


async def test_not_answers_nor_our_own_packets(client):
    seen, peer = Calls(), client.peer
    peer.on_any_outgoing(seen)
    peer.on("ask", lambda value: value)
    peer.on("ask in vain", lambda ack: ack(b"binary"))
    assert await client.emit_with_ack("ask", 1) == [1]
    assert await client.emit_with_ack("ask in vain") == [b"binary"]
    peer.disconnect()
    await client.closed()
    assert seen.all() == []


async def test_questions_to_many(client, io):
    seen = Calls()
    client.peer.on_any_outgoing(seen)
    await client.echoes("ask")
    assert await client.peer.emit_with_ack("ask", 1) == 1
    assert await io.timeout(3).emit_with_ack("ask", b"2") == [b"2"]
    assert seen.all() == [("ask", 1), ("ask", b"2")]


async def test_nothing_is_sent_once_it_is_gone(client, io):
    seen, peer = Calls(), client.peer
    peer.on_any_outgoing(seen)
    peer.emit("before")
    peer.disconnect()
    await client.closed()
    peer.emit("after")
    io.emit("after")
    io.to(peer.id).emit("after")
    assert seen.all() == [("before",)]


async def test_order_of_those_for_what_is_sent(client, io):
    seen, peer = Calls(), client.peer
    peer.on_any_outgoing(lambda event: seen("any", event))
    peer.prepend_any_outgoing(lambda event: seen("second", event))
    peer.prepend_any_outgoing(lambda event: seen("first", event))
    peer.emit("a")
    io.emit("b")
    assert seen.all() == [(name, event) for event in "ab" for name in ("first", "second", "any")]


async def test_taking_those_for_what_is_sent_away(client, io):
    peer, first, second = client.peer, Calls(), Calls()
    assert peer.listeners_any_outgoing() == []
    assert peer.on_any_outgoing(first) is first
    assert peer.prepend_any_outgoing(second) is second
    assert peer.listeners_any_outgoing() == [second, first]
    assert peer.off_any_outgoing(second) is peer
    peer.emit("a")
    io.emit("b")
    assert (first.all(), second.all()) == ([("a",), ("b",)], [])
    assert peer.off_any_outgoing().listeners_any_outgoing() == []
    io.emit("c")
    assert await client.collect("c") == [[]]
    assert first.all() == []


async def test_one_that_emits(client):
    """What it emits is told too: whoever does it for every event has an endless loop, as in the reference."""
    seen, peer = Calls(), client.peer

    @peer.on_any_outgoing
    def copy(event, *args):
        seen(event, *args)
        if event != "copy":
            peer.emit("copy", event, *args)

    peer.emit("news", 1)
    await client.settle()
    assert seen.all() == [("news", 1), ("copy", "news", 1)]
    assert client.heard == [["copy", "news", 1], ["news", 1]]


async def test_with_recovery(node, newer):
    """The offset that a 4.6 client gets behind the arguments is not the listeners' business."""
    async with serving(connection_state_recovery=True) as io:
        client = await node.connect(io, version=newer)
        seen = Calls()
        client.peer.on_any_outgoing(seen)
        client.peer.emit("a", 1)
        io.emit("b", b"2")
        assert seen.all() == [("a", 1), ("b", b"2")]
        assert (await client.receive("a"))[0] == 1
        assert (await client.receive("b"))[0] == b"2"


# ---- middlewares ----


async def test_middlewares_in_order(client):
    """They may change the packet in place, its name too; catch-all listeners come before them."""
    seen, peer = Calls(), client.peer
    peer.on_any(lambda *packet: seen("any", *packet))

    @peer.use
    def shout(packet):
        packet[1:] = [text.upper() for text in packet[1:]]

    @peer.use
    async def rename(packet):
        await asyncio.sleep(0)
        packet[0] = "renamed"

    peer.on("news", lambda: seen("never"))
    peer.on("renamed", lambda *args: seen("renamed", *args) or "answer")
    assert await client.emit_with_ack("news", "a", "b") == ["answer"]
    assert seen.all() == [("any", "news", "a", "b"), ("renamed", "A", "B")]


@pytest.mark.parametrize("late", [False, True])
async def test_a_middleware_that_stops_an_event(client, late):
    seen, errors, peer = Calls(), Calls(), client.peer
    error = ConnectError("stopped", data={"code": 1})

    def stop(packet):
        if packet[0] == "bad":
            raise error

    async def stop_later(packet):
        stop(packet)

    peer.use(stop_later if late else stop)
    peer.use(lambda packet: seen("next", packet[0]))
    peer.on("error", errors).on("bad", seen).on("good", seen)
    await client.emit("bad", 1)
    await client.emit("good", 2)
    assert [await seen.next(), await seen.next()] == [("next", "good"), (2,)]
    assert errors.all() == [(error,)]
    assert seen.all() == []
    assert peer.connected


async def test_what_a_stopped_client_is_told(client, version):
    """One of 2.x gets an error packet, the others nothing: what it would mean to them is a refused connection."""

    @client.peer.use
    def stop(packet):
        raise ConnectError("stopped", data={"code": 1})

    client.peer.on("error", lambda error: None)
    await client.eval("void socket.on('connect_error', () => (io.refused = true))")
    await client.emit("bad")
    if version == 2:
        assert (await client.refused()).data == {"code": 1}
    await client.settle()
    assert await client.eval("io.refused ?? false") is False
    assert client.connected and client.peer.connected


async def test_middlewares_are_not_asked_about_answers(client):
    seen = Calls()
    client.peer.use(seen)
    await client.echoes("ask")
    assert await client.peer.emit_with_ack("ask", 1) == 1
    client.peer.emit("news")
    await client.settle()
    assert seen.all() == []


async def test_the_socket_leaves_while_a_middleware_ponders(client):
    gate, seen, peer = asyncio.Event(), Calls(), client.peer

    @peer.use
    async def ponder(packet):
        await gate.wait()
        seen("middleware")

    peer.on("news", seen)
    await client.emit("news", 1)
    await client.disconnect()
    await until(lambda: peer.disconnected)
    gate.set()
    assert await seen.next() == ("middleware",)
    assert seen.all() == []
