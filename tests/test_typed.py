"""From a signature to its converters: which annotations count, how names in text are found, what is remembered."""

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial, wraps
from typing import Annotated, Any, Generic, NewType, Optional, TypedDict, TypeVar, Union

import msgspec
import pydantic
import pytest

from fastsio import EventError, typed
from fastsio.handlers import Handler

T = TypeVar("T")


class Point(msgspec.Struct):
    x: int


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class Model(pydantic.BaseModel):
    x: int


@pydantic.dataclasses.dataclass
class Checked:
    x: int


@dataclass
class Place:
    x: int


class Named(TypedDict, total=False):
    x: int


class Tree(msgspec.Struct):
    child: Optional["Tree"] = None


Alias = NewType("Alias", Point)

RAW = {"x": 1}
ORIGIN = Point(0)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Point, RAW, Point(1)),
        (Alias, RAW, Point(1)),
        (Place, RAW, Place(1)),
        (Named, RAW, RAW),
        (Model, RAW, Model(x=1)),
        (Checked, RAW, Checked(1)),
        (Optional[Point], None, None),  # noqa: UP045
        (Union[Point, int], 3, 3),  # noqa: UP007
        (Page[Point], {"items": [RAW]}, Page([Point(1)])),
        (Annotated[Point, "note"], RAW, Point(1)),
        (Sequence[Point], [RAW], [Point(1)]),
        (Mapping[int, Point], {"1": RAW}, {1: Point(1)}),
        (tuple[int, Point], [1, RAW], (1, Point(1))),
        (dict[str, list[Point | None]], {"a": [RAW, None]}, {"a": [Point(1), None]}),
        (tuple[Model, ...], [RAW], (Model(x=1),)),
    ],
    ids=str,
)
def test_converted(annotation, value, expected):
    convert = typed.converter(annotation)
    found = convert(value)
    assert found == expected
    assert type(found) is type(expected)
    assert typed.converter(annotation) is convert
    with pytest.raises(EventError):
        convert({"x": "not a number", "items": 1})


class Other:
    pass


@pytest.mark.parametrize(
    "annotation",
    [int, str, Any, None, dict, list[int], dict[str, Any], int | None, Other, list[Other], T, Callable[[Point], Point]]
    + [type[Point], Annotated[int, "note"], Annotated[dict, {}], Optional["Nowhere"], 5, "text"],  # noqa: F821
    ids=str,
)
def test_left_alone(annotation):
    assert typed.converter(annotation) is None


def handler(function: Any, **how: Any) -> Any:
    return Handler(function, **how).converters


def test_text_is_resolved_where_the_function_was_defined():
    class Local(msgspec.Struct):
        x: int

    def connect(kept):
        def put(a: "Local", b: "list[Point]", c: list["Point"], d: "Model | None"):
            return kept, Local

        return put

    convert = handler(connect(1))
    given = convert(["put", RAW, [RAW], [RAW], RAW])
    assert given == ["put", Local(1), [Point(1)], [Point(1)], Model(x=1)]


def test_a_name_that_is_nowhere_leaves_its_annotation_alone_and_is_warned_of_once(caplog):
    def connect(socket):
        def put(a: "Nowhere", b: Point, c: "no python", *rest: "list[Nowhere]"):  # noqa: F821, F722
            return socket

        return put

    typed.warn.cache_clear()
    for _ in range(3):
        convert = handler(connect(1))
        assert convert(["put", RAW, RAW, RAW, RAW]) == ["put", RAW, Point(1), RAW, RAW]
        typed._signatures.clear()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert all(record.message.startswith(f"{__name__}.{connect.__qualname__}.") for record in caplog.records)
    assert [record.message.partition("put: ")[2].partition(" means nothing")[0] for record in caplog.records] == [
        "the annotation 'Nowhere' of 'a'",
        "the annotation 'no python' of 'c'",
        "the annotation 'list[Nowhere]' of 'rest'",
    ]
    assert "(name 'Nowhere' is not defined)" in caplog.records[0].message


