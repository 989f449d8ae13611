"""Emitting belongs to the thread of the event loop; elsewhere it raises and says what to do instead."""

import asyncio
import threading

import pytest

from tests.wsclient import serving, wire

MESSAGE = r"^emitted from another thread than the event loop's: use io\.threadsafe\.emit\(\.\.\.\), or threadsafe of its target$"

CALLS = {
    "io.emit": lambda io, socket: io.emit("n", 1),
    "io.send": lambda io, socket: io.send(1),
    "to a room": lambda io, socket: io.to("room").emit("n", 1),
    "to nobody": lambda io, socket: io.to("nobody").emit("n", 1),
    "volatile": lambda io, socket: io.volatile.emit("n", 1),
    "a namespace": lambda io, socket: io.of("/chat").emit("n", 1),
    "socket.emit": lambda io, socket: socket.emit("n", 1),
    "socket.send": lambda io, socket: socket.send(1),
    "with an acknowledgement": lambda io, socket: socket.emit("n", 1, ack=print),
    "socket.broadcast": lambda io, socket: socket.broadcast.emit("n", 1),
    "socket.to": lambda io, socket: socket.to("room").emit("n", 1),
}


@pytest.mark.parametrize("what", CALLS)
async def test_from_another_thread(what):
    async with serving() as io, wire(io, join=True) as client, wire(io, join=True):
        socket = io.sockets.sockets[client.sid]
        socket.join("room")
        with pytest.raises(RuntimeError, match=MESSAGE):
            await asyncio.to_thread(CALLS[what], io, socket)
        io.emit("end")  # nothing was sent, and everything still works
        assert await client.event() == ["end"]


async def test_an_acknowledgement_that_was_not_asked_for_is_not_waited_for():
    """The call that raised leaves nothing that could be answered or fail later."""
    told = []
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        with pytest.raises(RuntimeError):
            await asyncio.to_thread(socket.emit, "n", ack=lambda *args: told.append(args))
        client.send("430[]")
        socket.disconnect()
        assert await client.next() == "41"
    assert told == []


async def test_what_the_message_says():
    async with serving() as io, wire(io, join=True) as client:

        def work():
            for number in range(100):
                io.threadsafe.emit("n", number)

        thread = threading.Thread(target=work)
        thread.start()
        assert [await client.event() for _ in range(100)] == [["n", number] for number in range(100)]
        thread.join()


async def test_a_handler_that_emits_from_a_thread(caplog):
    async with serving() as io, wire(io, join=True) as client:

        @io.event
        async def work(socket):
            await asyncio.to_thread(socket.emit, "n")

        io.event("echo")(lambda socket, value: value)
        client.emit("work", ack=1)
        await asyncio.sleep(0)
        client.emit("echo", 2, ack=2)
        assert await client.ack(2) == [2]
        async with asyncio.timeout(5):
            while not caplog.records:
                await asyncio.sleep(0.005)
    (record,) = caplog.records
    assert isinstance(record.exc_info[1], RuntimeError)
