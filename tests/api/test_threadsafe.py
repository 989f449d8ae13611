"""`threadsafe`: what other threads do by way of the event loop."""

import asyncio
import threading
from concurrent.futures import CancelledError
from datetime import UTC, datetime

import pytest

from fastsio import AckTimeout, Disconnected, Event, MessagePackParser, Server
from fastsio.adapter import Adapter
from fastsio.testing import connect


@pytest.fixture
def io():
    io = Server()
    io.of("/chat")
    return io


async def elsewhere(function, *args):
    """What the function returns in another thread."""
    return await asyncio.to_thread(function, *args)


TARGETS = {
    "everybody": (lambda safe: safe, [1, 1, 1]),
    "to": (lambda safe: safe.to("a"), [1, 1, 0]),
    "in_": (lambda safe: safe.in_(["b"]), [0, 1, 0]),
    "except_": (lambda safe: safe.except_("b"), [1, 0, 1]),
    "to, except_": (lambda safe: safe.to("a").except_("b"), [1, 0, 0]),
    "volatile": (lambda safe: safe.volatile.to("b"), [0, 1, 0]),
    "local": (lambda safe: safe.local.to("b"), [0, 1, 0]),
    "compress": (lambda safe: safe.compress(False).to("b"), [0, 1, 0]),
    "timeout": (lambda safe: safe.timeout(1).to("b"), [0, 1, 0]),
}


@pytest.mark.parametrize("nsp", ["/", "/chat"])
@pytest.mark.parametrize("target", TARGETS)
async def test_whom_it_reaches(io, sio_connect, nsp, target):
    choose, expected = TARGETS[target]
    clients = [await sio_connect(io, nsp) for _ in range(3)]
    sockets = [io.of(nsp).sockets[client.id] for client in clients]
    sockets[0].join("a")
    sockets[1].join(["a", "b"])
    assert await elsewhere(lambda: choose(io.of(nsp).threadsafe).emit("news", b"x")) is True
    assert await elsewhere(lambda: io.of(nsp).threadsafe.send("end")) is True
    for client, count in zip(clients, expected, strict=True):
        assert await client.receive("message") == "end"
        assert client.received == [["news", b"x"]] * count + [["message", "end"]]


async def test_a_target_that_was_made_before(io):
    async with connect(io) as client:
        target = io.to(client.id).threadsafe
        await elsewhere(lambda: target.emit("news", 1))
        assert await client.receive("news") == 1


async def test_an_event_object(io):
    @Event
    def moved(x: int, y: int = 0) -> None: ...

    async with connect(io) as client:
        await elsewhere(lambda: io.threadsafe.emit(moved, x=1))
        assert await client.receive("moved") == 1
        with pytest.raises(TypeError):
            await elsewhere(lambda: io.threadsafe.emit(moved))


async def test_in_the_thread_of_the_loop_too(io):
    async with connect(io) as client:
        io.threadsafe.emit("later")
        io.emit("now")
        assert [await client.receive(), await client.receive()] == [["now"], ["later"]]
        client.on("ready", lambda: "yes")
        assert await asyncio.wrap_future(io.threadsafe.emit_with_ack("ready")) == ["yes"]


async def test_many_threads(io):
    """Nothing is lost, and what one thread sends stays in order."""
    threads, count = 8, 500
    async with connect(io) as client:

        def work(number):
            for index in range(count):
                io.threadsafe.emit("news", number, index)

        working = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in working:
            thread.start()
        came = [[] for _ in range(threads)]
        for _ in range(threads * count):
            number, index = await client.receive("news", timeout=20)
            came[number].append(index)
        for thread in working:
            thread.join()
    assert came == [list(range(count))] * threads


async def test_the_loop_is_woken_once_for_a_burst(io):
    woken = []
    async with connect(io) as client:
        deliver = io._mailbox._deliver
        io._mailbox._deliver = lambda: (woken.append(1), deliver())
        for number in range(100):
            io.threadsafe.emit("news", number)
        assert [await client.receive("news") for _ in range(100)] == list(range(100))
    assert len(woken) == 1


# ---- values ----


@pytest.mark.parametrize("parser", [None, MessagePackParser()], ids=["json", "msgpack"])
async def test_arguments_are_taken_as_they_are_now(parser):
    io = Server(parser=parser)
    async with connect(io) as client:
        blob, value = bytearray(b"x"), {"a": [1], "b": [{"c": 1}]}
        io.threadsafe.emit("news", value, blob, memoryview(blob), (1, [2]))
        value["a"].append(2)
        value["b"][0]["c"] = 2
        blob[0] = 0
        assert await client.receive("news") == ({"a": [1], "b": [{"c": 1}]}, b"x", b"x", [1, [2]])


