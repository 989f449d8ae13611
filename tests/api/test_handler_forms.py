"""What may be a handler, and what its signature says."""

import types
from collections.abc import Callable
from functools import partial, wraps
from inspect import signature
from typing import Optional, Union

import msgspec
import pytest

from fastsio import Ack, Namespace, Server
from fastsio import Ack as Answer
from fastsio.handlers import Handler
from tests.wsclient import serving, wire


class Point(msgspec.Struct):
    x: int


def generator(socket):
    yield


async def async_generator(socket):
    yield


class Generator:
    def __call__(self, socket):
        yield

    def method(self, socket):
        yield


@pytest.mark.parametrize(
    "function",
    [generator, async_generator, Generator(), Generator().method, partial(generator), partial(Generator().method)],
)
def test_what_yields_is_refused(function):
    with pytest.raises(TypeError, match="a handler that yields would never run: return or emit instead"):
        Server().event("e")(function)


async def test_a_generator_by_types_coroutine_is_awaitable():
    @types.coroutine
    def ask(socket, x):
        yield
        return x

    async with serving() as io, wire(io) as client:
        io.event("ask")(ask)
        await client.join()
        client.emit("ask", 5, ack=1)
        assert await client.ack(1) == [5]


def logged(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def logged_later(function):
    @wraps(function)
    async def wrapper(socket, *args, **kwargs):
        return function(socket, *args, **kwargs)

    return wrapper


@pytest.mark.parametrize("decorate", [logged, logged_later, lambda function: logged_later(logged(function))])
async def test_a_decorator_that_passes_anything_on_keeps_the_signature(decorate):
    @decorate
    def pair(socket, a, b=2):
        return a, b

    @decorate
    def asks(socket, a, ack):
        ack("by ack", a)

    @decorate
    def typed(socket, point: Point):
        return repr(point)

    async with serving() as io, wire(io) as client:
        for handler in (pair, asks, typed):
            io.event(handler)
        await client.join()
        for sent, answer in [
            (("pair", 1), [1, 2]),
            (("pair", 1, 3, "surplus"), [1, 3]),
            (("pair",), [{"error": "missing arguments"}]),
            (("asks", 3, 4), ["by ack", 3]),
            (("typed", {"x": 1}), ["Point(x=1)"]),
        ]:
            client.emit(*sent, ack=1)
            assert await client.ack(1) == answer


async def test_a_decorator_that_gives_an_argument_by_keyword():
    def with_store(function):
        @wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, store="the store", **kwargs)

        return wrapper

    async with serving() as io, wire(io) as client:

        @io.event
        @with_store
        def put(socket, x, *, store, ack):
            ack(x, store)

        await client.join()
        client.emit("put", 1, 2, ack=1)
        assert await client.ack(1) == [1, "the store"]


async def test_decorated_methods_of_a_class():
    class Chat(Namespace):
        @logged
        def on_typed(self, socket, point: Point):
            return self.name, repr(point)

    async with serving() as io, wire(io) as client:
        io.register(Chat("/"))
        await client.join()
        client.emit("typed", {"x": 1}, "surplus", ack=1)
        assert await client.ack(1) == ["/", "Point(x=1)"]
        client.emit("typed", ack=2)
        assert await client.ack(2) == [{"error": "missing arguments"}]


def test_what_a_decorator_wraps_may_be_anything():
    """A generator whose values the wrapper takes, a bound method, one with a signature of its own making."""

    class Chat:
        def __call__(self, socket, a, b): ...

        def method(self, socket, a, b): ...

    made = logged(lambda socket: None)
    made.__signature__ = signature(Chat().method)
    for function in (logged(generator), logged(Chat().method), logged(Chat()), logged(logged(made))):
        least = 1 if function.__name__ == "generator" else 3
        handler = Handler(function, with_socket=True)
        assert (handler.least, handler.most) == (least, least)


def ack_first(ack, data): ...


def ack_before_the_rest(data, ack, *rest): ...


def ack_without_a_name(data, ack, /): ...


def ack_before_a_slash(ack, data, /): ...


def needy(data, *, needed, ack=None): ...


def called(function):
    """The same parameters, of an object that can be called."""
    made = type("Called", (), {"__call__": lambda *args, **kwargs: None})()
    made.__signature__ = signature(function)
    return made


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (ack_first, "the parameter 'ack' is given by keyword: put it last, or after a *"),
        (ack_before_the_rest, "the parameter 'ack' is given by keyword: put it last, or after a *"),
        (ack_without_a_name, "the parameter 'ack' is given by keyword: put it after the /"),
        (ack_before_a_slash, "the parameter 'ack' is given by keyword: put it after the /"),
        (needy, "the keyword-only parameter 'needed' of a handler needs a default"),
    ],
)
@pytest.mark.parametrize("form", [lambda function: function, called, partial])
def test_signatures_that_cannot_be_called_are_refused(function, message, form):
    with pytest.raises(TypeError) as caught:
        Server().on("e", form(function))
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("form", [lambda function: function, called, partial])
def test_signatures_with_ack_in_its_place(form):
    def after_the_rest(data, *rest, ack): ...

    def with_defaults(data, *, flag=False, ack=None): ...

    def positional(data, /, ack): ...

    for function in (after_the_rest, with_defaults, positional):
        handler = Handler(form(function))
        assert handler.ack_name == ("ack",)
        assert (handler.least, handler.most) == (1, -1 if function is after_the_rest else 1)


class models:
    class Ack(msgspec.Struct):
        """Not ours."""


ANNOTATIONS = [
    Ack,
    Ack | None,
    Optional[Ack],  # noqa: UP045
    Union[None, Ack],  # noqa: UP007
    Optional["Ack"],  # noqa: UP045
    "Ack",
    "Answer",
    "fastsio.Ack",
    "Ack | None",
    "None | fastsio.Ack",
    "Optional[Ack]",
    "typing.Optional[Answer]",
    "Union[Ack, None]",
    "'Ack'",
    "imported_for_type_checkers.Ack | None",
]
OTHERS = [
    models.Ack,
    "models.Ack",
    "list[Ack]",
    "Callable[[], Ack]",
    Callable[[], Ack],
    Ack | int,
    "Ack | int",
    "str",
    None,
]


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=repr)
@pytest.mark.parametrize("form", [lambda function: function, partial, logged])
def test_annotations_that_mean_ack(annotation, form):
    def ask(data, answer): ...

    ask.__annotations__["answer"] = annotation
    handler = Handler(form(ask))
    assert handler.ack_name == ("answer",)
    assert (handler.least, handler.most, handler.converters) == (1, 1, None)


@pytest.mark.parametrize("annotation", OTHERS, ids=repr)
@pytest.mark.parametrize("form", [lambda function: function, partial])
def test_annotations_that_mean_something_else(annotation, form):
    def ask(data, answer): ...

    ask.__annotations__["answer"] = annotation
    assert Handler(form(ask)).ack_name is None


async def test_an_optional_ack_answers():
    async def ask(socket, data, answer: "Answer | None" = None):
        answer(data)

    async with serving() as io, wire(io) as client:
        io.event(ask)
        await client.join()
        client.emit("ask", 5, ack=1)
        assert await client.ack(1) == [5]
