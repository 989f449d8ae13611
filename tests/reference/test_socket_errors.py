"""Exceptions in what the application registered: they reach the socket's `error` listeners, and close nothing."""

import pytest

from fastsio import EventError
from tests.reference.node import Calls


def failing(error):
    def fail(*args):
        raise error

    return fail


def failing_later(error):
    async def fail(*args):
        raise error

    return fail


KINDS = {"function": failing, "coroutine": failing_later}


@pytest.fixture
def errors(client):
    """What the `error` listener of the client's socket gets."""
    seen = Calls()
    client.peer.on("error", seen)
    return seen


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_handler(client, errors, kind, caplog):
    error, seen = ValueError("mine"), Calls()
    client.peer.on("bad", KINDS[kind](error)).on("bad", seen)
    await client.emit("bad", b"1")
    assert await errors.next() == (error,)
    assert seen.all() == [(b"1",)], "the other listeners are called all the same"
    await client.emit("bad", 2)
    assert await errors.next() == (error,)
    assert client.peer.connected
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error, error]


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_handler_of_the_namespace(io, client, errors, kind):
    error = ValueError("mine")
    io.event("bad")(KINDS[kind](error))
    await client.emit("bad")
    assert await errors.next() == (error,)


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_connection_listener(io, node, version, kind):
    error, errors, seen = ValueError("mine"), Calls(), Calls()
    io.on("connection", lambda socket: socket.on("error", errors))
    io.on("connection", KINDS[kind](error))
    io.on("connection", lambda socket: socket.on("news", seen))
    client = await node.connect(io, version=version)
    assert await errors.next() == (error,)
    await client.emit("news", 1)
    assert await seen.next() == (1,)


@pytest.mark.parametrize("event", ["disconnecting", "disconnect"])
async def test_in_a_listener_of_the_end(io, client, errors, event):
    """The end goes on: rooms are left, the other listeners told."""
    peer, seen, error = client.peer, Calls(), ValueError("mine")
    peer.join("room")
    peer.on(event, failing(error)).on(event, lambda: seen("other"))
    peer.on("disconnect", lambda: seen("gone"))
    await client.disconnect()
    assert await errors.next() == (error,)
    assert (await seen.next(), await seen.next()) == (("other",), ("gone",))
    assert dict(io.sockets.adapter.rooms) == {}


async def test_in_a_catch_all_listener(client, errors):
    seen, error = Calls(), ValueError("mine")
    client.peer.on_any(failing(error))
    client.peer.on_any_outgoing(failing(error))
    client.peer.on("news", seen)
    await client.emit("news", 1)
    assert await seen.next() == (1,)
    client.peer.emit("news", 2)
    assert await client.receive("news") == [2]
    assert errors.all() == [(error,), (error,)]


@pytest.mark.parametrize("kind", KINDS)
async def test_in_what_takes_an_answer(client, errors, kind):
    error = ValueError("mine")
    await client.echoes("ask")
    client.peer.emit("ask", 1, ack=KINDS[kind](error))
    assert await errors.next() == (error,)
    assert await client.peer.emit_with_ack("ask", 2) == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_in_what_is_told_of_a_timeout(client, errors, kind):
    error = ValueError("mine")
    client.peer.timeout(0.01).emit("ask", ack=KINDS[kind](error))
    assert await errors.next() == (error,)
    assert client.peer.connected


async def test_in_an_error_listener(client, caplog):
    seen, first, second = Calls(), ValueError("first"), ValueError("second")
    client.peer.on("error", failing(second)).on("error", seen)
    client.peer.on("bad", failing(first))
    await client.emit("bad")
    assert await seen.next() == (first,)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [first, second]
    await client.settle()
    assert seen.all() == [], "an error of an error listener is not for error listeners"
    assert client.peer.connected


async def test_nobody_listens_to_errors(client, caplog):
    seen = Calls()
    client.peer.on("bad", failing(ValueError("mine"))).on("good", seen)
    await client.emit("bad")
    await client.emit("good", 1)
    assert await seen.next() == (1,)
    assert [str(record.exc_info[1]) for record in caplog.records] == ["mine"]


async def test_errors_are_those_of_this_socket(io, node, version):
    bad, good = [await node.connect(io, version=version) for _ in range(2)]
    theirs, error = Calls(), ValueError("mine")
    good.peer.on("error", theirs)
    errors = Calls()
    bad.peer.on("error", errors).on("bad", failing(error))
    await bad.emit("bad")
    assert await errors.next() == (error,)
    assert theirs.all() == []


async def test_an_event_named_error(io, node, newer):
    """A client may send one, and an `error` listener gets it, as in the reference: what it is given may be anything."""
    client, seen = await node.connect(io, version=newer), Calls()
    client.peer.on("error", seen)
    await client.emit("error", "not an exception")
    assert await seen.next() == ("not an exception",)
    client.peer.emit("error", {"code": 1})
    assert await client.receive("error") == [{"code": 1}]


async def test_arguments_that_are_missing(client, errors, caplog):
    """An EventError for this listener alone; the reference's gets undefined."""
    seen = Calls()
    client.peer.on("pair", lambda a, b: seen(a, b)).on("pair", lambda a, b="default": seen(a, b))
    await client.emit("pair", 1)
    assert await seen.next() == (1, "default")
    ((error,),) = errors.all()
    assert isinstance(error, EventError) and "fewer arguments" in str(error)
    await client.emit("pair", 1, 2, 3)
    assert [await seen.next(), await seen.next()] == [(1, 2), (1, 2)]
    assert not any(record.exc_info for record in caplog.records)


async def test_a_value_that_cannot_be_the_answer(client, errors):
    client.peer.on("ask", lambda: object())

    @client.peer.on("ask later")
    async def ask_later():
        return {1, 2}

    await client.eval("void socket.emit('ask', () => (io.answered = true))")
    await client.eval("void socket.emit('ask later', () => (io.answered = true))")
    for _ in range(2):
        (error,) = await errors.next()
        assert isinstance(error, TypeError) and "cannot be sent" in str(error)
    await client.settle()
    assert await client.eval("io.answered ?? false") is False
