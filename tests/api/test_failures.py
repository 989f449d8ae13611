"""What handlers, listeners and middlewares may raise, return and do to what they are given."""

import asyncio
import json
import re
import types

import pytest

from fastsio import ConnectError, EventError, Namespace
from tests.wsclient import serving, wire


def cancelled():
    """As the result of a future that somebody cancelled."""
    raise asyncio.CancelledError


async def cancelled_later():
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


def errors_of(io):
    """What the socket's listeners of "error" are told."""
    told = []
    io.on("connection", lambda socket: socket.on("error", told.append) and None)
    return told


# ---- something that was waited for is cancelled ----


@pytest.mark.parametrize("handler", [cancelled, cancelled_later])
async def test_a_handler(handler, caplog):
    async with serving() as io:
        told = errors_of(io)
        io.on("connection", lambda socket: socket.on("e", handler) and None)
        async with wire(io, join=True) as client:
            client.emit("e", ack=0)
            client.emit("e")
            await client.nothing()
            assert [type(error) for error in told] == [asyncio.CancelledError] * 2
            assert "exception in a handler" in caplog.text
            io.emit("still here")
            assert await client.event() == ["still here"]


@pytest.mark.parametrize("function", [cancelled, cancelled_later])
async def test_a_middleware(function, caplog):
    async with serving() as io, wire(io) as client:
        io.use(lambda socket: function())
        client.send("40")
        assert await client.next() == '44{"message":"Internal server error"}'
        assert "exception in a middleware" in caplog.text


@pytest.mark.parametrize("function", [cancelled, cancelled_later])
async def test_the_function_of_a_dynamic_namespace(function, caplog):
    async with serving(cleanup_empty_child_namespaces=True) as io, wire(io, join=True) as client:
        io.of(lambda name, auth: function())
        client.send("40/x,")
        assert await client.next() == '44/x,{"message":"Invalid namespace"}'
        assert "the function of a dynamic namespace" in caplog.text


async def test_a_middleware_of_a_dynamic_namespace_leaves_no_child():
    async with serving(cleanup_empty_child_namespaces=True) as io, wire(io) as client:
        io.of(re.compile("^/d")).use(lambda socket: cancelled_later())
        client.send("40/d1,")
        assert await client.next() == '44/d1,{"message":"Internal server error"}'
        assert list(io.nsps) == ["/"]


@pytest.mark.parametrize("function", [cancelled, cancelled_later])
async def test_a_middleware_of_a_socket(function):
    async with serving() as io:
        told = errors_of(io)
        io.on("connection", lambda socket: socket.use(lambda packet: function()) and None)
        async with wire(io, join=True) as client:
            client.emit("e")
            await client.nothing()
            assert [type(error) for error in told] == [asyncio.CancelledError]


async def test_a_connection_listener(caplog):
    async with serving() as io:
        io.on("connection", lambda socket: cancelled())
        async with wire(io, join=True) as client:
            assert io.sockets.sockets[client.sid].connected
    assert "exception in a handler" in caplog.text


# ---- who is told of errors ----


class Strict(Namespace):
    def __init__(self, told):
        super().__init__("/")
        self.told = told

    def on_bad(self, socket):
        raise KeyError("bad")

    def on_error(self, socket, error):
        self.told.append(error)


async def test_every_kind_of_error_listener():
    told = []
    async with serving() as io:
        io.register(Strict(told))

        @io.event
        async def error(socket, error):
            await asyncio.sleep(0)
            told.append(error)

        @io.on("connection")
        def connected(socket):
            @socket.on("error")
            async def later(error):
                await asyncio.sleep(0)
                told.append(error)

            socket.once("error", told.append)

        async with wire(io, join=True) as client:
            client.emit("bad")
            await client.nothing()
            assert [type(error) for error in told] == [KeyError] * 4
            client.emit("bad")
            await client.nothing()
            assert len(told) == 7, "without the one that was for once"


@pytest.mark.parametrize("is_later", [False, True])
async def test_an_error_listener_that_raises_is_not_told_of_it(is_later, caplog):
    calls = []

    def failing(error):
        calls.append(error)
        raise ValueError("second")

    async def failing_later(error):
        failing(error)

    async with serving() as io:
        io.on("connection", lambda socket: socket.on("error", failing_later if is_later else failing) and None)
        io.event("bad")(lambda socket: 1 / 0)
        async with wire(io, join=True) as client:
            client.emit("bad")
            await client.nothing()
            assert [type(error) for error in calls] == [ZeroDivisionError]
            assert "second" in caplog.text


# ---- what handlers return ----


class Waited:
    def __init__(self, done):
        self.done = done

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        self.done.append("awaited")
        return "result"


@pytest.mark.parametrize("ack", [None, 5])
async def test_awaitables_that_are_no_coroutines_run(ack):
    done = []

    @types.coroutine
    def older(socket):
        yield from Waited(done).__await__()

    async with serving() as io:
        io.event("waited")(lambda socket: Waited(done))
        io.event("older")(older)
        async with wire(io, join=True) as client:
            client.emit("waited", ack=ack)
            if ack is not None:
                assert await client.ack(ack) == ["result"]
            client.emit("older")
            await client.nothing()
            assert done == ["awaited"] * 2


