"""Namespaces as objects: their names, how they are registered, and the two names of one event."""

import asyncio
import re
from functools import partial

import pytest

from fastsio import Namespace, Packet, Server
from fastsio.adapter import BroadcastOptions
from fastsio.limits import MAX_NAMESPACES
from tests.wsclient import serving, wire


class Chat(Namespace):
    on_duty = True  # no handler

    def __init__(self, greeting):
        super().__init__("/chat")
        self.greeting = greeting

    def on_hello(self, socket):
        return self.greeting


async def test_a_constructor_of_its_own():
    async with serving() as io, wire(io) as client:
        io.register(Chat("good morning"))
        await client.join("/chat")
        client.send('42/chat,0["hello"]')
        assert await client.next() == '43/chat,0["good morning"]'
        assert io.of("/chat").handlers.names() == ["hello"]


@pytest.mark.parametrize("name", ["chat", "", "/a,b", "/" + "x" * 256])
def test_bad_names(name):
    with pytest.raises(ValueError, match="a namespace's name"):
        Namespace(name)


def test_names_of_another_type():
    with pytest.raises(TypeError, match="a namespace's name is a str, got int"):
        Namespace(5)
    with pytest.raises(ValueError, match="no comma"):
        Server().of("/a,b")


@pytest.mark.parametrize(
    "use",
    [
        lambda io: io.on("connection", print),
        lambda io: io.event("e")(print),
        lambda io: io.use(print),
    ],
)
def test_nothing_that_was_registered_is_lost(use):
    io = Server()
    io.register(Namespace("/"))
    use(io)
    with pytest.raises(ValueError, match="namespace / is there already"):
        io.register(Namespace("/"))
    io.of("/chat")
    with pytest.raises(ValueError, match="namespace /chat is there already"):
        io.register(Chat("hello"))


@pytest.mark.parametrize("what", [Chat, "/chat", None])
def test_register_takes_namespaces(what):
    with pytest.raises(TypeError, match="register takes a Namespace"):
        Server().register(what)


@pytest.mark.parametrize("added", ["connect", "connection"])
@pytest.mark.parametrize("asked", ["connect", "connection"])
async def test_connect_is_connection(added, asked):
    got = []
    async with serving() as io:
        for emitter in (io, io.of("/chat")):
            emitter.on(added, got.append)
            assert emitter.listeners(asked) == [got.append]
            assert emitter.event_names() == ["connection"]
            emitter.off(asked, got.append)
            assert emitter.listeners(added) == []
            emitter.once(added, got.append)
            emitter.remove_all_listeners(asked)
        async with wire(io, join=True):
            pass
    assert got == []


def test_handlers_without_a_name():
    with pytest.raises(TypeError, match="has no name: give the event's"):
        Server().event(partial(print, "x"))


async def test_a_target_of_everybody():
    async with serving() as io, wire(io, join=True) as client:
        io.broadcast.emit("a")
        io.of("/").broadcast.emit("b")
        assert [await client.event() for _ in range(2)] == [["a"], ["b"]]


async def test_one_after_another_without_end():
    """The limit is for those at one time; what comes late for the last ones is still dropped."""
    async with serving() as io, wire(io, join=True) as client:
        io.of(re.compile("^/page"))
        for number in range(2 * MAX_NAMESPACES):
            await client.join(f"/page{number}")
            client.send(f"41/page{number},")
        client.send(f'42/page{number},["late"]')
        io.emit("still here")
        assert await client.event() == ["still here"]


# ---- what is checked where it is said ----

BAD = {
    "timeout of a str": (lambda socket: socket.timeout("5"), TypeError, "timeout must be a number, got str"),
    "timeout of nan": (lambda socket: socket.timeout(float("nan")), ValueError, "timeout must be between"),
    "timeout below 0": (lambda socket: socket.nsp.timeout(-1), ValueError, "timeout must be between"),
    "timeout of a flag": (lambda socket: socket.nsp.timeout(True), TypeError, "timeout must be a number, got bool"),
    "ack": (lambda socket: socket.emit("e", ack=5), TypeError, "ack must be a function, got int"),
    "ack with a flag": (lambda socket: socket.volatile.emit("e", ack=5), TypeError, "ack must be a function"),
    "ack of all": (lambda socket: socket.nsp.emit("e", ack=5), TypeError, "ack must be a function"),
    "ack of servers": (lambda socket: socket.nsp.server_side_emit("e", ack=5), TypeError, "ack must be a function"),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_arguments(what):
    call, error, message = BAD[what]
    async with serving() as io, wire(io, join=True) as client:
        with pytest.raises(error, match=message):
            call(io.sockets.sockets[client.sid])
        await client.nothing()


async def test_nobody_answers_in_a_middleware():
    async with serving() as io, wire(io) as client:
        told = []

        @io.use
        async def ask(socket):
            with pytest.raises(RuntimeError, match="when the middlewares have let it in"):
                await socket.emit_with_ack("question")
            told.append("refused")

        await client.join()
        assert told == ["refused"]


@pytest.mark.parametrize("what", ["join", "leave"])
async def test_rooms_belong_to_the_thread_of_the_loop(what):
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        with pytest.raises(RuntimeError, match="another thread"):
            await asyncio.to_thread(getattr(socket, what), "room")
        assert socket.rooms == {client.sid}


def test_options_are_there_to_be_read():
    io = Server(ping_interval=5, connection_state_recovery=True)
    assert io.options["ping_interval"] == 5
    assert io.options["connection_state_recovery"].skip_middlewares is True
    assert io.options["max_attachments"] == 10
    with pytest.raises(TypeError):
        io.options["max_attachments"] = 11
    assert io.path("/other").options["path"] == "/other"


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("3000", TypeError),
        (3.5, TypeError),
        ([3000], TypeError),
        (True, TypeError),
        (-1, ValueError),
        (65536, ValueError),
    ],
)
def test_targets_that_are_none(target, error):
    with pytest.raises(error, match="port"):
        Server(target)


async def test_a_packet_of_no_type():
    """As an adapter might bring it from elsewhere."""
    async with serving() as io:
        with pytest.raises(ValueError, match="a packet's type is 0 to 4, got 99"):
            io.sockets.adapter.broadcast(Packet(99, "/", ["e"]), BroadcastOptions())


async def test_an_engine_socket_is_closed_in_the_thread_of_the_loop():
    told = []
    async with serving() as io, wire(io, join=True) as client:
        socket = io.sockets.sockets[client.sid]
        socket.on("disconnect", told.append)
        with pytest.raises(RuntimeError, match="another thread"):
            await asyncio.to_thread(socket.conn.close)
        assert socket.connected
        socket.disconnect(True)
        await client.closed()
    assert told == ["server namespace disconnect"]


async def test_nothing_is_kept_of_an_emit_in_another_thread():
    async with serving(connection_state_recovery=True) as io, wire(io) as client:
        await client.join()
        with pytest.raises(RuntimeError, match="another thread"):
            await asyncio.to_thread(io.emit, "e")
        assert not io.sockets.adapter._log
