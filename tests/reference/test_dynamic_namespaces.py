"""Namespaces that are made when clients ask for them: by a pattern or a function. And "new_namespace"."""

import asyncio
import re

import pytest

from fastsio import ConnectError
from tests.reference.node import Calls, until
from tests.wsclient import serving

# ---- which names ----


async def test_a_pattern(io, node, version):
    io.of(re.compile(r"^/dynamic-\d+$"))
    client = await node.connect(io, "/dynamic-101", version=version)
    assert client.peer.nsp is io.nsps["/dynamic-101"]


async def test_a_pattern_that_does_not_match(io, node, version):
    io.of(re.compile(r"^/dynamic-\d+$"))
    client = await node.connect(io, "/dynamic-abc", version=version, wait=False)
    assert (await client.refused()).message == "Invalid namespace"
    assert list(io.nsps) == ["/"]


async def test_a_function(io, node, version):
    asked = Calls()

    @io.of
    def match(name, auth):
        asked(name, auth)
        return name == "/yes"

    main = await node.connect(io, version=version)
    await main.join("/yes")
    refused = await main.join("/no", wait=False)
    assert (await refused.refused()).message == "Invalid namespace"
    assert asked.all() == [("/yes", {}), ("/no", {})]


async def test_a_function_judges_by_auth(io, node, newer):
    io.of(lambda name, auth: auth.get("token") == "abc")
    good = await node.connect(io, "/any", version=newer, auth={"token": "abc"})
    assert good.peer.handshake.auth == {"token": "abc"}
    bad = await node.connect(io, "/other", version=newer, auth={"token": "x"}, wait=False)
    assert (await bad.refused()).message == "Invalid namespace"


async def test_a_function_judges_by_an_older_clients_query(io, node):
    io.of(lambda name, auth: auth.get("token") == "abc")
    await node.connect(io, "/any?token=abc", version=2)
    bad = await node.connect(io, "/other?token=x", version=2, wait=False)
    assert (await bad.refused()).message == "Invalid namespace"


async def test_a_coroutine_function(io, node, version):
    async def match(name, auth):
        await asyncio.sleep(0)
        return name == "/yes"

    io.of(match)
    main = await node.connect(io, version=version)
    yes, no = await main.join("/yes", wait=False), await main.join("/no", wait=False)
    await yes.joined()
    assert (await no.refused()).message == "Invalid namespace"


async def test_a_function_that_fails(io, node, version, caplog):
    io.of(lambda name, auth: 1 / 0)
    client = await node.connect(io, "/any", version=version, wait=False)
    assert (await client.refused()).message == "Invalid namespace"
    assert "ZeroDivisionError" in caplog.text


async def test_a_function_that_is_cancelled(io, node, version):
    @io.of
    async def match(name, auth):
        cancelled = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        return await cancelled

    client = await node.connect(io, "/any", version=version, wait=False)
    assert (await client.refused()).message == "Invalid namespace"


async def test_the_first_that_matches_makes_it(io, node, version):
    seen = Calls()
    for number, pattern in enumerate(["^/a", "^/b", "^/b"]):
        io.of(re.compile(pattern)).on("connection", lambda socket, number=number: seen(number))
    # A connection listener gets the socket alone, so the default above stays.
    await node.connect(io, "/b1", version=version)
    assert seen.all() == [(1,)]


async def test_one_that_is_there_comes_before_a_pattern(io, node, version):
    seen = Calls()
    io.of(re.compile(".*")).on("connection", lambda socket: seen("dynamic"))
    io.of("/chat").on("connection", lambda socket: seen("static"))
    await node.connect(io, "/chat", version=version)
    assert seen.all() == [("static",)]


async def test_the_main_one_is_never_dynamic(io, node, version):
    seen = Calls()
    io.of(re.compile(".*")).on("connection", seen)
    await node.connect(io, version=version)
    assert seen.all() == []


# ---- what they have ----


async def test_made_once_for_all(io, node, version):
    parent = io.of(re.compile("^/room-"))
    clients = [await node.connect(io, f"/room-{name}", version=version) for name in "aab"]
    assert clients[0].peer.nsp is clients[1].peer.nsp
    assert parent.children == {io.nsps["/room-a"], io.nsps["/room-b"]}
    clients[0].peer.broadcast.emit("news", 1)
    assert [await client.collect("news") for client in clients] == [[], [[1]], []]


