"""Acknowledgements, as long as nobody is impatient: a client asks a handler, the server asks a client."""

import asyncio
from functools import partial

import pytest

from tests.reference.node import Calls, until

TRANSPORTS = ("websocket", "polling")

# ---- a client asks ----

RETURNED = [
    (None, []),
    ("text", ["text"]),
    ("", [""]),
    (0, [0]),
    (False, [False]),
    ({}, [{}]),
    ([], [[]]),
    ([1, 2], [[1, 2]]),
    ((1, 2), [1, 2]),
    ((1,), [1]),
    ((), []),
    ((None, None), [None, None]),
    ([(1, 2)], [[[1, 2]]]),
    (b"\x00\xff", [b"\x00\xff"]),
    (b"", [b""]),
    (bytearray(b"array"), [b"array"]),
    ((b"a", "text", [b"b", {"c": b"c"}]), [b"a", "text", [b"b", {"c": b"c"}]]),
    ({"é": "日本😀"}, [{"é": "日本😀"}]),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_a_handler_returns(io, node, version, transport):
    returned = []
    io.event("ask")(lambda socket: returned[0])

    @io.event("ask later")
    async def ask_later(socket):
        await asyncio.sleep(0)
        return returned[0]

    client = await node.connect(io, version=version, transport=transport)
    for value, expected in RETURNED:
        returned[:] = [value]
        assert await client.emit_with_ack("ask") == expected, value
        assert await client.emit_with_ack("ask later") == expected, value


async def test_arguments_and_an_acknowledgement(client):
    seen = Calls()
    client.peer.on("ask", lambda *args: seen(*args) or "returned")
    client.peer.on("ask two", lambda a, b, ack: ack(b, a))
    for args in ([], [1, 2], [b"\x00", [b"\x01"]], [{"a": b""}]):
        assert await client.emit_with_ack("ask", *args) == ["returned"]
        assert await seen.next() == tuple(args)
    assert await client.emit_with_ack("ask two", 1, b"2", "surplus") == [b"2", 1]


@pytest.mark.parametrize("args", [[], [1, 2], [None], [b"\x00\xff"], [{"a": [b"1", b"2"]}, b"3"]])
async def test_the_ack_parameter(client, args):
    client.peer.on("ask", lambda ack: ack(*args))

    @client.peer.on("ask later")
    async def ask_later(*, ack):
        await asyncio.sleep(0)
        ack(*args)

    assert await client.emit_with_ack("ask") == args
    assert await client.emit_with_ack("ask later") == args


async def test_an_answer_whenever_one_likes(client):
    kept = []
    client.peer.on("ask", lambda ack: kept.append(ack))
    client.peer.on("tell", lambda: kept.pop()("at last"))
    asked = asyncio.ensure_future(client.emit_with_ack("ask"))
    await until(lambda: kept)
    assert await client.emit_with_ack("tell") == []
    assert await asked == ["at last"]


async def test_answered_once(client):
    @client.peer.on("ask")
    def ask(ack):
        ack("first")
        ack("second")
        return "third"

    await client.eval("void socket.emit('ask', (...answer) => (io.answers ??= []).push(answer))")
    await client.settle()
    assert await client.eval("io.answers") == [["first"]]


async def test_several_listeners_and_one_question(client):
    """What the first returns is the answer; who takes `ack` comes before all that is returned."""
    client.peer.on("ask", lambda: 1).on("ask", lambda: 2)
    client.peer.on("ask ack", lambda: 1).on("ask ack", lambda ack: ack(2))
    for event, answer in (("ask", 1), ("ask ack", 2)):
        await client.eval(f"void (io.answers = [], socket.emit('{event}', (...answer) => io.answers.push(answer)))")
        await client.settle()
        assert await client.eval("io.answers") == [[answer]]


async def test_no_answer_where_none_is_wanted(client):
    seen = Calls()
    client.peer.on("news", lambda value: value)
    client.peer.on("ack", lambda value, ack: seen(ack(value)))
    await client.eval("void io.on('packet', (packet) => packet.type === 3 && (io.acks = true))")
    await client.emit("news", 1)
    await client.emit("ack", b"2")
    assert await seen.next() == (None,)
    await client.settle()
    assert await client.eval("io.acks ?? false") is False
    await client.emit_with_ack("news", 1)
    assert await client.eval("io.acks") is True, "or this test would see nothing"


async def test_answers_in_their_own_order(client):
    gates = [asyncio.Event() for _ in range(3)]

    @client.peer.on("ask")
    async def ask(number):
        await gates[number].wait()
        return number

    asked = [asyncio.ensure_future(client.emit_with_ack("ask", number)) for number in range(3)]
    await asyncio.sleep(0)
    for number in (2, 0, 1):
        await client.settle()
        assert not asked[number].done()
        gates[number].set()
        assert await asked[number] == [number]


async def test_many_questions_at_once(client):
    client.peer.on("double", lambda number: number * 2)
    doubled = await client.eval(
        "Promise.all(Array.from({ length: 300 }, (_, i) => new Promise((done) => socket.emit('double', i, done))))"
    )
    assert doubled == [number * 2 for number in range(300)]


async def test_a_question_from_before_the_connection(io, node, version):
    io.event("ask")(lambda socket, value: value)
    client = await node.connect(io, version=version, auto_connect=False, wait=False)
    asked = asyncio.ensure_future(client.emit_with_ack("ask", b"early"))
    await asyncio.sleep(0)
    await client.open()
    assert await asked == [b"early"]


async def test_a_question_by_send(client):
    client.peer.on("message", lambda value: (value, b"got it"))
    assert await client.eval("new Promise((done) => socket.send(1, (...answer) => done(answer)))") == [1, b"got it"]


async def test_nobody_answers(client):
    """No listener, or one that fails: the client is not told, and the next question is answered."""
    client.peer.on("bad", lambda: 1 / 0).on("good", lambda: "fine")
    await client.eval("void ['bad', 'unknown'].map((name) => socket.emit(name, () => (io.answered = true)))")
    assert await client.emit_with_ack("good") == ["fine"]
    assert await client.eval("io.answered ?? false") is False


async def test_arguments_that_are_missing(client):
    client.peer.on("pair", lambda a, b: a + b)
    assert await client.emit_with_ack("pair", 1) == [{"error": "missing arguments"}]
    assert await client.emit_with_ack("pair", 1, 2) == [3]


async def test_an_answer_for_one_that_has_left(io, node, version):
    """It is dropped, and does not reach the client's next socket in the namespace."""
    kept = []
    io.of("/chat").event("ask")(lambda socket, ack: kept.append(ack))
    main = await node.connect(io, version=version)
    client = await main.join("/chat")
    await client.eval("void socket.emit('ask', () => (io.answered = true))")
    await client.settle()
    await client.disconnect()
    await client.open()
    await client.joined()
    kept[0]("late")
    await client.settle()
    assert await client.eval("io.answered ?? false") is False


async def test_answers_of_each_namespace(io, node, version):
    """Ids count for themselves in each."""
    io.event("ask")(lambda socket: "main")
    io.of("/chat").event("ask")(lambda socket: "chat")
    main = await node.connect(io, version=version)
    chat = await main.join("/chat")
    answers = await asyncio.gather(*(client.emit_with_ack("ask") for client in (main, chat, main, chat)))
    assert answers == [["main"], ["chat"], ["main"], ["chat"]]


async def test_emit_with_ack_of_the_client(io, node):
    """Since 4.6: a promise of the first argument."""
    client = await node.connect(io)
    client.peer.on("ask", lambda *args: args)
    assert await client.eval("socket.emitWithAck('ask', 1, 2)") == 1
    assert await client.eval("socket.emitWithAck('ask', Buffer.from('b'))") == b"b"
    assert await client.eval("socket.emitWithAck('ask')") is None


# ---- the server asks ----

ANSWERS = [
    [],
    [1],
    [None],
    [1, "two", [3]],
    [[1, 2]],
    [b"\x00\xff"],
    [{"a": [b"1", {"b": b"2"}]}, b"", "end"],
]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_function_gets_the_answer(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport)
    await client.echoes("ask")
    seen = Calls()

    async def later(*args):
        await asyncio.sleep(0)
        seen("coroutine", *args)

    for answer in ANSWERS:
        assert client.peer.emit("ask", *answer, ack=seen) is True
        assert await seen.next() == tuple(answer)
        client.peer.emit("ask", *answer, ack=later)
        assert await seen.next() == ("coroutine", *answer)
    assert [items[1:] for items in client.heard[::2]] == ANSWERS


async def test_the_answer_awaited(client):
    await client.echoes("ask")
    for args, expected in (([], None), ([1], 1), ([None], None), ([1, 2], (1, 2)), ([[1, 2]], [1, 2]), ([b"x"], b"x")):
        assert await client.peer.emit_with_ack("ask", *args) == expected


async def test_a_question_by_send_to_the_client(client):
    await client.echoes("message")
    seen = Calls()
    client.peer.send("a", b"b", ack=seen)
    assert await seen.next() == ("a", b"b")
    client.peer.compress(False).send("c", ack=seen)
    assert await seen.next() == ("c",)


async def test_a_question_in_the_connection_listener(io, node, version):
    seen = Calls()
    io.on("connection", lambda socket: socket.emit("ask", 1, ack=seen))

    @io.on("connection")
    async def connected(socket):
        seen(await socket.emit_with_ack("ask", b"2"))

    client = await node.connect(io, version=version, wait=False)
    await client.echoes("ask")
    assert [await seen.next(), await seen.next()] == [(1,), (b"2",)]


async def test_a_question_for_a_question(client):
    """A handler asks the client, who asks again before it answers."""
    peer = client.peer
    peer.on("inner", lambda number: number + 1)

    @peer.on("outer")
    async def outer(number):
        return ["outer", await peer.emit_with_ack("middle", number)]

    await client.eval(
        "void socket.on('middle', (number, answer) => socket.emit('inner', number, (more) => answer(['middle', more])))"
    )
    assert await client.emit_with_ack("outer", 1) == [["outer", ["middle", 2]]]


async def test_a_question_in_an_answer(client):
    await client.echoes("ask")
    seen = Calls()
    client.peer.emit("ask", 1, ack=lambda first: client.peer.emit("ask", first + 1, ack=partial(seen, first)))
    assert await seen.next() == (1, 2)


async def test_answers_of_a_client_in_any_order(client):
    await client.eval(
        "void socket.on('ask', (number, answer) => { (io.waiting ??= []).unshift(() => answer(number, Buffer.from('b')));"
        " if (io.waiting.length === 100) io.waiting.forEach((give) => give()); })"
    )
    order = []

    async def ask(number):
        assert await client.peer.emit_with_ack("ask", number) == (number, b"b")
        order.append(number)

    await asyncio.gather(*(ask(number) for number in range(100)))
    assert order == list(range(99, -1, -1))


async def test_a_client_that_answers_twice(io, node, newer):
    """The clients' own callback does not; whoever writes the packet himself is heard once."""
    client = await node.connect(io, version=newer)
    seen = Calls()
    client.peer.emit("ask", ack=seen)
    await client.receive("ask")
    for answer in ("first", "second"):
        await client.eval('io._packet({ type: 3, nsp: "/", id: 0, data: [args[0]], options: {} })', answer)
    await client.settle()
    assert seen.all() == [("first",)]
    assert client.peer.connected


@pytest.mark.parametrize("id", [0, 1, 2**53 - 1])
async def test_an_answer_that_nobody_asked_for(io, node, newer, id):
    client = await node.connect(io, version=newer)
    await client.eval('io._packet({ type: 3, nsp: "/", id: args[0], data: [Buffer.from("x")], options: {} })', id)
    await client.settle()
    assert client.connected and client.peer.connected


async def test_nobody_answers_for_another(io, node, newer):
    """Not another client, nor the same one in another namespace."""
    io.of("/chat")
    asked, other = [await node.connect(io, version=newer) for _ in range(2)]
    chat = await asked.join("/chat")
    seen, theirs = Calls(), Calls()
    asked.peer.emit("ask", ack=seen)
    chat.peer.emit("ask", ack=theirs)
    await asked.receive("ask")
    await chat.receive("ask")
    await other.eval('io._packet({ type: 3, nsp: "/", id: 0, data: ["forged"], options: {} })')
    await chat.eval('io._packet({ type: 3, nsp: "/chat", id: 0, data: ["theirs"], options: {} })')
    await other.settle()
    await chat.settle()
    assert (seen.all(), theirs.all()) == ([], [("theirs",)])
    await asked.answer("ask", "mine")
    assert await seen.next() == ("mine",)


async def test_a_question_that_was_given_up(client):
    """The answer that comes nevertheless is dropped."""
    peer = client.peer
    asked = asyncio.ensure_future(peer.emit_with_ack("ask", 1))
    await client.receive("ask")
    asked.cancel()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(peer.emit_with_ack("ask", 2), 0.01)
    await client.receive("ask")
    await client.answer("ask", "late")
    await client.answer("ask", "late")
    await client.echoes("ask")
    assert await peer.emit_with_ack("ask", 3) == 3
