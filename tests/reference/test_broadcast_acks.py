"""Questions to many at once: whose answers come, in what order, and what becomes of those that do not."""

import asyncio

import pytest

from fastsio import AckTimeout, Disconnected
from tests.reference.node import VERSIONS, Calls
from tests.wsclient import serving

SOON, ENOUGH, LONG = 0.05, 0.7, 60  # seconds: for no answer, for those who answer at once, for ever


async def three(io, node, version, nsp="/"):
    """Clients that answer "ask" with 1, 2 and 3; in the rooms a; a and b; none."""
    io.of(nsp)
    clients = [await node.connect(io, nsp, version=version) for _ in range(3)]
    for number, client in enumerate(clients, 1):
        await client.answers("ask", number)
    clients[0].peer.join("a")
    clients[1].peer.join(["a", "b"])
    return clients


# ---- all answer ----


async def test_the_answers_of_all(io, node, version):
    clients = await three(io, node, version)
    assert sorted(await io.timeout(LONG).emit_with_ack("ask", "what")) == [1, 2, 3]
    assert sorted(await io.emit_with_ack("ask", "what")) == [1, 2, 3]
    for client in clients:
        assert await client.collect("ask") == [["what"], ["what"]]


async def test_a_function_gets_them(io, node, version):
    await three(io, node, version)
    seen = Calls()

    async def later(error, responses):
        await asyncio.sleep(0)
        seen(error, sorted(responses))

    assert io.timeout(LONG).emit("ask", ack=lambda error, responses: seen(error, sorted(responses))) is True
    assert await seen.next() == (None, [1, 2, 3])
    io.emit("ask", ack=later)
    assert await seen.next() == (None, [1, 2, 3])


TARGETS = {
    "namespace": (lambda io, first: io.of("/chat"), [1, 2, 3]),
    "room": (lambda io, first: io.of("/chat").to("a"), [1, 2]),
    "rooms": (lambda io, first: io.of("/chat").in_(["a", "b"]), [1, 2]),
    "except_": (lambda io, first: io.of("/chat").except_("b"), [1, 3]),
    "local": (lambda io, first: io.of("/chat").local.to("b"), [2]),
    "compress": (lambda io, first: io.of("/chat").compress(False).to("b"), [2]),
    "volatile": (lambda io, first: io.of("/chat").volatile.to("a"), [1, 2]),
    "broadcast": (lambda io, first: first.broadcast, [2, 3]),
    "a socket's room": (lambda io, first: first.to("a"), [2]),
    "a socket's except_": (lambda io, first: first.except_("b"), [3]),
    "an id": (lambda io, first: io.of("/chat").to(first.id), [1]),
}


async def test_targets(io, node, version):
    clients = await three(io, node, version, "/chat")
    for name, (make, expected) in TARGETS.items():
        await clients[-1].settle()
        target = make(io, clients[0].peer)
        assert sorted(await target.emit_with_ack("ask")) == expected, name
        assert sorted(await target.timeout(LONG).emit_with_ack("ask")) == expected, name


STARTS = {
    "first": lambda io, socket: io.timeout(SOON).to("a"),
    "last": lambda io, socket: io.to("a").timeout(SOON),
    "between": lambda io, socket: io.to("a").timeout(SOON).except_("b"),
    "a socket's, first": lambda io, socket: socket.timeout(SOON).to("a"),
    "a socket's, last": lambda io, socket: socket.to("a").timeout(SOON),
    "a socket's broadcast": lambda io, socket: socket.timeout(SOON).broadcast,
    "a socket's volatile": lambda io, socket: socket.volatile.timeout(SOON).to("a"),
    "a socket's except_": lambda io, socket: socket.timeout(SOON).except_("b").compress(False),
    "twice": lambda io, socket: io.timeout(LONG).to("a").timeout(SOON),
}


@pytest.mark.parametrize("start", STARTS)
async def test_where_the_timeout_is_said(io, node, start):
    asker, asked = await node.connect(io), await node.connect(io)
    asked.peer.join("a")
    with pytest.raises(AckTimeout) as caught:
        await asyncio.wait_for(STARTS[start](io, asker.peer).emit_with_ack("unanswered"), 3)
    assert type(caught.value) is AckTimeout and caught.value.responses == []


