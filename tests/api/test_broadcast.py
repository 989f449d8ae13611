"""Targets and rooms: who gets what, once, in order."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from fastsio import Packet, Server
from fastsio.message import Message
from tests.wsclient import serving, wire


class Crowd:
    """A server and four clients a, b, c, d; rooms: r1 has a and b, r2 has b and c."""

    async def __aenter__(self):
        self.stack = AsyncExitStack()
        self.io = await self.stack.enter_async_context(serving())
        self.clients = {}
        for name in "abcd":
            self.clients[name] = await self.stack.enter_async_context(wire(self.io, join=True))
        self.socket = {name: self.io.sockets.sockets[client.sid] for name, client in self.clients.items()}
        for name, rooms in {"a": "r1", "b": ["r1", "r2"], "c": "r2"}.items():
            self.socket[name].join(rooms)
        return self

    async def __aexit__(self, *exc):
        await self.stack.aclose()

    async def who_gets(self, emit):
        """Calls emit() and returns the names of those who got it, asserting that each got it once."""
        emit()
        self.io.emit("end")
        got = ""
        for name, client in self.clients.items():
            events = []
            while (event := await client.event()) != ["end"]:
                events.append(event)
            assert events in ([], [["e", 1]])
            got += name * len(events)
        return got


TARGETS = {
    "everybody": (lambda io, s: io.emit("e", 1), "abcd"),
    "namespace": (lambda io, s: io.of("/").emit("e", 1), "abcd"),
    "room": (lambda io, s: io.to("r1").emit("e", 1), "ab"),
    "in_": (lambda io, s: io.in_("r2").emit("e", 1), "bc"),
    "two rooms, once": (lambda io, s: io.to("r1").to("r2").emit("e", 1), "abc"),
    "a list of rooms": (lambda io, s: io.to(["r1", "r2"]).emit("e", 1), "abc"),
    "except": (lambda io, s: io.except_("r1").emit("e", 1), "cd"),
    "room except room": (lambda io, s: io.to("r1").except_("r2").emit("e", 1), "a"),
    "except first": (lambda io, s: io.except_("r2").to("r1").emit("e", 1), "a"),
    "an id is a room": (lambda io, s: io.to(s["d"].id).emit("e", 1), "d"),
    "except an id": (lambda io, s: io.except_([s["d"].id, s["a"].id]).emit("e", 1), "bc"),
    "nobody": (lambda io, s: io.to("nowhere").emit("e", 1), ""),
    "from a socket, room": (lambda io, s: s["a"].to("r1").emit("e", 1), "b"),
    "from a socket, broadcast": (lambda io, s: s["a"].broadcast.emit("e", 1), "bcd"),
    "from a socket, except": (lambda io, s: s["a"].except_("r2").emit("e", 1), "d"),
    "from a socket, to itself": (lambda io, s: s["a"].to(s["a"].id).emit("e", 1), ""),
    "broadcast.to": (lambda io, s: s["b"].broadcast.to("r2").emit("e", 1), "c"),
    "only to itself": (lambda io, s: s["a"].emit("e", 1), "a"),
    "volatile": (lambda io, s: io.volatile.to("r2").emit("e", 1), "bc"),
    "socket volatile": (lambda io, s: s["a"].volatile.emit("e", 1), "a"),
    "socket compress": (lambda io, s: s["a"].compress(False).emit("e", 1), "a"),
    "socket timeout": (lambda io, s: s["a"].timeout(5).emit("e", 1), "a"),
    "socket volatile broadcast": (lambda io, s: s["a"].volatile.broadcast.emit("e", 1), "bcd"),
    "socket volatile compress to": (lambda io, s: s["a"].volatile.compress(True).to("r1").emit("e", 1), "b"),
    "socket compress local": (lambda io, s: s["a"].compress(True).local.emit("e", 1), "bcd"),
    "socket local": (lambda io, s: s["a"].local.emit("e", 1), "bcd"),
    "local, compress": (lambda io, s: io.local.compress(False).to("r1").emit("e", 1), "ab"),
}


@pytest.mark.parametrize("name", TARGETS)
async def test_target(name):
    emit, expected = TARGETS[name]
    async with Crowd() as crowd:
        assert await crowd.who_gets(lambda: emit(crowd.io, crowd.socket)) == expected


async def test_a_target_is_immutable():
    async with Crowd() as crowd:
        target = crowd.io.to("r1")
        target.to("r2")
        target.except_("r1")
        assert await crowd.who_gets(lambda: target.emit("e", 1)) == "ab"
        assert await crowd.who_gets(lambda: target.emit("e", 1)) == "ab"


async def test_rooms_join_and_leave():
    async with Crowd() as crowd:
        a = crowd.socket["a"]
        assert a.rooms == {a.id, "r1"}
        a.join(["x", "y"])
        a.join("x")
        assert a.rooms == {a.id, "r1", "x", "y"}
        a.leave("x")
        a.leave("never joined")
        assert a.rooms == {a.id, "r1", "y"}
        assert await crowd.who_gets(lambda: crowd.io.to("x").emit("e", 1)) == ""
        a.leave(a.id)
        assert await crowd.who_gets(lambda: crowd.io.to(a.id).emit("e", 1)) == ""
        crowd.socket["d"].join(a.id)  # a room may have the name of somebody's id
        assert await crowd.who_gets(lambda: crowd.io.to(a.id).emit("e", 1)) == "d"


async def test_a_disconnected_socket_is_in_no_room():
    async with Crowd() as crowd:
        socket = crowd.socket["a"]
        socket.disconnect()
        assert await crowd.clients.pop("a").next() == "41"
        assert socket.rooms == set()
        socket.join("r2")
        assert socket.rooms == set()
        assert await crowd.who_gets(lambda: crowd.io.emit("e", 1)) == "bcd"


async def test_namespaces_are_apart():
    async with serving() as io, wire(io, join=True) as client:
        io.of("/other")
        await client.join("/other")
        io.emit("main")
        assert await client.event() == ["main"]
        io.of("other").emit("there", 1)
        assert await client.event("/other") == ["there", 1]
        await client.nothing()


async def test_one_order_of_emits_and_broadcasts():
    async with Crowd() as crowd:
        a = crowd.socket["a"]
        for number in range(200):
            if number % 3 == 0:
                a.emit("n", number)
            elif number % 3 == 1:
                crowd.io.to("r1").emit("n", number)
            else:
                crowd.socket["b"].broadcast.emit("n", number)
            if number % 50 == 0:
                await asyncio.sleep(0)
        assert [await crowd.clients["a"].event() for _ in range(200)] == [["n", number] for number in range(200)]


async def test_binary_broadcast():
    async with Crowd() as crowd:
        crowd.io.to("r1").emit("b", b"\x00\xff", {"deep": [bytearray(b"2"), memoryview(b"3")]})
        for name in "ab":
            client = crowd.clients[name]
            assert await client.next() == (
                '453-["b",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]}]'
            )
            assert [await client.next() for _ in range(3)] == [b"\x00\xff", b"2", b"3"]


@pytest.mark.parametrize(
    "name", ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
)
def test_reserved_names_cannot_be_emitted(name):
    io = Server()
    for emit in (io.emit, io.to("r").emit, io.of("/x").emit):
        with pytest.raises(ValueError, match=name):
            emit(name)


def test_emitting_before_anybody_connected():
    assert Server().emit("e", 1) is True


@pytest.mark.parametrize("room", [7, None, ["r", 7]])
def test_a_room_is_named_by_a_string(room):
    with pytest.raises(TypeError):
        Server().to(room)


async def test_what_json_does_not_have_is_refused_and_harms_nobody():
    async with Crowd() as crowd:
        with pytest.raises(TypeError, match="set"):
            crowd.io.emit("e", {1, 2})
        assert await crowd.who_gets(lambda: crowd.io.emit("e", 1)) == "abcd"


def test_more_attachments_than_official_clients_take_are_sent_with_a_warning(caplog, monkeypatch):
    monkeypatch.setattr("fastsio.limits._logged", {})
    assert Message(Packet(2, "/", ["e", *[b"x"] * 10])).frames.startswith(b"\x81")
    assert caplog.messages == []
    for _ in range(2):
        assert Message(Packet(2, "/", ["e", *[b"x"] * 11])).frames.count(b"\x82\x01x") == 11
    assert caplog.messages == ["11 binary values in one message: official clients take 10, and close"]
    with pytest.raises(ValueError, match="at most 32"):
        Message(Packet(2, "/", ["e", *[b"x"] * 33]))