async def test_the_parents_middlewares_are_asked(io, node, version):
    order = Calls()
    parent = io.of(re.compile("^/room-"))
    parent.use(lambda socket: order(1, socket.nsp.name))
    parent.use(lambda socket: order(2, socket.nsp.name))
    await node.connect(io, "/room-a", version=version)
    assert order.all() == [(1, "/room-a"), (2, "/room-a")]


async def test_the_parents_middleware_refuses(io, node, version):
    @io.of(re.compile("^/room-")).use
    def refuse(socket):
        raise ConnectError("full")

    client = await node.connect(io, "/room-a", version=version, wait=False)
    assert (await client.refused()).message == "full"


async def test_the_parents_listeners_and_events(io, node, version):
    seen = Calls()
    parent = io.of(re.compile("^/room-"))
    parent.on("connection", seen)

    @parent.event
    def whoami(socket):
        return socket.nsp.name

    client = await node.connect(io, "/room-a", version=version)
    assert seen.all() == [(client.peer,)]
    assert await client.emit_with_ack("whoami") == ["/room-a"]


async def test_listeners_of_the_parent_that_come_later(io, node, version):
    seen = Calls()
    parent = io.of(re.compile("^/room-"))
    await node.connect(io, "/room-a", version=version)
    parent.on("connection", seen)
    second = await node.connect(io, "/room-b", version=version)
    assert seen.all() == [(second.peer,)]


async def test_what_is_sent_to_the_parent_reaches_all_children(io, node, version):
    parent = io.of(re.compile("^/room-"))
    clients = [await node.connect(io, f"/room-{name}", version=version) for name in "ab"]
    other = await node.connect(io, version=version)
    parent.emit("news", b"1")
    assert [await client.collect("news") for client in clients] == [[[b"1"]], [[b"1"]]]
    await other.nothing("news")


async def test_rooms_through_the_parent(io, node, version):
    parent = io.of(re.compile("^/room-"))
    first, second = [await node.connect(io, f"/room-{name}", version=version) for name in "ab"]
    first.peer.join("x")
    parent.to("x").emit("news", 1)
    parent.except_("x").emit("news", 2)
    assert await first.collect("news") == [[1]]
    assert await second.collect("news") == [[2]]


# ---- new_namespace, and the end ----


async def test_new_namespace(io):
    seen = Calls()
    io.on("new_namespace", seen)
    chat, news = io.of("/chat"), io.of("/news")
    io.of("/chat")
    assert seen.all() == [(chat,), (news,)]


async def test_new_namespace_of_a_dynamic_one(io, node, version):
    seen = Calls()
    io.on("new_namespace", seen)
    io.of(re.compile("^/room-"))
    assert seen.all() == []
    first = await node.connect(io, "/room-a", version=version)
    await node.connect(io, "/room-a", version=version)
    assert seen.all() == [(first.peer.nsp,)]


@pytest.mark.parametrize("cleanup", [True, False])
async def test_the_last_socket_of_a_child(node, version, cleanup):
    async with serving(cleanup_empty_child_namespaces=cleanup) as io:
        parent = io.of(re.compile("^/room-"))
        client = await node.connect(io, "/room-a", version=version)
        nsp, gone = client.peer.nsp, Calls()
        client.peer.on("disconnect", gone)
        await client.disconnect()
        await gone.next()
        assert ("/room-a" in io.nsps) is (nsp in parent.children) is not cleanup


async def test_a_child_comes_back(node, version):
    async with serving(cleanup_empty_child_namespaces=True) as io:
        io.of(re.compile("^/room-"))
        first = await node.connect(io, "/room-a", version=version)
        nsp = first.peer.nsp
        await first.disconnect()
        await until(lambda: "/room-a" not in io.nsps)
        second = await node.connect(io, "/room-a", version=version)
        assert second.peer.nsp is not nsp
        nsp.emit("news", "old")
        second.peer.nsp.emit("news", "new")
        assert await second.collect("news") == [["new"]]


async def test_a_refused_client_leaves_no_child(node, version):
    async with serving(cleanup_empty_child_namespaces=True) as io:

        @io.of(re.compile("^/room-")).use
        def refuse(socket):
            raise ConnectError("full")

        client = await node.connect(io, "/room-a", version=version, wait=False)
        await client.refused()
        assert list(io.nsps) == ["/"]
