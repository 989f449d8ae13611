"""Whom an emit reaches: rooms, exceptions, the sender, volatile and compressed ones."""

import asyncio

import pytest

from tests.wsclient import serving


async def three(io, node, version, nsp="/"):
    """Clients in the rooms a; a and b; none."""
    io.of(nsp)
    first, second, third = [await node.connect(io, nsp, version=version) for _ in range(3)]
    first.peer.join("a")
    second.peer.join(["a", "b"])
    return first, second, third


async def reached(clients, event="news"):
    """How often each client got the event."""
    return [len(await client.collect(event)) for client in clients]


# ---- from the namespace ----

TARGETS = {
    "everybody": (lambda nsp: nsp, [1, 1, 1]),
    "to a room": (lambda nsp: nsp.to("a"), [1, 1, 0]),
    "in_ a room": (lambda nsp: nsp.in_("a"), [1, 1, 0]),
    "to two rooms": (lambda nsp: nsp.to("a").to("b"), [1, 1, 0]),
    "to a list": (lambda nsp: nsp.to(["a", "b"]), [1, 1, 0]),
    "to and in_": (lambda nsp: nsp.to("b").in_("a"), [1, 1, 0]),
    "to nobody's room": (lambda nsp: nsp.to("c"), [0, 0, 0]),
    "except_ a room": (lambda nsp: nsp.except_("b"), [1, 0, 1]),
    "except_ two": (lambda nsp: nsp.except_("a").except_("b"), [0, 0, 1]),
    "except_ a list": (lambda nsp: nsp.except_(["a", "b"]), [0, 0, 1]),
    "to and except_": (lambda nsp: nsp.to("a").except_("b"), [1, 0, 0]),
    "except_ and to": (lambda nsp: nsp.except_("b").to("a"), [1, 0, 0]),
    "to a room that is left out": (lambda nsp: nsp.to("a").except_("a"), [0, 0, 0]),
    "local": (lambda nsp: nsp.local.to("a"), [1, 1, 0]),
    "compress": (lambda nsp: nsp.compress(False).to("b"), [0, 1, 0]),
    "volatile": (lambda nsp: nsp.volatile.except_("a"), [0, 0, 1]),
}


@pytest.mark.parametrize("nsp", ["/", "/chat"])
@pytest.mark.parametrize("target", TARGETS)
async def test_targets_of_a_namespace(io, node, target, nsp):
    clients = await three(io, node, 4, nsp)
    make, expected = TARGETS[target]
    make(io.of(nsp)).emit("news", 1)
    assert await reached(clients) == expected


async def test_generations_beside_each_other(io, node):
    clients = [await node.connect(io, version=version) for version in (4, 3, 2)]
    for client in clients:
        client.peer.join("room")
    io.to("room").emit("news", "é", {"b": b"\x00\x01"})
    assert [await client.receive("news") for client in clients] == [["é", {"b": b"\x00\x01"}]] * 3


async def test_an_id_is_a_room(io, node, version):
    clients = [await node.connect(io, version=version) for _ in range(3)]
    io.to(clients[1].id).emit("news", 1)
    assert await reached(clients) == [0, 1, 0]
    io.except_(clients[1].id).emit("news", 2)
    assert await reached(clients) == [1, 0, 1]


async def test_targets_leave_each_other_alone(io, node, version):
    clients = await three(io, node, version)
    to_a = io.to("a")
    to_a.to("c")
    to_a.except_("b").emit("news", 1)
    assert await reached(clients) == [1, 0, 0]
    to_a.emit("news", 2)
    to_a.emit("news", 3)
    assert await reached(clients) == [2, 2, 0]
    io.emit("news", 4)
    assert await reached(clients) == [1, 1, 1]


async def test_a_room_that_was_left(io, node, version):
    first, second, _ = clients = await three(io, node, version)
    first.peer.leave("a")
    io.to("a").emit("news", 1)
    assert await reached(clients) == [0, 1, 0]
    second.peer.leave("nowhere")
    assert first.peer.rooms == {first.id}
    assert second.peer.rooms == {second.id, "a", "b"}


# ---- from a socket ----

