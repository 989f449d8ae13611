"""The option `parser`: what it may be, what may come in, and what a parser may do wrong."""

import json
import random
from contextlib import AsyncExitStack

import pytest

from fastsio import MessagePackParser, Packet, Parser, Server
from tests.wsclient import serving, wire

ormsgpack = pytest.importorskip("ormsgpack")


class Json(Parser):
    def encode(self, packet):
        return [json.dumps(packet)]

    def decode(self, message):
        return Packet(*json.loads(message))


def test_what_it_may_be():
    parser = Json()
    assert Server().parser() is None
    assert Server(parser=parser).parser() is parser
    io = Server()
    io.of("/chat")
    assert io.parser(parser) is io
    assert io.parser() is parser
    assert io.of("/chat").parser is io.of("/new").parser is parser
    for wrong in (Json, "json", object()):
        with pytest.raises(TypeError, match="instance of fastsio.Parser"):
            Server(parser=wrong)


async def test_it_is_set_before_the_server_listens():
    async with serving() as io:
        with pytest.raises(RuntimeError, match="listen"):
            io.parser(Json())


# ---- what may come in ----

JSON = {
    "no JSON": "x",
    "no packet": "[]",
    "too many fields": '[2,"/",[],1,1]',
    "an unknown type": '[7,"/",null]',
    "a type that is no number": '["2","/",["a"]]',
    "a type that is a bool": '[true,"/",null]',
    "a namespace that is no string": '[2,1,["a"]]',
    "an event that is no list": '[2,"/",{"a":1}]',
    "an event without a name": '[2,"/",[]]',
    "a reserved event": '[2,"/",["disconnect"]]',
    "an acknowledgement that is no list": '[3,"/",null,1]',
    "a negative id": '[2,"/",["a"],-1]',
    "an id that is too large": '[2,"/",["a"],9007199254740992]',
    "an id that is no number": '[2,"/",["a"],"1"]',
    "CONNECT twice": '[0,"/",null]',
    "CONNECT with a list": '[0,"/chat",[]]',
    "a namespace that is too long": json.dumps([0, "/" + 256 * "a", None]),
    "a namespace that UTF-8 does not have": '[0,"/\\ud800",null]',
    "DISCONNECT with a payload": '[1,"/",[]]',
    "CONNECT_ERROR": '[4,"/",{"message":""}]',
    "an event for a namespace that is not joined": '[2,"/chat",["a"]]',
    "binary": b"x",
}
PACKED = {
    "text": "x",
    "nothing": b"",
    "no map": b"\x01",
    "cut off": b"\x84",
    "a list said to have 2**32 items": b"\xdd\xff\xff\xff\xff",
    "a string said to have 2**32 bytes": b"\xdb\xff\xff\xff\xff",
    "a map said to have 2**32 entries": b"\xdf\xff\xff\xff\xff",
    "bytes said to be 2**32": b"\xc6\xff\xff\xff\xff",
    "deep lists": 100_000 * b"\x91" + b"\x01",
    "deep maps": 100_000 * b"\x81\xa1a" + b"\x01",
    "an unknown extension": b"\xd4\x05\x00",
    "MessagePack's own timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "the reserved byte": b"\xc1",
    "a string that is not UTF-8": b"\xa1\xff",
    "a list for a key": b"\x81\x90\x01",
    "no type": ormsgpack.packb({"nsp": "/", "data": ["a"]}),
    "an event that is a map": ormsgpack.packb({"type": 2, "nsp": "/", "data": {"a": 1}}),
}


def encoded(parser, *packet):
    (message,) = parser.encode(Packet(*packet))
    return "4" + message if isinstance(message, str) else message


@pytest.fixture
async def join():
    async with AsyncExitStack() as stack:

        async def join(io, parser):
            client = await stack.enter_async_context(wire(io))
            client.send(encoded(parser, 0, "/", None))
            await client.next()
            return client

        yield join


@pytest.mark.parametrize(
    ("parser", "message"),
    [pytest.param(Json(), case, id=f"json-{name}") for name, case in JSON.items()]
    + [pytest.param(MessagePackParser(), case, id=f"msgpack-{name}") for name, case in PACKED.items()],
)
async def test_bad_messages(parser, message, join):
    """The connection that sent it is closed, and no other notices."""
    async with serving(parser=parser) as io:
        io.of("/chat")
        io.on("connection", lambda socket: socket.on("a", lambda: "b"))
        other, client = await join(io, parser), await join(io, parser)
        client.send("4" + message if isinstance(message, str) else message)
        await client.closed()
        assert io.engine.counters.get("protocol violation", 0) == 1
        assert len(io.sockets.sockets) == 1
        other.send(encoded(parser, 2, "/", ["a"], 1))
        answer = await other.next()
        assert parser.decode(answer.removeprefix("4") if isinstance(answer, str) else answer) == (3, "/", ["b"], 1)


async def test_random_messages(join):
    """Nothing but a violation comes of bytes that were changed at random."""
    parser, chance = MessagePackParser(), random.Random(4)
    whole = encoded(parser, 2, "/", ["a", 1.5, b"xyz", {"b": [None, True, "c"]}], 7)
    async with serving(parser=parser) as io:
        for _ in range(300):
            client = await join(io, parser)
            message = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                message[chance.randrange(len(message))] = chance.randrange(256)
            client.send(bytes(message), encoded(parser, 1, "/", None))
            client.transport.disconnect()
            await client.closed()
        assert io.engine.counters.get("http 500", 0) == 0


async def test_events_for_a_namespace_that_was_left(join):
    parser = Json()
    async with serving(parser=parser) as io:
        client = await join(io, parser)
        io.disconnect_sockets()
        assert await client.next() == '4[1, "/", null, null]'
        client.send(encoded(parser, 2, "/", ["late"]), encoded(parser, 0, "/", None))
        assert (await client.next()).startswith("4[0,")


# ---- what a parser may do wrong ----


class Wrong(Json):
    def __init__(self, made):
        self.made = made

    def encode(self, packet):
        return super().encode(packet) if packet.type == 0 else self.made


@pytest.mark.parametrize(
    ("made", "error", "match"),
    [
        ([], ValueError, "made 0 messages"),
        (["x"] * 1001, ValueError, "made 1001 messages"),
        ([1], TypeError, "makes str and bytes of a packet, got 1"),
        (None, TypeError, "not iterable"),
    ],
)
async def test_what_it_may_make_of_a_packet(made, error, match, join):
    async with serving(parser=Wrong(made)) as io:
        await join(io, Json())
        (socket,) = io.sockets.sockets.values()
        for target in (io, socket):
            with pytest.raises(error, match=match):
                target.emit("news")


async def test_what_encode_raises_the_emit_raises(join):
    async with serving(parser=MessagePackParser()) as io:
        await join(io, MessagePackParser())
        (socket,) = io.sockets.sockets.values()
        for target in (io, socket):
            with pytest.raises(TypeError):
                target.emit("news", object())


@pytest.mark.parametrize("given", [None, (2, "/", ["a"]), "packet"])
async def test_what_decode_may_give(given, join):
    class Fixed(Json):
        def decode(self, message):
            return given if "wrong" in message else super().decode(message)

    async with serving(parser=Fixed()) as io:
        client = await join(io, Json())
        client.send('4"wrong"', encoded(Json(), 1, "/", None))
        if given is None:  # more is to come
            client.send(encoded(Json(), 0, "/", None))
            assert (await client.next()).startswith("4[0,")
        else:
            await client.closed()
            assert io.engine.counters.get("protocol violation", 0) == 1
