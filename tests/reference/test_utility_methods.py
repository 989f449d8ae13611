"""What is asked of, and done to, all sockets of a target at once; and what an adapter shows and tells of its rooms."""

import asyncio
import json
import re
from functools import partial

import pytest

from fastsio import AckTimeout
from fastsio.adapter import Adapter
from fastsio.remote import RemoteSocket
from tests.reference.node import Calls, until
from tests.wsclient import serving

ROOMS = [["a"], ["a", "b"], ["b"], []]  # of the four clients
GENERATIONS = [4, 3, 2, 4]
TARGETS = {
    "everybody": (lambda nsp, first: nsp, [0, 1, 2, 3]),
    "a room": (lambda nsp, first: nsp.in_("a"), [0, 1]),
    "two rooms": (lambda nsp, first: nsp.in_("a").to("b"), [0, 1, 2]),
    "a list of rooms": (lambda nsp, first: nsp.in_(["a", "b"]), [0, 1, 2]),
    "an id": (lambda nsp, first: nsp.to(first.id), [0]),
    "nobody's room": (lambda nsp, first: nsp.in_("c"), []),
    "without a room": (lambda nsp, first: nsp.except_("a"), [2, 3]),
    "without an id": (lambda nsp, first: nsp.except_([first.id, "b"]), [3]),
    "a room without another": (lambda nsp, first: nsp.in_("a").except_("b"), [0]),
    "with flags": (lambda nsp, first: nsp.volatile.local.compress(False).in_("b"), [1, 2]),
    "all but the first": (lambda nsp, first: first.broadcast, [1, 2, 3]),
    "others in a room": (lambda nsp, first: first.to("a"), [1]),
    "others without a room": (lambda nsp, first: first.except_("a"), [2, 3]),
    "others with flags": (lambda nsp, first: first.volatile.in_(["a", "b"]), [1, 2]),
}
EACH_TARGET = pytest.mark.parametrize(("make", "expected"), TARGETS.values(), ids=TARGETS)
EACH_NAMESPACE = pytest.mark.parametrize("name", ["/", "/chat"])


async def crowd(io, node, name="/"):
    """Four clients of all generations in the ROOMS: the namespace, the clients and their sockets."""
    nsp = io if name == "/" else io.of(name)
    clients = [await node.connect(io, name, version=version) for version in GENERATIONS]
    for client, rooms in zip(clients, ROOMS, strict=True):
        client.peer.join(rooms)
    return nsp, clients, [client.peer for client in clients]


def indexes(peers, chosen):
    return sorted(peers.index(socket) for socket in chosen)


# ---- who is there ----


@EACH_NAMESPACE
@EACH_TARGET
async def test_fetch_sockets(io, node, name, make, expected):
    nsp, _, peers = await crowd(io, node, name)
    assert indexes(peers, await make(nsp, peers[0]).fetch_sockets()) == expected


@EACH_NAMESPACE
@EACH_TARGET
async def test_ids(io, node, name, make, expected):
    nsp, _, peers = await crowd(io, node, name)
    target, ids = make(nsp, peers[0]), [peers[index].id for index in expected]
    assert sorted(await target.clients()) == sorted(ids)
    assert await target.all_sockets() == set(ids)


async def test_nobody_is_there(io):
    for target in (io, io.of("/chat"), io.to("a"), io.except_("a")):
        assert await target.fetch_sockets() == await target.clients() == []
        assert await target.all_sockets() == set()
        await target.sockets_join("b")
        await target.sockets_leave("b")
        await target.disconnect_sockets(close=True)
    assert io.sockets.adapter.rooms == {}


async def test_what_a_fetched_socket_offers(io, node, version):
    client = await node.connect(io, version=version, query={"key": "1"})
    client.peer.data["name"] = "Ada"
    (found,) = await io.fetch_sockets()
    assert (found.id, found.data, found.handshake.query["key"]) == (client.id, {"name": "Ada"}, "1")
    await found.join(["a", "b"])
    await found.leave("a")
    assert found.rooms == client.peer.rooms == {client.id, "b"}
    found.emit("news", b"1")
    assert await client.receive("news") == [b"1"]
    assert await found.in_("b").fetch_sockets() == []
    found.disconnect()
    assert await client.closed() == "io server disconnect"
    assert found.disconnected and await io.fetch_sockets() == []


async def test_those_that_went_are_not_there(io, node, version):
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    await io.sockets_join("room")
    gone = Calls()
    first.peer.on("disconnect", gone)
    await first.eval("void engine.close()")
    await gone.next()
    assert await io.fetch_sockets() == await io.in_("room").fetch_sockets() == [second.peer]