def test_what_our_own_events_come_with_may_be_imported_for_type_checkers_alone(caplog):
    def connected(socket: "Socket"): ...  # noqa: F821

    def failed(error: "fastsio.EventError | None", ack: "Nowhere"): ...  # noqa: F821

    def event(socket: "Nowhere", answer: "Ack"): ...  # noqa: F821

    typed.warn.cache_clear()
    assert handler(connected) is handler(failed) is handler(event, with_socket=True) is None
    assert not caplog.records


def test_a_name_whose_value_comes_later():
    def connect():
        def put(a: "Later"):
            return Later

        before = handler(put)

        class Later(msgspec.Struct):
            x: int

        return before, handler(put), Later

    before, after, later = connect()
    assert before is None
    assert after(["put", RAW]) == ["put", later(1)]


def test_a_function_defined_anew_is_read_once(monkeypatch):
    read: list[Any] = []
    real = typed.read
    monkeypatch.setattr(typed, "read", lambda *args: read.append(args) or real(*args))

    def connect(socket):
        def put(a: "Point", b: int):
            return socket

        return put

    first, second = handler(connect(1)), handler(connect(2))
    assert first is second
    assert first(["put", RAW, 1]) == ["put", Point(1), 1]
    assert len(read) == 1
    assert handler(connect(3), with_socket=True) is None  # `a` is the socket
    assert len(read) == 2


@pytest.mark.parametrize("text", [False, True])
def test_the_same_code_with_other_annotations_is_read_again(text):
    def made(cls):
        def put(a: cls):
            pass

        def put_text(a: "cls"):
            return cls

        return put_text if text else put

    for _ in range(2):
        assert handler(made(Point))(["put", RAW]) == ["put", Point(1)]
        assert handler(made(Place))(["put", RAW]) == ["put", Place(1)]
        assert handler(made(int)) is None


def test_wrappers_of_one_code():
    def logged(function):
        @wraps(function)
        def wrapper(a):
            return function(a)

        return wrapper

    def put(a: "Point"):
        pass

    def place(a: "Place"):
        pass

    assert handler(logged(put))(["put", RAW]) == ["put", Point(1)]
    assert handler(logged(place))(["put", RAW]) == ["put", Place(1)]


def test_wrappers_of_one_code_and_the_same_text():
    def logged(function):
        @wraps(function)
        def wrapper(a):
            pass

        return wrapper

    for cls in (Point, Place):
        space: dict[str, Any] = {"Here": cls}
        exec("def put(a: 'Here'): pass", space)
        assert handler(logged(space["put"]))(["put", RAW]) == ["put", cls(1)]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(typed, "MAX_SIGNATURES", 3)
    for number in range(10):
        space: dict[str, Any] = {"Point": Point}
        exec(f"def put(a: Point): return {number}", space)
        assert handler(space["put"]) is not None
        assert len(typed._signatures) <= 3


def test_a_socket_in_the_closure_is_not_remembered():
    def connect(socket):
        def put(a: "list[Point]", b: "Other", c: list["Point"]):
            return socket

        return put

    put = connect("a socket")
    handler(put)
    [known] = [known for known in typed._signatures.values() if known.code is put.__code__]
    assert known.cells == ()


def test_places():
    class Chat:
        def method(self, socket, a, b: Point):
            pass

        def rest(self, *points: Point):
            pass

        def __call__(self, a, b: "Point", *rest: "Point", ack=None):
            pass

    def put(a, b: Point, c, *, key: Point = ORIGIN):
        pass

    def with_ack(a: Point, ack: Point):
        pass

    chat = Chat()
    assert handler(chat.method, with_socket=True)([0, 1, RAW]) == [0, 1, Point(1)]
    assert handler(chat.rest, with_socket=True)([0, RAW, RAW]) == [0, Point(1), Point(1)]
    assert handler(chat)(["e", 1, RAW, RAW]) == ["e", 1, Point(1), Point(1)]
    assert handler(partial(put, 1))(["e", RAW, RAW]) == ["e", Point(1), RAW]
    assert handler(put, with_socket=True)([0, RAW, 1]) == [0, Point(1), 1]
    assert handler(put)(["e"]) == ["e"]
    assert handler(with_ack)(["e", RAW]) == ["e", Point(1)]
    assert handler(print) is None


