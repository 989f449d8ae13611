"""fastsio.testing: clients in the test's own process."""

import asyncio

import pytest
import uvloop

from fastsio import Ack, AckTimeout, ConnectError, Disconnected, Event, Server
from fastsio.testing import connect


@pytest.fixture
def io():
    """One that does not listen."""
    io = Server()
    io.of("/chat")

    @io.event
    def echo(socket, *args):
        socket.emit("echoed", *args)
        return args

    @io.event
    def silent(socket, ack):
        pass

    return io


async def test_events_and_acknowledgements(io):
    async with connect(io) as client:
        assert client.connected
        assert client.id in io.sockets.sockets
        assert await client.emit_with_ack("echo", 1, b"xyz", {"a": [b""]}) == (1, b"xyz", {"a": [b""]})
        assert await client.receive("echoed") == (1, b"xyz", {"a": [b""]})
        assert await client.emit_with_ack("echo") is None
        assert await client.emit_with_ack("echo", "é") == "é"
        client.emit("echo", 2)
        assert await client.receive("echoed") is None
        assert await client.receive() == ["echoed", "é"]
        assert await client.receive("echoed") == 2
        assert client.received == [["echoed", 1, b"xyz", {"a": [b""]}], ["echoed"], ["echoed", "é"], ["echoed", 2]]
    assert client.disconnect_reason == "io client disconnect"


async def test_an_event_object(io):
    def echo(number: int) -> None: ...

    moved = Event(echo)
    async with connect(io) as client:
        client.emit(moved, 1)
        assert await client.receive("echoed") == 1
        client.emit(moved, number=2)
        assert await client.receive("echoed") == 2
        assert await client.emit_with_ack(moved, number=3, timeout=5) == 3
        with pytest.raises(TypeError, match="event 'echo'"):
            client.emit(moved)


async def test_large_messages(io):
    async with connect(io) as client:
        for size in (125, 126, 65_535, 65_536, 900_000):
            assert await client.emit_with_ack("echo", size * "a") == size * "a"


async def test_what_does_not_come(io):
    async with connect(io) as client:
        with pytest.raises(TimeoutError, match=r"no 'news' within 0.01 s; no untaken events"):
            await client.receive("news", timeout=0.01)
        client.emit("echo")
        await client.emit_with_ack("echo")
        with pytest.raises(TimeoutError, match=r"untaken: 'echoed', 'echoed'"):
            await client.receive("news", timeout=0.01)
        with pytest.raises(AckTimeout, match=r"no answer to 'silent' within 0.01 s"):
            await client.emit_with_ack("silent", timeout=0.01)


async def test_what_cannot_be_sent(io):
    async with connect(io) as client:
        with pytest.raises(ValueError, match="reserved"):
            client.emit("connect")
        with pytest.raises(TypeError):
            client.emit("echo", object())
        assert await client.emit_with_ack("echo", 1) == 1


async def test_listeners(io):
    async with connect(io) as client:
        seen = []
        client.on("seen", seen.append)
        client.once("first", seen.append)

        @client.on("sum")
        async def add(a, b):
            return a + b

        socket = io.sockets.sockets[client.id]
        socket.emit("seen", 1)
        socket.emit("first", 2)
        socket.emit("first", 3)
        assert await socket.emit_with_ack("sum", 1, 2) == 3
        client.off("seen", seen.append)
        socket.emit("seen", 4)
        assert await client.receive("sum") == (1, 2)
        while await client.receive() != ["seen", 4]:
            pass
        assert seen == [1, 2]


async def test_a_listener_that_raises(io, caplog):
    async with connect(io) as client:
        client.on("bad", lambda: 1 / 0)
        io.emit("bad")
        await client.receive("bad")
        await client.emit_with_ack("echo")
    assert "exception in a listener of a test client" in caplog.text


