"""Namespaces: who is in which, what is called when somebody comes or goes, and what stays apart."""

import asyncio
from functools import partial

import pytest

from fastsio import ConnectError, Disconnected
from tests.reference.node import Calls, until

# ---- names ----


async def test_the_main_namespace(io, node, version):
    assert io.sockets is io.of("/") is io.nsps["/"]
    client = await node.connect(io, version=version)
    assert client.peer.nsp is io.sockets


async def test_a_namespace_of_its_own(io, node, version):
    io.of("/chat")
    client = await node.connect(io, "/chat", version=version)
    assert client.peer.nsp.name == "/chat"
    assert client.id in io.of("/chat").sockets
    assert client.id not in io.sockets.sockets


async def test_a_slash_that_is_missing(io, node, version):
    chat = io.of("chat")
    assert chat is io.of("/chat")
    client = await node.connect(io, "/chat", version=version)
    assert client.peer.nsp is chat


@pytest.mark.parametrize("name", ["/a/b", "/with space", "/é", "/a.b-c_d", "/1"])
async def test_names(io, node, version, name):
    io.of(name)
    main = await node.connect(io, version=version)
    client = await main.join(name)
    client.peer.emit("hello", name)
    assert await client.receive("hello") == [name]
    assert client.peer.nsp.name == name


async def test_one_object_for_a_name(io):
    assert io.of("/chat") is io.of("/chat")
    assert io.of("/chat") is not io.of("/news")
    assert list(io.nsps) == ["/", "/chat", "/news"]


async def test_a_query_in_the_name(io, node, version):
    io.of("/chat")
    client = await node.connect(io, "/chat?token=abc&room=a%20b", version=version)
    assert client.peer.nsp.name == "/chat"
    query = client.peer.handshake.query
    assert (query["token"], query["room"]) == ("abc", "a b")


async def test_an_unknown_one(io, node, version):
    client = await node.connect(io, "/nobody", version=version, wait=False)
    assert await client.refused() == ("Invalid namespace", None, None, None, None)
    assert not client.connected


async def test_an_unknown_one_beside_a_known_one(io, node, version):
    main = await node.connect(io, version=version)
    other = await main.join("/nobody", wait=False)
    assert (await other.refused()).message == "Invalid namespace"
    main.peer.emit("still", "here")
    assert await main.receive("still") == ["here"]


async def test_one_that_is_made_later(io, node, version):
    main = await node.connect(io, version=version)
    refused = await main.join("/later", wait=False)
    await refused.refused()
    io.of("/later")
    await refused.open()
    await refused.joined()
    assert refused.peer.nsp.name == "/later"


async def test_the_longest_name(io, node, version):
    name = "/" + "x" * 255
    io.of(name)
    assert (await node.connect(io, name, version=version)).peer.nsp.name == name
    with pytest.raises(ValueError, match="256 bytes"):
        io.of(name + "x")


# ---- who comes ----


@pytest.mark.parametrize("event", ["connect", "connection"])
async def test_connection_has_two_names(io, node, version, event):
    seen = Calls()
    io.on(event, seen)
    client = await node.connect(io, version=version)
    assert await seen.next() == (client.peer,)
    assert seen.all() == []


async def test_both_names_of_connection_at_once(io, node):
    seen = Calls()
    io.on("connect", lambda socket: seen("connect"))
    io.on("connection", lambda socket: seen("connection"))
    await node.connect(io)
    assert seen.all() == [("connect",), ("connection",)]


async def test_the_listener_that_of_takes(io, node, version):
    seen = Calls()
    io.of("/chat", seen)
    client = await node.connect(io, "/chat", version=version)
    assert seen.all() == [(client.peer,)]


async def test_listeners_of_other_namespaces_are_left_alone(io, node, version):
    main, chat, news = Calls(), Calls(), Calls()
    io.on("connection", main)
    io.of("/chat").on("connection", chat)
    io.of("/news").on("connection", news)
    await node.connect(io, "/chat", version=version)
    assert len(chat.all()) == 1
    assert news.all() == []
    assert len(main.all()) == (1 if version == 2 else 0), "2.x clients are in / whatever they ask for"


