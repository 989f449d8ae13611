"""Middlewares of a namespace: who is asked, in which order, how they refuse, and what a socket may do in one."""

import asyncio

import pytest

from fastsio import ConnectError
from tests.reference.node import Calls, until
from tests.wsclient import serving

BOTH = pytest.mark.parametrize("how", ["sync", "async"])


def sync_or_async(how, function):
    """A middleware that does what the function does, at once or a moment later."""

    async def later(socket):
        await asyncio.sleep(0)
        function(socket)

    return function if how == "sync" else later


def raising(error):
    def middleware(socket):
        raise error

    return middleware


def told(version, message, data=None):
    """What a client tells of a refusal: one of 2.x has the data, if there are any, or else the message."""
    if version > 2:
        return (message, data)
    return (data or message, None) if isinstance(data, str) or not data else ("", data)


# ---- who is asked, and when ----


@pytest.mark.parametrize("hows", [["sync"] * 3, ["async"] * 3, ["sync", "async", "sync"]], ids=",".join)
async def test_asked_in_order(io, node, version, hows):
    asked = Calls()
    for number, how in enumerate(hows):
        io.use(sync_or_async(how, lambda socket, number=number: asked(number, socket)))
    client = await node.connect(io, version=version)
    assert asked.all() == [(number, client.peer) for number in range(3)]


async def test_the_server_has_those_of_the_main_namespace(io, node, version):
    order = Calls()
    io.use(lambda socket: order(1))
    io.of("/").use(lambda socket: order(2))
    io.sockets.use(lambda socket: order(3))
    await node.connect(io, version=version)
    assert order.all() == [(1,), (2,), (3,)]


async def test_use_decorates(io):
    """It gives the function back. In the reference it gives the namespace."""

    def middleware(socket):
        pass

    assert io.use(middleware) is io.of("/chat").use(middleware) is middleware
    with pytest.raises(TypeError, match="callable"):
        io.use("no function")


async def test_those_of_one_namespace_are_not_asked_for_another(io, node, version):
    asked = Calls()
    for name in ("/", "/chat", "/news"):
        io.of(name).use(lambda socket: asked(socket.nsp.name))
    main = await node.connect(io, version=version)
    assert asked.all() == [("/",)]
    await main.join("/chat")
    assert asked.all() == [("/chat",)]


async def test_main_is_passed_by_on_the_way_to_another(io, node, newer):
    io.use(raising(ConnectError("never asked")))
    io.of("/chat").use(lambda socket: None)
    client = await node.connect(io, "/chat", version=newer)
    assert client.peer.client.sockets == {"/chat": client.peer}


async def test_before_the_connection_listeners(io, node, version):
    order = Calls()

    @io.on("connection")
    def listener(socket):
        order("listener", socket.name, socket.data)

    @io.event
    def connect(socket):
        order("handler", socket.name, socket.data)

    @io.use
    async def ask(socket):
        await asyncio.sleep(0)
        socket.name = "Ada"
        socket.data["number"] = 1
        order("middleware")

    await node.connect(io, version=version)
    seen = ("Ada", {"number": 1})
    assert order.all() == [("middleware",), ("listener", *seen), ("handler", *seen)]


async def test_connected_only_when_all_have_agreed(io, node, version):
    states = Calls()

    def tell(socket):
        states(socket.connected, socket.disconnected, socket.id in io.sockets.sockets, len(socket.rooms))

    io.use(tell)
    io.use(sync_or_async("async", tell))
    io.on("connection", tell)
    await node.connect(io, version=version)
    assert states.all() == [(False, True, False, 0), (False, True, False, 0), (True, False, True, 1)]


async def test_what_is_known_of_the_client(io, node, version):
    known = Calls()
    io.of("/chat").use(lambda s: known(s, s.id, s.nsp.name, s.client.request.path, s.recovered, s.data))
    client = await node.connect(io, "/chat", version=version)
    assert known.all() == [(client.peer, client.id, "/chat", "/socket.io/", False, {})]


