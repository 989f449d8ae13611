"""Middlewares of a socket: what they see of an event, how they change or stop it, and in which order all are called."""

import asyncio

import pytest

from fastsio import ConnectError
from tests.reference.node import Calls

# ---- what they see and change ----


async def test_sees_the_event_and_its_arguments(io, node, version):
    """Without the acknowledgement, which is the last item in the reference."""
    client = await node.connect(io, version=version)
    seen = Calls()
    client.peer.use(lambda packet: seen(*packet))
    client.peer.on("sum", lambda *args: 7)
    await client.emit("news")
    await client.emit("news", 1, "é", {"a": [b"\x00\xff", None]})
    assert await client.emit_with_ack("sum", b"1", 2) == [7]
    assert seen.all() == [("news",), ("news", 1, "é", {"a": [b"\x00\xff", None]}), ("sum", b"1", 2)]


async def test_changes_the_event_for_the_next(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()

    @client.peer.use
    def wrap(packet):
        packet.insert(0, "wrap")

    client.peer.use(lambda packet: seen("second", *packet))
    client.peer.on("wrap", lambda *args: seen("listener", *args))
    client.peer.on("join", lambda *args: seen("never"))
    await client.emit("join", "woot")
    await client.settle()
    assert seen.all() == [("second", "wrap", "join", "woot"), ("listener", "join", "woot")]


async def test_what_it_makes_of_the_arguments(io, node, version):
    client = await node.connect(io, version=version)

    @client.peer.use
    async def double(packet):
        await asyncio.sleep(0)
        packet[1:] = [2 * value for value in packet[1:]]

    client.peer.on("sum", lambda *values: sum(values))
    assert await client.emit_with_ack("sum", 1, 2, 3) == [12]


async def test_a_renamed_event_is_answered(io, node, version):
    client = await node.connect(io, version=version)
    client.peer.use(lambda packet: packet.__setitem__(0, packet[0].lower()))
    client.peer.on("later", lambda value, ack: ack(value, "and more"))
    assert await client.emit_with_ack("LATER", b"1") == [b"1", "and more"]


async def test_an_emptied_packet_is_no_event(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()
    client.peer.use(lambda packet: packet.clear() if packet[1] else None)
    client.peer.on("error", seen)
    client.peer.on("news", seen)
    await client.emit("news", 1)
    await client.emit("news", 0)
    await client.settle()
    assert seen.all() == [(0,)]


async def test_an_event_that_nobody_listens_to(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()
    client.peer.use(lambda packet: seen(*packet))
    await client.emit("nobody's", 1)
    await client.settle()
    assert seen.all() == [("nobody's", 1)]


# ---- what they are not asked about ----


async def test_our_own_events_and_what_is_sent(io, node, version):
    client = await node.connect(io, version=version)
    peer, seen, gone = client.peer, Calls(), Calls()
    peer.use(lambda packet: seen(*packet))
    peer.on("disconnecting", lambda reason: gone("disconnecting"))
    peer.on("disconnect", lambda reason: gone("disconnect"))
    await client.answers("question", 1)
    assert await peer.emit_with_ack("question") == 1
    io.emit("news")
    await client.disconnect()
    assert [await gone.next(), await gone.next()] == [("disconnecting",), ("disconnect",)]
    assert seen.all() == []


async def test_other_sockets(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version)
    chat, other = await main.join("/chat"), await node.connect(io, version=version)
    seen = Calls()
    main.peer.use(lambda packet: seen(*packet))
    for number, client in enumerate((main, chat, other)):
        await client.emit("news", number)
        await client.settle()
    assert seen.all() == [("news", 0)]


async def test_what_came_before(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()
    client.peer.on("begin", lambda: client.peer.use(lambda packet: seen(*packet)) and None)
    await client.emit("begin")
    await client.emit("news")
    await client.settle()
    assert seen.all() == [("news",)]


async def test_use_decorates(io, node):
    peer = (await node.connect(io)).peer

    def middleware(packet):
        pass

    assert peer.use(middleware) is middleware
    with pytest.raises(TypeError, match="callable"):
        peer.use(None)


# ---- the order ----


async def test_after_any_listener_and_before_the_others(io, node, version):
    """The listeners for any event see what the client sent, the others what the middlewares made of it."""
    client = await node.connect(io, version=version)
    peer, seen = client.peer, Calls()
    io.event("news")(lambda socket, *args: seen("namespace", *args))
    peer.on("news", lambda *args: seen("own", *args))
    peer.use(lambda packet: packet.append("more"))
    peer.use(lambda packet: seen("middleware", *packet))
    peer.on_any(lambda *args: seen("any", *args))
    peer.prepend_any(lambda *args: seen("first", *args))
    await client.emit("news", 1)
    await client.settle()
    assert seen.all() == [
        ("first", "news", 1),
        ("any", "news", 1),
        ("middleware", "news", 1, "more"),
        ("own", 1, "more"),
        ("namespace", 1, "more"),
    ]


async def test_events_that_wait_do_not_hold_up_others(io, node, version):
    """As in the reference: an event goes on when its own middlewares are through, whichever came first."""
    client = await node.connect(io, version=version)
    gates, seen = {"first": asyncio.Event(), "second": asyncio.Event()}, Calls()

    @client.peer.use
    async def wait(packet):
        if gate := gates.get(packet[1]):
            await gate.wait()

    client.peer.on("news", seen)
    for name in ("first", "second", "third"):
        await client.emit("news", name)
    assert await seen.next() == ("third",)
    gates["second"].set()
    assert await seen.next() == ("second",)
    gates["first"].set()
    assert await seen.next() == ("first",)


async def test_events_that_wait_equally_long_keep_their_order(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()

    @client.peer.use
    async def wait(packet):
        await asyncio.sleep(0)

    client.peer.use(lambda packet: None)
    client.peer.use(wait)
    client.peer.on("news", seen)
    for number in range(20):
        await client.emit("news", number)
    assert [await seen.next() for _ in range(20)] == [(number,) for number in range(20)]


# ---- stopping ----


@pytest.mark.parametrize("how", ["sync", "async"])
async def test_stops_an_event(io, node, version, how):
    client = await node.connect(io, version=version)
    peer, seen, errors = client.peer, Calls(), Calls()
    error = ConnectError("not today")

    def refuse(packet):
        if packet[0] == "secret":
            raise error

    async def refuse_later(packet):
        await asyncio.sleep(0)
        refuse(packet)

    peer.use(refuse if how == "sync" else refuse_later)
    peer.use(lambda packet: seen("next", *packet))
    peer.on("secret", lambda *args: seen("listener", *args))
    io.event("secret")(lambda socket, *args: seen("handler", *args))
    peer.on("error", errors)
    await client.emit("secret")
    assert await errors.next() == (error,)
    await client.settle()
    assert seen.all() == []
    await client.emit("public", 1)
    await client.settle()
    assert seen.all() == [("next", "public", 1)]
    assert client.connected


async def test_a_stopped_event_is_not_answered(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()

    @client.peer.use
    def refuse(packet):
        seen(*packet)
        raise ConnectError("no")

    client.peer.on("question", lambda: "answer")
    await client.eval("void socket.emit('question', (...args) => { io.answer = args; })")
    await client.settle()
    assert seen.all() == [("question",)]
    assert await client.eval("io.answer ?? null") is None


async def test_who_listens_once_goes_on_listening(io, node, version):
    client = await node.connect(io, version=version)
    seen = Calls()

    @client.peer.use
    def refuse(packet):
        if packet[1] == 1:
            raise ConnectError("no")

    client.peer.once("news", seen)
    for number in (1, 2, 3):
        await client.emit("news", number)
    await client.settle()
    assert seen.all() == [(2,)]


async def test_all_error_listeners_are_told(io, node, version):
    client = await node.connect(io, version=version)
    peer, seen = client.peer, Calls()

    @peer.use
    def refuse(packet):
        raise ValueError("no")

    peer.on("error", lambda: 1 / 0)
    peer.on("error", lambda error: seen("own", str(error)))
    peer.on("error", lambda: seen("without"))
    await client.emit("news")
    await client.settle()
    assert seen.all() == [("own", "no"), ("without",)]
    assert client.connected


async def test_no_error_listener(io, node, version, caplog):
    """The log has it. In the reference nobody hears of it."""
    client = await node.connect(io, version=version)

    @client.peer.use
    def refuse(packet):
        raise ValueError("why not")

    await client.emit("news")
    await client.settle()
    assert client.connected
    assert [record.levelname for record in caplog.records if "why not" in record.getMessage()] == ["WARNING"]


async def test_an_error_listener_may_disconnect(io, node, version):
    client = await node.connect(io, version=version)
    peer = client.peer

    @peer.use
    def refuse(packet):
        raise ConnectError("unauthorized event")

    peer.on("error", lambda error: peer.disconnect() and None)
    await client.emit("news")
    assert await client.closed() == "io server disconnect"


REFUSALS = {
    "a message": (ConnectError("no"), ("no", None)),
    "data": (ConnectError("no", data={"code": [1]}), ("", {"code": [1]})),
    "data that are text": (ConnectError("no", data="why"), ("why", None)),
    "another error": (ValueError("no value"), ("no value", None)),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_an_older_client_is_told(io, node, refusal):
    """By an error packet, as from servers of 2.x. Those of 4.x tell no client."""
    io.of("/chat")
    main = await node.connect(io, version=2)
    chat = await main.join("/chat")
    error, expected = REFUSALS[refusal]

    @chat.peer.use
    def refuse(packet):
        raise error

    await chat.emit("news")
    assert (await chat.refused())[:2] == expected
    await main.settle()
    assert chat.connected and chat.peer.connected


async def test_a_newer_client_is_not_told(io, node, newer):
    client = await node.connect(io, version=newer)
    packets = (
        "new Promise((done) => { io.types = []; io.on('packet', ({ type }) => io.types.push(type)); done(null); })"
    )
    await client.eval(packets)

    @client.peer.use
    def refuse(packet):
        raise ConnectError("no", data=1)

    await client.emit("news")
    await client.settle()
    assert await client.eval("io.types") == [4], "the one that answers settle"


# ---- the end meanwhile ----


@pytest.mark.parametrize("by", ["server", "client"])
async def test_gone_while_one_waits(io, node, version, by):
    client = await node.connect(io, version=version)
    peer, gate, seen, gone = client.peer, asyncio.Event(), Calls(), Calls()

    @peer.use
    async def wait(packet):
        seen("waits")
        await gate.wait()
        seen("goes on")

    peer.on("news", lambda: seen("listener"))
    peer.on("disconnect", gone)
    await client.emit("news")
    assert await seen.next() == ("waits",)
    if by == "server":
        peer.disconnect()
    else:
        await client.disconnect()
    await gone.next()
    gate.set()
    assert await seen.next() == ("goes on",)
    await asyncio.sleep(0)
    assert seen.all() == []


async def test_one_that_disconnects(io, node, version):
    client = await node.connect(io, version=version)
    peer, seen = client.peer, Calls()
    peer.use(lambda packet: peer.disconnect() and None)
    peer.on("news", seen)
    await client.emit("news")
    assert await client.closed() == "io server disconnect"
    assert seen.all() == []