async def test_once(io, node, version):
    seen = Calls()
    io.once("connection", seen)
    first = await node.connect(io, version=version)
    await node.connect(io, version=version)
    assert seen.all() == [(first.peer,)]


async def test_a_listener_taken_away(io, node):
    seen = Calls()
    io.on("connection", seen)
    io.off("connection", seen)
    await node.connect(io)
    assert seen.all() == []


async def test_several_over_one_connection(io, node, version):
    io.of("/chat")
    io.of("/news")
    main = await node.connect(io, version=version)
    chat, news = await main.join("/chat"), await main.join("/news")
    assert io.engine.clients_count == 1
    assert main.peer.client.sockets == {"/": main.peer, "/chat": chat.peer, "/news": news.peer}
    assert main.peer.conn is chat.peer.conn is news.peer.conn


async def test_joined_in_the_order_of_asking(io, node, version):
    names = [f"/{number}" for number in range(8)]
    order = Calls()
    for name in names:
        io.of(name).on("connection", lambda socket: order(socket.nsp.name))
    main = await node.connect(io, version=version)
    clients = [await main.join(name, wait=False) for name in names]
    for client in clients:
        await client.joined()
    assert [name for (name,) in order.all()] == names


async def test_a_slow_middleware_holds_up_nobody_else(io, node, version):
    gate = asyncio.Event()

    @io.of("/slow").use
    async def wait(socket):
        await gate.wait()

    io.of("/fast")
    main = await node.connect(io, version=version)
    slow = await main.join("/slow", wait=False)
    await main.join("/fast")
    assert not slow.connected
    assert io.of("/slow").sockets == {}
    gate.set()
    await slow.joined()


async def test_ids_differ_from_namespace_to_namespace(io, node, newer):
    io.of("/chat")
    main = await node.connect(io, version=newer)
    chat = await main.join("/chat")
    assert len({main.id, chat.id, main.peer.conn.id}) == 3
    assert (main.peer.id, chat.peer.id) == (main.id, chat.id)


async def test_ids_of_older_clients(io, node):
    io.of("/chat")
    main = await node.connect(io, version=2)
    chat = await main.join("/chat")
    assert main.peer.id == main.id == main.peer.conn.id
    assert chat.peer.id == chat.id == f"/chat#{main.id}"


async def test_an_id_of_its_own_for_each_client(io, node, version):
    clients = [await node.connect(io, version=version) for _ in range(4)]
    assert len({client.id for client in clients}) == 4
    assert set(io.sockets.sockets) == {client.id for client in clients}


# ---- out, before and after the connect ----


async def test_what_a_connection_listener_sends(io, node, version):
    @io.of("/chat").on("connection")
    def connected(socket):
        socket.emit("welcome", socket.id)
        io.of("/chat").emit("joined", socket.id)

    client = await node.connect(io, "/chat", version=version)
    assert await client.receive("welcome") == [client.id]
    assert await client.receive("joined") == [client.id]


async def test_what_a_client_sends_before_it_is_connected(io, node, version):
    seen = Calls()
    io.on("connection", lambda socket: socket.on("early", seen))
    client = await node.connect(io, version=version, auto_connect=False, wait=False)
    await client.emit("early", 1)
    await client.emit("early", b"2")
    await client.open()
    assert [await seen.next(), await seen.next()] == [(1,), (b"2",)]


async def test_what_is_sent_to_the_namespace_while_a_middleware_ponders(io, node, version):
    gate = asyncio.Event()

    @io.use
    async def wait(socket):
        await gate.wait()

    client = await node.connect(io, version=version, wait=False)
    await until(lambda: io.engine.clients_count)
    io.emit("news", 1)
    gate.set()
    await client.joined()
    io.emit("news", 2)
    assert await client.collect("news") == [[2]]