async def test_listeners_are_called_as_handlers_are(io):
    async with connect(io) as client:
        socket = io.sockets.sockets[client.id]
        client.on("surplus", lambda a: a)
        client.on("none", lambda: None)
        client.on("several", lambda: (1, 2))
        client.on("awaitable", lambda: asyncio.sleep(0, "later"))
        client.on("future", lambda: asyncio.ensure_future(asyncio.sleep(0, "in a future")))

        @client.on("ack")
        def with_ack(a, ack):
            ack(a, "by ack")
            ack("twice")
            return "returned"

        client.on("ack", lambda: "of another listener")

        @client.on("ack later")
        async def with_ack_later(*args, ack: Ack):
            await asyncio.sleep(0)
            ack(*args)

        for event, answer in [
            ("surplus", 1),
            ("none", None),
            ("several", (1, 2)),
            ("awaitable", "later"),
            ("future", "in a future"),
            ("ack", (1, "by ack")),
            ("ack later", (1, 2)),
        ]:
            assert await socket.timeout(5).emit_with_ack(event, 1, 2) == answer
        socket.emit("ack", 1)  # nobody asks
        await client.receive("ack")
        assert await client.emit_with_ack("echo", 1) == 1


async def test_listeners_that_are_not_done_end_with_the_client(io):
    ended = asyncio.Event()

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with connect(io) as client:
        client.on("wait", wait)
        io.emit("wait")
        await client.receive("wait")
    await asyncio.wait_for(ended.wait(), 5)


async def test_namespace_auth_query_and_headers(io):
    async with connect(
        io, "chat", auth={"name": "Ada"}, query={"room": "é&="}, headers={"Cookie": "a=b", "Host": "example.com"}
    ) as client:
        handshake = io.of("/chat").sockets[client.id].handshake
        assert client.nsp == "/chat"
        assert handshake.auth == {"name": "Ada"}
        assert handshake.query["room"] == "é&="
        assert handshake.headers["cookie"] == "a=b"
        assert handshake.headers["host"] == "example.com"


@pytest.mark.parametrize("query", [{"EIO": "3"}, {"transport": "polling"}])
async def test_a_query_that_asks_for_another_client(io, query):
    [(name, value)] = query.items()
    with pytest.raises(ValueError, match=f"query: '{name}' is always '.*' for a test client, got '{value}'"):
        async with connect(io, query=query):
            pass
    async with connect(io, query={"EIO": "4"}) as client:
        assert client.connected


async def test_several_clients(io, sio_connect):
    ada, bob = await sio_connect(io), await sio_connect(io)
    async with connect(io, "/chat") as chat:
        io.emit("news", 1)
        assert await ada.receive("news") == await bob.receive("news") == 1
        assert chat.received == []


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_emits_after_the_server_has_dropped_the_connection(io, run):
    async def test():
        io.event("drop")(lambda socket, *args: socket.conn.close(discard=True))
        async with connect(io) as client:
            with pytest.raises(Disconnected, match="not connected any more: transport close"):
                while True:
                    client.emit("drop", 10_000 * "x")
                    await asyncio.sleep(0)
        assert client.disconnect_reason == "transport close"

    run(test())


async def test_who_is_refused(io):
    def refuse(socket):
        raise ConnectError("no", data={"why": 1})

    io.of("/closed").use(refuse)
    with pytest.raises(ConnectError, match="no") as refused:
        async with connect(io, "/closed"):
            pass
    assert refused.value.data == {"why": 1}
    with pytest.raises(ConnectError, match="Invalid namespace"):
        async with connect(io, "/unknown"):
            pass
    io.engine.use(refuse)
    with pytest.raises(ConnectError, match="400 Bad Request: no"):
        async with connect(io):
            pass


async def test_a_middleware_that_takes_its_time(io):
    may_go_on = asyncio.Event()

    async def slow(socket):
        await may_go_on.wait()

    io.of("/slow").use(slow)
    with pytest.raises(TimeoutError):
        async with connect(io, "/slow", timeout=0.01):
            pass
    may_go_on.set()


