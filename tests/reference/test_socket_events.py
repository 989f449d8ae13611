"""Events of a socket, both ways: what becomes of values, binary ones too, in what order they come, which are called what."""

import enum
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tests.reference.node import Calls, until
from tests.wsclient import serving

TRANSPORTS = ("websocket", "polling")


def listening(client, event="news"):
    """What the server hears of this event."""
    seen = Calls()
    client.peer.on(event, seen)
    return seen


# ---- values ----

IN_JAVASCRIPT = {
    "undefined": None,
    "NaN": None,
    "-Infinity": None,
    "-0": 0,
    "2 ** 53": 2**53,
    "2 ** 70": float(2**70),
    "1e21": 1e21,
    "5e-324": 5e-324,
    "new Date(0)": "1970-01-01T00:00:00.000Z",
    "new String('boxed')": "boxed",
    "new Map([[1, 2]])": {},
    "{ there: 1, missing: undefined }": {"there": 1},
    "[undefined, () => 1]": [None, None],
    "{ toJSON: () => 7 }": 7,
    "'\\ud83d'": "\ud83d",
    'JSON.parse(\'{"__proto__": [], "": 1}\')': {"__proto__": [], "": 1},
}


async def test_what_javascript_makes_of_its_values(client):
    seen = listening(client)
    for expression, expected in IN_JAVASCRIPT.items():
        await client.eval(f"void socket.emit('news', {expression}, 'end')")
        assert await seen.next() == (expected, "end"), expression


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: object


IN_PYTHON = [
    ((1, (2,)), [1, [2]]),
    (float("nan"), None),
    (float("-inf"), None),
    (2**64, 18446744073709552000),
    ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}),
    (Colour.RED, "red"),
    (Point(1, Point(2, None)), {"x": 1, "y": {"x": 2, "y": None}}),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00.000Z"),
    (datetime(2024, 2, 29, 12, 0, 0, 7000, timezone(timedelta(hours=2))), "2024-02-29T10:00:00.007Z"),
    (date(2024, 2, 29), "2024-02-29"),
    ("half an emoji: \ud83d", "half an emoji: \ud83d"),
]


async def test_what_python_makes_of_its_values(client):
    for value, expected in IN_PYTHON:
        client.peer.emit("news", value, "end")
        assert await client.receive("news") == [expected, "end"], value


async def test_what_has_no_place_in_a_message(client):
    for value in (object(), {1, 2}, 1j, [print], {"key": range(3)}):
        with pytest.raises(TypeError, match="cannot be sent"):
            client.peer.emit("news", value)
        with pytest.raises(TypeError, match="cannot be sent"):
            client.peer.emit("news", b"binary", value, ack=print)
    client.peer.emit("news", "next")
    assert await client.collect("news") == [["next"]]


async def test_no_argument_one_and_many(client):
    seen = listening(client)
    for args in ([], [None], list(range(60))):
        await client.emit("news", *args)
        assert await seen.next() == tuple(args)
        client.peer.emit("news", *args)
        assert await client.receive("news") == args


TEXTS = [
    "utf8 — strings",
    "日本語 😀 👩‍👩‍👧",
    "\u0000\u0007\u007f\u2028\u2029\ufeff",
    '\\u0041 " \\',
    "1:2-3/4,5",
    "x" * 70_000 + "é",
]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_text(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport)
    await client.echoes("echo")
    for text in TEXTS:
        assert await client.peer.emit_with_ack("echo", text, {text: [text]}) == (text, {text: [text]})


# ---- binary ----

PLACES = {
    "alone": [b"\x00\xff"],
    "empty": [b"", [b""]],
    "first": [b"1", "text", 2],
    "last": ["text", 2, b"1"],
    "between": ["text", b"1", "text"],
    "in a list": [[1, b"1", [b"2"]], "end"],
    "in a dict": [{"a": {"b": [{"c": b"1"}]}, "d": b"2"}],
    "several": [1, b"1", "3", [4], b"5", [b"1", "6", b"5"]],
    "ten": [bytes([number]) for number in range(10)],
    "every byte": [bytes(range(256)), {"again": bytes(range(256))[::-1]}],
}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_binary(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport)
    seen = listening(client)
    for place, values in PLACES.items():
        await client.emit("news", *values)
        assert await seen.next() == tuple(values), place
        client.peer.emit("news", *values)
        assert await client.receive("news") == values, place


