"""Formats of packets: MessagePack with npm socket.io-msgpack-parser, and one of an application's own in twenty lines."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fastsio import ConnectError, MessagePackParser, Packet, Parser
from tests.reference.node import Calls, until
from tests.requirements import require_npm
from tests.wsclient import serving

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINES = str(Path(__file__).with_name("lines.cjs"))


class Lines(Parser):
    """A packet is a line of JSON for each of its fields, a message each."""

    def encode(self, packet):
        return [json.dumps(field) for field in packet]

    def decoder(self):
        fields = []

        def decode(message):
            fields.append(json.loads(message))
            if len(fields) < 4:
                return None
            packet = Packet(*fields)
            fields.clear()
            return packet

        return decode


PARSERS = {"msgpack": (MessagePackParser, "socket.io-msgpack-parser"), "lines": (Lines, LINES)}


@pytest.fixture(params=PARSERS)
def parser(request):
    return request.param


@pytest.fixture
async def io(parser):
    async with serving(parser=PARSERS[parser][0]()) as server:
        yield server


@pytest.fixture
def connect(io, node, parser):
    if parser == "msgpack":
        require_npm("socket.io-msgpack-parser")

    async def connect(nsp="/", **options):
        return await node.connect(io, nsp, parser=PARSERS[parser][1], **options)

    return connect


@pytest.fixture(params=[4, 3], ids=["v4", "v3"])
def version(request):
    """Clients of 2.x have another interface of parsers."""
    return request.param


@pytest.mark.parametrize("transport", ["websocket", "polling", None])
async def test_both_ways(connect, version, transport):
    client = await connect(version=version, transport=transport)
    await client.answers("sum", 3)
    values = [None, True, 1, -1.5, 2**40, "é\n", [], {"a": [{"b": "c"}]}]
    asked = Calls()
    client.peer.on("news", asked)
    await client.emit("news", *values)
    assert list(await asked.next()) == values
    client.peer.emit("news", *values)
    assert await client.receive("news") == values
    assert await client.peer.emit_with_ack("sum", 1, 2) == 3
    client.peer.on("double", lambda n: 2 * n)
    assert await client.emit_with_ack("double", 4) == [8]


async def test_rooms_and_namespaces(io, connect, version):
    io.of("/chat")
    main = await connect(version=version)
    chat = await connect("/chat", version=version)
    other = await connect("/chat", version=version)
    chat.peer.join("a")
    io.of("/chat").to("a").emit("news", 1)
    other.peer.broadcast.emit("news", 2)
    io.emit("news", 3)
    assert [await client.collect("news") for client in (main, chat, other)] == [[[3]], [[1], [2]], []]
    await chat.answers("ready", "yes")
    assert await io.of("/chat").to("a").timeout(5).emit_with_ack("ready") == ["yes"]


async def test_several_namespaces_of_one_client(io, connect, version):
    io.of("/chat")
    main = await connect(version=version)
    chat = await main.join("/chat", auth={"token": "t"})
    assert chat.peer.handshake.auth == {"token": "t"}
    chat.peer.disconnect()
    assert await chat.closed() == "io server disconnect"
    await chat.open()
    await chat.joined()
    gone = Calls()
    chat.peer.on("disconnect", gone)
    await chat.disconnect()
    assert (await gone.next())[0] == "client namespace disconnect"
    assert main.connected


async def test_refused(io, connect, version):
    def refuse(socket):
        raise ConnectError("no", data={"why": 1})

    io.of("/closed").use(refuse)
    refused = await (await connect("/closed", version=version, wait=False)).refused()
    assert (refused.message, refused.data) == ("no", {"why": 1})
    assert (await (await connect("/unknown", version=version, wait=False)).refused()).message == "Invalid namespace"


async def test_what_a_middleware_sends(io, connect, version):
    io.use(lambda socket: socket.emit("early", 1) and None)
    assert await (await connect(version=version)).collect("early") == [[1]]


@pytest.mark.parametrize("parser", ["msgpack"])
async def test_values_that_json_does_not_have(connect, version):
    client = await connect(version=version)
    came = Calls()
    client.peer.on("values", came)
    await client.eval(
        "void socket.emit('values', new Date(1.5e12), new Date(-1), undefined, Buffer.from('xyz'), Buffer.alloc(8),"
        " [new Uint8Array(2)], -3)"
    )
    dates = datetime(2017, 7, 14, 2, 40, tzinfo=UTC), EPOCH - timedelta(milliseconds=1)
    assert await came.next() == (*dates, None, b"xyz", bytes(8), [b"\0\0"], -3)
    client.peer.emit("values", b"xyz", bytearray(2), {"a": memoryview(b"x")}, 1.5)
    assert await client.receive("values") == [b"xyz", b"\0\0", {"a": b"x"}, 1.5]


@pytest.mark.parametrize("parser", ["msgpack"])
async def test_dates(connect, version):
    client = await connect(version=version)
    await client.eval("void socket.on('dates', (...dates) => { io.dates = dates; })")
    late = datetime(2017, 7, 14, 4, 40, 0, 1500, timezone(timedelta(hours=2)))
    client.peer.emit("dates", EPOCH, datetime(1969, 12, 31, 23, 59, 59, 999_999), late)
    await client.settle()
    assert await client.eval("io.dates.map((date) => date.getTime())") == [0, -1, 1_500_000_000_001]


@pytest.mark.parametrize("version", [4], ids=["v4"])
async def test_recovery(node, parser, version):
    async with serving(parser=PARSERS[parser][0](), connection_state_recovery=True) as io:
        client = await node.connect(io, version=version, parser=PARSERS[parser][1], reconnection=True)
        client.peer.join("a")
        id = client.id
        io.emit("news", 1)
        await client.receive("news")
        lost = Calls()
        client.peer.on("disconnect", lost)
        await client.eval("void engine.close()")
        await lost.next()
        io.to("a").emit("news", 2)
        assert (await client.receive("news"))[0] == 2
        await until(lambda: id in io.sockets.sockets)
        assert io.sockets.sockets[id].recovered


@pytest.mark.parametrize("parser", ["msgpack"])
async def test_clients_of_the_other_format(io, node, version):
    """Each is closed alone."""
    client = await node.connect(io, version=version, wait=False)
    await until(lambda: io.engine.counters.get("protocol violation", 0) == 1)
    assert not client.connected
    await asyncio.sleep(0)
    assert io.engine.clients_count == 0