async def test_what_a_middleware_sends(io, node, version):
    io.use(lambda socket: socket.emit("early", 1) and None)
    client = await node.connect(io, version=version)
    assert await client.collect("early") == [[1]]


async def test_what_a_middleware_asks(io, node, version):
    answers, listens = Calls(), asyncio.Event()

    @io.use
    async def ask(socket):
        socket.emit("early", ack=answers)
        await listens.wait()

    client = await node.connect(io, version=version, wait=False)
    await client.answers("early", 2)
    listens.set()
    assert await answers.next() == (2,)


async def test_what_a_middleware_asks_of_a_client_that_is_refused(io, node, version):
    answers = []

    def refuse(socket):
        socket.timeout(5).emit("early", ack=answers.append)
        raise ConnectError("no")

    io.use(refuse)
    client = await node.connect(io, version=version, wait=False)
    assert (await client.refused()).message == "no"
    assert [type(error) for error in answers] == [Disconnected]


async def test_a_namespace_is_sent_to_alone(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    io.of("/chat").emit("news", "chat")
    io.emit("news", "main")
    assert await chat.collect("news") == [["chat"]]
    assert await main.collect("news") == [["main"]]


async def test_send_is_the_event_message(io, node, version):
    client = await node.connect(io, version=version)
    assert io.sockets.send("a", 1) is io.sockets
    assert io.send("b") is io
    assert await client.collect("message") == [["a", 1], ["b"]]


async def test_nobody_there(io):
    assert io.emit("news") is True
    assert io.of("/empty").to("room").emit("news", b"1") is True
    assert await io.of("/empty").clients() == []


@pytest.mark.parametrize(
    "event", ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
)
async def test_reserved_names(io, node, event):
    client = await node.connect(io)
    for target in (io, io.sockets, io.to("room"), client.peer, client.peer.broadcast, client.peer.volatile):
        with pytest.raises(ValueError, match="reserved"):
            target.emit(event)
    await client.nothing(event)


async def test_a_reserved_name_from_a_client(io, node, newer):
    client = await node.connect(io, version=newer)
    await client.eval('io._packet({ type: 2, nsp: "/", data: ["disconnecting"], options: {} })')
    assert await client.closed() == "transport close"


# ---- who goes ----


async def test_leaving_one_of_two(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    gone = Calls()
    chat.peer.on("disconnect", gone)
    await chat.disconnect()
    assert (await gone.next())[0] == "client namespace disconnect"
    await main.settle()
    assert main.connected and main.peer.connected
    assert io.of("/chat").sockets == {}


async def test_leaving_the_main_one(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    await main.disconnect()
    await chat.settle()
    assert io.sockets.sockets == {}
    chat.peer.emit("still", "here")
    assert await chat.receive("still") == ["here"]


async def test_sent_away_from_one_of_two(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    chat.peer.disconnect()
    assert await chat.closed() == "io server disconnect"
    await main.settle()
    assert main.connected and not chat.connected


async def test_sent_away_with_the_connection(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    gone = Calls()
    main.peer.on("disconnect", gone)
    chat.peer.disconnect(close=True)
    assert await main.closed() in ("transport close", "io server disconnect")
    await chat.closed()
    assert (await gone.next())[0] == "server namespace disconnect"
    await until(lambda: io.engine.clients_count == 0)


async def test_joining_again_after_leaving(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    first = chat.peer
    await chat.disconnect()
    await main.settle()
    await chat.open()
    await chat.joined()
    assert chat.peer is not first
    assert chat.peer.connected and not first.connected


async def test_all_are_told_when_the_connection_breaks(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    gone = Calls()
    for client in (main, chat):
        client.peer.on("disconnect", partial(gone, client.nsp))
    await main.eval("engine.close()")
    seen = [(await gone.next())[:2] for _ in range(2)]
    assert sorted(seen) == [("/", "transport close"), ("/chat", "transport close")]
    assert io.sockets.sockets == io.of("/chat").sockets == {}


async def test_disconnecting_comes_first_and_sees_the_rooms(io, node, version):
    client = await node.connect(io, version=version)
    peer, seen = client.peer, Calls()
    peer.join(["a", "b"])
    peer.on("disconnecting", lambda reason: seen("disconnecting", reason, peer.rooms, peer.connected))
    peer.on("disconnect", lambda reason: seen("disconnect", reason, peer.rooms, peer.connected))
    await client.disconnect()
    reason = "client namespace disconnect"
    assert await seen.next() == ("disconnecting", reason, {peer.id, "a", "b"}, True)
    assert await seen.next() == ("disconnect", reason, set(), False)


async def test_disconnecting_may_say_goodbye_to_the_rooms(io, node, version):
    leaver, stayer = await node.connect(io, version=version), await node.connect(io, version=version)
    leaver.peer.join("room")
    stayer.peer.join("room")
    peer = leaver.peer
    peer.on("disconnecting", lambda: peer.to(peer.rooms).emit("left", peer.id))
    await leaver.disconnect()
    assert await stayer.receive("left") == [peer.id]


async def test_what_comes_for_a_namespace_that_was_left_is_dropped(io, node, newer):
    io.of("/chat")
    main = await node.connect(io, version=newer)
    chat = await main.join("/chat")
    seen = Calls()
    chat.peer.on("late", seen)
    chat.peer.disconnect()
    await chat.closed()
    await main.eval('io._packet({ type: 2, nsp: "/chat", data: ["late"], options: {} })')
    await main.settle()
    assert seen.all() == []
    assert main.connected


async def test_a_refused_one_leaves_no_trace(io, node, version):
    @io.of("/closed").use
    def refuse(socket):
        socket.join("room")
        raise ConnectError("members only", data={"code": 1})

    seen = Calls()
    io.of("/closed").on("connection", seen)
    client = await node.connect(io, "/closed", version=version, wait=False)
    refusal = await client.refused()
    assert refusal.data == {"code": 1}
    assert refusal.message == ("" if version == 2 else "members only"), "in 2.x the data come instead"
    assert seen.all() == []
    assert io.of("/closed").sockets == {}
    assert await io.of("/closed").in_("room").clients() == []


# ---- who is there ----


async def test_everybody(io, node, version):
    io.of("/chat")
    first, second = [await node.connect(io, "/chat", version=version) for _ in range(2)]
    assert await io.of("/chat").all_sockets() == {first.id, second.id}
    assert sorted(await io.of("/chat").clients()) == sorted([first.id, second.id])
    assert set(await io.of("/chat").fetch_sockets()) == {first.peer, second.peer}
    assert io.of("/chat").connected == io.of("/chat").sockets == {first.id: first.peer, second.id: second.peer}


async def test_everybody_in_a_room(io, node, version):
    io.of("/chat")
    first, second, third = [await node.connect(io, "/chat", version=version) for _ in range(3)]
    first.peer.join("a")
    second.peer.join(["a", "b"])
    assert await io.of("/chat").in_("a").all_sockets() == {first.id, second.id}
    assert await io.of("/chat").in_("b").clients() == [second.id]
    assert await io.of("/chat").in_("c").clients() == []
    assert await io.of("/chat").in_("a").except_("b").clients() == [first.id]
    assert await io.of("/chat").except_("a").clients() == [third.id]


async def test_rooms_of_one_name_in_two_namespaces(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    main.peer.join("room")
    chat.peer.join("room")
    assert await io.in_("room").clients() == [main.id]
    assert await io.of("/chat").in_("room").clients() == [chat.id]
    io.to("room").emit("news", 1)
    assert await main.collect("news") == [[1]]
    await chat.nothing("news")


async def test_those_that_went_are_not_there(io, node, version):
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    first.peer.join("room")
    peer = first.peer
    await first.disconnect()
    await until(lambda: not peer.connected)
    assert await io.clients() == [second.id]
    assert await io.in_("room").clients() == []
