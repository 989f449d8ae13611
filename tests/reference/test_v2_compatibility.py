"""What is special about clients of 2.x, and what is the same for all generations beside each other."""

import asyncio
from functools import partial

import pytest

from fastsio import AckTimeout, ConnectError
from tests.reference.node import VERSIONS, Calls, until
from tests.wsclient import serving

TRANSPORTS = ["websocket", "polling", None]
EACH_TRANSPORT = pytest.mark.parametrize("transport", TRANSPORTS)

# ---- whether they may connect ----


@EACH_TRANSPORT
async def test_allowed_by_default(io, node, transport):
    """The reference wants to be asked, by allowEIO3."""
    client = await node.connect(io, version=2, transport=transport)
    assert client.id == await client.eval("engine.id") == client.peer.id == client.peer.conn.id
    assert client.peer.conn.protocol == 3


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_not_allowed(node, newer, transport):
    async with serving(allow_eio3=False) as io:
        errors = Calls()
        io.engine.on("connection_error", errors)
        client = await node.connect(io, version=2, transport=transport, wait=False)
        refusal = await client.refused()
        assert refusal.message == {"websocket": "websocket error", "polling": "xhr poll error"}[transport]
        ((error,),) = errors.all()
        assert (error.code, error.message) == (5, "Unsupported protocol version")
        await node.connect(io, version=newer, transport=transport)
        assert errors.all() == []


# ---- in "/" without asking ----


async def test_in_main_on_the_way_to_another(io, node):
    came = Calls()
    for name in ("/chat", "/"):
        io.of(name).on("connection", came)
    client = await node.connect(io, "/chat", version=2)
    connection = client.peer.client
    main = connection.sockets["/"]
    assert came.all() == [(main,), (client.peer,)]
    assert connection.sockets == {"/": main, "/chat": client.peer}
    assert main.id == client.peer.conn.id
    io.emit("news", "main")
    io.of("/chat").emit("news", "chat")
    assert await client.collect("news") == [["chat"]]


async def test_both_are_told_when_it_leaves(io, node):
    io.of("/chat")
    client = await node.connect(io, "/chat", version=2)
    gone = Calls()
    for name, socket in client.peer.client.sockets.items():
        socket.on("disconnect", partial(gone, name))
    await client.disconnect()
    told = [(await gone.next())[:2] for _ in range(2)]
    assert told == [("/chat", "client namespace disconnect"), ("/", "transport close")]


async def test_disconnected_in_main_alone(io, node):
    io.of("/chat").event("echo")(lambda socket, value: value)
    client = await node.connect(io, "/chat", version=2)
    client.peer.client.sockets["/"].disconnect()
    assert await client.emit_with_ack("echo", 1) == [1]
    assert client.peer.client.sockets == {"/chat": client.peer}
    assert io.sockets.sockets == {}


async def test_refused_in_main_alone(io, node):
    """Servers of 2.x refuse it everywhere then, those of 4.x do not. The client takes an error of "/" for its own."""

    @io.use
    def refuse(socket):
        raise ConnectError("not in main")

    io.of("/chat")
    client = await node.connect(io, "/chat", version=2)
    assert (await client.refused()).message == "not in main"
    assert client.peer.client.sockets == {"/chat": client.peer}


async def test_main_keeps_nobody_waiting(io, node):
    gate = asyncio.Event()

    @io.use
    async def wait(socket):
        await gate.wait()

    io.of("/chat")
    client = await node.connect(io, "/chat", version=2)
    assert io.sockets.sockets == {}
    gate.set()
    await client.settle()
    assert list(io.sockets.sockets) == [client.peer.conn.id]


# ---- ids ----


@pytest.mark.parametrize("name", ["/chat", "/a/b", "/é"])
async def test_ids_of_namespaces(io, node, name):
    io.of(name)
    main = await node.connect(io, version=2)
    there = await main.join(name)
    assert there.id == there.peer.id == f"{name}#{main.id}"
    io.of(name).to(there.id).emit("news", 1)
    io.to(there.id).emit("news", 2)
    assert await there.collect("news") == [[1]]
    assert there.peer.rooms == {there.id}