async def test_one_that_is_registered_later(io, node, version):
    first = await node.connect(io, version=version)
    io.use(raising(ConnectError("too late")))
    second = await node.connect(io, version=version, wait=False)
    assert (await second.refused()).message == "too late"
    await first.settle()
    assert first.connected and list(io.sockets.sockets) == [first.id]


async def test_one_that_another_registers(io, node, version):
    """It is asked about those who come later."""
    asked = Calls()

    @io.use
    def first(socket):
        io.use(lambda socket: asked(socket.id))

    await node.connect(io, version=version)
    assert asked.all() == []
    second = await node.connect(io, version=version)
    assert asked.all() == [(second.id,)]


async def test_clients_do_not_wait_for_each_other(io, node, version):
    gate, began = asyncio.Event(), Calls()

    @io.use
    async def wait(socket):
        if socket.handshake.query.get("slow"):
            began()
            await gate.wait()

    slow = await node.connect(io, version=version, query={"slow": 1}, wait=False)
    await began.next()
    quick = await node.connect(io, version=version)
    assert list(io.sockets.sockets) == [quick.id]
    gate.set()
    await slow.joined()
    assert list(io.sockets.sockets) == [quick.id, slow.id]


@pytest.mark.parametrize("result", [False, None, 0, "no", {"error": 1}])
async def test_what_one_returns_does_not_matter(io, node, result):
    io.use(lambda socket: result)
    io.use(sync_or_async("async", lambda socket: result))
    assert (await node.connect(io)).connected


# ---- refusing ----


@BOTH
async def test_refused_with_a_message(io, node, version, how):
    others = Calls()
    io.use(sync_or_async(how, raising(ConnectError("who are you?"))))
    io.use(others)
    io.on("connection", others)
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused())[:2] == ("who are you?", None)
    await client.settle()
    assert not client.connected and others.all() == []


@pytest.mark.parametrize("data", [{"a": "b", "c": [1, None]}, ["x", {"y": "z"}], "text", 0, False, ""], ids=repr)
async def test_refused_with_data(io, node, version, data):
    io.use(raising(ConnectError("no", data=data)))
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused())[:2] == told(version, "no", data)


async def test_refused_by_an_exception_of_ones_own(io, node, version):
    class Banned(ConnectError):
        def __init__(self, days):
            super().__init__("banned", data={"days": days})

    io.use(raising(Banned(3)))
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused())[:2] == told(version, "banned", {"days": 3})


@BOTH
async def test_other_exceptions_tell_nothing(io, node, version, how, caplog):
    """They are logged. In the reference the client gets the message and the data of any error."""
    error = ValueError("password=1234")
    error.data = {"password": "1234"}
    io.use(sync_or_async(how, raising(error)))
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused())[:2] == ("Internal server error", None)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info[1] is error


@BOTH
async def test_data_that_cannot_be_sent(io, node, version, how, caplog):
    io.of("/chat").use(sync_or_async(how, raising(ConnectError("no", data={"of": object()}))))
    main = await node.connect(io, version=version)
    chat = await main.join("/chat", wait=False)
    assert (await chat.refused())[:2] == ("Internal server error", None)
    assert "a value of type object cannot be sent" in caplog.text
    await main.settle()
    assert main.connected


async def test_one_that_is_cancelled(io, node, version):
    @io.use
    async def wait(socket):
        cancelled = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        await cancelled

    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused()).message == "Internal server error"


@pytest.mark.parametrize("hows", [("sync", "sync"), ("async", "sync"), ("async", "async")], ids=",".join)
async def test_the_second_refuses(io, node, version, hows):
    others = Calls()
    io.use(sync_or_async(hows[0], lambda socket: socket.join("room") and others("first")))
    io.use(sync_or_async(hows[1], raising(ConnectError("no"))))
    io.use(lambda socket: others("third"))
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused()).message == "no"
    assert others.all() == [("first",)]
    assert io.sockets.adapter.rooms == io.sockets.adapter.sids == {}


