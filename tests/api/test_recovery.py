"""Connection state recovery: what a client that was away gets back, and when it does not."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from fastsio import ConnectError
from fastsio.adapter import recovery
from tests.wsclient import serving, wire


class Client:
    """A client as the official one does it: remembers the offset, and asks for its session with it."""

    def __init__(self, io, nsp="/"):
        self.io, self.nsp, self.pid, self.offset, self.sid, self.got = io, nsp, None, None, None, []

    @asynccontextmanager
    async def connected(self, **auth):
        prefix = "" if self.nsp == "/" else self.nsp + ","
        async with wire(self.io) as self.wire:
            if self.pid is not None:
                auth |= {"pid": self.pid} | ({} if self.offset is None else {"offset": self.offset})
            self.wire.send(f"40{prefix}{json.dumps(auth)}")
            while not (frame := await self.wire.next()).startswith("40"):
                self.take(frame)
            answer = json.loads(frame[2 + len(prefix) :])
            self.recovered = answer["pid"] == self.pid
            self.pid, self.sid = answer["pid"], answer["sid"]
            yield self

    def take(self, frame):
        event = json.loads(frame[frame.index("[") :])
        if isinstance(event[-1], str):
            self.offset = event.pop()
        self.got.append(event)

    async def receive(self, number):
        for _ in range(number):
            self.take(await self.wire.next())

    @property
    def socket(self):
        return self.io.of(self.nsp).sockets[self.sid]


def recovering(**options):
    return serving(connection_state_recovery=True, **options)


async def gone(io):
    """Until the server has noticed that every client left."""
    while io.engine.clients_count:
        await asyncio.sleep(0.005)


async def test_missed_events_come_before_the_answer():
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            client.socket.join("room")
            client.socket.data["name"] = "Ada"
            io.emit("a", 1)
            await client.receive(1)
            first, sid = client.pid, client.sid
        await gone(io)
        io.emit("b", 2)
        io.to("room").emit("c", b"binary")
        io.to("elsewhere").emit("d")
        io.to(sid).emit("e")
        io.volatile.emit("f")
        async with wire(io) as raw:
            raw.send(f'40{{"pid":"{client.pid}","offset":"{client.offset}"}}')
            frames = [await raw.next() for _ in range(5)]
            assert [frame[:4] if isinstance(frame, str) else frame for frame in frames[:4]] == [
                '42["',
                "451-",
                b"binary",
                '42["',
            ]
            assert json.loads(frames[4][2:]) == {"sid": sid, "pid": first}
            socket = io.sockets.sockets[sid]
            assert socket.recovered
            assert socket.rooms == {sid, "room"}
            assert socket.data == {"name": "Ada"}


async def test_without_an_event_before():
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            assert not client.recovered
        await gone(io)
        io.emit("missed", 1)
        async with client.connected():
            assert client.recovered
            assert client.got == [["missed", 1]]


async def test_former_connection_still_open():
    async with recovering() as io:
        reasons = []
        io.event("disconnect")(lambda socket, reason: reasons.append(reason))
        client = Client(io)
        async with client.connected():
            former, old = client.wire, client.socket
            io.emit("a", 1)
            async with client.connected():
                assert client.recovered
                assert client.got == [["a", 1]]
                assert not old.connected
                assert reasons == ["forced close"]
                assert io.engine.clients_count == 1
                await former.closed()


async def test_idle_client_outlives_the_window(monkeypatch):
    """An offset may be older than everything that is kept."""
    now = time.monotonic()
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            io.emit("a", 1)
            await client.receive(1)
            monkeypatch.setattr(recovery, "monotonic", lambda: now + 10_000)
            io.to("others").emit("b")
            assert len(io.of("/").adapter._log) == 1
        await gone(io)
        io.emit("c", 3)
        async with client.connected():
            assert client.recovered
            assert client.got == [["a", 1], ["c", 3]]


async def test_too_long_away(monkeypatch):
    now = time.monotonic()
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            sid = client.sid
        await gone(io)
        monkeypatch.setattr(recovery, "monotonic", lambda: now + 121)
        async with client.connected():
            assert not client.recovered
            assert client.sid != sid
        assert len(io.of("/").adapter._sessions) == len(io.of("/").adapter._away)


async def test_rooms_are_those_of_the_moment():
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            io.to("room").emit("before")
            client.socket.join("room")
            io.to("room").emit("in")
            client.socket.leave("room")
            io.to("room").emit("after")
            client.socket.join("room")
            io.except_("room").emit("excepted")
            io.of("/").to("room").except_("room").emit("nobody")
            client.socket.broadcast.emit("not for itself")
            client.socket.emit("own")
        await gone(io)
        io.to("room").emit("away")
        client.offset = None
        async with client.connected():
            assert [event[0] for event in client.got] == ["in", "own", "away"]


@pytest.mark.parametrize("offset", ["nonsense", "other-1", 5, ""])
async def test_offsets_of_nobody(offset):
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            pass
        await gone(io)
        client.offset = offset
        async with client.connected():
            assert client.recovered == (offset == 5)  # no string: no offset


async def test_offset_of_the_future():
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            io.emit("a", 1)
            await client.receive(1)
        await gone(io)
        client.offset = client.offset.rpartition("-")[0] + "-ffff"
        async with client.connected():
            assert not client.recovered


async def test_unknown_session():
    async with recovering() as io:
        client = Client(io)
        client.pid = "somebody"
        async with client.connected():
            assert not client.recovered


async def test_leaving_on_purpose_is_not_recovered():
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            client.socket.disconnect()
        await gone(io)
        async with client.connected():
            assert not client.recovered


async def test_volatile_events_do_not_spoil_the_offset():
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            io.emit("a", 1)
            io.volatile.emit("position", "north")
            client.socket.volatile.emit("position", 1)
            await client.receive(3)
            assert client.got == [["a", 1], ["position", "north"], ["position", 1]]
        await gone(io)
        io.emit("b", 1)
        async with client.connected():
            assert client.recovered
            assert client.got[3:] == [["b", 1]]


@pytest.mark.parametrize("skip", [True, False])
async def test_middlewares(skip):
    settings = {"skip_middlewares": skip, "max_disconnection_duration": 60}
    async with serving(connection_state_recovery=settings) as io:
        told = []

        @io.use
        async def slow(socket):
            told.append(socket.recovered)
            await asyncio.sleep(0.02)
            if socket.recovered:
                io.emit("meanwhile", 2)

        client = Client(io)
        async with client.connected():
            pass
        await gone(io)
        io.emit("missed", 1)
        async with client.connected():
            assert client.recovered
            assert client.got == ([["missed", 1]] if skip else [["missed", 1], ["meanwhile", 2]])
        assert told == ([False] if skip else [False, True])


async def test_refused_by_a_middleware_after_recovery():
    async with serving(connection_state_recovery={"skip_middlewares": False}) as io:
        client = Client(io)
        async with client.connected():
            pass
        await gone(io)

        @io.use
        def refuse(socket):
            raise ConnectError("no")

        async with wire(io) as raw:
            raw.send(f'40{{"pid":"{client.pid}"}}')
            assert await raw.next() == '44{"message":"no"}'


@pytest.mark.parametrize("how", ["kicked", "left"])
async def test_who_was_recovered_and_goes_for_good(how):
    """Then there is nothing to recover any more."""
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            await client.socket.join("secret")
        await gone(io)
        async with client.connected():
            assert client.recovered
            assert client.socket.rooms == {client.sid, "secret"}
            if how == "kicked":
                client.socket.disconnect()
            else:
                client.wire.send("41")
            while io.sockets.sockets:
                await asyncio.sleep(0.005)
        async with client.connected():
            assert not client.recovered
            assert client.socket.rooms == {client.sid}
        adapter = io.of("/").adapter
        await gone(io)
        assert adapter._sessions.keys() == {client.pid} == set(adapter._away.values())


@pytest.mark.parametrize("event", [["volatile"], ["volatile", "text"]])
async def test_a_volatile_event_that_ends_with_a_string(event):
    """Its name, even: clients take the last string for the offset."""
    async with recovering() as io:
        client = Client(io)
        async with client.connected():
            io.emit("a", 1)
            io.volatile.emit(*event)
            await client.receive(2)
            assert client.got == [["a", 1], event]
        await gone(io)
        io.emit("b", 2)
        async with client.connected():
            assert client.recovered
            assert client.got[2:] == [["b", 2]]


async def test_what_a_middleware_sends():
    """It is stored, behind what was missed, and is sent as it was then."""
    async with serving(connection_state_recovery={"skip_middlewares": False}) as io:

        @io.use
        def greet(socket):
            with pytest.raises(TypeError):
                socket.emit("hello", object())
            value = {"recovered": socket.recovered}
            socket.emit("hello", value, "world")
            value.clear()

        client = Client(io)
        async with client.connected():
            await client.receive(1)
            assert client.got == [["hello", {"recovered": False}, "world"]]
        await gone(io)
        io.emit("missed", 1)
        async with client.connected():
            assert client.recovered
            await client.receive(1)
            assert client.got[1:] == [["missed", 1], ["hello", {"recovered": True}, "world"]]
        await gone(io)
        async with client.connected():
            assert client.recovered
            await client.receive(1)
            assert client.got[3:] == [["hello", {"recovered": True}, "world"]]


async def test_two_namespaces():
    async with recovering() as io:
        io.of("/chat")
        client = Client(io, "/chat")
        async with client.connected():
            io.of("/chat").emit("a", 1)
            io.emit("b", 1)
            await client.receive(1)
        await gone(io)
        io.of("/chat").emit("c", 1)
        io.emit("d", 1)
        async with client.connected():
            assert client.got == [["a", 1], ["c", 1]]


async def test_buffer_is_bounded():
    async with serving(connection_state_recovery={"max_buffer": 1000}) as io:
        client, late = Client(io), Client(io)
        async with client.connected(), late.connected():
            io.emit("a", 1)
            await client.receive(1)
            await late.receive(1)
        await gone(io)
        for _ in range(3):
            io.emit("big", "x" * 200)
        async with late.connected():
            assert late.recovered
        for _ in range(10):
            io.emit("big", "x" * 200)
        async with client.connected():
            assert not client.recovered
        assert io.engine.counters["recovery events dropped early"] > 5
        assert io.of("/").adapter._size <= 1000


async def test_nothing_is_kept_without_it():
    async with serving() as io, wire(io, join=True) as client:
        client.send("1")
        io.emit("a", 1)
        assert await client.event() == ["a", 1]


async def test_many_cuts_while_being_sent():
    """Cut at any moment, again and again: each event once, in order."""
    async with recovering() as io:
        client = Client(io)

        async def send():
            for index in range(400):
                (io.to("room") if index % 3 else client.socket if client.sid in io.sockets.sockets else io).emit(
                    "n", index
                )
                await asyncio.sleep(0)

        async with client.connected():
            client.socket.join("room")
            await gone_soon(client, send)
        while len(client.got) < 400:
            async with client.connected():
                assert client.recovered
                await asyncio.wait_for(drain(client), 2)
        assert [event[1] for event in client.got] == list(range(400))


async def drain(client):
    for _ in range(23):
        if len(client.got) < 400:
            await client.receive(1)


async def gone_soon(client, send):
    sending = asyncio.create_task(send())
    await client.receive(7)
    await sending