async def test_those_that_are_not_in_yet_are_not_there(io, node, version):
    gate, asked = asyncio.Event(), Calls()

    @io.use
    async def wait(socket):
        asked()
        await gate.wait()

    client = await node.connect(io, version=version, wait=False)
    await asked.next()
    assert await io.fetch_sockets() == await io.clients() == []
    io.sockets_join("too early")
    io.disconnect_sockets()
    gate.set()
    await client.joined()
    await client.settle()
    assert client.peer.rooms == {client.id}


# ---- join and leave ----


@EACH_NAMESPACE
@EACH_TARGET
async def test_sockets_join(io, node, name, make, expected):
    nsp, _, peers = await crowd(io, node, name)
    await make(nsp, peers[0]).sockets_join("new")
    assert [index for index, peer in enumerate(peers) if "new" in peer.rooms] == expected
    assert indexes(peers, await nsp.in_("new").fetch_sockets()) == expected


@EACH_NAMESPACE
@EACH_TARGET
async def test_sockets_leave(io, node, name, make, expected):
    nsp, _, peers = await crowd(io, node, name)
    await nsp.sockets_join("old")
    await make(nsp, peers[0]).sockets_leave("old")
    assert [index for index, peer in enumerate(peers) if "old" not in peer.rooms] == expected


async def test_several_rooms(io, node):
    _, clients, peers = await crowd(io, node)
    await io.in_("a").sockets_join(["b", "c", "d"])
    assert [len(peer.rooms) for peer in peers] == [5, 5, 2, 1]
    io.to("c").emit("news", 1)
    await io.sockets_leave(("a", "b", "nowhere"))
    io.to(["a", "b"]).emit("news", 2)
    assert [await client.collect("news") for client in clients] == [[[1]], [[1]], [], []]
    assert [peer.rooms for peer in peers] == [{peer.id, "c", "d"} for peer in peers[:2]] + [{p.id} for p in peers[2:]]


async def test_of_the_room_that_is_left(io, node):
    """Who is in the target is settled before anybody leaves."""
    _, _, peers = await crowd(io, node)
    await io.in_("a").sockets_leave(["a", "b"])
    assert [peer.rooms - {peer.id} for peer in peers] == [set(), set(), {"b"}, set()]


async def test_done_without_waiting(io, node, version):
    client = await node.connect(io, version=version)
    io.sockets_join("a")
    io.to("a").emit("news", 1)
    io.in_("a").sockets_leave("a")
    io.to("a").emit("news", 2)
    assert await client.collect("news") == [[1]]