async def test_dates():
    moment = datetime(2017, 7, 14, tzinfo=UTC)
    for parser, expected in ((None, "2017-07-14T00:00:00.000Z"), (MessagePackParser(), moment)):
        io = Server(parser=parser)
        async with connect(io) as client:
            io.threadsafe.emit("news", moment)
            assert await client.receive("news") == expected


@pytest.mark.parametrize("parser", [None, MessagePackParser()], ids=["json", "msgpack"])
async def test_what_cannot_be_sent_is_the_callers_error(parser):
    io = Server(parser=parser)
    async with connect(io):
        for call in (io.threadsafe.emit, io.threadsafe.emit_with_ack):
            with pytest.raises(TypeError):
                await elsewhere(call, "news", object())
            with pytest.raises(ValueError, match="reserved"):
                await elsewhere(call, "connect")
        with pytest.raises(TypeError, match="room's name"):
            await elsewhere(io.threadsafe.to, 1)


# ---- answers ----


async def test_acknowledgements(io, sio_connect):
    for _ in range(3):
        (await sio_connect(io)).on("double", lambda number: 2 * number)

    def ask():
        return io.threadsafe.timeout(5).emit_with_ack("double", 2).result(5)

    assert await elsewhere(ask) == [4, 4, 4]
    came = asyncio.Queue()
    await elsewhere(
        lambda: io.threadsafe.emit("double", 3, ack=lambda error, answers: came.put_nowait((error, answers)))
    )
    assert await came.get() == (None, [6, 6, 6])


async def test_acknowledgements_that_do_not_come(io):
    async with connect(io) as client:
        future = io.threadsafe.timeout(0.01).emit_with_ack("nothing")
        with pytest.raises(AckTimeout):
            await elsewhere(future.result, 5)
        future = io.threadsafe.emit_with_ack("nothing")
        await asyncio.sleep(0)
        client.drop()
        with pytest.raises(Disconnected):
            await elsewhere(future.result, 5)


async def test_what_is_cancelled_before_it_began_is_not_done(io):
    async with connect(io) as client:
        asked, joined = io.threadsafe.emit_with_ack("news"), io.threadsafe.sockets_join("a")
        assert asked.cancel()
        assert joined.cancel()
        io.threadsafe.emit("end")
        await client.receive("end")
        assert client.received == [["end"]]
        assert io.sockets.sockets[client.id].rooms == {client.id}
        with pytest.raises(CancelledError):
            asked.result()


async def test_rooms_and_who_is_in_them(io, sio_connect):
    clients = [await sio_connect(io) for _ in range(3)]
    ids = [client.id for client in clients]

    def work():
        safe = io.threadsafe
        assert safe.to(ids[0]).sockets_join(["a", "b"]).result(5) is None
        safe.to(ids[1]).sockets_join("a")
        safe.to("a").emit("joined")  # in this order
        safe.to("b").sockets_leave("b").result(5)
        found = safe.to("a").clients().result(5), safe.to("b").clients().result(5)
        fetched = safe.except_("a").fetch_sockets().result(5)
        safe.to("a").disconnect_sockets(close=True).result(5)
        return found, [socket.id for socket in fetched]

    (in_a, in_b), others = await elsewhere(work)
    assert sorted(in_a) == sorted(ids[:2])
    assert (in_b, others) == ([], ids[2:])
    assert await clients[1].receive("joined") is None
    assert await clients[0].wait_disconnected() == "io server disconnect"
    assert io.sockets.sockets.keys() == {ids[2]}


# ---- errors, and the end ----


class Failing(Adapter):
    def broadcast(self, packet, options):
        raise OSError("no bus")

    def broadcast_with_ack(self, packet, options, on_client_count, on_ack):
        raise OSError("no bus")

    async def add_sockets(self, options, rooms):
        raise OSError("no bus")

    def del_sockets(self, options, rooms):
        raise OSError("no bus")


async def test_errors_of_an_adapter(caplog):
    io = Server(adapter=Failing)
    async with connect(io):
        io.threadsafe.emit("news")
        for future in (
            io.threadsafe.emit_with_ack("news"),
            io.threadsafe.sockets_join("a"),
            io.threadsafe.sockets_leave("a"),
        ):
            with pytest.raises(OSError, match="no bus"):
                await elsewhere(future.result, 5)
    (record,) = [record for record in caplog.records if "another thread" in record.message]
    assert isinstance(record.exc_info[1], OSError)


async def test_a_server_that_does_not_listen(io):
    safe = io.threadsafe
    for _ in range(2):
        for call in (lambda: safe.emit("news"), lambda: safe.emit_with_ack("news"), safe.clients):
            with pytest.raises(RuntimeError, match="does not listen"):
                await elsewhere(call)
        async with connect(io) as client:
            safe.emit("news")
            await client.receive("news")
