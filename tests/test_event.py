"""Event: its name, its signature, what is sent for it, and what its annotations do for handlers."""

from typing import Any

import msgspec
import pytest

from fastsio import Event, EventError, Server
from fastsio.event import event_items, event_name
from tests.wsclient import serving, wire


class Point(msgspec.Struct):
    x: int


@Event
def news(title: str, count: int = 0, by: str = "nobody") -> None:
    """Something happened."""


@Event.named("my other event")
def other(point: Point, *rest: Point) -> None: ...


@Event
def nothing() -> None: ...


def test_what_it_tells():
    assert news.name == "news"
    assert news.__doc__ == "Something happened."
    assert other.name == "my other event"
    assert repr(news) == "<Event 'news' (title: str, count: int = 0, by: str = 'nobody') -> None>"
    assert Event.named(7)(lambda a: None).name == 7
    assert [event_name(event) for event in (news, "news", 7)] == ["news", "news", 7]


@pytest.mark.parametrize("name", ["connect", "disconnect", "newListener"])
def test_reserved_names(name):
    with pytest.raises(ValueError, match="reserved event name"):
        Event.named(name)
    function: Any = lambda: None  # noqa: E731
    function.__name__ = name
    with pytest.raises(ValueError, match="reserved event name"):
        Event(function)


def test_names_of_other_types():
    with pytest.raises(TypeError, match="a str or an int, got float"):
        Event.named(1.5)
    with pytest.raises(TypeError, match="@Event.named"):
        Event("news")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [None, 1.5, b"news", True, [], {}], ids=repr)
def test_what_is_no_name_is_refused_wherever_one_is_expected(name):
    io = Server()
    uses = [
        lambda: io.on(name),
        lambda: io.on(name, print),
        lambda: io.sockets.once(name, print),
        lambda: io.engine.on(name, print),
        lambda: io.event(name)(print),
        lambda: io.emit(name, 1),
        lambda: io.to("room").emit(name),
    ]
    for use in uses:
        with pytest.raises(TypeError, match=f"an event's name is a str or an int, got {type(name).__name__}"):
            use()
    assert io.event_names() == []


def test_a_decorator_without_a_name():
    with pytest.raises(TypeError) as caught:

        @Server().on
        def news(socket): ...

    assert str(caught.value) == (
        "an event's name is a str or an int, got function:"
        ' the name comes first, as in @io.on("news") or io.on("news", news)'
    )


@pytest.mark.parametrize("function", [lambda ack: None, lambda *, a: None, lambda **a: None])
def test_parameters_without_a_place(function):
    with pytest.raises(TypeError, match="is no argument of a packet"):
        Event(function)


@pytest.mark.parametrize(
    ("event", "args", "kwargs", "items"),
    [
        (news, ("a",), {}, ["news", "a"]),
        (news, ("a", 1, "me"), {}, ["news", "a", 1, "me"]),
        (news, (), {"title": "a"}, ["news", "a"]),
        (news, ("a",), {"count": 0}, ["news", "a", 0]),
        (news, ("a",), {"by": "me"}, ["news", "a", 0, "me"]),
        (news, (), {"by": "me", "title": "a"}, ["news", "a", 0, "me"]),
        (other, (1, 2, 3), {}, ["my other event", 1, 2, 3]),
        (other, (), {"point": 1}, ["my other event", 1]),
        (nothing, (), {}, ["nothing"]),
        ("news", (1, 2), {}, ["news", 1, 2]),
    ],
)
def test_items(event, args, kwargs, items):
    assert event_items(event, args, kwargs) == items


@pytest.mark.parametrize(
    ("event", "args", "kwargs", "message"),
    [
        (news, (), {}, "event 'news': missing a required argument: 'title'"),
        (news, (1, 2, 3, 4), {}, "event 'news': too many positional arguments"),
        (news, ("a",), {"title": "b"}, "event 'news': multiple values for argument 'title'"),
        (news, ("a",), {"color": "b"}, "event 'news': got an unexpected keyword argument 'color'"),
        (nothing, (1,), {}, "event 'nothing': too many positional arguments"),
        ("news", (), {"title": "a"}, "'title': only the arguments of an Event have names"),
    ],
)
def test_arguments_that_do_not_fit(event, args, kwargs, message):
    with pytest.raises(TypeError) as caught:
        event_items(event, args, kwargs)
    assert str(caught.value) == message


async def test_emitted_by_everything_that_emits():
    async with serving() as io, wire(io) as client:
        sockets: list[Any] = []
        io.on("connection", sockets.append)
        await client.join()
        [socket] = sockets
        emitters = [io, io.sockets, io.to(socket.id), io.volatile, socket, socket.compress(True)]
        for number, emitter in enumerate(emitters):
            emitter.emit(news, "title", by=str(number))
            assert await client.event() == ["news", "title", 0, str(number)]
        [found] = await io.fetch_sockets()
        found.emit(news, title="fetched")
        assert await client.event() == ["news", "fetched"]