async def test_one_refuses_and_the_other_namespace_stays(io, node, version):
    io.of("/closed").use(raising(ConnectError("members only")))
    main = await node.connect(io, version=version)
    closed = await main.join("/closed", wait=False)
    assert (await closed.refused()).message == "members only"
    main.peer.emit("still", "here")
    assert await main.receive("still") == ["here"]
    assert main.peer.client.sockets == {"/": main.peer}


async def test_trying_again_with_other_auth(io, node, newer):
    @io.of("/chat").use
    async def who(socket):
        if socket.handshake.auth.get("token") != "abc":
            raise ConnectError("no")

    client = await node.connect(io, "/chat", version=newer, auth={"token": "x"}, wait=False)
    await client.refused()
    await client.eval("void (socket.auth = { token: 'abc' })")
    await client.open()
    await client.joined()
    assert client.peer.handshake.auth == {"token": "abc"}


async def test_trying_again_over_the_same_connection(io, node, version):
    """A 2.x client has a query for each namespace instead of auth."""

    @io.of("/chat").use
    def who(socket):
        if socket.handshake.auth.get("token") != "abc":
            raise ConnectError("no")

    key = "query" if version == 2 else "auth"
    main = await node.connect(io, version=version)
    chat = await main.join("/chat", wait=False, **{key: {"token": "x"}})
    for _ in range(2):
        await chat.refused()
        await chat.open()
    await chat.refused()
    await chat.eval(f"void (socket.{key} = {{ token: 'abc' }})")
    await chat.open()
    await chat.joined()
    assert main.peer.client.sockets == {"/": main.peer, "/chat": chat.peer}
    assert io.engine.clients_count == 1


# ---- what a socket may do meanwhile ----


async def test_rooms_that_are_left_again(io, node, version):
    io.use(lambda socket: socket.join(["a", "b", "c"]) and socket.leave("a") and None)
    io.use(sync_or_async("async", lambda socket: socket.leave("c")))
    client = await node.connect(io, version=version)
    assert client.peer.rooms == {client.id, "b"}


async def test_rooms_are_entered_when_all_have_agreed(io, node, version):
    """In the reference at once, though nothing that is sent to them arrives. `rooms` has them from the start."""
    gate, rooms = asyncio.Event(), Calls()

    @io.use
    async def join(socket):
        await socket.join("room")
        io.to("room").emit("news", 1)
        rooms(socket.rooms)
        await gate.wait()

    io.on("connection", lambda socket: rooms(socket.rooms))
    client = await node.connect(io, version=version, wait=False)
    assert await rooms.next() == ({"room"},)
    assert await io.in_("room").clients() == []
    gate.set()
    await client.joined()
    assert await rooms.next() == ({client.id, "room"},)
    assert await client.collect("news") == []


async def test_others_can_be_told(io, node, version):
    first = await node.connect(io, version=version)
    first.peer.join("room")
    io.use(lambda socket: socket.to("room").emit("knocks", socket.id) and None)
    io.use(lambda socket: socket.broadcast.emit("knocks", "again") and None)
    second = await node.connect(io, version=version)
    assert await first.collect("knocks") == [[second.id], ["again"]]
    assert await second.collect("knocks") == []


async def test_what_is_sent_comes_in_order_after_the_connect(io, node, version):
    @io.use
    async def greet(socket):
        socket.emit("first", b"1")
        await asyncio.sleep(0)
        socket.emit("second")

    io.use(lambda socket: socket.send("third") and None)
    io.on("connection", lambda socket: socket.emit("fourth"))
    client = await node.connect(io, version=version)
    await client.settle()
    assert client.heard == [["first", b"1"], ["second"], ["message", "third"], ["fourth"]]


async def test_what_is_sent_to_one_that_is_refused(io, node, version):
    io.use(lambda socket: socket.emit("early", 1) and None)
    io.use(raising(ConnectError("no")))
    client = await node.connect(io, version=version, wait=False)
    await client.refused()
    await client.settle()
    assert client.heard == []