async def test_the_same_id_when_it_joins_again(io, node):
    io.of("/chat")
    main = await node.connect(io, version=2)
    chat = await main.join("/chat")
    first = chat.peer
    first.join("room")
    await chat.disconnect()
    await chat.open()
    await chat.joined()
    await until(lambda: not first.connected)
    assert chat.peer is not first and chat.peer.id == first.id
    assert chat.peer.rooms == {chat.id} == set(io.of("/chat").sockets)


# ---- queries ----

QUERIES = {
    "an object": ({"token": "abc", "n": 1}, {"token": "abc", "n": "1"}),
    "a string": ("token=abc&flag&empty=", {"token": "abc", "flag": "", "empty": ""}),
    "escapes": ({"é": "a b&c=d%+/?#,€"}, {"é": "a b&c=d%+/?#,€"}),
    "plus": ("a=b+c", {"a": "b c"}),
    "a name twice": ("a=1&a=2", {"a": "2"}),  # a list of both in the reference
}


@pytest.mark.parametrize("query", QUERIES)
async def test_the_query_of_a_namespace(io, node, query):
    given, expected = QUERIES[query]
    io.of("/chat")
    main = await node.connect(io, version=2)
    handshake = (await main.join("/chat", query=given)).peer.handshake
    assert handshake.auth == expected
    assert {name: handshake.query[name] for name in expected} == expected
    assert main.peer.handshake.auth == {}
    assert not expected.keys() & main.peer.handshake.query.keys()


async def test_the_query_of_the_namespace_comes_first(io, node):
    """In the reference of 4.x it is not in handshake.query at all, in that of 2.x as here."""
    io.of("/chat")
    main = await node.connect(io, version=2, query={"key": "connection", "own": 1})
    chat, other = await main.join("/chat", query={"key": "chat"}), io.of("/other")
    assert (chat.peer.handshake.query["key"], chat.peer.handshake.query["own"]) == ("chat", "1")
    assert main.peer.handshake.query["key"] == chat.peer.request.query["key"] == "connection"
    there = await main.join("/other", query="key=other")
    assert there.peer.nsp is other and there.peer.handshake.query["key"] == "other"


async def test_the_query_of_a_url(io, node):
    """It goes with the connection and with the namespace."""
    io.of("/chat")
    client = await node.connect(io, "/chat?token=a%20b", version=2)
    assert client.peer.handshake.auth == {"token": "a b"}
    main = client.peer.client.sockets["/"]
    assert (main.handshake.auth, main.handshake.query["token"]) == ({}, "a b")


async def test_an_unknown_namespace_with_a_query(io, node):
    client = await node.connect(io, "/nobody?token=abc", version=2, wait=False)
    assert (await client.refused()).message == "Invalid namespace"
    assert list(io.nsps) == ["/"]


async def test_one_namespace_whatever_the_query(io, node):
    io.of("/chat")
    clients = [await node.connect(io, f"/chat?n={n}", version=2) for n in range(2)]
    assert [client.peer.handshake.auth["n"] for client in clients] == ["0", "1"]
    clients[0].peer.broadcast.emit("news", 1)
    assert [await client.collect("news") for client in clients] == [[], [[1]]]


# ---- the heartbeat ----


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_who_pings(node, version, transport):
    """A 2.x client, and its sockets hear "pong" with the milliseconds that it took. Newer ones are pinged."""
    async with serving(ping_interval=0.05, ping_timeout=3.0) as io:
        client = await node.connect(io, version=version, transport=transport)
        went = Calls()
        client.peer.conn.on("packet_create", lambda packet: went(packet["type"]))
        assert await went.next() == ("pong" if version == 2 else "ping",)
        heard = "socket.on('pong', done)" if version == 2 else "engine.on('packet', ({ type }) => done(type))"
        told = await client.eval(f"new Promise((done) => {heard})")
        assert told >= 0 if version == 2 else told == "ping"