async def test_acknowledged():
    import asyncio

    async with serving() as io, wire(io) as client:
        sockets: list[Any] = []
        io.on("connection", sockets.append)
        await client.join()
        [socket] = sockets
        for emitter in (io, io.sockets, io.to(socket.id), socket, socket.timeout(5)):
            waiting = asyncio.ensure_future(emitter.emit_with_ack(news, "title", by="me"))
            frame = await client.next()
            assert frame.endswith('["news","title",0,"me"]')
            client.send(f'43{frame[2 : frame.index("[")]}["yes"]')
            assert await waiting in ("yes", ["yes"])
        with pytest.raises(TypeError, match="event 'news'"):
            await socket.emit_with_ack(news)


async def test_handlers_of_an_event():
    got: list[Any] = []
    errors: list[Exception] = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket):
            socket.on("error", errors.append)
            socket.on(other, lambda point: got.append(point))
            socket.once(other, lambda point, *rest: got.append(rest))

        @io.event(other)
        async def common(socket, point):
            got.append(point)
            return point.x

        @io.event(other)
        def typed_by_itself(socket, data: dict[str, Point]):
            got.append(data)

        await client.join()
        client.emit("my other event", {"x": 1}, {"x": 2}, ack=1)
        assert await client.ack(1) == []
        await client.nothing()
    assert got[:2] == [Point(1), (Point(2),)]
    assert got[2:] == [Point(1)]
    assert [str(error).partition(": ")[2] for error in errors] == [
        "argument 'data': Expected `object`, got `int` - at `$[...]`"
    ]
    assert all(type(error) is EventError for error in errors)


@Event
def placed(at: Point, size: int = 4, color: str = "red", *more: int) -> None: ...


MISSING = [{"error": "missing arguments"}]


@pytest.mark.parametrize(
    ("function", "answers"),
    [
        (lambda at, size: (at.x, size), [MISSING, [1, 4], [1, 5], [1, 5]]),
        (lambda at, size, color: (at.x, size, color), [MISSING, [1, 4, "red"], [1, 5, "red"], [1, 5, "blue"]]),
        (lambda at, size=0: (at.x, size), [MISSING, [1, 0], [1, 5]]),
        (lambda at, size, *rest: (at.x, size, rest), [MISSING, [1, 4, []], [1, 5, []], [1, 5, ["blue"]]]),
        (lambda at, size, ack: ack(at.x, size), [MISSING, [1, 4]]),
        (lambda at, size, color, further: further, [MISSING, MISSING, MISSING, MISSING, [6]]),
        (lambda *args: len(args), [[0], [1], [2]]),
        (lambda: "nothing", [["nothing"], ["nothing"]]),
    ],
)
async def test_a_handler_without_a_default_gets_the_events(function, answers):
    async with serving() as io, wire(io) as client:
        io.on("connection", lambda socket: socket.on(placed, function))
        await client.join()
        for count, answer in enumerate(answers):
            client.emit("placed", *[{"x": 1}, 5, "blue", 6][:count], ack=1)
            assert await client.ack(1) == answer


async def test_handlers_of_the_namespace_get_the_events_defaults_too():
    async with serving() as io, wire(io) as client:

        @io.event(placed)
        async def put(socket, at, size):
            return socket.id, at.x, size

        @io.event(Event(placed.function, name="typed"))
        def typed_by_itself(socket, at: dict[str, Point], size):
            return at["here"].x, size

        await client.join()
        client.emit("placed", {"x": 1}, ack=1)
        assert await client.ack(1) == [next(iter(io.sockets.sockets)), 1, 4]
        client.emit("typed", {"here": {"x": 1}}, ack=2)
        assert await client.ack(2) == [1, 4]


async def test_listeners_are_found_by_event_and_by_name():
    async with serving() as io:
        io.sockets.on(news, print)
        assert io.sockets.listeners(news) == io.sockets.listeners("news") == [print]
        assert io.sockets.event_names() == ["news"]
        io.sockets.off(news, print)
        assert io.sockets.listeners("news") == []
        io.on("news", print).remove_all_listeners(news)
        assert io.sockets.event_names() == []


async def test_children_of_a_dynamic_namespace_convert_too():
    import re

    got: list[Any] = []
    async with serving() as io, wire(io) as client:
        io.of(re.compile("/child")).event(other)(lambda socket, point: got.append(point))
        await client.join("/child")
        client.emit("my other event", {"x": 1}, nsp="/child")
        await client.nothing()
    assert got == [Point(1)]