async def test_in_the_order_in_which_they_come(io, node, version):
    clients = [await node.connect(io, version=version) for _ in range(3)]
    asked = asyncio.ensure_future(io.timeout(LONG).emit_with_ack("ask"))
    for index in (2, 0, 1):
        await clients[index].receive("ask")
        assert not asked.done()
        await clients[index].answer("ask", index)
        await clients[index].settle()
    assert await asked == [2, 0, 1]


@pytest.mark.parametrize(
    ("values", "expected"), [([], None), ([None], None), ([1, 2], 1), ([[1, 2]], [1, 2]), ([b"\x00", 2], b"\x00")]
)
async def test_the_first_argument_of_each(io, client, values, expected):
    await client.answers("ask", *values)
    assert await io.timeout(LONG).emit_with_ack("ask") == [expected]


async def test_binary_both_ways_and_all_generations(io, node):
    clients = [await node.connect(io, version=version) for version in VERSIONS]
    for client in clients:
        await client.echoes("ask")
    question = {"a": [b"\x00\xff", {"b": b""}], "c": "é😀"}
    assert await io.timeout(LONG).emit_with_ack("ask", question) == [question] * 3
    for client in clients:
        assert await client.receive("ask") == [question]


async def test_over_polling(io, node, version):
    clients = [await node.connect(io, version=version, transport=transport) for transport in ("polling", "websocket")]
    for client in clients:
        await client.echoes("ask")
    assert await io.timeout(LONG).emit_with_ack("ask", b"1") == [b"1", b"1"]


async def test_nobody_there(io, node, version):
    (client, *_) = await three(io, node, version)
    seen = Calls()
    assert await io.to("nowhere").timeout(LONG).emit_with_ack("ask") == []
    assert await io.to("nowhere").emit_with_ack("ask") == []
    assert await io.of("/empty").emit_with_ack("ask") == []
    assert await client.peer.to(client.id).timeout(LONG).emit_with_ack("ask") == []
    io.to("nowhere").timeout(LONG).emit("ask", ack=seen)
    assert await seen.next() == (None, [])
    await client.nothing("ask")


async def test_who_comes_later_is_not_asked(io, node, version):
    first = await node.connect(io, version=version)
    asked = asyncio.ensure_future(io.timeout(LONG).emit_with_ack("ask"))
    await first.receive("ask")
    later = await node.connect(io, version=version)
    await first.answer("ask", 1)
    assert await asked == [1]
    await later.nothing("ask")


async def test_several_questions_at_once(io, node, version):
    """To many and to one: each gets its own answers."""
    clients = [await node.connect(io, version=version) for _ in range(2)]
    for client in clients:
        await client.echoes("ask")
    many = [io.timeout(LONG).emit_with_ack("ask", number) for number in range(20)]
    single = [client.peer.emit_with_ack("ask", client.id) for client in clients]
    answers = await asyncio.gather(*many, *single)
    assert answers == [*([number] * 2 for number in range(20)), *(client.id for client in clients)]


async def test_a_question_in_a_handler(io, node, version):
    """The one who asks is asked too, and answers before he is answered."""
    clients = [await node.connect(io, version=version) for _ in range(2)]
    for number, client in enumerate(clients):
        await client.answers("vote", number)

    @io.event
    async def poll(socket):
        return sorted(await io.timeout(LONG).emit_with_ack("vote"))

    assert await clients[0].emit_with_ack("poll") == [[0, 1]]


# ---- not all do ----


async def test_some_are_late(io, node, version):
    *_, slow = await three(io, node, version)
    await slow.never_answers("ask")
    with pytest.raises(AckTimeout, match="operation has timed out") as caught:
        await io.timeout(ENOUGH).emit_with_ack("ask")
    assert sorted(caught.value.responses) == [1, 2]
    await slow.receive("ask")
    await slow.answer("ask", "late")
    await slow.answers("ask", 3)
    assert sorted(await io.timeout(LONG).emit_with_ack("ask")) == [1, 2, 3]