async def test_who_is_disconnected(io):
    async with connect(io) as client:
        waiting = asyncio.ensure_future(client.receive("news"))
        asked = asyncio.ensure_future(client.emit_with_ack("silent"))
        await asyncio.sleep(0)
        io.disconnect_sockets()
        assert await client.wait_disconnected() == "io server disconnect"
        assert not client.connected
        for task in (waiting, asked):
            with pytest.raises(Disconnected):
                await task
        with pytest.raises(Disconnected, match="io server disconnect"):
            client.emit("echo")


@pytest.mark.parametrize(
    ("leave", "reason"),
    [("disconnect", "client namespace disconnect"), ("drop", "transport close")],
)
async def test_who_leaves(io, leave, reason):
    reasons = []
    io.on("connection", lambda socket: socket.on("disconnect", lambda reason, _: reasons.append(reason)))
    async with connect(io) as client:
        getattr(client, leave)()
        await client.wait_disconnected()
    assert reasons == [reason]


async def test_the_server_has_seen_the_end(io):
    gone = []
    io.on("connection", lambda socket: socket.on("disconnect", lambda reason, _: gone.append(socket.id)))
    async with connect(io) as first:
        async with connect(io) as second:
            pass
        assert gone == [second.id]
        assert len(io.sockets.sockets) == 1
    assert gone == [second.id, first.id]


async def test_a_test_that_fails(io):
    """Its error is what is seen, and nothing is left open."""
    with pytest.raises(ZeroDivisionError):
        async with connect(io):
            raise ZeroDivisionError
    assert not io.sockets.sockets


async def test_a_server_that_listens(io):
    """It goes on listening."""
    await io.listen(0)
    async with connect(io) as client:
        assert await client.emit_with_ack("echo", 1) == 1
    assert io.addresses
    async with connect(io):
        pass
    await io.close()


async def test_one_server_in_one_test_after_another(io):
    for _ in range(3):
        async with connect(io) as client:
            assert await client.emit_with_ack("echo", 1) == 1


def test_on_any_loop(io):
    async def test():
        async with connect(io) as client:
            return await client.emit_with_ack("echo", 1)

    assert asyncio.run(test()) == 1


async def test_a_heartbeat():
    io = Server(ping_interval=0.01, ping_timeout=0.5)
    async with connect(io) as client:
        await asyncio.sleep(0.1)
        assert client.connected


async def test_deflate_is_not_asked_for():
    io = Server(per_message_deflate=True)
    io.on("connection", lambda socket: socket.emit("news", 5000 * "a"))
    async with connect(io) as client:
        assert await client.receive("news") == 5000 * "a"


@pytest.mark.parametrize("nsp", ["/", "/chat"])
async def test_a_lost_connection_is_recovered(nsp):
    io, seen = Server(connection_state_recovery=True), []

    @io.of(nsp).on("connection")
    def connected(socket):
        seen.append((socket.recovered, socket.handshake.auth.get("name")))
        if not socket.recovered:
            socket.join("room")

    async with connect(io, nsp) as ada:
        assert not ada.recovered
        io.of(nsp).emit("first", 1)
        await ada.receive("first")
        ada.drop()
        await ada.wait_disconnected()
        io.of(nsp).to("room").emit("missed", b"2")
        async with connect(io, recover=ada, auth={"name": "Ada"}) as again:
            assert (again.recovered, again.id, again.nsp) == (True, ada.id, nsp)
            assert (await again.receive("missed"))[0] == b"2"
            assert len(again.received) == 1
            io.of(nsp).to("room").emit("third")
            await again.receive("third")
            again.drop()
            async with connect(io, recover=again) as third:
                assert (third.recovered, third.received) == (True, [])
    assert seen == [(False, None), (True, "Ada"), (True, None)]


async def test_what_cannot_be_recovered(io):
    recovering = Server(connection_state_recovery=True)
    async with connect(recovering) as ada:
        ada.disconnect()
        await ada.wait_disconnected()
        async with connect(recovering, recover=ada) as other:
            assert not other.recovered
            assert other.id != ada.id
    async with connect(io) as client:
        with pytest.raises(ValueError, match="recover: that client's server had no connection_state_recovery"):
            async with connect(io, recover=client):
                pass