async def test_an_answer_cannot_be_waited_for(io, node, version):
    """It comes when the client is in, which waits for the middleware."""
    io.use(lambda socket: socket.emit_with_ack("question"))
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused()).message == "Internal server error"

    errors = Calls()

    @io.of("/chat").use
    async def ask(socket):
        try:
            await socket.timeout(5).emit_with_ack("question")
        except RuntimeError as error:
            errors(str(error)[:18])

    chat = await node.connect(io, "/chat", version=version)
    assert errors.all() == [("the client answers",)]
    await chat.nothing("question")


async def test_listeners_of_a_middleware(io, node, version):
    seen = Calls()

    @io.use
    async def listen(socket):
        socket.on("event", lambda *args: seen("on", *args))
        socket.on_any(lambda *args: seen("any", *args))
        socket.use(lambda packet: packet.append(2))
        await asyncio.sleep(0)

    client = await node.connect(io, version=version, auto_connect=False, wait=False)
    await client.emit("event", 1)
    await client.open()
    await client.joined()
    assert [await seen.next(), await seen.next()] == [("any", "event", 1), ("on", 1, 2)]


async def test_disconnect_does_nothing_yet(io, node, version):
    io.use(lambda socket: socket.disconnect() and None)
    io.use(lambda socket: socket.disconnect(close=True) and None)
    client = await node.connect(io, version=version)
    await client.settle()
    assert client.connected and client.peer.connected


# ---- who goes meanwhile ----

GOING = {
    "the engine closes": "void engine.close()",
    "the socket disconnects": "void socket.disconnect()",
    "the network fails": "void engine.transport.ws.terminate()",
}


@pytest.mark.parametrize("refuses", [False, True], ids=["agrees", "refuses"])
@pytest.mark.parametrize("way", GOING)
async def test_a_client_that_goes(io, node, version, way, refuses):
    gate, asked, seen = asyncio.Event(), Calls(), Calls()

    @io.use
    async def wait(socket):
        socket.join("room")
        socket.on("disconnect", seen)
        asked(socket)
        await gate.wait()
        asked("again")
        if refuses:
            raise ConnectError("no")

    io.on("connection", seen)
    client = await node.connect(io, version=version, wait=False)
    (socket,) = await asked.next()
    await client.eval(GOING[way])
    await until(lambda: io.engine.clients_count == 0)
    gate.set()
    assert await asked.next() == ("again",)
    await asyncio.sleep(0)
    assert seen.all() == []
    assert not socket.connected and socket.rooms == set()
    assert io.sockets.sockets == io.sockets.adapter.rooms == io.sockets.adapter.sids == {}


async def test_one_that_closes_the_connection(io, node, version):
    gone, seen = Calls(), Calls()
    io.engine.on("connection", lambda conn: conn.on("close", gone))
    io.use(lambda socket: socket.conn.close())
    io.on("connection", seen)
    client = await node.connect(io, version=version, wait=False)
    assert (await gone.next())[0] == "forced close"
    await client.settle()
    assert seen.all() == [] and not client.connected


async def test_the_server_closes(node, version):
    async with serving() as io:
        gate, asked, seen = asyncio.Event(), Calls(), Calls()

        @io.use
        async def wait(socket):
            asked()
            await gate.wait()
            asked(socket.connected)

        io.on("connection", seen)
        client = await node.connect(io, version=version, wait=False)
        await asked.next()
        await io.close()
        gate.set()
        assert await asked.next() == (False,)
        await asyncio.sleep(0)
        assert seen.all() == [] and not client.connected


async def test_one_that_takes_too_long(node, version):
    async with serving(connect_timeout=0.05) as io:
        gate, gone = asyncio.Event(), Calls()
        io.use(lambda socket: gate.wait())
        io.engine.on("connection", lambda conn: conn.on("close", gone))
        client = await node.connect(io, version=version, wait=False)
        assert (await gone.next())[0] == "forced close"
        gate.set()
        assert not client.connected and io.sockets.sockets == {}