async def test_binary_of_every_type(client):
    twice = b"twice"
    values = [bytearray(b"\x01"), memoryview(b"abcd")[1:3], memoryview(b"abcd")[::2], twice, [twice], (twice,)]
    client.peer.emit("news", *values)
    assert await client.receive("news") == [b"\x01", b"bc", b"ac", twice, [twice], [twice]]


async def test_an_array_that_changes_after_the_emit(client):
    value = bytearray(b"before")
    client.peer.emit("news", value, [value])
    value[:] = b"after!"
    assert await client.receive("news") == [b"before", [b"before"]]


VIEWS = {
    "new Uint8Array([1, 2, 3]).buffer": b"\x01\x02\x03",
    "new Uint8Array([0, 1, 2, 3]).subarray(1, 3)": b"\x01\x02",
    "new Uint16Array([1, 258])": b"\x01\x00\x02\x01",
    "new DataView(new ArrayBuffer(4), 1, 2)": b"\x00\x00",
    "Buffer.from('é')": b"\xc3\xa9",
}


async def test_binary_of_every_javascript_type(io, node, newer):
    client = await node.connect(io, version=newer)
    seen = listening(client)
    for expression, expected in VIEWS.items():
        await client.eval(f"void socket.emit('news', {expression}, [{expression}])")
        assert await seen.next() == (expected, [expected]), expression


async def test_too_many_binaries_of_a_client(node, version):
    """More than max_attachments, as in the newest reference."""
    for limit, arrives in ((10, False), (11, True)):
        async with serving(max_attachments=limit) as io:
            client = await node.connect(io, version=version)
            seen, gone = listening(client), listening(client, "disconnect")
            await client.emit("news", *[b"x"] * 11)
            if arrives:
                assert await seen.next() == (b"x",) * 11
            else:
                assert (await gone.next())[0] == "forced close"
                assert seen.all() == []


# ---- order ----

MIXED = "void Array.from({ length: 300 }, (_, i) => socket.emit('news', i % 3 ? i : Buffer.from([i & 255]), i))"


def mixed(number):
    return number if number % 3 else bytes([number & 255])


@pytest.mark.parametrize("transport", [*TRANSPORTS, None])
async def test_order(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport)
    seen = listening(client)
    await client.eval(MIXED)
    for number in range(300):
        client.peer.emit("news", mixed(number), number)
    await client.settle()
    expected = [(mixed(number), number) for number in range(300)]
    assert seen.all() == expected
    assert [tuple(args) for args in await client.collect("news")] == expected


async def test_what_a_connection_listener_sends_comes_first(io, node, version):
    @io.on("connection")
    def connected(socket):
        for number in range(5):
            socket.emit("news", mixed(number), number)
        socket.on("news", lambda number: socket.emit("news", "answer", number))

    client = await node.connect(io, version=version, auto_connect=False, wait=False)
    await client.emit("news", 5)
    await client.open()
    await client.joined()
    await client.settle()
    assert client.heard == [*(["news", mixed(number), number] for number in range(5)), ["news", "answer", 5]]


async def test_a_coroutine_as_the_connection_listener(io, node, version):
    """What it registers before it first waits is there in time for what the client had ready."""
    seen = Calls()

    @io.on("connection")
    async def connected(socket):
        socket.on("news", seen)
        await socket.join("room")
        socket.emit("welcome")

    client = await node.connect(io, version=version, auto_connect=False, wait=False)
    await client.emit("news", 1)
    await client.open()
    await client.receive("welcome")
    assert await seen.next() == (1,)