FROM_FIRST = {
    "broadcast": (lambda socket: socket.broadcast, [0, 1, 1]),
    "to a room": (lambda socket: socket.to("a"), [0, 1, 0]),
    "in_ a room": (lambda socket: socket.in_("a"), [0, 1, 0]),
    "broadcast to": (lambda socket: socket.broadcast.to("a"), [0, 1, 0]),
    "except_": (lambda socket: socket.except_("b"), [0, 0, 1]),
    "broadcast except_": (lambda socket: socket.broadcast.except_("b"), [0, 0, 1]),
    "to itself": (lambda socket: socket.to(socket.id), [0, 0, 0]),
    "volatile broadcast": (lambda socket: socket.volatile.broadcast, [0, 1, 1]),
    "local": (lambda socket: socket.local, [0, 1, 1]),
    "compress broadcast": (lambda socket: socket.compress(True).broadcast, [0, 1, 1]),
    "itself": (lambda socket: socket, [1, 0, 0]),
    "itself, volatile": (lambda socket: socket.volatile, [1, 0, 0]),
    "itself, compressed": (lambda socket: socket.compress(True), [1, 0, 0]),
}


@pytest.mark.parametrize("target", FROM_FIRST)
async def test_targets_of_a_socket(io, node, target):
    clients = await three(io, node, 4)
    make, expected = FROM_FIRST[target]
    make(clients[0].peer).emit("news", 1)
    assert await reached(clients) == expected


async def test_rooms_in_a_connection_listener(io, node, version):
    @io.on("connection")
    def connected(socket):
        socket.join("room")
        socket.to("room").emit("joined", socket.id)

    first = await node.connect(io, version=version)
    second = await node.connect(io, version=version)
    assert await first.collect("joined") == [[second.id]]
    await second.nothing("joined")


async def test_rooms_joined_in_a_middleware(io, node, version):
    io.use(lambda socket: socket.join("room") and None)
    client = await node.connect(io, version=version)
    assert client.peer.rooms == {client.id, "room"}
    io.to("room").emit("news", 1)
    assert await client.collect("news") == [[1]]


# ---- volatile ----


async def test_volatile_to_a_client_that_reads(io, node, version):
    client = await node.connect(io, version=version)
    client.peer.volatile.emit("news", 1)
    assert await client.receive("news") == [1]


async def test_volatile_to_a_client_that_polls(io, node, version):
    client = await node.connect(io, version=version, transport="polling")
    for pause in (0, 0.1, 1, 5):  # until its next poll has come
        await client.settle()
        await asyncio.sleep(pause)
        client.peer.volatile.emit("news", 1)
        if got := await client.collect("news"):
            break
    assert got == [[1]]


async def test_volatile_between_two_polls(io, node, version):
    client = await node.connect(io, version=version, transport="polling")
    await client.eval(
        "((polling, name) => { io.poll = polling[name].bind(polling); polling[name] = () => {}; })"
        "(engine.transport, engine.transport._poll ? '_poll' : 'poll')"
    )
    client.peer.emit("last")
    await client.receive("last")
    client.peer.volatile.emit("news", 1)
    io.volatile.emit("news", 2)
    client.peer.emit("news", 3)
    await client.eval("void io.poll()")
    assert await client.receive("news") == [3]


async def test_volatile_to_a_client_that_reads_nothing(io, node, version):
    client = await node.connect(io, version=version)
    await client.eval("void engine.transport.ws._socket.pause()")
    while not client.peer.conn.buffered_amount:
        client.peer.emit("big", b"\x00" * 500_000)
        await asyncio.sleep(0)
    client.peer.volatile.emit("news", 1)
    io.volatile.emit("news", 2)
    client.peer.emit("news", 3)
    await client.eval("void engine.transport.ws._socket.resume()")
    assert await client.receive("news") == [3]


async def test_volatile_in_one_breath_with_another(io, node, version):
    """Both go out in one write to a client that reads. The reference drops what is not the first in a turn."""
    client = await node.connect(io, version=version)
    client.peer.emit("news", 1)
    client.peer.volatile.emit("news", 2)
    assert await client.collect("news") == [[1], [2]]


# ---- compression ----


@pytest.mark.parametrize("compress", [True, False])
async def test_compress(node, newer, compress):
    """What goes over the wire: RSV1 is set in a frame that is compressed (RFC 7692 6)."""
    async with serving(per_message_deflate={"threshold": 0}) as io:
        client = await node.connect(io, version=newer, per_message_deflate=True)
        await client.eval("void engine.transport.ws._socket.prependListener('data', (data) => (io.first ??= data[0]))")
        client.peer.compress(compress).emit("news", "x" * 100)
        assert await client.receive("news") == ["x" * 100]
        assert await client.eval("io.first & 0x40") == (0x40 if compress else 0)
