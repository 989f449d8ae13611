"""Typed payloads: what a handler's annotations make of its arguments.

A parameter annotated with a msgspec Struct, a dataclass, a TypedDict or a pydantic model, also inside containers, gets
its argument converted and checked; other annotations change nothing. The libraries are imported when such an
annotation is met, and never otherwise. What is wrong with an argument is an EventError without a handler's name.

A signature is read once for each code object: a function that is defined anew for each connection is found again by
it, as long as its annotations are the same.
"""

from __future__ import annotations

import re
import sys
from collections import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from inspect import CO_VARARGS, CO_VARKEYWORDS, Parameter, unwrap
from logging import getLogger
from types import CodeType, FunctionType, SimpleNamespace, UnionType
from typing import Annotated, Any, NamedTuple, NoReturn, Union, get_args, get_origin, get_type_hints

from fastsio.errors import EventError

log = getLogger("fastsio")

Converter = Callable[[Any], Any]  # raises EventError for what does not fit

MAX_SIGNATURES = 4096  # remembered
MAX_MESSAGE = 300  # characters of what is wrong, which may quote the client
OURS = frozenset(["Socket", "EngineSocket", "Namespace", "EventError"])  # come with our own events: no payloads
ANYTHING = CO_VARARGS | CO_VARKEYWORDS

NAME = re.compile(r"(?<![\w.])\w+")  # not an attribute's
PATH = re.compile(r"[\w.]+")  # with its attributes
BYTES = (bytes, bytearray, memoryview)  # come as what they are: text is not taken for base64
CONTAINERS: frozenset[Any] = frozenset(
    [Annotated, Union, UnionType, list, tuple, set, frozenset, dict]
    + [abc.Sequence, abc.MutableSequence, abc.Collection, abc.Set, abc.MutableSet, abc.Mapping, abc.MutableMapping]
)
SETS = frozenset([set, frozenset, abc.Set, abc.MutableSet])


class Converters:
    """Those of one signature, in the places of [event or socket, *arguments]."""

    __slots__ = ("arguments", "count", "defaults", "first", "rest")

    def __init__(
        self,
        arguments: Sequence[tuple[int, str, Converter]],
        first: int = 1,
        rest: Rest | None = None,
        count: int = 0,
        defaults: tuple[object, ...] = (),
    ) -> None:
        self.arguments = arguments  #: place, parameter's name, converter
        self.first = first  #: the place where `rest` begins
        self.rest = rest  #: of *args
        self.count = count  #: of the items at least, made up with the last of `defaults`
        self.defaults = defaults

    def __call__(self, items: list[Any]) -> list[Any]:
        """The items with arguments converted, in a new list. EventError: one does not fit."""
        given = items.copy()
        count = len(given)
        for place, name, convert in self.arguments:
            if place < count:
                given[place] = converted(convert, given[place], name)
        if self.rest is not None:
            for place in range(self.first, count):
                given[place] = converted(self.rest.converter, given[place], self.rest.name)
        if count < self.count:
            given += self.defaults[count - self.count :]
        return given


def completing(converters: Converters | None, count: int, defaults: tuple[object, ...]) -> Converters:
    """The same converters, which make the items `count` with the last of the defaults."""
    known = converters or Converters(())
    return Converters(known.arguments, known.first, known.rest, count, defaults)


class Rest(NamedTuple):
    """The parameter that takes all remaining arguments."""

    name: str
    converter: Converter


def converted(convert: Converter, value: Any, name: str) -> Any:
    """The argument's value for the parameter of this name."""
    try:
        return convert(value)
    except EventError as error:
        raise EventError(f"argument {name!r}: {error}") from error.__cause__
    except RecursionError as error:
        raise EventError(f"argument {name!r}: nested too deeply") from error


# ---- signatures ----


