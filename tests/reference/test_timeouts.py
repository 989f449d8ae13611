"""Acknowledgements that do not come, or too late: `timeout` on either side, and what the end does to them."""

import asyncio
from inspect import isawaitable
from itertools import groupby

import pytest

from fastsio import AckTimeout, Disconnected
from tests.reference.node import Calls
from tests.wsclient import serving

SOON, LONG = 0.03, 60

# ---- the server asks ----


async def test_nobody_answers(client):
    seen = Calls()
    assert client.peer.timeout(SOON).emit("ask", 1, ack=seen) is True
    (error,) = await seen.next()
    assert isinstance(error, AckTimeout) and isinstance(error, TimeoutError)
    assert str(error) == "operation has timed out"
    assert error.responses == []
    with pytest.raises(AckTimeout, match="operation has timed out"):
        await client.peer.timeout(SOON).emit_with_ack("ask", 2)
    assert await client.collect("ask") == [[1], [2]]


@pytest.mark.parametrize("args", [[], [1], [1, b"2"], [None]])
async def test_answered_in_time(client, args):
    await client.echoes("ask")
    seen = Calls()
    client.peer.timeout(LONG).emit("ask", *args, ack=seen)
    assert await seen.next() == (None, *args)
    expected = args[0] if len(args) == 1 else tuple(args) or None
    assert await client.peer.timeout(LONG).emit_with_ack("ask", *args) == expected


async def test_a_coroutine_is_told(client):
    await client.echoes("answered")
    seen = Calls()

    async def told(error, *args):
        await asyncio.sleep(0)
        seen(type(error), *args)

    client.peer.timeout(LONG).emit("answered", 1, ack=told)
    assert await seen.next() == (type(None), 1)
    client.peer.timeout(SOON).emit("not answered", 1, ack=told)
    assert await seen.next() == (AckTimeout,)


async def test_no_time_at_all(client):
    """It is over before the client, which answers at once, can have answered; the answer is then dropped."""
    await client.echoes("ask")
    seen = Calls()
    client.peer.timeout(0).emit("ask", 42, ack=seen)
    (error,) = await seen.next()
    assert isinstance(error, AckTimeout)
    await client.receive("ask")
    await client.settle()
    assert seen.all() == []
    assert client.peer.connected


async def test_a_late_answer(client):
    seen = Calls()
    client.peer.timeout(SOON).emit("ask", ack=seen)
    await client.receive("ask")
    await seen.next()
    await client.answer("ask", "late")
    await client.settle()
    assert seen.all() == []
    await client.echoes("ask")
    assert await client.peer.timeout(LONG).emit_with_ack("ask", "next") == "next"


async def test_each_question_has_its_own_time(client):
    peer, seen = client.peer, Calls()
    peer.timeout(LONG).emit("ask", "long", ack=lambda error, value: seen(error, value))
    peer.timeout(SOON).emit("ask", "short", ack=lambda error: seen(type(error)))
    peer.emit("ask", "without", ack=seen)
    assert await seen.next() == (AckTimeout,)
    await client.settle()
    for answer in ("first", "second", "third"):
        await client.answer("ask", answer)
    assert [await seen.next(), await seen.next()] == [(None, "first"), ("third",)]
    assert seen.all() == []


async def test_the_time_is_that_of_one_emit(client):
    """`timeout` gives something of its own, which can be kept; the socket stays as it was."""
    peer, seen = client.peer, Calls()
    hurried = peer.timeout(SOON)
    peer.emit("ask", ack=seen)
    with pytest.raises(AckTimeout):
        await hurried.emit_with_ack("ask")
    with pytest.raises(AckTimeout):
        await hurried.emit_with_ack("ask")
    assert seen.all() == []
    await client.settle()
    await client.answer("ask", "no hurry")
    assert await seen.next() == ("no hurry",)


FLAGS = {
    "volatile": lambda socket: socket.timeout(SOON).volatile,
    "volatile before": lambda socket: socket.volatile.timeout(SOON),
    "compress": lambda socket: socket.timeout(SOON).compress(False),
    "compress before": lambda socket: socket.compress(True).timeout(SOON),
    "twice": lambda socket: socket.timeout(LONG).timeout(SOON),
}


