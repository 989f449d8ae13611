from asyncio import Task
from collections.abc import Callable
from typing import Any

from fastsio.event import Event
from fastsio.typed import Converters

class Ack:
    def __call__(self, *args: object) -> None: ...

class Handler:
    function: Callable[..., Any]
    once: bool
    with_socket: bool
    least: int
    most: int
    ack_name: tuple[str] | None
    converters: Converters | None
    def __init__(self, function: Callable[..., Any], once: bool = False, with_socket: bool = False) -> None: ...
    def accepts(self, count: int) -> bool: ...

class Listeners:
    def add(
        self,
        event: Event[Any] | str | int,
        function: Callable[..., Any],
        *,
        once: bool = False,
        with_socket: bool = False,
    ) -> None: ...
    def remove(self, event: str | int, function: Callable[..., Any]) -> None: ...
    def discard(self, handler: Handler, event: str | int) -> None: ...
    def replace(self, event: str | int, handlers: tuple[Handler, ...]) -> None: ...
    def fire(self, owner: object, event: str, *args: object) -> None: ...
    def ask(
        self, owner: Any, event: str | int, args: list[Any], answer: Any, tasks: set[Task[None]] | None = None
    ) -> None: ...
    def clear(self, event: str | int | None = None) -> None: ...
    def get(self, event: str | int) -> tuple[Handler, ...]: ...
    def names(self) -> list[str | int]: ...
