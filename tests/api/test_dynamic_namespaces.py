"""Namespaces that are made when clients ask for them."""

import asyncio
import re

import pytest

from fastsio import ConnectError, limits, parents
from fastsio.adapter import Adapter
from tests.wsclient import serving, wire


async def refused(client, name):
    client.send(f"40{name},")
    return await client.next() == f'44{name},{{"message":"Invalid namespace"}}'


async def test_regex():
    async with serving() as io:
        parent = io.of(re.compile(r"^/room-\d+$"))
        parent.event("echo")(lambda socket, text: socket.nsp.name + text)
        made = []
        io.on("new_namespace", lambda nsp: made.append(nsp.name))
        async with wire(io) as client:
            await client.join("/room-1")
            await client.join("/room-22")
            client.send('42/room-22,0["echo","!"]')
            assert await client.next() == '43/room-22,0["/room-22!"]'
            assert await refused(client, "/room-x")
        assert made == ["/room-1", "/room-22"]
        assert {nsp.name for nsp in parent.children} == {"/room-1", "/room-22"}
        assert io.of("/room-1") in parent.children


async def test_in_order_and_static_ones_first():
    async with serving() as io:
        asked = []

        async def never(name, auth):
            asked.append((name, auth))
            await asyncio.sleep(0)
            return False

        io.of("/static")
        io.of(lambda name, auth: asked.append(1))
        io.of(never)
        last = io.of(re.compile("c$"))
        io.of(lambda name, auth: pytest.fail("asked too late"))
        async with wire(io) as client:
            await client.join("/static")
            await client.join("/abc", {"token": 1})
        assert asked == [1, ("/abc", {"token": 1})]
        assert io.nsps["/abc"] in last.children


async def test_made_once_under_races():
    async with serving() as io:
        made = []

        async def slow(name, auth):
            await asyncio.sleep(0.01 * auth["wait"])
            return True

        parent = io.of(slow)
        io.on("new_namespace", lambda nsp: made.append(nsp))
        async with wire(io) as one, wire(io) as two, wire(io) as three:
            await asyncio.gather(*(c.join("/x", {"wait": 3 - i}) for i, c in enumerate((one, two, three))))
            assert len(made) == 1
            assert len(made[0].sockets) == 3
            assert parent.children == set(made)


async def test_client_gone_meanwhile():
    async with serving() as io:
        asked = asyncio.Event()

        async def slow(name, auth):
            asked.set()
            await asyncio.sleep(0.03)
            return True

        io.of(slow)
        async with wire(io) as client:
            client.send("40/x,")
            await asked.wait()
        await asyncio.sleep(0.06)
        assert list(io.nsps) == ["/"]


async def test_function_that_fails(caplog):
    async with serving() as io:

        @io.of
        def fails(name, auth):
            raise RuntimeError("secret")

        async with wire(io) as client:
            assert await refused(client, "/x")
        assert "secret" in caplog.text


async def test_everything_of_the_parent_is_copied():
    async with serving() as io:
        parent = io.of(re.compile("^/d"))
        told = []

        @parent.use
        def check(socket):
            if not socket.handshake.auth.get("ok"):
                raise ConnectError("no")

        parent.on("connection", lambda socket: told.append(socket.nsp.name))
        parent.event("disconnect")(lambda socket, reason: told.append(reason))
        async with wire(io) as client:
            client.send("40/d1,")
            assert await client.next() == '44/d1,{"message":"no"}'
            await client.join("/d1", {"ok": True})
            client.send("41/d1,")
            await client.nothing()
        assert told == ["/d1", "client namespace disconnect"]


async def test_through_the_parent():
    async with serving() as io:
        parent = io.of(re.compile("^/d"))
        async with wire(io, join=True) as client, wire(io) as other:
            sids = {await client.join("/d1"), await client.join("/d2"), await other.join("/d2")}
            parent.emit("x", 1)
            assert {(await client.next()) for _ in range(2)} == {'42/d1,["x",1]', '42/d2,["x",1]'}
            assert await other.next() == '42/d2,["x",1]'
            assert set(await parent.clients()) == sids
            assert {socket.id for socket in await parent.fetch_sockets()} == sids
            await parent.sockets_join("room")
            assert all("room" in socket.rooms for socket in await parent.fetch_sockets())
            await parent.except_(next(iter(io.of("/d1").sockets))).sockets_leave("room")
            assert [socket.nsp.name for socket in await parent.to("room").fetch_sockets()] == ["/d1"]
            asked = asyncio.create_task(parent.to("room").timeout(5).emit_with_ack("question"))
            assert await client.next() == '42/d1,0["question"]'
            client.send("43/d1,0[7]")
            assert await asked == [7]
            await parent.disconnect_sockets()
            assert await parent.clients() == []
            assert io.of("/").sockets


