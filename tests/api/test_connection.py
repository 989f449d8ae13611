"""Joining and leaving: middlewares, reasons, several namespaces, the end of the server."""

import asyncio

import pytest

from fastsio import ConnectError, Namespace, Server
from tests.wsclient import serving, wire


def reasons_of(io, nsp="/"):
    """Collects what "disconnecting" and "disconnect" listeners are told."""
    told = []

    @io.of(nsp).on("connection")
    def connected(socket):
        socket.join("room")
        socket.on("disconnecting", lambda reason: told.append(("disconnecting", reason, "room" in socket.rooms)))
        socket.on("disconnect", lambda reason: told.append(("disconnect", reason, "room" in socket.rooms)))

    return told


def both(reason):
    return [("disconnecting", reason, True), ("disconnect", reason, False)]


async def settle(told, count):
    for _ in range(200):
        if len(told) >= count:
            return
        await asyncio.sleep(0.01)


async def test_handshake_and_auth():
    seen = []
    async with serving() as io:
        io.on("connection", lambda socket: seen.append(socket))
        async with wire(io, query="EIO=4&transport=websocket&token=a%20b&x=1") as client:
            assert list(client.opened) == ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]
            sid = await client.join(auth={"token": "123"})
            (socket,) = seen
            handshake = socket.handshake
            assert socket.id == sid != client.opened["sid"] == socket.conn.id
            assert len(sid) == 20
            assert handshake.auth == {"token": "123"}
            assert handshake.query["token"] == "a b"
            assert handshake.url == "/socket.io/?EIO=4&transport=websocket&token=a%20b&x=1"
            assert handshake.address == "127.0.0.1"
            assert handshake.headers["UPGRADE"] == "websocket"
            assert not handshake.secure
            assert not handshake.xdomain
            assert abs(handshake.issued - handshake.issued // 1) < 1
            assert handshake.time.endswith("GMT")
            assert socket.connected
            assert not socket.recovered
            assert io.sockets.sockets == {sid: socket} == io.sockets.connected
            assert io.engine.clients_count == 1
            socket.data["k"] = 1
            socket.username = "free to use"
            assert socket.data == {"k": 1}


async def test_middlewares_in_order_and_a_room_joined_in_one():
    order = []
    async with serving() as io, wire(io) as client:

        @io.use
        def first(socket):
            order.append("first")
            assert not socket.connected
            socket.join("early")

        @io.use
        async def second(socket):
            await asyncio.sleep(0)
            order.append("second")

        io.use(lambda socket: order.append("third"))
        io.on("connection", lambda socket: order.append(sorted(socket.rooms - {socket.id})))
        await client.join()
    assert order == ["first", "second", "third", ["early"]]


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (
            ConnectError("not authorized", data={"content": "later"}),
            '44{"message":"not authorized","data":{"content":"later"}}',
        ),
        (ConnectError("no"), '44{"message":"no"}'),
        (RuntimeError("a secret"), '44{"message":"Internal server error"}'),
    ],
)
async def test_a_middleware_refuses(sync, error, answer):
    connected = []
    async with serving() as io, wire(io) as client:
        refuse = [True]

        def middleware(socket):
            if refuse:
                raise error

        async def later(socket):
            await asyncio.sleep(0)
            middleware(socket)

        io.use(middleware if sync else later)
        io.on("connection", connected.append)
        client.send("40")
        assert await client.next() == answer
        assert connected == []
        refuse.clear()
        await client.join()  # the connection is still good
        assert len(connected) == 1


async def test_an_unknown_namespace():
    async with serving() as io, wire(io) as client:
        client.send("40/nope,")
        assert await client.next() == '44/nope,{"message":"Invalid namespace"}'
        await client.join()


async def test_a_second_connect_while_a_middleware_decides_closes():
    connected = []
    async with serving() as io, wire(io) as client:
        go = asyncio.Event()

        async def slow(socket):
            await go.wait()

        io.use(slow)
        io.on("connection", connected.append)
        client.send("40", "40")
        assert await client.closed() is not None
        go.set()
        await asyncio.sleep(0.02)
        assert connected == []


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (["41"], "client namespace disconnect"),
        (['42["leave"]'], "server namespace disconnect"),
        (['42["leave close"]'], "server namespace disconnect"),
        (["40"], "forced server close"),
        (['42["connect"]'], "forced close"),
        (["4abc"], "forced close"),
        (["9"], "parse error"),
        (["2"], "transport error"),
        ([b""], "forced close"),
    ],
)
async def test_reasons(frames, reason):
    async with serving() as io:
        told = reasons_of(io)
        io.event("leave")(lambda socket: socket.disconnect())
        io.event("leave close")(lambda socket: socket.disconnect(True))
        async with wire(io, join=True) as client:
            client.send(*frames)
            await settle(told, 2)
            assert told == both(reason)
            assert io.sockets.sockets == {}