class Signature(NamedTuple):
    """One that was read, and what has to be the same for it to be used again."""

    code: CodeType  # held, so that its id stays its own
    annotations: tuple[Any, ...]
    cells: tuple[tuple[int, Any], ...]  # of the closure, where text in annotations names it: place, content
    converters: Converters | None


_signatures: dict[tuple[int, int], Signature] = {}


def converters_of(
    function: FunctionType, annotations: Mapping[str, Any], shift: int, ack: str | None = None
) -> Converters | None:
    """The converters of a function, None without any.

    shift: from a parameter's place to the place of its argument in [event or socket, *arguments]; ack: the parameter
    that is no argument.
    """
    if hasattr(function, "__wrapped__"):  # one wrapper's code has many signatures
        return read(function, annotations, shift, ack)
    code = function.__code__
    key = (id(code), shift)
    values = tuple(annotations.values())
    known = _signatures.get(key)
    if known is not None and known.annotations == values and is_unchanged(function, known.cells):
        return known.converters
    if len(_signatures) >= MAX_SIGNATURES:
        _signatures.clear()
    converters = read(function, annotations, shift, ack)
    _signatures[key] = Signature(code, values, named_cells(function, values), converters)
    return converters


def read(
    function: FunctionType, annotations: Mapping[str, Any], shift: int, ack: str | None = None
) -> Converters | None:
    """The same, without the memory."""
    code = function.__code__
    positional = code.co_argcount
    names = code.co_varnames
    rest = names[positional + code.co_kwonlyargcount] if code.co_flags & CO_VARARGS else None
    found = {name: annotations[name] for name in names[:positional] if name in annotations and name != ack}
    places = {name: place + shift for place, name in enumerate(names[:positional])}
    if rest is not None and rest in annotations:
        found[rest] = annotations[rest]
    return built(function, found, places, rest, positional + shift)


def converters_of_parameters(
    function: Any, parameters: Sequence[Parameter], shift: int, ack: str | None = None
) -> Converters | None:
    """The converters of what is no plain function, by its `inspect.signature`; None without any."""
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    annotated = {p.name: p.annotation for p in parameters if p.annotation is not p.empty and p.name != ack}
    found = {name: annotation for name, annotation in annotated.items() if name in {*positional, rest}}
    places = {name: place + shift for place, name in enumerate(positional)}
    return built(function, found, places, rest, len(positional) + shift) if found else None


def built(
    function: Any, annotations: Mapping[str, Any], places: Mapping[str, int], rest: str | None, first: int
) -> Converters | None:
    """The converters of the annotated parameters: `places` says where each argument is, `rest` begins at `first`."""
    found: dict[str, Converter] = {}
    for name, annotation in annotations.items():
        if name == rest or places[name] > 0:  # the socket is no argument
            try:
                convert = converter(resolved(function, name, annotation))
            except TypeError as error:
                where = getattr(function, "__qualname__", repr(function))
                raise TypeError(f"{where}: the annotation of {name!r} cannot be used: {error}") from error
            if convert is not None:
                found[name] = convert
    remaining = found.pop(rest) if rest in found else None
    if not found and remaining is None:
        return None
    arguments = tuple((places[name], name, convert) for name, convert in found.items())
    return Converters(arguments, max(first, 1), Rest(str(rest), remaining) if remaining is not None else None)


# ---- annotations that are text ----


def unevaluated(function: FunctionType) -> dict[str, Any]:
    """A function's annotations where a name in them has no value: what has one, has it (Python 3.14)."""
    import annotationlib  # type: ignore[import-not-found, unused-ignore]

    found: dict[str, Any] = annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)
    return found


@lru_cache(maxsize=1024)
def only_name(text: str) -> tuple[str, ...] | None:
    """("fastsio", "Ack") of "Optional[fastsio.Ack]": the name beside None, where there is just one."""
    paths = [tuple(path.split(".")) for path in PATH.findall(text)]
    found = [path for path in paths if path[-1] not in ("None", "Optional", "Union")]
    return found[0] if len(found) == 1 else None