def test_items_are_not_changed():
    def put(a: Point):
        pass

    items = ["put", dict(RAW)]
    assert handler(put)(items) == ["put", Point(1)]
    assert items == ["put", RAW]


def test_deep_payloads_are_misfits():
    def put(a: Tree):
        pass

    deep: dict[str, Any] = {}
    for _ in range(100_000):  # more than any interpreter recurses
        deep = {"child": deep}
    with pytest.raises(EventError, match="argument 'a': nested too deeply"):
        handler(put)(["put", deep])


def test_messages_are_short_and_printable():
    class Strict(msgspec.Struct, forbid_unknown_fields=True):
        pass

    def put(a: Strict, b: list[Model]):
        pass

    with pytest.raises(EventError) as caught:
        handler(put)(["put", {"new\nline" + "x" * 10_000: 1}])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    with pytest.raises(EventError, match="argument 'b': 5000 errors"):
        handler(put)(["put", {}, [0] * 5000])


def test_a_type_that_cannot_be_converted_to_is_refused_at_registration():
    @dataclass
    class Unknown:
        field: "Nowhere"  # noqa: F821

    class Mixed(pydantic.BaseModel):
        field: int

    def two(a: Point | Tree):
        pass

    def unknown(a: Unknown):
        pass

    def mixed(a: list[Mixed | Point]):
        pass

    for function in (two, unknown, mixed):
        with pytest.raises(TypeError, match=f"{function.__name__}: the annotation of 'a' cannot be used"):
            Handler(function)


class Frozen(msgspec.Struct, frozen=True):
    x: int


@dataclass
class Tagged:
    tags: set[Any]


@pytest.mark.parametrize(
    "annotation",
    [set[Point], frozenset[Place], set[Model], set[Point | int], set[tuple[Point, ...]], list[AbstractSet[Named]]]
    + [set[Annotated[Point, "note"]], set[Alias], set[list[Frozen]]],
    ids=str,
)
def test_sets_of_what_cannot_be_hashed_are_refused_at_registration(annotation):
    def put(a): ...

    put.__annotations__["a"] = annotation
    with pytest.raises(TypeError, match="the annotation of 'a' cannot be used: .* cannot be hashed"):
        Handler(put)


def test_sets_of_what_can_be_hashed():
    def put(a: set[Frozen], b: "frozenset[tuple[Frozen, frozenset[int]] | None]"): ...

    given = handler(put)(["put", [RAW, RAW], [None, [RAW, [1]]]])
    assert given == ["put", {Frozen(1)}, {None, (Frozen(1), frozenset([1]))}]


def test_a_set_that_a_client_fills_with_what_cannot_be_hashed_is_a_misfit():
    def put(a: Tagged): ...

    assert handler(put)(["put", {"tags": [1, 1]}]) == ["put", Tagged({1})]
    with pytest.raises(EventError, match="argument 'a': unhashable type: 'list'"):
        handler(put)(["put", {"tags": [[1]]}])


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_library_is_imported_before_it_is_needed():
    code = """
import sys, fastsio
from fastsio.handlers import Handler
Handler(lambda a: None)
def put(a: int, b: "fastsio.Socket", *c: dict[str, int]) -> None: pass
Handler(put)
print({"msgspec", "pydantic"} & set(sys.modules))
"""
    assert run(code) == "set()\n"


def test_without_msgspec_the_error_says_what_to_install():
    code = """
import sys
from dataclasses import dataclass
sys.modules["msgspec"] = None
from fastsio.handlers import Handler
@dataclass
class Place: x: int
def put(a: Place): pass
try:
    Handler(put)
except ImportError as error:
    print(error)
"""
    assert run(code) == "typed payloads need msgspec: pip install fastsio[typed]\n"