async def test_a_client_that_no_longer_pings(node):
    async with serving(ping_interval=0.1, ping_timeout=0.5) as io:
        client = await node.connect(io, version=2)
        gone = Calls()
        client.peer.on("disconnect", gone)
        # Nor does it notice itself.
        await client.eval("void (engine.ping = engine.onHeartbeat = () => {}, engine.off('heartbeat'))")
        await client.eval("void (clearTimeout(engine.pingIntervalTimer), clearTimeout(engine.pingTimeoutTimer))")
        assert (await gone.next())[0] == "ping timeout"
        assert await client.closed() == "transport close"


async def test_a_server_that_no_longer_answers(node):
    async with serving(ping_interval=0.05, ping_timeout=0.3) as io:
        client = await node.connect(io, version=2)
        gone = Calls()
        client.peer.on("disconnect", gone)
        # As if nothing came any more.
        await client.eval("void (engine.transport.off('packet'))")
        assert await client.closed() == "ping timeout"
        assert (await gone.next())[0] == "transport close"


# ---- binary ----


@EACH_TRANSPORT
@pytest.mark.parametrize("base64", [False, True], ids=["bytes", "base64"])
async def test_binary(io, node, version, transport, base64):
    client = await node.connect(io, version=version, transport=transport, force_base64=base64)
    assert not base64 or client.peer.handshake.query["b64"] == "1"
    values = [b"", bytes(range(256)), {"a": [b"1", {"b": b"\xff" * 70_000}]}, "é", None, [bytearray(b"2")]]
    expected = [bytes(range(256)) if value == bytes(range(256)) else value for value in values[:-1]] + [[b"2"]]
    client.peer.on("echo", lambda *args: args)
    await client.echoes("echo")
    assert await client.emit_with_ack("echo", *values) == expected
    assert list(await client.peer.emit_with_ack("echo", *values)) == expected
    io.emit("news", *values)
    assert await client.receive("news") == expected


# ---- generations beside each other ----


async def test_all_get_the_same(io, node):
    clients = [await node.connect(io, version=v, transport=transport) for v in VERSIONS for transport in TRANSPORTS]
    clients += [await node.connect(io, version=version, force_base64=True) for version in VERSIONS]
    for client in clients:
        client.peer.join("room")
    sent = [["é€😀", n] if n % 3 else [{"n": n, "bytes": bytes([n]) * n}, b"x"] for n in range(60)]
    for number, args in enumerate(sent):
        io.to("room").emit("news", *args)
        if number % 10 == 0:
            await asyncio.sleep(0)
    for client in clients:
        assert await client.collect("news") == sent, client


async def test_each_tells_the_others(io, node):
    io.event("say")(lambda socket, *args: socket.broadcast.emit("said", *args) and None)
    clients = [await node.connect(io, version=version) for version in VERSIONS]
    for client in clients:
        await client.emit("say", client.version, b"\x00")
        await client.settle()
    heard = [await client.collect("said") for client in clients]
    assert heard == [[[other, b"\x00"] for other in VERSIONS if other != version] for version in VERSIONS]


async def test_all_are_asked(io, node):
    clients = [await node.connect(io, version=v, transport=t) for v in VERSIONS for t in ("websocket", "polling")]
    for number, client in enumerate(clients):
        await client.answers("question", number, "more")
    assert sorted(await io.timeout(5).emit_with_ack("question", b"1")) == list(range(6))
    await clients[-1].never_answers("question")
    asked = asyncio.ensure_future(io.emit_with_ack("question", 2))
    for client in clients:
        await client.settle()
    assert not asked.done()
    await clients[-1].answer("question", "at last")
    assert set(await asked) == {0, 1, 2, 3, 4, "at last"}