async def test_events_while_the_transport_changes(io, node, version):
    ups = []

    @io.on("connection")
    def connected(socket):
        @socket.on("up")
        def up(number):
            ups.append(number)
            socket.emit("down", mixed(number), number)

    client = await node.connect(io, version=version, transport=None)
    await client.eval("void (io.timer = setInterval(() => socket.emit('up', (io.sent = (io.sent ?? -1) + 1)), 1))")
    await until(lambda: client.peer.conn.upgraded)
    before = len(ups)
    await until(lambda: len(ups) > before + 10)
    await client.eval("clearInterval(io.timer)")
    await client.settle()
    assert ups == list(range(len(ups)))
    assert await client.collect("down") == [[mixed(number), number] for number in ups]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("big", ["json", "binary"])
async def test_big_ones_there_and_back(node, version, transport, big):
    row = {"id": 1234567, "name": "é€😀", "tags": ["a", None, 1.5]}
    value = {"friend": "hello", big: [row] * 15_000 if big == "json" else bytes(range(256)) * 4000}
    async with serving(max_http_buffer_size=10_000_000) as io:
        client = await node.connect(io, version=version, transport=transport)
        await client.echoes("big")
        for _ in range(2):
            value = await client.peer.emit_with_ack("big", value)
        assert value.keys() == {"friend", big}
        assert value[big] == ([row] * 15_000 if big == "json" else bytes(range(256)) * 4000)


# ---- names ----


async def test_send_is_the_event_message_both_ways(client):
    seen = listening(client, "message")
    await client.eval("void socket.send(1337, Buffer.from('b')).send(null)")
    assert [await seen.next(), await seen.next()] == [(1337, b"b"), (None,)]
    assert client.peer.send("a", b"b") is True
    client.peer.volatile.send("volatile")
    client.peer.compress(False).send()
    assert await client.collect("message") == [["a", b"b"], ["volatile"], []]


@pytest.mark.parametrize("name", [0, 7, "", " ", "é 😀", "toString", "__proto__", '["', "/chat,", "x" * 300])
async def test_names(client, name):
    seen = listening(client, name)
    await client.emit(name, 1)
    await client.emit(f"another than {name}", 2)
    await client.settle()
    assert seen.all() == [(1,)]
    client.peer.emit(name, 3)
    await client.settle()
    assert client.heard == [[name, 3]]


async def test_what_is_no_name(client):
    for name in (None, 1.5, True, b"bytes"):
        with pytest.raises(TypeError, match=f"a str or an int, got {type(name).__name__}"):
            client.peer.emit(name)
    await client.settle()
    assert client.heard == []


async def test_an_event_that_nobody_listens_to(client):
    seen = listening(client)
    await client.emit("nobody", b"binary")
    await client.emit("news", 1)
    assert await seen.next() == (1,)


# ---- what clients say about a single event ----


async def test_a_clients_volatile_events(io, node, newer):
    """Dropped by the client itself while it is not connected; the server sees no difference in the others."""
    seen = Calls()
    io.on("connection", lambda socket: socket.on("news", seen))
    client = await node.connect(io, version=newer, auto_connect=False, wait=False)
    await client.eval("void socket.volatile.emit('news', 'volatile')")
    await client.emit("news", "kept")
    await client.open()
    await client.joined()
    await client.eval(
        "new Promise((done) => { const timer = setInterval(() => { if (engine.transport.writable)"
        " { clearInterval(timer); socket.volatile.emit('news', 'volatile, connected'); done(); } }, 1); })"
    )
    await client.settle()
    assert seen.all() == [("kept",), ("volatile, connected",)]


@pytest.mark.parametrize("compress", [True, False])
async def test_a_clients_compression(node, version, compress):
    """RSV1 is set in a frame that is compressed (RFC 7692 6)."""
    async with serving(per_message_deflate=True) as io:
        client = await node.connect(io, version=version, per_message_deflate={"threshold": 0})
        seen = listening(client)
        await client.eval(
            "((raw) => { const { write } = raw; raw.write = (data, ...rest) => {"
            " io.first ??= data[0]; return write.call(raw, data, ...rest); }; })(engine.transport.ws._socket)"
        )
        await client.eval(f"void socket.compress({str(compress).lower()}).emit('news', 'x'.repeat(2000))")
        assert await seen.next() == ("x" * 2000,)
        assert await client.eval("io.first & 0x40") == (0x40 if compress else 0)