def content(function: FunctionType, place: int) -> Any:
    """What is in a cell of the closure; None: nothing yet."""
    try:
        return (function.__closure__ or ())[place].cell_contents
    except ValueError:
        return None


def named_cells(function: FunctionType, annotations: tuple[Any, ...]) -> tuple[tuple[int, Any], ...]:
    """The cells of the closure whose names occur in annotations that are text, or hold text."""
    if not function.__closure__:
        return ()
    words = set(NAME.findall(" ".join(repr(value) for value in annotations if not isinstance(value, type))))
    names = enumerate(function.__code__.co_freevars)
    return tuple((place, content(function, place)) for place, name in names if name in words)


def is_unchanged(function: FunctionType, cells: tuple[tuple[int, Any], ...]) -> bool:
    """Whether the cells of the closure hold the same as then."""
    return not cells or all(content(function, place) is value for place, value in cells)


def resolved(function: Any, name: str, annotation: Any) -> Any:
    """The annotation with names in text replaced by what they stand for; Any: that cannot be told."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation
    origin = defined(function)
    names: dict[str, Any] = {}
    if origin is not None:
        names.update((kind.__name__, kind) for kind in getattr(origin, "__type_params__", ()))
        cells = ((cell, content(origin, place)) for place, cell in enumerate(origin.__code__.co_freevars))
        names.update((cell, value) for cell, value in cells if value is not None)
    holder = SimpleNamespace(__annotations__={name: annotation})
    try:
        space = origin.__globals__ if origin is not None else {}
        return get_type_hints(holder, space, names, include_extras=True)[name]
    except Exception as error:
        text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", repr(annotation))
        if (only_name(text) or ("",))[-1] not in OURS:
            where = getattr(function, "__qualname__", repr(function))
            warn(f"{getattr(function, '__module__', None)}.{where}", name, text, str(error))
        return Any


@lru_cache(maxsize=1024)  # once for each, however often the function is defined anew
def warn(where: str, name: str, annotation: str, error: str) -> None:
    """An annotation may have been meant to check payloads, and does not."""
    log.warning(
        "%s: the annotation %r of %r means nothing at run time (%s): what clients send for it is not checked. Import "
        "what it names for more than type checkers, or define it in the module",
        *(where, annotation, name, error),
    )


def defined(function: Any) -> FunctionType | None:
    """The function in whose module an annotation was written, where that can be told."""
    plain = function_of(function)
    found = unwrap(plain) if plain is not None else None
    return found if isinstance(found, FunctionType) else None


def function_of(function: Any) -> FunctionType | None:
    """The plain function that is run by a call, where there is one."""
    while isinstance(function, partial):
        function = function.func
    function = getattr(function, "__func__", function)  # of a bound method
    if not isinstance(function, FunctionType) and not isinstance(function, type):
        function = getattr(type(function).__call__, "__func__", type(function).__call__)
    return function if isinstance(function, FunctionType) else None


def tells_what_it_takes(function: Any) -> bool:
    """Whether it is no wrapper that passes on whatever comes."""
    if not isinstance(function, FunctionType) or hasattr(function, "__signature__"):
        return True
    return function.__code__.co_flags & ANYTHING != ANYTHING


# ---- converters ----


def converter(annotation: Any) -> Converter | None:
    """What converts to the annotated type; None: it changes nothing.

    TypeError: the library cannot convert to such a type; ImportError: it is missing.
    """
    try:
        return _converter(annotation)
    except TypeError:
        if _is_hashable(annotation):
            raise
    return _converter.__wrapped__(annotation)


def _is_hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=1024)
def _converter(annotation: Any) -> Converter | None:
    parts = list(parts_of(annotation, set()))
    libraries = {library_of(part) for part in map(origin_of, parts) if isinstance(part, type)} - {None}
    if not libraries:
        return None
    for part in parts:
        if origin_of(part) in SETS and not all(map(is_hashable_type, get_args(part))):
            raise TypeError(f"what {part} holds cannot be hashed: freeze the class, or use a list")
    return by_pydantic(annotation) if "pydantic" in libraries else by_msgspec(annotation)


def origin_of(annotation: Any) -> Any:
    return get_origin(annotation) or annotation


def parts_of(annotation: Any, seen: set[int]) -> Iterator[Any]:
    """An annotation, and what its containers hold."""
    if id(annotation) in seen:  # an alias that names itself
        return
    seen.add(id(annotation))
    yield annotation
    origin = origin_of(annotation)
    if origin in CONTAINERS:
        for argument in get_args(annotation)[: 1 if origin is Annotated else None]:
            yield from parts_of(argument, seen)
    elif not isinstance(origin, type) and (meant := meant_by(annotation)) is not None:
        yield from parts_of(meant, seen)


def meant_by(annotation: Any) -> Any:
    """What a type alias or a NewType stands for; None: it is neither."""
    return getattr(annotation, "__value__", None) or getattr(annotation, "__supertype__", None)


def is_hashable_type(annotation: Any) -> bool:
    """Whether a set can hold what is converted to it."""
    origin = origin_of(annotation)
    if origin in (Annotated, Union, UnionType, tuple):
        return all(map(is_hashable_type, get_args(annotation)[: 1 if origin is Annotated else None]))
    if origin in CONTAINERS:
        return origin is frozenset
    if not isinstance(origin, type):
        meant = meant_by(annotation)
        return meant is None or is_hashable_type(meant)
    config = getattr(origin, "__struct_config__", None)
    if config is not None and config.eq and not config.frozen:
        return isinstance(origin.__hash__, FunctionType)  # one of its own
    return origin.__hash__ is not None


def library_of(cls: type) -> str | None:
    """The library that converts to the class; None: payloads are not converted to it."""
    if "pydantic" in sys.modules and hasattr(cls, "__pydantic_core_schema__"):  # its dataclasses too
        return "pydantic"
    is_dataclass = hasattr(cls, "__dataclass_fields__")
    is_typed_dict = issubclass(cls, dict) and hasattr(cls, "__required_keys__")
    return "msgspec" if is_dataclass or is_typed_dict or hasattr(cls, "__struct_fields__") else None


def by_msgspec(annotation: Any) -> Converter:
    """A converter for Structs, dataclasses and TypedDicts."""
    try:
        from msgspec import ValidationError, convert
    except ImportError as error:
        raise ImportError("typed payloads need msgspec: pip install fastsio[typed]") from error

    def converter(value: Any) -> Any:
        try:
            return convert(value, annotation, builtin_types=BYTES, str_keys=True)
        except (ValidationError, TypeError) as error:  # the latter: a set of something that cannot be hashed
            misfit(str(error), error)

    try:
        convert(None, annotation, builtin_types=BYTES, str_keys=True)
    except ValidationError:  # None is no such value: the type itself is fine
        pass
    except NameError as error:  # a field's annotation
        raise TypeError(str(error)) from error
    return converter


def by_pydantic(annotation: Any) -> Converter:
    """A converter for pydantic's models and dataclasses, and what it knows beside them."""
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    try:
        validate = TypeAdapter(annotation).validate_python
    except PydanticUserError as error:
        raise TypeError(error.message) from error

    def converter(value: Any) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            misfit(summary(error), error)

    return converter


def summary(error: Any) -> str:
    """What is wrong, by a pydantic ValidationError, without a client's values; just how much, if it is a lot."""
    count = error.error_count()
    if count > 10:
        return f"{count} errors"
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{entry['msg']} at {'.'.join(map(str, entry['loc'])) or 'top'}" for entry in found)


def misfit(message: str, error: Exception) -> NoReturn:
    """Raises EventError, with a message that may be sent and logged."""
    message = message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "..."
    raise EventError(message if message.isprintable() else repr(message)[1:-1]) from error