async def test_catching_all_events(io, node, version):
    client = await node.connect(io, version=version)
    came, went = Calls(), Calls()
    client.peer.on_any(came)
    client.peer.on_any_outgoing(went)
    await client.emit("up", b"1")
    io.emit("down", b"2")
    client.peer.volatile.emit("down", 3)
    await client.settle()
    assert came.all() == [("up", b"1")]
    assert went.all() == [("down", b"2"), ("down", 3)]
    assert await client.collect("down") == [[b"2"], [3]]


async def test_an_answer_that_comes_too_late(io, node, version):
    client = await node.connect(io, version=version)
    with pytest.raises(AckTimeout):
        await client.peer.timeout(0.01).emit_with_ack("question", 1)
    await client.receive("question")
    await client.answer("question", "late")
    await client.answers("question", "in time")
    assert await client.peer.timeout(5).emit_with_ack("question", 2) == "in time"


# ---- the end ----

ENDINGS = {
    "the client leaves": (lambda client: client.disconnect(), "io client disconnect", "client namespace disconnect"),
    "the client closes": (lambda client: client.eval("void engine.close()"), "forced close", "transport close"),
    "the server disconnects": (
        lambda client: client.peer.disconnect(),
        "io server disconnect",
        "server namespace disconnect",
    ),
    "the server disconnects with the connection": (
        lambda client: client.peer.disconnect(close=True),
        "io server disconnect",
        "server namespace disconnect",
    ),
    "the server closes": (lambda client: client.peer.conn.close(), "transport close", "forced close"),
}


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("ending", ENDINGS)
async def test_reasons(io, node, version, transport, ending):
    end, for_client, for_server = ENDINGS[ending]
    client = await node.connect(io, version=version, transport=transport)
    gone = Calls()
    client.peer.on("disconnect", gone)
    ended = end(client)
    if asyncio.iscoroutine(ended):
        await ended
    assert await client.closed() == for_client
    assert (await gone.next())[0] == for_server
    assert gone.all() == []


async def test_a_connection_that_fails(io, node, version):
    client = await node.connect(io, version=version)
    gone = Calls()
    client.peer.on("disconnect", gone)
    await client.eval("void engine.transport.ws.terminate()")
    assert (await gone.next())[0] in ("transport close", "transport error")
    assert await client.closed() == "transport close"


async def test_it_comes_back_by_itself(io, node):
    io.of("/chat")
    main = await node.connect(io, version=2, reconnection=True, query={"key": "1"})
    chat = await main.join("/chat", query={"token": "abc"})
    first, old = main.id, [main.peer, chat.peer]
    chat.peer.join("room")
    main.peer.conn.close()
    assert [await main.closed(), await chat.closed()] == ["transport close"] * 2
    await main.joined()
    await chat.joined()
    assert main.id != first and chat.id == f"/chat#{main.id}"
    assert main.peer.handshake.query["key"] == chat.peer.handshake.query["key"] == "1"
    assert chat.peer.handshake.auth == {"token": "abc"}
    assert chat.peer.rooms == {chat.id}
    assert [socket.connected for socket in old] == [False, False]
    assert list(io.sockets.sockets) == [main.id]


async def test_it_is_not_recovered(node):
    """A 4.x client is. What is sent to a 2.x client alone has no offset; a broadcast has, as in the reference."""
    async with serving(connection_state_recovery=True) as io:
        old, new = clients = [await node.connect(io, version=version) for version in (2, 4)]
        gone, ids = Calls(), [client.id for client in clients]
        io.sockets_join("room")
        for client in clients:
            client.peer.emit("news", 1)
            assert len(await client.receive("news")) == (1 if client is old else 2)
            client.peer.on("disconnect", gone)
            await client.eval("void engine.close()")
            await gone.next()
        io.to("room").emit("missed", 2)
        for client in clients:
            await client.open()
            await client.closed()
            await client.joined()
        assert [client.id in ids for client in clients] == [False, True]
        assert [client.peer.recovered for client in clients] == [False, True]
        assert [client.peer.rooms for client in clients] == [{old.id}, {new.id, "room"}]
        assert await old.collect("missed") == []
        assert [args[0] for args in await new.collect("missed")] == [2]