async def test_an_acknowledgement_that_cannot_be_encoded_may_be_given_again():
    async with serving() as io:

        @io.event
        def question(socket, ack):
            with pytest.raises(TypeError):
                ack(object())
            ack("fallback")
            ack("once is enough")

        async with wire(io, join=True) as client:
            client.emit("question", ack=3)
            assert await client.ack(3) == ["fallback"]
            await client.nothing()


async def test_once_is_for_a_packet_that_fits():
    got = []
    async with serving() as io:
        told = errors_of(io)

        def take(value):
            got.append(value)

        io.on("connection", lambda socket: socket.once("e", take) and None)
        async with wire(io, join=True) as client:
            client.emit("e", ack=0)
            assert await client.ack(0) == [{"error": "missing arguments"}]
            client.emit("e", 1)
            client.emit("e", 2)
            await client.nothing()
            assert got == [1]
            assert [type(error) for error in told] == [EventError]


# ---- what middlewares and on_any do to an event ----


async def test_a_packet_stays_the_middlewares():
    kept = []
    async with serving() as io:
        io.event("e")(lambda socket, value: value)
        io.on("connection", lambda socket: socket.use(kept.append) and None)
        async with wire(io, join=True) as client:
            client.emit("e", 1, ack=0)
            assert await client.ack(0) == [1]
            assert kept == [["e", 1]]


async def test_a_packet_without_a_name():
    async with serving() as io:
        told = errors_of(io)
        io.on("connection", lambda socket: socket.use(lambda packet: packet.__setitem__(0, ["no name"])) and None)
        async with wire(io, join=True) as client:
            client.emit("e", 1)
            await client.nothing()
            assert [str(error) for error in told] == [
                "a middleware left a packet that does not begin with the name of an event"
            ]
            io.emit("still here")
            assert await client.event() == ["still here"]


async def test_refusals_are_logged_once_in_a_while(caplog):
    def refuse(packet):
        raise ValueError("no")

    async with serving() as io:
        io.on("connection", lambda socket: socket.use(refuse) and None)
        async with wire(io, join=True) as client:
            for _ in range(50):
                client.emit("e")
            await client.nothing()
    assert caplog.text.count("refused an event") <= 1


async def test_an_older_client_is_refused_with_data_that_cannot_be_sent(caplog):
    def refuse(packet):
        raise ConnectError("no", data=object())

    async with serving() as io:
        told = errors_of(io)
        io.on("connection", lambda socket: socket.use(refuse) and None)
        async with wire(io, query="EIO=3&transport=websocket") as client:
            assert await client.next() == "40"
            client.emit("e")
            assert await client.next() == '44"no"'
    assert [type(error) for error in told] == [ConnectError]
    assert "cannot be sent" in caplog.text


@pytest.mark.parametrize("data", [None, {}, [], 0, "", {"code": 5}])
async def test_an_older_client_is_refused_with_any_data(data):
    def refuse(socket):
        raise ConnectError("no", data=data)

    async with serving() as io, wire(io, query="EIO=3&transport=websocket") as client:
        assert await client.next() == "40"
        io.of("/x").use(refuse)
        client.send("40/x,")
        assert await client.next() == "44/x," + json.dumps(
            "no" if data in (None, 0, "") else data, separators=(",", ":")
        )


async def test_a_refusal_with_binary_data(caplog):
    """The protocol has no such packet: clients take what comes for an acknowledgement, and throw."""

    def refuse(socket):
        raise ConnectError("no", data=b"123")

    async with serving() as io, wire(io) as client:
        io.use(refuse)
        client.send("40")
        assert await client.next() == '44{"message":"Internal server error"}'
    assert "binary values travel in events and acknowledgements alone" in caplog.text


@pytest.mark.parametrize("with_middleware", [False, True])
async def test_on_any_may_disconnect(with_middleware):
    got = []
    async with serving() as io:
        io.event("e")(lambda socket: got.append("e"))

        @io.on("connection")
        def connected(socket):
            socket.on_any(lambda event: socket.disconnect() and None)
            if with_middleware:
                socket.use(lambda packet: got.append("asked"))

        async with wire(io, join=True) as client:
            client.emit("e")
            assert await client.next() == "41"
    assert got == []


@pytest.mark.parametrize("close", [False, True])
async def test_disconnecting_a_socket_that_is_disconnecting(close):
    told = []
    async with serving() as io:

        @io.event
        def disconnecting(socket, reason):
            told.append((reason, socket.connected))
            socket.disconnect(close)

        io.event("disconnect")(lambda socket, reason: told.append((reason, socket.connected)))
        async with wire(io, join=True) as client:
            client.send("41")
            await client.nothing() if not close else await client.closed()
        reason = "client namespace disconnect"
        assert told == [(reason, True), (reason, False)]
