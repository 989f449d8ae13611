"""Listeners for any event, middlewares of a socket, contexts and cancellation of its handlers."""

import asyncio
import gc
from contextvars import ContextVar

from fastsio import ConnectError
from tests.wsclient import serving, wire


async def test_on_any_comes_first():
    async with serving() as io:
        told = []

        @io.on("connection")
        def connected(socket):
            socket.on("x", lambda *args: told.append(("on", *args)))
            socket.on_any(lambda event, *args: told.append(("any", event, *args)))
            socket.prepend_any(lambda event: told.append(("first", event)))

        io.event("x")(lambda socket, *args: told.append(("event", *args)))
        async with wire(io, join=True) as client:
            client.emit("x", 1)
            await client.nothing()
            client.emit("unknown")
            await client.nothing()
        assert told == [
            ("first", "x"),
            ("any", "x", 1),
            ("on", 1),
            ("event", 1),
            ("first", "unknown"),
            ("any", "unknown"),
        ]


async def test_off_any():
    async with serving() as io, wire(io, join=True) as client:
        socket, told = io.sockets.sockets[client.sid], []
        one, two = lambda event: told.append(1), lambda event: told.append(2)
        assert socket.on_any(one) is one
        socket.on_any(two)
        assert socket.listeners_any() == [one, two]
        socket.off_any(one)
        client.emit("x")
        await client.nothing()
        assert told == [2]
        assert socket.off_any().listeners_any() == []


async def test_on_any_outgoing():
    async with serving() as io, wire(io, join=True) as client, wire(io, join=True) as other:
        socket, told = io.sockets.sockets[client.sid], []
        listener = socket.on_any_outgoing(lambda event, *args: told.append((event, *args)))
        socket.emit("a", 1)
        socket.emit("b", ack=print)
        io.emit("c", 2)
        io.to(other.sid).emit("d")
        socket.volatile.emit("e")
        socket.prepend_any_outgoing(lambda event: told.append(event))
        assert socket.listeners_any_outgoing()[1] is listener
        socket.broadcast.emit("f")
        io.to(socket.id).emit("g")
        socket.off_any_outgoing()
        io.emit("h")
        assert told == [("a", 1), ("b",), ("c", 2), ("e",), "g", ("g",)]
        assert not io.of("/")._outgoing


async def test_middlewares_may_change_and_stop():
    async with serving() as io:
        told = []

        @io.on("connection")
        def connected(socket):
            @socket.use
            def change(packet):
                packet[1:] = [packet[1] * 2]

            @socket.use
            async def later(packet):
                await asyncio.sleep(0)
                if packet[1] > 10:
                    raise ConnectError("too much", data={"most": 10})

            socket.on("number", lambda value: value)
            socket.on("error", lambda error: told.append(str(error)))

        async with wire(io, join=True) as client:
            client.emit("number", 3, ack=0)
            assert await client.ack(0) == [6]
            client.emit("number", 6)
            await client.nothing()
        assert told == ["too much"]


async def test_refused_event_of_an_older_client():
    async with serving() as io:

        @io.on("connection")
        def connected(socket):
            @socket.use
            def refuse(packet):
                raise ConnectError("no", data={"code": 1}) if packet[1] else ValueError("why")

        async with wire(io, query="EIO=3&transport=websocket") as client:
            assert await client.next() == "40"
            client.emit("x", 1)
            assert await client.next() == '44{"code":1}'
            client.emit("x", 0)
            assert await client.next() == '44"why"'


async def test_context_of_a_connection():
    user = ContextVar("user", default="nobody")
    async with serving() as io:

        @io.use
        async def authenticate(socket):
            user.set("middleware")

        @io.event
        async def login(socket, name):
            old = user.get()
            user.set(name)
            return old

        @io.event
        async def who(socket):
            await asyncio.sleep(0)
            return user.get()

        async with wire(io, join=True) as one, wire(io, join=True) as two:
            one.emit("login", "Ada", ack=0)
            assert await one.ack(0) == ["middleware"]
            one.emit("who", ack=1)
            two.emit("who", ack=1)
            assert await one.ack(1) == ["Ada"]
            assert await two.ack(1) == ["middleware"]
        assert user.get() == "nobody"


async def test_coroutines_begun_by_one_of_the_same_connection():
    """A disconnect inside a handler starts another handler of the same context."""
    user = ContextVar("user", default="nobody")
    told = asyncio.get_running_loop().create_future()
    async with serving() as io:

        @io.event
        async def leave(socket):
            user.set("me")
            socket.disconnect()

        @io.event
        async def disconnect(socket, reason):
            await asyncio.sleep(0)
            told.set_result((user.get(), reason))

        async with wire(io, join=True) as client:
            client.emit("leave")
            assert await told == ("me", "server namespace disconnect")


async def test_cancel_handlers():
    async with serving() as io:
        told = []

        @io.event
        async def wait(socket):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told.append("cancelled")
                raise

        @io.event
        async def stop(socket):
            return socket.cancel_handlers()

        async with wire(io, join=True) as client, wire(io, join=True) as other:
            other.emit("wait")
            client.emit("wait")
            client.emit("wait")
            client.emit("stop", ack=0)
            assert await client.ack(0) == [2]
            await client.nothing()
            assert told == ["cancelled", "cancelled"]
            assert io.sockets.sockets[other.sid].cancel_handlers() == 1


async def test_cancel_handlers_leaves_later_events_alone():
    """A search cancels those before it: of several that came at once, the last one is answered."""
    async with serving() as io:

        @io.event
        async def search(socket, number):
            socket.cancel_handlers()
            await asyncio.sleep(0)
            return number

        async with wire(io, join=True) as client:
            client.send(*[f'42{number}["search",{number}]' for number in range(3)])
            assert await client.ack(2) == [2]
            await client.nothing()


async def test_cancel_handlers_before_they_begin():
    """Of one read: nothing says that a coroutine was never awaited, as a warning would, which fails a test."""
    async with serving() as io:

        @io.event
        async def search(socket):
            await asyncio.sleep(60)

        io.event("stop")(lambda socket: socket.cancel_handlers())
        async with wire(io, join=True) as client:
            client.send('42["search"]', '42["search"]', '420["stop"]')
            assert await client.ack(0) == [2]
        gc.collect()
