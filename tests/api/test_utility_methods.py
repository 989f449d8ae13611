"""Broadcast acknowledgements, fetch_sockets, and what is done to all sockets of a target."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from fastsio import AckTimeout, Disconnected
from tests.wsclient import serving, wire


async def crowd(stack, number=3):
    """A server, clients, and their sockets; the first two are in "room"."""
    io = await stack.enter_async_context(serving())
    clients = [await stack.enter_async_context(wire(io, join=True)) for _ in range(number)]
    sockets = [io.sockets.sockets[client.sid] for client in clients]
    for socket in sockets[:2]:
        await socket.join("room")
    return io, clients, sockets


async def answer(client, *values):
    """Answers the next event."""
    frame = await client.next()
    id = frame[2 : frame.index("[")]
    client.send(f"43{id}{list(values)}".replace("'", '"'))


async def test_broadcast_with_ack():
    async with AsyncExitStack() as stack:
        io, clients, _ = await crowd(stack)
        asked = asyncio.create_task(io.timeout(5).emit_with_ack("question", 1))
        await asyncio.gather(*(answer(client, index, "more") for index, client in enumerate(clients)))
        assert sorted(await asked) == [0, 1, 2]


async def test_broadcast_with_ack_reaches_the_target():
    async with AsyncExitStack() as stack:
        io, clients, sockets = await crowd(stack)
        asked = asyncio.create_task(sockets[0].to("room").timeout(5).emit_with_ack("question"))
        await answer(clients[1], 7)
        assert await asked == [7]
        await clients[0].nothing()
        await clients[2].nothing()


async def test_broadcast_ack_timeout():
    async with AsyncExitStack() as stack:
        io, clients, sockets = await crowd(stack)
        asked = asyncio.create_task(io.timeout(0.1).emit_with_ack("question"))
        await answer(clients[0], "here")
        with pytest.raises(AckTimeout) as caught:
            await asked
        assert caught.value.responses == ["here"]
        assert all(socket._forget_ack(0) is None for socket in sockets), "nothing waits any more"


async def test_broadcast_ack_callback():
    async with AsyncExitStack() as stack:
        io, clients, _ = await crowd(stack, 1)
        told = asyncio.get_running_loop().create_future()
        assert io.timeout(5).emit("question", ack=lambda error, responses: told.set_result((error, responses)))
        await answer(clients[0], 5)
        assert await told == (None, [5])


async def test_broadcast_ack_coroutine_callback():
    async with AsyncExitStack() as stack:
        io, clients, _ = await crowd(stack, 1)
        told = asyncio.get_running_loop().create_future()

        async def callback(error, responses):
            await asyncio.sleep(0)
            told.set_result(responses)

        io.timeout(5).emit("question", ack=callback)
        await answer(clients[0])
        assert await told == [None]


async def test_broadcast_ack_of_nobody():
    async with AsyncExitStack() as stack:
        io, _, _ = await crowd(stack, 1)
        assert await io.to("nowhere").timeout(5).emit_with_ack("question") == []


async def test_broadcast_ack_without_timeout_ends_with_the_clients():
    async with AsyncExitStack() as stack:
        io, clients, sockets = await crowd(stack, 2)
        asked = asyncio.create_task(io.emit_with_ack("question"))
        await answer(clients[0], 1)
        sockets[1].disconnect()
        with pytest.raises(Disconnected) as caught:
            await asked
        assert caught.value.responses == [1]


async def test_broadcast_ack_that_cannot_be_encoded():
    async with AsyncExitStack() as stack:
        io, _, sockets = await crowd(stack, 1)
        with pytest.raises(TypeError):
            io.timeout(5).emit("question", object(), ack=print)
        assert sockets[0]._forget_ack(0) is None


async def test_fetch_sockets_and_clients():
    async with AsyncExitStack() as stack:
        io, _, sockets = await crowd(stack)
        assert set(await io.fetch_sockets()) == set(sockets)
        assert set(await io.in_("room").fetch_sockets()) == set(sockets[:2])
        assert await io.in_("room").except_(sockets[0].id).fetch_sockets() == [sockets[1]]
        assert set(await io.clients()) == {socket.id for socket in sockets}
        assert await io.except_("room").clients() == [sockets[2].id]
        assert await sockets[0].to("room").clients() == [sockets[1].id]
        assert await io.of("/").all_sockets() == {socket.id for socket in sockets}


async def test_sockets_join_and_leave():
    async with AsyncExitStack() as stack:
        io, _, sockets = await crowd(stack)
        await io.in_("room").sockets_join(["a", "b"])
        assert sockets[0].rooms == {sockets[0].id, "room", "a", "b"}
        assert sockets[2].rooms == {sockets[2].id}
        await io.in_("a").except_(sockets[1].id).sockets_leave(["a", "room"])
        assert sockets[0].rooms == {sockets[0].id, "b"}
        assert sockets[1].rooms == {sockets[1].id, "room", "a", "b"}


async def test_disconnect_sockets():
    async with AsyncExitStack() as stack:
        io, clients, sockets = await crowd(stack)
        io.in_("room").disconnect_sockets()
        assert [socket.connected for socket in sockets] == [False, False, True]
        assert await clients[0].next() == "41"
        await io.disconnect_sockets(close=True)
        assert await clients[2].closed() is not None


async def test_server_side_emit_with_one_server():
    async with AsyncExitStack() as stack:
        io, _, _ = await crowd(stack, 1)
        io.on("hello", lambda: pytest.fail("not for the server itself"))
        assert io.server_side_emit("hello", 1)
        assert await io.server_side_emit_with_ack("hello") == []
        with pytest.raises(ValueError, match="reserved"):
            io.server_side_emit("connection")


async def test_adapter_events_and_views():
    async with AsyncExitStack() as stack:
        io, _, sockets = await crowd(stack, 2)
        adapter, told = io.of("/").adapter, []
        for event in ("create-room", "join-room", "leave-room", "delete-room"):
            adapter.on(event, lambda *args, event=event: told.append((event, *args)))
        a, b = (socket.id for socket in sockets)
        sockets[0].join("new")
        sockets[0].join("new")
        sockets[1].join("new")
        sockets[0].leave("new")
        sockets[1].disconnect()
        expected = [("create-room", "new"), ("join-room", "new", a), ("join-room", "new", b), ("leave-room", "new", a)]
        assert told[:4] == expected
        left = {("leave-room", room, b) for room in (b, "room", "new")} | {("delete-room", b), ("delete-room", "new")}
        assert set(told[4:]) == left
        assert adapter.rooms == {a: {a}, "room": {a}}
        assert adapter.sids == {a: {a, "room"}}
