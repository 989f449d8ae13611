"""A socket: what it tells about itself and its connection, its rooms, and the listeners on it."""

from functools import partial

import pytest

from tests.reference.node import Calls, until

# ---- what it is ----


async def test_connected_and_disconnected(io, node, version):
    seen = Calls()
    io.use(lambda socket: seen("middleware", socket.connected, socket.disconnected))
    io.on("connection", lambda socket: seen("connection", socket.connected, socket.disconnected))
    client = await node.connect(io, version=version)
    peer = client.peer
    peer.on("disconnecting", lambda: seen("disconnecting", peer.connected, peer.disconnected))
    peer.on("disconnect", lambda: seen("disconnect", peer.connected, peer.disconnected))
    await client.disconnect()
    await until(lambda: peer.disconnected)
    assert seen.all() == [
        ("middleware", False, True),
        ("connection", True, False),
        ("disconnecting", True, False),
        ("disconnect", False, True),
    ]


async def test_its_client_connection_and_request(io, node, version):
    io.of("/chat")
    main = await node.connect(io, "/?a=1", version=version, extra_headers={"X-Whose": "mine"}, transport="polling")
    chat = await main.join("/chat")
    for peer in (main.peer, chat.peer):
        assert peer.client is main.peer.client
        assert peer.conn is peer.client.conn is io.engine.clients[peer.conn.id]
        assert peer.request is peer.client.request is peer.conn.request
    request = chat.peer.request
    assert (request.method, request.path, request.query["transport"]) == ("GET", "/socket.io/", "polling")
    assert request.headers["x-whose"] == "mine"
    assert request.query["EIO"] == ("3" if version == 2 else "4")


async def test_data(io, node, version):
    io.use(lambda socket: socket.data.update(name="Ada"))
    client = await node.connect(io, version=version)
    other = await node.connect(io, version=version)
    peer = client.peer
    peer.on("count", lambda: peer.data.setdefault("seen", []).append(peer.data["name"]))
    await client.emit("count")
    await client.emit("count")
    await client.settle()
    assert peer.data == {"name": "Ada", "seen": ["Ada", "Ada"]}
    assert other.peer.data == {"name": "Ada"}
    peer.data = {"new": 1}
    assert {socket.id: socket.data for socket in await io.fetch_sockets()}[client.id] == {"new": 1}
    await client.disconnect()
    await until(lambda: peer.disconnected)
    assert peer.data == {"new": 1}, "for the disconnect's listeners, and whoever keeps the socket"


async def test_attributes_of_ones_own(client):
    seen = Calls()
    peer = client.peer
    peer.name = "Ada"
    peer.on("who", lambda: seen(peer.name))
    await client.emit("who")
    assert await seen.next() == ("Ada",)


async def test_another_socket_for_another_connection(io, node, version):
    """Coming back by hand: what was registered for the first connection is not called for the second."""
    connections, old, new = Calls(), Calls(), Calls()
    io.on("connection", connections)
    client = await node.connect(io, version=version)
    first = client.peer
    first.on("news", old)
    first.data["kept"] = True
    await client.eval("void engine.close()")
    await client.closed()
    await client.open()
    await client.joined()
    client.peer.on("news", new)
    await client.emit("news", 1)
    await client.settle()
    assert (old.all(), new.all()) == ([], [(1,)])
    assert connections.all() == [(first,), (client.peer,)]
    assert first.disconnected and client.peer.data == {}


# ---- its connection ----


async def test_what_the_connection_gets(io, node, newer):
    client = await node.connect(io, version=newer)
    packets, messages = Calls(), Calls()
    client.peer.conn.on("packet", packets)
    client.peer.conn.on("message", messages)
    await client.emit("news", 1, b"\x00\xff")
    await until(lambda: messages.queue.qsize() == 2)
    expected = ['51-["news",1,{"_placeholder":true,"num":0}]', b"\x00\xff"]
    assert messages.all() == [(message,) for message in expected]
    assert packets.all() == [({"type": "message", "data": message},) for message in expected]