ENDINGS = {
    "disconnect": lambda socket: socket.disconnect(),
    "disconnect with the connection": lambda socket: socket.disconnect(close=True),
    "close the connection": lambda socket: socket.conn.close(),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize(
    ("frame", "reason"),
    [("41", "client namespace disconnect"), ('42["leave"]', "server namespace disconnect"), ("9", "parse error")],
)
async def test_a_disconnecting_listener_ends_it_itself(frame, reason, end):
    async with serving() as io:
        told, closes = reasons_of(io), end is not ENDINGS["disconnect"] or frame == "9"
        io.event("leave")(lambda socket: socket.disconnect())
        io.event("disconnecting")(lambda socket: end(socket) and None)
        async with wire(io, join=True) as client:
            client.send(frame)
            if closes:
                await client.closed()
                assert io.engine.clients_count == 0
            else:
                assert reason.startswith("client") or await client.next() == "41"
                await client.join()
                assert len(io.sockets.sockets) == 1
            assert told[:2] == both(reason)
            assert len(told) == 2


async def test_transport_close_and_what_is_left():
    async with serving() as io:
        told = reasons_of(io)
        async with wire(io, join=True):
            pass
        await settle(told, 2)
        assert told in (both("transport close"), both("transport error"))
        assert io.engine.clients_count == 0


async def test_ping_timeout():
    async with serving(ping_interval=0.05, ping_timeout=0.1) as io:
        told = reasons_of(io)
        async with wire(io, join=True) as client:
            await asyncio.sleep(0.5)
            assert told == []  # it answers
            client.send = lambda *frames: None
            await settle(told, 2)
            assert told == both("ping timeout")


async def test_a_connection_that_joins_nothing_is_closed():
    async with serving(connect_timeout=0.1) as io, wire(io, join=True) as good, wire(io) as idle:
        await idle.closed()
        assert good.frames.empty()
        assert io.engine.counters["connect timeout"] == 1


async def test_server_close():
    async with serving() as io:
        told = reasons_of(io)
        async with wire(io, join=True) as client:
            address = io.addresses[0]
            await io.close()
            assert told == both("server shutting down")
            assert await client.closed() is not None  # no DISCONNECT packet: it would keep clients from reconnecting
            again = Server()
            await again.listen(address[1])
            await again.close()


async def test_the_server_listens_again_after_close():
    io = Server()
    for _ in range(2):
        await io.listen(0)
        async with wire(io, join=True):
            assert len(io.sockets.sockets) == 1
        await io.close()
        assert io.addresses == []


async def test_disconnect_in_the_connection_handler():
    async with serving() as io, wire(io) as client:
        io.on("connection", lambda socket: socket.disconnect())
        client.send("40")
        assert (await client.next()).startswith("40{")
        assert await client.next() == "41"
        assert io.sockets.sockets == {}


async def test_an_event_for_a_namespace_that_was_left_is_ignored():
    async with serving() as io, wire(io, join=True) as client:
        io.event("echo")(lambda socket, x: x)
        io.sockets.sockets[client.sid].disconnect()
        client.send('42["late"]', '451-["late",{"_placeholder":true,"num":0}]', b"attachment", "433[]")
        assert await client.next() == "41"
        await client.join()
        client.emit("echo", 1, ack=1)
        assert await client.ack(1) == [1]


async def test_class_namespace():
    class Chat(Namespace):
        def __init__(self, name):
            super().__init__(name)
            self.seen = []

        def on_connect(self, socket):
            self.seen.append("connect")

        async def on_say(self, socket, text):
            self.emit("said", text)
            return "ok"

        def on_disconnect(self, socket, reason):
            self.seen.append(reason)

    async with serving() as io:
        chat = io.register(Chat("/chat"))
        async with wire(io) as client:
            await client.join("/chat")
            client.send('42/chat,5["say","hello"]')
            assert {await client.next(), await client.next()} == {'42/chat,["said","hello"]', '43/chat,5["ok"]'}
            client.send("41/chat,")
            await settle(chat.seen, 2)
        assert chat.seen == ["connect", "client namespace disconnect"]


async def test_too_many_connections_are_answered_503():
    async with serving(max_connections=1) as io, wire(io, join=True):
        reader, writer = await asyncio.open_connection(*io.addresses[0])
        assert (await reader.readline()).startswith(b"HTTP/1.1 503 ")
        writer.close()
        await writer.wait_closed()


def test_options():
    with pytest.raises(TypeError, match="did you mean 'ping_interval'"):
        Server(ping_intervall=1)
    with pytest.raises(ValueError, match="ping_timeout"):
        Server(ping_timeout=0)
    with pytest.raises(TypeError, match="max_backlog"):
        Server(max_backlog="16 MiB")
