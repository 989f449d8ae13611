"""What an event is called, and Event: one with a signature, for type checkers and for typed payloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from inspect import Parameter, signature
from types import FunctionType
from typing import Any, Generic, ParamSpec

from fastsio.typed import Converters, converters_of

P = ParamSpec("P")
Q = ParamSpec("Q")

# Names that a client must not send and a server must not emit (socket.io-parser 4.2).
RESERVED = frozenset(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])


def check_event(event: object) -> None:
    """Raises ValueError for a reserved name, TypeError for what cannot be an event's name."""
    if type(event) is not str:
        check_name(event)
    if event in RESERVED:
        raise ValueError(f'"{event}" is a reserved event name: choose another')


def check_name(event: object) -> None:
    """Raises TypeError for what cannot be an event's name, reserved or not."""
    if isinstance(event, str | int) and not isinstance(event, bool):
        return
    what = f"an event's name is a str or an int, got {type(event).__name__}"
    if callable(event):
        name = getattr(event, "__name__", "name")
        what += f': the name comes first, as in @io.on("{name}") or io.on("{name}", {name})'
    raise TypeError(what)


class Event(Generic[P]):
    """An event with a signature: what is emitted and what handles it is checked by type checkers.

    ``@Event`` takes the function's name for the event's, ``@Event.named("my other event")`` another. The function is
    never called: its parameters are the event's arguments, its docstring says what the event means. An Event stands
    wherever an event's name does: in ``emit``, where arguments may be given by name and defaults that are not given
    are not sent, and in ``on``, where a handler whose own parameters ask for no conversion gets its arguments
    converted and checked by the Event's annotations, and the Event's default for what it needs and was not sent.

    name: the event's, on the wire.
    ValueError: a reserved name; TypeError: keyword-only parameters, ``**kwargs`` or one named ``ack``, for which a
    packet has no place. Source: ours.
    """

    name: str | int

    def __init__(self, function: Callable[P, object], *, name: str | int | None = None) -> None:
        if not callable(function):
            raise TypeError("an Event is made of a function: @Event, or @Event.named(name) for another name")
        self.name = function.__name__ if name is None else name
        check_event(self.name)
        self.function = function
        self.signature = signature(function)
        self.__doc__ = function.__doc__
        parameters = self.signature.parameters.values()
        for parameter in parameters:
            if parameter.name == "ack" or parameter.kind in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD):
                raise TypeError(f"event {self.name!r}: the parameter {parameter.name!r} is no argument of a packet")
        self._least = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters)
        self._most = None if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(parameters)

    @staticmethod
    def named(name: str | int) -> Callable[[Callable[Q, object]], Event[Q]]:
        """Decorates a function as `Event` does, for an event of this name."""
        check_event(name)

        def decorate(function: Callable[Q, object]) -> Event[Q]:
            return Event(function, name=name)

        return decorate

    @cached_property
    def converters(self) -> Converters | None:
        """Those of typed payloads, by the annotations; None: there are none."""
        if not isinstance(self.function, FunctionType):
            return None
        return converters_of(self.function, self.function.__annotations__, 1)

    def defaults(self, needed: int) -> tuple[object, ...]:
        """Of the first `needed` parameters those that have any; none when there are not that many parameters."""
        parameters = [p for p in self.signature.parameters.values() if p.kind is not p.VAR_POSITIONAL]
        return tuple(p.default for p in parameters[self._least : needed]) if needed <= len(parameters) else ()

    def arguments(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> tuple[object, ...]:
        """What is sent, in order. TypeError: the signature does not have it so."""
        if not kwargs and len(args) >= self._least and (self._most is None or len(args) <= self._most):
            return args
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"event {self.name!r}: {error}") from None
        names = list(self.signature.parameters)
        last = max(names.index(name) for name in bound.arguments)
        for name in names[:last]:  # a default before something that is given
            bound.arguments.setdefault(name, self.signature.parameters[name].default)
        return bound.args

    def __repr__(self) -> str:
        return f"<Event {self.name!r} {self.signature}>"


def event_name(event: Any) -> Any:
    """The name that an Event stands for; anything else is one."""
    return event.name if isinstance(event, Event) else event


def event_items(event: Any, args: tuple[object, ...], kwargs: Mapping[str, object]) -> list[object]:
    """[name, *arguments], checked. ValueError: a reserved name; TypeError: no name, or an Event's signature does not
    have such arguments."""
    if type(event) is str and event not in RESERVED and not kwargs:
        return [event, *args]
    if isinstance(event, Event):
        return [event.name, *event.arguments(args, kwargs)]
    if kwargs:
        raise TypeError(f"{next(iter(kwargs))!r}: only the arguments of an Event have names")
    check_event(event)
    return [event, *args]