async def test_the_connection_upgrades(io, node, version):
    seen = Calls()

    @io.engine.on("connection")
    def opened(conn):
        seen(conn.transport.name, conn.upgraded)
        conn.once("upgrade", lambda transport: seen(transport.name, conn.transport.name))

    client = await node.connect(io, version=version, transport=None)
    assert await seen.next() == ("polling", False)
    assert await seen.next() == ("websocket", "websocket")
    conn = client.peer.conn
    assert (conn.transport.name, conn.upgraded) == ("websocket", True)
    client.peer.emit("news", 1)
    assert await client.receive("news") == [1]


async def test_the_connection_drains(client):
    drained = Calls()
    client.peer.conn.on("drain", drained)
    client.peer.emit("news", "x" * 100_000)
    await client.receive("news")
    assert await drained.next() == ()
    assert client.peer.conn.buffered_amount == 0


async def test_the_connection_closes_after_its_sockets(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    seen, conn = Calls(), main.peer.conn
    for client in (main, chat):
        client.peer.on("disconnect", partial(seen, client.nsp))
    conn.on("close", partial(seen, "conn"))
    await main.eval("void engine.close()")
    told = [(await seen.next())[:2] for _ in range(3)]
    assert sorted(told[:2]) == [("/", "transport close"), ("/chat", "transport close")]
    assert told[2] == ("conn", "transport close")
    assert conn.ready_state == "closed"


async def test_the_connection_is_closed_here(client):
    seen, conn = Calls(), client.peer.conn
    client.peer.on("disconnect", seen)
    client.peer.emit("last")
    conn.close()
    await client.receive("last")
    assert await client.closed() == "transport close"
    assert await seen.next() == ("forced close", None)
    assert conn.ready_state == "closed"


# ---- rooms ----


async def test_rooms(client):
    peer = client.peer
    assert peer.rooms == {peer.id}
    peer.join("a")
    peer.join(["b", "c"])
    peer.join(("d", "d"))
    peer.join({"e"})
    peer.join(name for name in "fg")
    peer.join([])
    peer.join("a")
    assert peer.rooms == {peer.id, *"abcdefg"}
    peer.leave("a")
    peer.leave("a")
    assert peer.rooms == {peer.id, *"bcdefg"}


async def test_rooms_are_a_copy(client):
    peer = client.peer
    peer.join("a")
    peer.rooms.clear()
    peer.rooms.add("b")
    assert peer.rooms == {peer.id, "a"}


async def test_an_empty_room_is_forgotten(io, node, version):
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    rooms = io.sockets.adapter.rooms
    first.peer.join(["a", "b"])
    second.peer.join("b")
    assert rooms["b"] == {first.id, second.id}
    first.peer.leave("a")
    first.peer.leave("b")
    assert "a" not in rooms and rooms["b"] == {second.id}


async def test_join_and_leave_may_be_awaited(client):
    seen, peer = Calls(), client.peer

    @peer.on("move")
    async def move(old, new):
        await peer.leave(old)
        await peer.join(new)
        seen(peer.rooms - {peer.id})

    peer.join("a")
    await client.emit("move", "a", "b")
    assert await seen.next() == ({"b"},)


async def test_what_a_handler_joined_counts_for_the_next(io, node, version):
    @io.event
    def join(socket, room):
        socket.join(room)

    io.event("say")(lambda socket, room, text: io.in_(room).emit("said", text))
    client, other = [await node.connect(io, version=version) for _ in range(2)]
    await client.emit("join", "room")
    await client.emit("say", "room", "hello")
    assert await client.receive("said") == ["hello"]
    await other.nothing("said")


async def test_leaving_the_room_of_ones_own_id(client, io):
    """It is a room like any other, as in the reference; the socket's own emits do not go by it."""
    client.peer.leave(client.id)
    io.to(client.id).emit("news", 1)
    client.peer.emit("news", 2)
    io.emit("news", 3)
    assert await client.collect("news") == [[2], [3]]


async def test_rooms_in_a_middleware(io, node, version):
    seen = Calls()

    @io.use
    def move(socket):
        socket.join(["a", "b", "c"])
        socket.leave("b")
        socket.leave("unknown")
        seen(socket.rooms)

    client = await node.connect(io, version=version)
    assert seen.all() == [({"a", "c"},)]
    assert client.peer.rooms == {client.id, "a", "c"}


async def test_no_rooms_after_the_end(io, client):
    peer = client.peer
    peer.join("a")
    peer.disconnect()
    peer.join("b")
    peer.leave("a")
    await client.closed()
    assert peer.rooms == set()
    assert dict(io.sockets.adapter.rooms) == {}


# ---- listeners ----


async def test_several_listeners_are_called_in_order(client):
    seen = Calls()
    for name in "abc":
        client.peer.on("news", lambda value, name=name: seen(name, value))
    await client.emit("news", 1)
    await client.settle()
    assert seen.all() == [("a", 1), ("b", 1), ("c", 1)]


async def test_once(client):
    seen = Calls()
    client.peer.once("news", lambda: seen("once"))
    client.peer.on("news", lambda: seen("on"))
    for _ in range(3):
        await client.emit("news")
    await client.settle()
    assert seen.all() == [("once",), ("on",), ("on",), ("on",)]


async def test_once_that_registers_itself_again(client):
    seen = Calls()

    def again(number):
        seen(number)
        if number < 2:
            client.peer.once("news", again)

    client.peer.once("news", again)
    for number in range(4):
        await client.emit("news", number)
    await client.settle()
    assert seen.all() == [(0,), (1,), (2,)]


async def test_once_of_our_own_events(client):
    seen, peer = Calls(), client.peer
    peer.once("disconnect", seen)
    peer.disconnect()
    assert [reason for reason, _ in seen.all()] == ["server namespace disconnect"]
    assert peer.listeners("disconnect") == []


@pytest.mark.parametrize("off", ["off", "remove_listener"])
async def test_off(client, off):
    peer, first, second = client.peer, Calls(), Calls()
    peer.on("news", first)
    peer.on("news", second)
    peer.once("other", first)
    assert getattr(peer, off)("news", first) is peer
    getattr(peer, off)("other", first)
    getattr(peer, off)("news", print)
    await client.emit("news", 1)
    await client.emit("other", 1)
    await client.settle()
    assert (first.all(), second.all()) == ([], [(1,)])


async def test_a_listener_that_is_there_twice(client):
    peer, seen = client.peer, Calls()
    peer.on("news", seen).on("news", seen)
    await client.emit("news", 1)
    await client.settle()
    peer.off("news", seen)
    await client.emit("news", 2)
    await client.settle()
    assert seen.all() == [(1,), (1,), (2,)]


async def test_listeners_that_change_while_they_are_called(client):
    """The event that is on its way goes to those that were there when it came."""
    peer, seen = client.peer, Calls()

    def first():
        seen("first")
        peer.off("news", first)
        peer.off("news", second)
        peer.on("news", third)

    def second():
        seen("second")

    def third():
        seen("third")

    peer.on("news", first).on("news", second)
    await client.emit("news")
    await client.settle()
    assert seen.all() == [("first",), ("second",)]
    await client.emit("news")
    await client.settle()
    assert seen.all() == [("third",)]


async def test_remove_all_listeners(client):
    peer, seen = client.peer, Calls()
    for event in ("a", "b", 7, "disconnect"):
        peer.on(event, seen)
    assert peer.event_names() == ["a", "b", 7, "disconnect"]
    assert peer.remove_all_listeners("a") is peer
    assert (peer.listeners("a"), peer.listeners("b")) == ([], [seen])
    peer.remove_all_listeners()
    assert peer.event_names() == []
    for event in ("a", "b", 7):
        await client.emit(event)
    await client.disconnect()
    await until(lambda: peer.disconnected)
    assert seen.all() == []


async def test_listeners_of_one_socket_are_not_anothers(io, node, version):
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    seen = Calls()
    first.peer.on("news", seen)
    await second.emit("news", "second's")
    await second.settle()
    await first.emit("news", "first's")
    await first.settle()
    assert seen.all() == [("first's",)]


async def test_methods_builtins_and_objects_as_listeners(client):
    class Chat:
        def __init__(self):
            self.said = []

        def say(self, text):
            self.said.append(text)

        def __call__(self, text, *, loud=False):
            self.said.append((text, loud))

    chat, texts = Chat(), []
    client.peer.on("say", chat.say).on("say", chat).on("say", texts.append)
    await client.emit("say", "hello")
    await client.settle()
    assert (chat.said, texts) == (["hello", ("hello", False)], ["hello"])
    client.peer.off("say", chat.say)
    await client.emit("say", "bye")
    await client.settle()
    assert chat.said[2:] == [("bye", False)]
