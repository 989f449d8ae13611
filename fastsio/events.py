"""The on / once / off that Server, Namespace and Socket share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Self, TypeVar, overload

from fastsio.event import Event, check_name, event_name
from fastsio.handlers import Listeners

P = ParamSpec("P")
R = TypeVar("R")
Function = TypeVar("Function", bound=Callable[..., Any])


class Emitter:
    """on, once, off and their relatives, over a table of listeners."""

    __slots__ = ()

    def _table(self) -> Listeners:
        raise NotImplementedError

    @overload
    def on(self, event: Event[P]) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    @overload
    def on(self, event: Event[P], function: Callable[P, object]) -> Self: ...
    @overload
    def on(self, event: str | int) -> Callable[[Function], Function]: ...
    @overload
    def on(self, event: str | int, function: Callable[..., Any]) -> Self: ...
    def on(self, event: Event[Any] | str | int, function: Callable[..., Any] | None = None) -> Any:
        """Calls a function whenever the event comes.

        ``@x.on(name)`` decorates a function and gives it back; ``x.on(name, function)`` returns x for
        chaining. The function may be a coroutine function; an Event's function has the Event's signature.
        One that takes ``*args, **kwargs`` for another, by `functools.wraps`, has that one's signature: a decorator
        that puts arguments in says what is left with ``__signature__``, or gives them by keyword.
        TypeError: it cannot be called, or the event is none: not a str, an int or an Event.
        Source: Socket.IO 2.x.
        """
        return self._add(event, function, once=False)

    @overload
    def once(self, event: Event[P]) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    @overload
    def once(self, event: Event[P], function: Callable[P, object]) -> Self: ...
    @overload
    def once(self, event: str | int) -> Callable[[Function], Function]: ...
    @overload
    def once(self, event: str | int, function: Callable[..., Any]) -> Self: ...
    def once(self, event: Event[Any] | str | int, function: Callable[..., Any] | None = None) -> Any:
        """As `on`, for the next time only. Source: Socket.IO 2.x."""
        return self._add(event, function, once=True)

    def _add(self, event: Event[Any] | str | int, function: Callable[..., Any] | None, once: bool) -> Any:
        if not isinstance(event, Event):
            check_name(event)
            event = self._name_of(event)
        if function is not None:
            self._table().add(event, function, once=once)
            return self

        def decorate(function: Function) -> Function:
            self._table().add(event, function, once=once)
            return function

        return decorate

    def _name_of(self, event: Any) -> Any:
        """What an event is called in the table."""
        return event_name(event)

    def off(self, event: Event[Any] | str | int, function: Callable[..., Any]) -> Self:
        """Takes a function's latest registration for the event away. Source: Socket.IO 2.x (removeListener)."""
        self._table().remove(self._name_of(event), function)
        return self

    def remove_listener(self, event: Event[Any] | str | int, function: Callable[..., Any]) -> Self:
        """The same as `off`, by its 2.x name."""
        return self.off(event, function)

    def remove_all_listeners(self, event: Event[Any] | str | int | None = None) -> Self:
        """Takes all functions of the event away, or of all events. Source: Socket.IO 2.x."""
        self._table().clear(self._name_of(event))
        return self

    def listeners(self, event: Event[Any] | str | int) -> list[Callable[..., Any]]:
        """The functions registered for the event, in order. Source: Socket.IO 2.x."""
        return [handler.function for handler in self._table().get(self._name_of(event))]

    def event_names(self) -> list[str | int]:
        """The events that have listeners. Source: Socket.IO 2.x."""
        return self._table().names()
