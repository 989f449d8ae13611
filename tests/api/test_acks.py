"""Acknowledgements that the server asks for."""

import asyncio

import pytest

from fastsio import AckTimeout, Disconnected
from tests.wsclient import serving, wire


async def test_emit_with_a_function():
    got = []
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]

        async def coroutine(*args):
            got.append(("coroutine", *args))

        assert socket.emit("ask", 1, ack=lambda *args: got.append(args)) is True
        socket.emit("ask", 2, ack=coroutine)
        assert await client.next() == '420["ask",1]'
        assert await client.next() == '421["ask",2]'
        client.send('430["a",1]', '430["twice"]', "439[]", '431["b"]')
        await asyncio.sleep(0.05)
    assert got == [("a", 1), ("coroutine", "b")]


@pytest.mark.parametrize(("answer", "value"), [("[]", None), ("[1]", 1), ("[1,2]", (1, 2)), ("[[1,2]]", [1, 2])])
async def test_emit_with_ack(answer, value):
    async with serving() as io, wire(io, join=True) as client:
        waiting = asyncio.ensure_future(io.sockets.sockets[client.sid].emit_with_ack("ask"))
        assert await client.next() == '420["ask"]'
        client.send("430" + answer)
        assert await waiting == value


async def test_binary_answer():
    async with serving() as io, wire(io, join=True) as client:
        waiting = asyncio.ensure_future(io.sockets.sockets[client.sid].emit_with_ack("ask", b"question"))
        assert await client.next() == '451-0["ask",{"_placeholder":true,"num":0}]'
        assert await client.next() == b"question"
        client.send('461-0[{"_placeholder":true,"num":0}]', b"answer")
        assert await waiting == b"answer"


async def test_timeout():
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        with pytest.raises(AckTimeout):
            await socket.timeout(0.02).emit_with_ack("ask")
        got = []
        socket.timeout(0.02).emit("ask", ack=lambda *args: got.append(args))
        socket.timeout(5).emit("ask", ack=lambda *args: got.append(args))
        client.send('430["late"]', '432["in time"]')
        await asyncio.sleep(0.1)
        assert got[0] == (None, "in time")
        assert isinstance(got[1][0], AckTimeout)


async def test_disconnect_settles_what_is_pending():
    got = []
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        waiting = asyncio.ensure_future(socket.emit_with_ack("ask"))
        await asyncio.sleep(0)
        socket.emit("ask", ack=lambda *args: got.append("never"))
        socket.timeout(5).emit("ask", ack=lambda *args: got.append(args))
        socket.disconnect()
        with pytest.raises(Disconnected):
            await waiting
        with pytest.raises(Disconnected):
            await socket.emit_with_ack("ask")
    assert [type(error) for (error,) in got] == [Disconnected]


async def test_a_cancelled_wait_is_forgotten():
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        for _ in range(10_001):
            waiting = asyncio.ensure_future(socket.emit_with_ack("ask"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)


async def test_pending_acks_are_bounded():
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        for _ in range(10_000):
            socket.emit("ask", ack=print)
        with pytest.raises(RuntimeError, match="10000"):
            socket.emit("ask", ack=print)


async def test_awaitable_as_the_answer():
    """A lambda that joins a room answers as a function that does: when it is done, without an argument."""
    async with serving() as io:
        io.event("join")(lambda socket, room: socket.join(room))

        @io.event
        def later(socket):
            return asyncio.ensure_future(asyncio.sleep(0.01, "late"))

        async with wire(io, join=True) as client:
            client.emit("join", "room", ack=0)
            assert await client.ack(0) == []
            client.emit("later", ack=1)
            assert await client.ack(1) == ["late"]


FUNCTIONS = {
    "as many": lambda got: lambda a, b: got.append((a, b)),
    "fewer": lambda got: lambda a: got.append((a,)),
    "none": lambda got: lambda: got.append(()),
    "more": lambda got: lambda a, b, c: got.append((a, b, c)),
    "any": lambda got: lambda *args: got.append(args),
}
GIVEN = {"as many": (1, 2), "fewer": (1,), "none": (), "more": (1, 2, None), "any": (1, 2)}


@pytest.mark.parametrize("takes", FUNCTIONS)
async def test_functions_get_what_they_take_of_an_answer(takes, caplog):
    got = []
    async with serving() as io, wire(io, join=True) as client:
        io.sockets.sockets[client.sid].emit("question", ack=FUNCTIONS[takes](got))
        client.send((await client.next()).replace("42", "43").replace('"question"', "1,2"))
        await client.nothing()
    assert got == [GIVEN[takes]]
    assert caplog.records == []


async def test_functions_get_none_for_what_there_is_not():
    """After a timeout there is no answer; who takes one gets None, as `undefined` in JavaScript."""
    async with serving() as io, wire(io, join=True) as client:
        told = asyncio.get_running_loop().create_future()
        socket = io.sockets.sockets[client.sid]
        socket.timeout(0.01).emit("question", ack=lambda error, value: told.set_result((type(error), value)))
        assert await told == (AckTimeout, None)
