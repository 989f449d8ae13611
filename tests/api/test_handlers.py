"""Events from a client to the user's functions: arguments, answers, order, errors."""

import asyncio
import logging

import pytest

from fastsio import Ack, EventError, Namespace
from tests.wsclient import serving, wire


@pytest.mark.parametrize(
    ("returned", "answer"),
    [
        (None, []),
        ("woot", ["woot"]),
        ((1, 2), [1, 2]),
        ([1, 2], [[1, 2]]),
        ((), []),
        (0, [0]),
        ({"a": None}, [{"a": None}]),
    ],
)
async def test_the_return_value_answers(returned, answer):
    async with serving() as io:
        io.event("ask")(lambda socket: returned)

        @io.event("ask later")
        async def ask_later(socket):
            await asyncio.sleep(0)
            return returned

        async with wire(io, join=True) as client:
            client.emit("ask", ack=1)
            assert await client.ack(1) == answer
            client.emit("ask later", ack=2)
            assert await client.ack(2) == answer


async def test_no_answer_when_none_was_asked_for():
    async with serving() as io, wire(io) as client:
        io.event("ask")(lambda socket: "woot")
        await client.join()
        client.emit("ask")
        await client.nothing()


@pytest.mark.parametrize("how", ["named", "annotated", "text", "keyword"])
async def test_the_ack_parameter(how):
    def named(socket, data, ack):
        ack(data, 1)
        ack("twice")

    def annotated(socket, data, answer: Ack):
        answer(data, 1)

    def text(socket, data, answer: "Ack"):
        answer(data, 1)

    def keyword(socket, data, *rest, ack):
        ack(data, 1)

    async with serving() as io, wire(io) as client:
        io.event("ask")({"named": named, "annotated": annotated, "text": text, "keyword": keyword}[how])
        await client.join()
        client.emit("ask", "x", "surplus", ack=5)
        assert await client.ack(5) == ["x", 1]
        client.emit("ask", "not asked for")
        await client.nothing()


async def test_a_handler_with_ack_answers_when_it_likes():
    kept = []
    async with serving() as io, wire(io) as client:
        io.event("keep")(lambda socket, ack: kept.append(ack))
        io.event("answer")(lambda socket: kept[0]("late"))
        await client.join()
        client.emit("keep", ack=0)
        await client.nothing()
        client.emit("answer")
        assert await client.ack(0) == ["late"]


async def test_surplus_arguments_are_dropped_and_defaults_used():
    got = []
    async with serving() as io, wire(io) as client:
        io.event("one")(lambda socket, a: got.append(a))
        io.event("optional")(lambda socket, a, b="default": got.append((a, b)))
        io.event("any")(lambda socket, *args: got.append(args))
        io.event("none")(lambda socket: got.append("none"))
        await client.join()
        client.emit("one", 1, 2, 3)
        client.emit("optional", 1)
        client.emit("any", 1, 2, 3)
        client.emit("none", 1, ack=1)
        await client.ack(1)
    assert got == [1, (1, "default"), (1, 2, 3), "none"]


async def test_a_missing_argument_is_an_error_of_the_event(caplog):
    errors = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket):
            socket.on("pair", lambda a, b: None)
            socket.on("error", errors.append)

        await client.join()
        client.emit("pair", 1, ack=3)
        assert await client.ack(3) == [{"error": "missing arguments"}]
        client.emit("pair", 1, 2, ack=4)
        assert await client.ack(4) == []
    assert [type(error) for error in errors] == [EventError]
    assert not any(record.exc_info for record in caplog.records)


async def test_an_exception_is_logged_and_closes_nothing(caplog):
    errors = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket):
            socket.on("error", errors.append)

        @io.event
        def bad(socket):
            raise RuntimeError("in a function")

        @io.event
        async def bad_later(socket):
            raise RuntimeError("in a coroutine")

        io.event("echo")(lambda socket, x: x)
        await client.join()
        client.emit("bad", ack=1)
        client.emit("bad_later", ack=2)
        client.emit("echo", "alive", ack=3)
        assert await client.ack(3) == ["alive"]
        await client.nothing()
    assert [str(error) for error in errors] == ["in a function", "in a coroutine"]
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [str(record.exc_info[1]) for record in logged] == ["in a function", "in a coroutine"]


async def test_order_own_listeners_first_then_the_namespaces():
    order = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket):
            socket.on("e", lambda: order.append("own 1"))
            socket.once("e", lambda: order.append("own once"))
            socket.on("e", lambda: order.append("own 2"))

        io.event("e")(lambda socket: order.append("namespace"))
        io.event("end")(lambda socket: "end")
        await client.join()
        client.emit("e")
        client.emit("e")
        client.emit("end", ack=1)
        await client.ack(1)
    assert order == ["own 1", "own once", "own 2", "namespace", "own 1", "own 2", "namespace"]


async def test_coroutines_start_in_the_order_of_arrival():
    order, gate = [], asyncio.Event()
    async with serving() as io, wire(io) as client:

        @io.event
        async def step(socket, number):
            order.append(number)
            await (gate.wait() if number == 0 else asyncio.sleep(0))
            return number

        await client.join()
        for number in range(20):
            client.emit("step", number, ack=number)
        answers = {await client.next() for _ in range(19)}
        assert order == list(range(20))
        assert answers == {f"43{number}[{number}]" for number in range(1, 20)}
        gate.set()
        assert await client.next() == "430[0]"  # the first one was the last to be through


async def test_off_and_remove_all_listeners():
    got = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket):
            assert socket.on("e", got.append) is socket
            socket.on("e", got.append)
            socket.off("e", got.append)
            socket.on("f", got.append).remove_all_listeners("f")
            assert socket.listeners("e") == [got.append]
            assert socket.event_names() == ["e"]

        io.event("end")(lambda socket: None)
        await client.join()
        client.emit("e", 1)
        client.emit("f", 2)
        client.emit("end", ack=1)
        await client.ack(1)
    assert got == [1]


@pytest.mark.parametrize("name", ["connection", "connect"])
async def test_a_client_cannot_have_itself_connected_again(name):
    """A client may send an event of the name "connection", as with the reference; it calls no handler of ours."""
    seen = []

    class Chat(Namespace):
        pass

    setattr(Chat, f"on_{name}", lambda self, socket: seen.append("method"))
    async with serving() as io:
        io.register(Chat("/chat"))
        io.event(name)(lambda socket: seen.append("function"))
        io.event("end")(lambda socket: None)
        async with wire(io, join=True) as client:
            await client.join("/chat")
            assert seen == ["function", "method"]
            client.emit("connection")
            client.send('42/chat,["connection"]')
            client.emit("end", ack=1)
            await client.ack(1)
        assert seen == ["function", "method"]


async def test_error_and_other_names_from_a_client_are_plain_events():
    got = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket):
            socket.on("__proto__", lambda: got.append("__proto__"))
            socket.on("", lambda: got.append("empty"))
            socket.on(7, lambda x: got.append(x))

        io.event("end")(lambda socket: None)
        await client.join()
        client.send('42["error","x"]', '42["__proto__"]', '42[""]', "42[7,1]", '42["unknown"]')
        client.emit("end", ack=1)
        await client.ack(1)
    assert got == ["__proto__", "empty", 1]


@pytest.mark.parametrize("function", [lambda socket, ack, data: None, lambda socket, *, needed: None, 7])
def test_a_handler_that_cannot_be_called_is_refused_at_registration(function):
    from fastsio import Server

    with pytest.raises(TypeError):
        Server().event("e")(function) if callable(function) else Server().on("e", function)