async def test_rooms_of_other_namespaces(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    io.sockets_join("room")
    assert (main.peer.rooms, chat.peer.rooms) == ({main.id, "room"}, {chat.id})
    chat.peer.join("room")
    io.in_("room").disconnect_sockets()
    assert await main.closed() == "io server disconnect"
    await chat.settle()
    assert chat.peer.connected and await io.of("/chat").in_("room").clients() == [chat.id]


@pytest.mark.parametrize("rooms", [None, 1, [1], b"room"])
def test_no_names_of_rooms(io, rooms):
    for method in (io.sockets_join, io.sockets_leave, io.in_, io.except_):
        with pytest.raises(TypeError, match="room"):
            method(rooms)


# ---- disconnect ----


@pytest.mark.parametrize("close", [False, True])
@EACH_NAMESPACE
@EACH_TARGET
async def test_disconnect_sockets(io, node, name, make, expected, close):
    nsp, clients, peers = await crowd(io, node, name)
    gone = Calls()
    for index, peer in enumerate(peers):
        peer.on("disconnect", partial(gone, index))
    await make(nsp, peers[0]).disconnect_sockets(close)
    assert sorted(args[:2] for args in gone.all()) == [(index, "server namespace disconnect") for index in expected]
    for index, client in enumerate(clients):
        if index in expected:
            assert await client.closed() == "io server disconnect"
        else:
            await client.settle()
            assert client.connected and client.peer.connected


@pytest.mark.parametrize("close", [False, True])
async def test_the_connection_of_a_disconnected_socket(io, node, version, close):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    io.of("/chat").disconnect_sockets(close)
    await chat.closed()
    if close:
        await main.closed()
        await until(lambda: io.engine.clients_count == 0)
    else:
        await main.settle()
        assert main.connected and io.engine.clients_count == 1


# ---- from inside a handler ----


async def test_in_a_connection_listener(io, node, version):
    seen = Calls()

    @io.on("connection")
    async def connected(socket):
        seen([found.id for found in await io.fetch_sockets()])
        await io.sockets_join("all")
        io.to("all").emit("joined", socket.id)

    first = await node.connect(io, version=version)
    assert await seen.next() == ([first.id],)
    second = await node.connect(io, version=version)
    assert set((await seen.next())[0]) == {first.id, second.id}
    assert await first.collect("joined") == [[first.id], [second.id]]
    assert await second.collect("joined") == [[second.id]]


async def test_while_one_goes(io, node, version):
    client = await node.connect(io, version=version)
    peer, seen = client.peer, Calls()
    peer.join("room")

    async def who(when):
        seen(when, await io.in_("room").fetch_sockets(), await io.clients())

    peer.on("disconnecting", lambda: io.in_("room").sockets_join("last") and seen(peer.rooms))
    peer.on("disconnect", lambda: who("after"))
    await client.disconnect()
    assert await seen.next() == ({client.id, "room", "last"},)
    assert await seen.next() == ("after", [], [])


async def test_a_handler_disconnects_all(io, node, version):
    clients = [await node.connect(io, version=version) for _ in range(3)]

    @io.event
    def end(socket):
        io.disconnect_sockets()
        return "never sent"

    await clients[1].emit("end")
    assert [await client.closed() for client in clients] == ["io server disconnect"] * 3
    assert io.sockets.sockets == {}


async def test_one_that_goes_takes_the_others_along(io, node, version):
    """Each is told once. In the reference the listeners call each other until the stack is full."""
    clients = [await node.connect(io, version=version) for _ in range(3)]
    told = Calls()
    for number, client in enumerate(clients):
        client.peer.on("disconnecting", lambda: io.disconnect_sockets() and None)
        client.peer.on("disconnecting", partial(told, number, "disconnecting"))
        client.peer.on("disconnect", partial(told, number, "disconnect"))
    clients[0].peer.disconnect()
    assert [await client.closed() for client in clients] == ["io server disconnect"] * 3
    heard = sorted(args[:3] for args in told.all())
    events = ("disconnect", "disconnecting")
    assert heard == [(number, event, "server namespace disconnect") for number in range(3) for event in events]


# ---- parents, and sockets of other servers ----


async def test_through_a_parent(io, node, version):
    """The reference takes all but fetch_sockets as a broadcast to the children, and refuses that."""
    parent = io.of(re.compile("^/room-"))
    clients = [await node.connect(io, f"/room-{name}", version=version) for name in "aab"]
    peers = [client.peer for client in clients]
    assert set(await parent.fetch_sockets()) == set(peers)
    assert await parent.all_sockets() == {client.id for client in clients}
    peers[0].join("x")
    peers[2].join("x")
    await parent.in_("x").sockets_join("y")
    assert set(await parent.in_("y").fetch_sockets()) == {peers[0], peers[2]}
    await parent.except_("y").disconnect_sockets()
    assert await clients[1].closed() == "io server disconnect"
    await parent.sockets_leave(["x", "y"])
    assert [peer.rooms for peer in peers] == [{peers[0].id}, set(), {peers[2].id}]


class Elsewhere(Adapter):
    """Tells of its sockets as if they were another server's."""

    def fetch_sockets(self, options):
        found = super().fetch_sockets(options)
        return [{"id": s.id, "handshake": s.handshake.as_dict(), "rooms": list(s.rooms), "data": s.data} for s in found]


class ElsewhereLater(Elsewhere):
    async def fetch_sockets(self, options):
        await asyncio.sleep(0)
        return super().fetch_sockets(options)


@pytest.mark.parametrize("adapter", [Elsewhere, ElsewhereLater])
async def test_a_socket_of_another_server(node, version, adapter):
    async with serving(adapter=adapter) as io:
        client = await node.connect(io, version=version)
        peer = client.peer
        peer.data["name"] = "Ada"
        (found,) = await io.fetch_sockets()
        assert isinstance(found, RemoteSocket)
        assert (found.id, found.rooms, found.data) == (client.id, {client.id}, {"name": "Ada"})
        assert vars(found.handshake) == json.loads(json.dumps(peer.handshake.as_dict()))
        assert found.handshake.url == peer.handshake.url
        await found.join(["a", "b"])
        await found.leave("a")
        assert peer.rooms == {client.id, "b"}
        assert [there.id for there in await io.in_("b").fetch_sockets()] == [client.id]
        found.emit("news", 1)
        assert await client.receive("news") == [1]
        await client.answers("question", 2)
        assert await found.timeout(5).emit_with_ack("question") == [2]
        with pytest.raises(AckTimeout):
            await found.timeout(0.01).emit_with_ack("nobody answers")
        assert found.disconnect() is found
        assert await client.closed() == "io server disconnect"


# ---- server_side_emit with one server ----


async def test_server_side_emit(io, node, version):
    """There is no other server. The reference warns, and never calls the acknowledgement."""
    client = await node.connect(io, version=version)
    seen, answers = Calls(), Calls()
    io.on("hello", seen)
    io.of("/chat").on("hello", seen)
    for nsp in (io, io.sockets, io.of("/chat")):
        assert nsp.server_side_emit("hello", 1, b"2") is True
        assert nsp.server_side_emit("hello", ack=answers) is True
        assert answers.all() == [(None, [])]
        assert await nsp.server_side_emit_with_ack("hello", 1) == []
    assert seen.all() == []
    await client.nothing("hello")


@pytest.mark.parametrize("event", ["connect", "connection", "new_namespace"])
async def test_reserved_names_between_servers(io, event):
    for nsp in (io, io.of("/chat")):
        with pytest.raises(ValueError, match="reserved"):
            nsp.server_side_emit(event)
        with pytest.raises(ValueError, match="reserved"):
            await nsp.server_side_emit_with_ack(event)


# ---- rooms as the adapter has them ----


def watched(adapter):
    """What the adapter tells from now on: (event, room) or (event, room, id)."""
    told = Calls()
    for event in ("create-room", "join-room", "leave-room", "delete-room"):
        adapter.on(event, partial(told, event))
    return told


async def test_events_of_one_that_comes_and_goes(io, node, version):
    adapter, gone = io.sockets.adapter, Calls()
    told = watched(adapter)
    client = await node.connect(io, version=version)
    peer, id = client.peer, client.id
    assert told.all() == [("create-room", id), ("join-room", id, id)]
    peer.join(["a", "a"])
    peer.join("a")
    assert told.all() == [("create-room", "a"), ("join-room", "a", id)]
    peer.leave("a")
    peer.leave("a")
    peer.join("b")
    assert told.all() == [("leave-room", "a", id), ("delete-room", "a"), ("create-room", "b"), ("join-room", "b", id)]
    peer.on("disconnect", gone)
    await client.disconnect()
    await gone.next()
    left = told.all()
    for room in (id, "b"):
        assert [args for args in left if args[1] == room] == [("leave-room", room, id), ("delete-room", room)]
    assert len(left) == 4 and adapter.rooms == {}


async def test_events_of_a_shared_room(io, node):
    first, second = [await node.connect(io, version=version) for version in (4, 2)]
    told = watched(io.sockets.adapter)
    io.sockets_join("room")
    first.peer.leave("room")
    second.peer.disconnect()
    heard = [args for args in told.all() if args[1] == "room"]
    assert heard[0] == ("create-room", "room")
    assert set(heard[1:3]) == {("join-room", "room", first.id), ("join-room", "room", second.id)}
    assert heard[3:] == [("leave-room", "room", first.id), ("leave-room", "room", second.id), ("delete-room", "room")]


async def test_events_of_a_namespace_of_its_own(io, node, version):
    io.of("/chat")
    told = watched(io.of("/chat").adapter)
    main = await node.connect(io, version=version)
    main.peer.join("room")
    assert told.all() == []
    chat = await main.join("/chat")
    assert told.all() == [("create-room", chat.id), ("join-room", chat.id, chat.id)]


async def test_events_of_rooms_joined_in_a_middleware(io, node, version):
    told = watched(io.sockets.adapter)
    io.use(lambda socket: socket.join("room") and None)
    client = await node.connect(io, version=version)
    id = client.id
    expected = [("create-room", id), ("join-room", id, id), ("create-room", "room"), ("join-room", "room", id)]
    assert told.all() == expected


async def test_listeners_of_the_adapter_may_emit(io, node, version):
    adapter = io.sockets.adapter
    adapter.on("join-room", lambda room, id: io.to(room).emit("joined", room, id))
    adapter.on("leave-room", lambda room, id: io.to(room).emit("left", room, id))
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    first.peer.join("room")
    second.peer.join("room")
    peer, gone = second.peer, Calls()
    peer.on("disconnect", gone)
    await second.disconnect()
    await gone.next()
    assert await first.collect("left") == [["room", peer.id]]
    joined = [args for args in await first.collect("joined") if args[0] == "room"]
    assert joined == [["room", first.id], ["room", peer.id]]


async def test_rooms_and_sids(io, node, version):
    adapter = io.sockets.adapter
    rooms, sids = adapter.rooms, adapter.sids
    first, second = [await node.connect(io, version=version) for _ in range(2)]
    a, b = first.id, second.id
    first.peer.join(["x", "y"])
    second.peer.join("y")
    assert rooms == {a: {a}, b: {b}, "x": {a}, "y": {a, b}}
    assert sids == {a: {a, "x", "y"}, b: {b, "y"}}
    assert adapter.socket_rooms(b) == {b, "y"} and adapter.socket_rooms("nobody") == set()
    for view in (rooms, sids):
        with pytest.raises(TypeError):
            view["x"] = set()
    rooms["y"].clear()
    io.disconnect_sockets()
    assert len(rooms) == len(sids) == 0 and "y" not in rooms and a not in sids
    with pytest.raises(KeyError):
        rooms["y"]
