"""Handlers whose annotations say what a payload is: converted, or an error of that event."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
import pydantic
import pytest

from fastsio import EventError, Namespace, limits
from tests.wsclient import serving, wire

if TYPE_CHECKING:
    from fastsio import Ack, Socket


class Point(msgspec.Struct):
    x: int
    y: int = 0


@dataclass
class Place:
    name: str
    picture: bytes = b""


class Named(TypedDict):
    name: str


class Model(pydantic.BaseModel):
    x: int
    picture: bytes = b""


class Careless(msgspec.Struct):
    def __post_init__(self):
        raise ZeroDivisionError


ORIGIN = Point(0)

CASES = [
    (Point, {"x": 1}, Point(1), "Expected `int`"),
    (Place, {"name": "here"}, Place("here"), "Expected `str`"),
    (Named, {"name": "here"}, {"name": "here"}, "Expected `str`"),
    (Model, {"x": 1}, Model(x=1), "unable to parse string as an integer at x"),
    (list[Point], [{"x": 1}, {"x": 2, "y": 3}], [Point(1), Point(2, 3)], "Expected `int`"),
    (Point | None, None, None, "Expected `int`"),
    (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1)}, "Expected `int`"),
    (list[Model] | None, [{"x": 1}], [Model(x=1)], "unable to parse string as an integer at 0.x"),
]


def broken(value: Any, annotation: Any) -> Any:
    """The same payload with the wrong type in every field."""
    if isinstance(value, dict) and annotation not in (Point, Place, Named, Model):
        return {key: broken(part, Point) for key, part in value.items()}
    if isinstance(value, list):
        return [broken(part, Point) for part in value]
    return {"x": "wrong"} if annotation in (Point, Model) or value is None else {"name": 5}


@pytest.mark.parametrize(("annotation", "sent", "expected", "complaint"), CASES, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("kind", ["function", "coroutine", "own", "once", "method", "ack"])
async def test_every_kind_of_handler(kind, annotation, sent, expected, complaint):
    got: list[Any] = []
    errors: list[Exception] = []

    async with serving() as io:
        register(io, kind, annotation, got, errors)
        async with wire(io) as client:
            await client.join()
            client.emit("put", broken(sent, annotation), ack=1)
            [answer] = await client.ack(1)
            client.emit("put", sent, ack=2)
            assert await client.ack(2) == ["taken"]
    assert answer["error"] == "invalid arguments"
    assert answer["message"].startswith("argument 'data': ")
    assert complaint in answer["message"]
    assert got == [expected]
    assert type(got[0]) is type(expected)
    [error] = errors
    assert type(error) is EventError
    assert str(error).endswith(answer["message"])
    assert "put: argument" in str(error)
    assert isinstance(error.__cause__, msgspec.ValidationError | pydantic.ValidationError)


def register(io, kind, annotation, got, errors) -> None:
    """A handler of the kind for "put"; what it is called with goes to `got`."""

    def put(data):
        got.append(data)
        return "taken"

    def put_of(socket: Socket, data):
        return put(data)

    async def put_later(socket: Socket, data):
        return put(data)

    def put_ack(socket: Socket, data, ack: Ack):
        ack(put(data))

    def put_method(self, socket: Socket, data):
        return put(data)

    for function in (put, put_of, put_later, put_ack, put_method):
        function.__annotations__["data"] = annotation
        function.__qualname__ = "put"
    common = {"function": put_of, "coroutine": put_later, "ack": put_ack}
    if kind == "method":
        io.register(type("Putting", (Namespace,), {"on_put": put_method})("/"))
    elif kind in common:
        io.event("put")(common[kind])

    @io.on("connection")
    def connected(socket: Socket):
        socket.on("error", errors.append)
        if kind == "own":
            socket.on("put", put)
        elif kind == "once":
            socket.once("put", put)


async def test_all_remaining_arguments():
    got: list[Any] = []
    async with serving() as io, wire(io) as client:

        @io.event
        def draw(socket: Socket, color: str, *points: Point):
            got.append((color, points))

        @io.event
        def pack(socket, *points: Point, ack):
            ack(len(points))

        await client.join()
        client.emit("draw", "red", {"x": 1}, {"x": 2}, ack=1)
        assert await client.ack(1) == []
        client.emit("draw", "red", {"x": 1}, {"y": 2}, ack=2)
        [answer] = await client.ack(2)
        client.emit("pack", {"x": 1}, {"x": 2}, ack=3)
        assert await client.ack(3) == [2]
    assert got == [("red", (Point(1), Point(2)))]
    assert answer["message"] == "argument 'points': Object missing required field `x`"


async def test_missing_optional_and_surplus_arguments():
    got: list[Any] = []
    async with serving() as io, wire(io) as client:

        @io.event
        def put(socket, point: Point = ORIGIN):
            got.append(point)

        await client.join()
        client.emit("put", ack=1)
        assert await client.ack(1) == []
        client.emit("put", {"x": 1}, "surplus", ack=2)
        assert await client.ack(2) == []
    assert got == [ORIGIN, Point(1)]


async def test_bytes_travel_into_fields():
    got: list[Any] = []
    async with serving() as io, wire(io) as client:
        io.event("place")(place_handler(Place, got))
        io.event("model")(place_handler(Model, got))
        await client.join()
        client.send('451-["place",{"name":"a","picture":{"_placeholder":true,"num":0}}]', b"\x00\xff")
        client.send('451-1["model",{"x":1,"picture":{"_placeholder":true,"num":0}}]', b"\x00\xff")
        assert await client.ack(1) == []
        client.emit("place", {"name": "a", "picture": "enp6"}, ack=2)
        [answer] = await client.ack(2)
    assert got == [Place("a", b"\x00\xff"), Model(x=1, picture=b"\x00\xff")]
    assert "Expected `bytes`, got `str`" in answer["message"]


def place_handler(annotation, got):
    def put(socket, data):
        got.append(data)

    put.__annotations__["data"] = annotation
    return put


async def test_other_handlers_see_the_payload_as_it_came():
    got: list[Any] = []
    async with serving() as io, wire(io) as client:

        @io.on("connection")
        def connected(socket: Socket):
            socket.on_any(lambda event, data: got.append((event, data)))
            socket.on("put", typed)
            socket.on("put", got.append)

        def typed(data: Point):
            got.append(data)

        io.event("put")(lambda socket, data: got.append((socket.id, data)))
        id = await client.join()
        client.emit("put", {"x": 1}, ack=1)
        await client.ack(1)
    assert got == [("put", {"x": 1}), Point(1), {"x": 1}, (id, {"x": 1})]


async def test_one_misfit_stops_only_its_handler():
    got: list[Any] = []
    async with serving() as io, wire(io) as client:

        @io.event
        def put(socket, data: Point):
            got.append(data)

        io.event("put")(lambda socket, data: got.append(data))
        await client.join()
        client.emit("put", {"x": "1"}, ack=1)
        [answer] = await client.ack(1)
    assert answer["error"] == "invalid arguments"
    assert got == [{"x": "1"}]


async def test_the_log_has_one_line_and_no_traceback(caplog, monkeypatch):
    monkeypatch.setattr(limits, "_logged", {})
    async with serving() as io, wire(io) as client:

        @io.event
        def put(socket, data: Point):
            return "taken"

        await client.join()
        for _ in range(5):
            client.emit("put", {"x": "1"})
        client.emit("put", {"x": 1}, ack=1)
        assert await client.ack(1) == ["taken"]
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.exc_info is None
    assert "put: argument 'data': Expected `int`, got `str` - at `$.x`" in record.message


async def test_an_exception_of_the_applications_own_checks_is_its_error(caplog):
    got: list[Any] = []
    async with serving() as io, wire(io) as client:

        @io.event
        def put(socket, data: Careless):
            got.append(data)

        @io.event
        def connect(socket):
            socket.on("error", got.append)

        io.event("echo")(lambda socket: "alive")
        await client.join()
        client.emit("put", {}, ack=1)
        client.emit("echo", ack=2)
        assert await client.ack(2) == ["alive"]
    assert [type(error) for error in got] == [ZeroDivisionError]
    assert any(record.exc_info for record in caplog.records)


async def test_plain_annotations_change_nothing():
    got: list[Any] = []
    async with serving() as io, wire(io) as client:

        @io.event
        def put(socket: Socket, a: int, b: dict[str, int], c: Any, *rest: str) -> str:
            got.extend([a, b, c, *rest])
            return "taken"

        await client.join()
        client.emit("put", "no int", ["no dict"], None, 4, ack=1)
        assert await client.ack(1) == ["taken"]
        assert io.sockets.handlers.get("put")[0].converters is None
    assert got == ["no int", ["no dict"], None, 4]