async def test_beside_other_flags(client):
    for flags, make in FLAGS.items():
        await client.settle()
        with pytest.raises(AckTimeout):
            await make(client.peer).emit_with_ack("ask", flags)
        assert await client.receive("ask") == [flags]


async def test_without_an_acknowledgement(client):
    """Nothing to wait for: it is sent as without."""
    assert client.peer.timeout(0).emit("news", 1) is True
    assert client.peer.timeout(0).send(2) is True
    await client.settle()
    assert client.heard == [["news", 1], ["message", 2]]


async def test_volatile_and_dropped(client):
    """What was never sent is not answered."""
    peer = client.peer
    await client.eval("void engine.transport.ws._socket.pause()")
    while not peer.conn.buffered_amount:
        peer.emit("big", b"\x00" * 500_000)
        await asyncio.sleep(0)
    with pytest.raises(AckTimeout):
        await peer.volatile.timeout(SOON).emit_with_ack("ask", 1)
    await client.eval("void engine.transport.ws._socket.resume()")
    await client.echoes("ask")
    assert await peer.emit_with_ack("ask", 2) == 2
    assert [items for items in client.heard if items[0] == "ask"] == [["ask", 2]]


# ---- the end ----

ENDS = {
    "the client leaves": lambda client: client.disconnect(),
    "the client closes": lambda client: client.eval("void engine.close()"),
    "the wire is cut": lambda client: client.eval("void engine.transport.ws._socket.destroy()"),
    "sent away": lambda client: client.peer.disconnect(),
    "the connection is closed": lambda client: client.peer.disconnect(True),
    "the server closes": lambda client: client.server.close(),
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_end_before_the_answer(node, version, end):
    """Who waits is told, with and without a time; in the reference only the time ends it."""
    async with serving() as io:
        client = await node.connect(io, version=version)
        peer, seen, plain = client.peer, Calls(), Calls()
        waiting = [asyncio.ensure_future(asker.emit_with_ack("ask")) for asker in (peer, peer.timeout(LONG))]
        peer.timeout(LONG).emit("ask", ack=seen)
        peer.emit("ask", ack=plain)
        for _ in range(4):
            await client.receive("ask")
        if isawaitable(ending := ENDS[end](client)):
            await ending
        for one in waiting:
            with pytest.raises(Disconnected, match="disconnected"):
                await asyncio.wait_for(one, 3)
        (error,) = await seen.next()
        assert isinstance(error, Disconnected)
        assert plain.all() == [], "there is no error to tell it"


async def test_before_disconnect_is_told(client):
    """Whoever hears of the disconnect finds all questions settled."""
    peer, seen = client.peer, Calls()
    peer.on("disconnecting", lambda: seen("disconnecting"))
    peer.timeout(LONG).emit("ask", ack=lambda error: seen(type(error), peer.connected))
    peer.on("disconnect", lambda: seen("disconnect"))
    peer.disconnect()
    assert seen.all() == [("disconnecting",), (Disconnected, False), ("disconnect",)]


async def test_asked_after_the_end(client):
    """Awaited it fails at once; a function is called when the time is up, as in the reference, or never."""
    peer, seen, plain = client.peer, Calls(), Calls()
    peer.disconnect()
    for asker in (peer, peer.timeout(LONG), peer.volatile):
        with pytest.raises(Disconnected):
            await asker.emit_with_ack("ask")
    peer.timeout(SOON).emit("ask", ack=seen)
    peer.emit("ask", ack=plain)
    (error,) = await seen.next()
    assert isinstance(error, AckTimeout)
    await client.closed()
    assert (plain.all(), client.heard) == ([], [])


async def test_asked_again_when_it_is_over(client):
    """A listener that asks anew in its own failure gets no answer, and no end without end."""
    peer, seen = client.peer, Calls()

    def again(error):
        seen(type(error))
        peer.timeout(SOON).emit("ask", ack=lambda error: seen(type(error)))

    peer.timeout(LONG).emit("ask", ack=again)
    peer.disconnect()
    assert [await seen.next(), await seen.next()] == [(Disconnected,), (AckTimeout,)]


async def test_a_client_that_comes_back(io, node, version):
    """What its last socket was asked, the next one does not answer."""
    io.of("/chat")
    main = await node.connect(io, version=version)
    client = await main.join("/chat")
    waiting = asyncio.ensure_future(client.peer.emit_with_ack("ask", "old"))
    await client.receive("ask")
    await client.disconnect()
    with pytest.raises(Disconnected):
        await waiting
    await client.open()
    await client.joined()
    waiting = asyncio.ensure_future(client.peer.emit_with_ack("ask", "new"))
    await client.receive("ask")
    await client.answer("ask", "the old one's")
    await client.answer("ask", "the new one's")
    assert await waiting == "the new one's"


# ---- a client asks: clients have timeouts since 4.4, retries since 4.6 ----

TIMED_OUT = "operation has timed out"


async def asks(client, expression):
    """What the promise comes to: its value, or the message of its error."""
    return await client.eval(f"({expression}).catch((error) => error.message)")


async def test_a_client_is_answered_in_time(io, node):
    client = await node.connect(io)
    client.peer.on("ask", lambda *args: args)
    given = "new Promise((done) => socket.timeout(60_000).emit('ask', 1, 2, (...given) => done(given)))"
    assert await client.eval(given) == [None, 1, 2]
    assert await asks(client, "socket.timeout(60_000).emitWithAck('ask', Buffer.from('b'))") == b"b"


@pytest.mark.parametrize("listener", ["none", "fails", "keeps", "never returns"])
async def test_a_client_is_not_answered(io, node, listener):
    client, kept, gate = await node.connect(io), [], asyncio.Event()

    async def wait():
        await gate.wait()
        return "late"

    listeners = {"fails": lambda: 1 / 0, "keeps": lambda ack: kept.append(ack), "never returns": wait}
    if listener in listeners:
        client.peer.on("ask", listeners[listener])
    assert await asks(client, "socket.timeout(30).emitWithAck('ask')") == TIMED_OUT
    given = "new Promise((done) => socket.timeout(30).emit('ask', (error, ...rest) => done([error.message, rest])))"
    assert await client.eval(given) == [TIMED_OUT, []]
    for ack in kept:
        ack("late")
    gate.set()
    client.peer.on("next", lambda: "answered")
    assert await asks(client, "socket.timeout(60_000).emitWithAck('next')") == "answered"


async def test_a_client_leaves_before_it_is_answered(io, node):
    client = await node.connect(io)
    client.peer.on("ask", lambda ack: client.peer.disconnect())
    assert await asks(client, "socket.timeout(60_000).emitWithAck('ask')") == "socket has been disconnected"


async def test_ack_timeout_of_a_client(io, node):
    io.event("ask")(lambda socket: "answered")
    hasty, patient = await node.connect(io, ack_timeout=30), await node.connect(io, ack_timeout=60_000)
    assert await asks(hasty, "socket.emitWithAck('unknown')") == TIMED_OUT
    assert await asks(patient, "socket.emitWithAck('ask')") == "answered"


async def test_retries_of_a_client(io, node):
    """Each event is sent again until it is acknowledged, and the next one waits for that."""
    seen = []

    @io.event
    def news(socket, number, ack):
        seen.append(number)
        if seen.count(number) >= 3:
            ack()

    io.event("end")(lambda socket: seen.append("end"))
    client = await node.connect(io, ack_timeout=100, retries=20)
    await client.eval("void [0, 1].map((number) => socket.emit('news', number))")
    await client.emit_with_ack("end")
    assert [item for item, _ in groupby(seen)] == [0, 1, "end"]
    assert min(seen.count(number) for number in (0, 1)) >= 3


async def test_retries_that_are_used_up(io, node):
    client, seen = await node.connect(io, ack_timeout=10, retries=2), Calls()
    client.peer.on("news", lambda number, ack: seen(number))
    client.peer.on("end", lambda: seen("end"))
    given = "new Promise((done) => socket.emit('news', 1, (error) => done(error.message)))"
    assert await client.eval(given) == TIMED_OUT
    await client.emit("end")
    assert [await seen.next() for _ in range(4)] == [(1,), (1,), (1,), ("end",)]