async def test_broadcast_acks_without_children():
    async with serving() as io:
        assert await io.of(re.compile("x")).timeout(5).emit_with_ack("question") == []


class OfTwo(Adapter):
    """As if there was another server, with one client in each namespace, which answers later."""

    async def server_count(self):
        return 2

    def broadcast_with_ack(self, packet, options, on_client_count, on_ack):
        super().broadcast_with_ack(packet, options, on_client_count, on_ack)
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, on_client_count, 1)
        loop.call_later(0.02, on_ack, None, f"there, {packet.nsp}")

    def server_side_emit(self, args, ack=None):
        if ack is not None:
            asyncio.get_running_loop().call_later(0.01, ack, None, [f"{self.nsp.name} {args}"])


async def test_answers_of_other_servers_through_the_parent():
    async with serving(adapter=OfTwo) as io, wire(io) as client:
        parent = io.of(re.compile("^/d"))
        await client.join("/d1")
        await client.join("/d2")
        asked = asyncio.create_task(parent.timeout(5).emit_with_ack("question"))
        for _ in range(2):
            client.send((await client.next()).replace("42", "43").replace('"question"', '"here"'))
        assert sorted(await asked) == ["here", "here", "there, /d1", "there, /d2"]
        assert sorted(await parent.server_side_emit_with_ack("e", 1)) == ["/d1 ['e', 1]", "/d2 ['e', 1]"]


async def test_other_servers_without_children():
    async with serving(adapter=OfTwo) as io:
        assert await io.of(re.compile("x")).server_side_emit_with_ack("e") == []


@pytest.mark.parametrize("cleanup", [True, False])
async def test_empty_children(cleanup):
    async with serving(cleanup_empty_child_namespaces=cleanup) as io:
        parent, closed = io.of(re.compile("^/d")), []
        io.on("new_namespace", lambda nsp: setattr(nsp.adapter, "close", lambda: closed.append(nsp.name)))
        async with wire(io) as client, wire(io) as other:
            await client.join("/d1")
            await other.join("/d1")
            client.send("41/d1,")
            await client.nothing()
            assert "/d1" in io.nsps
            other.send("41/d1,")
            await other.nothing()
            assert ("/d1" in io.nsps) == (not cleanup)
            assert bool(parent.children) == (not cleanup)
            assert closed == ["/d1"] * cleanup
            await client.join("/d1")
            assert len(io.nsps["/d1"].sockets) == 1


async def test_refused_clients_leave_no_child():
    async with serving(cleanup_empty_child_namespaces=True) as io:
        parent = io.of(re.compile("^/d"))

        @parent.use
        async def refuse(socket):
            await asyncio.sleep(0)
            raise ConnectError("no")

        async with wire(io) as client:
            client.send("40/d1,")
            assert await client.next() == '44/d1,{"message":"no"}'
        assert list(io.nsps) == ["/"]


async def test_number_is_limited(monkeypatch):
    monkeypatch.setattr(parents, "MAX_CHILD_NAMESPACES", 2)
    assert limits.MAX_CHILD_NAMESPACES == 100_000
    async with serving() as io, wire(io) as client:
        io.of(re.compile("^/d"))
        await client.join("/d1")
        await client.join("/d2")
        assert await refused(client, "/d3")
        assert io.engine.counters["child namespaces above the limit"] == 1


async def test_new_namespace_of_static_ones():
    async with serving() as io:
        made = []
        io.on("new_namespace", lambda nsp: made.append(nsp))
        assert made == [io.of("/a")] == [io.of("a")]


async def test_names_of_other_types():
    async with serving() as io:
        with pytest.raises(TypeError, match="got int"):
            io.of(5)