async def test_a_function_is_told_who_is_late(io, node):
    *_, slow = await three(io, node, 4)
    await slow.never_answers("ask")
    seen = Calls()
    io.timeout(ENOUGH).emit("ask", ack=seen)
    error, responses = await seen.next()
    assert isinstance(error, AckTimeout)
    assert sorted(error.responses) == sorted(responses) == [1, 2]
    await slow.receive("ask")
    await slow.answer("ask", "late")
    await slow.settle()
    assert seen.all() == [], "it is called once"


async def test_none_answers(io, node, version):
    clients = [await node.connect(io, version=version) for _ in range(2)]
    with pytest.raises(AckTimeout) as caught:
        await io.timeout(0).emit_with_ack("ask")
    assert caught.value.responses == []
    for client in clients:
        assert await client.receive("ask") == []
        await client.answer("ask", "late")
        await client.settle()
        assert client.peer.connected


async def test_one_leaves_and_there_is_a_timeout(io, node, version):
    """The others still have their time, as in the reference."""
    stayer, leaver = [await node.connect(io, version=version) for _ in range(2)]
    asked = asyncio.ensure_future(io.timeout(ENOUGH).emit_with_ack("ask"))
    await leaver.receive("ask")
    await leaver.disconnect()
    await stayer.receive("ask")
    await stayer.answer("ask", 1)
    with pytest.raises(AckTimeout) as caught:
        await asked
    assert caught.value.responses == [1]


async def test_one_leaves_and_there_is_no_timeout(io, node, version):
    """Ends when the last of the others has answered. The reference times out at once without a timeout."""
    stayer, leaver = [await node.connect(io, version=version) for _ in range(2)]
    asked = asyncio.ensure_future(io.emit_with_ack("ask"))
    await leaver.receive("ask")
    await leaver.disconnect()
    await stayer.receive("ask")
    await stayer.settle()
    assert not asked.done()
    await stayer.answer("ask", 1)
    with pytest.raises(Disconnected, match="1 of 2 clients") as caught:
        await asked
    assert caught.value.responses == [1]


async def test_the_server_closes_before_they_answer(node, version):
    async with serving() as io:
        client = await node.connect(io, version=version)
        seen = Calls()
        io.emit("ask", ack=seen)
        await client.receive("ask")
        await io.close()
        error, responses = await seen.next()
        assert isinstance(error, Disconnected) and responses == []


async def test_a_question_that_was_given_up(io, node, version):
    client = await node.connect(io, version=version)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(io.emit_with_ack("ask"), SOON)
    await client.receive("ask")
    await client.answer("ask", "late")
    await client.echoes("ask")
    assert await io.emit_with_ack("ask", 1) == [1]


async def test_a_client_that_answers_twice(io, node, newer):
    """It does not stand in for another."""
    twice, other = [await node.connect(io, version=newer) for _ in range(2)]
    asked = asyncio.ensure_future(io.timeout(LONG).emit_with_ack("ask"))
    await twice.receive("ask")
    for answer in ("first", "second"):
        await twice.eval('io._packet({ type: 3, nsp: "/", id: 0, data: [args[0]], options: {} })', answer)
    await twice.settle()
    assert not asked.done()
    await other.receive("ask")
    await other.answer("ask", "other")
    assert await asked == ["first", "other"]


async def test_a_function_that_fails(io, node, version, caplog):
    client = await node.connect(io, version=version)
    await client.echoes("ask")
    io.timeout(LONG).emit("ask", 1, ack=lambda error, responses: 1 / 0)
    assert await io.timeout(LONG).emit_with_ack("ask", 2) == [2]
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]
    assert client.peer.connected


async def test_what_cannot_be_asked(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()
    with pytest.raises(TypeError, match="cannot be sent"):
        io.timeout(SOON).emit("ask", object(), ack=seen)
    with pytest.raises(TypeError, match="cannot be sent"):
        await io.timeout(LONG).emit_with_ack("ask", object())
    with pytest.raises(ValueError, match="reserved"):
        await io.timeout(LONG).emit_with_ack("disconnect")
    await client.echoes("ask")
    assert await io.timeout(LONG).emit_with_ack("ask", 1) == [1]
    assert seen.all() == []
