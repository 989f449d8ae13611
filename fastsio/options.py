"""The options of a server: names, defaults and checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from difflib import get_close_matches
from typing import Any, TypedDict, Unpack

from fastsio.engine.http import Request
from fastsio.limits import MAX_FRAGMENTS

Origins = None | str | Collection[str] | Callable[[str], bool | Awaitable[bool]]


class Options(TypedDict, total=False):
    """What Server(**options) takes; times in seconds, sizes in bytes."""

    path: str  # "/socket.io": what URLs of the engine start with
    serve_client: bool  # True: the browser client is served under path
    origins: Origins  # None: same origin only; "*"; a list; a function (sync or async)
    allow_request: Callable[[Request], bool | Awaitable[bool]] | None  # None; False or an exception refuses
    ping_interval: float  # 25.0
    ping_timeout: float  # 20.0
    connect_timeout: float  # 45.0: to join a namespace in
    max_http_buffer_size: int  # 1_000_000: of one message
    max_attachments: int  # 10: of one packet
    max_backlog: int  # 16 MiB: queued for one connection
    max_connections: int | None  # None: what the limit on file descriptors leaves
    add_trailing_slash: bool  # True: path must be followed by "/"


DEFAULTS: dict[str, Any] = {
    "path": "/socket.io",
    "serve_client": True,
    "origins": None,
    "allow_request": None,
    "ping_interval": 25.0,
    "ping_timeout": 20.0,
    "connect_timeout": 45.0,
    "max_http_buffer_size": 1_000_000,
    "max_attachments": 10,
    "max_backlog": 16 * 1024 * 1024,
    "max_connections": None,
    "add_trailing_slash": True,
}

# name: the least and the most it may be
SECONDS = {"ping_interval": (0.001, 1e7), "ping_timeout": (0.001, 1e7), "connect_timeout": (0.0, 1e7)}
INTEGERS = {
    "max_http_buffer_size": (1, 2**40),
    "max_attachments": (0, 1000),
    "max_backlog": (1, 2**48),
    "max_connections": (1, 2**31),
}


def resolve(**options: Unpack[Options]) -> dict[str, Any]:
    """All options with their defaults.

    TypeError: an unknown option (the message names the nearest known one) or a value of the wrong type;
    ValueError: a number out of range.
    """
    for name in options:
        if name not in DEFAULTS:
            near = get_close_matches(name, DEFAULTS, 1)
            raise TypeError(f"unknown option {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    result = {**DEFAULTS, **options, "max_fragments": MAX_FRAGMENTS}
    for name, (least, most) in SECONDS.items():
        check_number(name, result[name], (int, float), least, most)
    for name, bounds in INTEGERS.items():
        if name != "max_connections" or result[name] is not None:
            check_number(name, result[name], (int,), *bounds)
    check_functions(result)
    if not isinstance(result["path"], str) or not result["path"].startswith("/"):
        raise ValueError(f"path must be a string that starts with '/', got {result['path']!r}")
    result["path"] = result["path"].rstrip("/")
    return result


def check_number(name: str, value: object, types: tuple[type, ...], least: float, most: float) -> None:
    if not isinstance(value, types) or isinstance(value, bool):
        raise TypeError(f"{name} must be {'a number' if float in types else 'an int'}, got {type(value).__name__}")
    if not least <= value <= most:  # type: ignore[operator]
        raise ValueError(f"{name} must be between {least} and {most}, got {value}")


def check_functions(options: dict[str, Any]) -> None:
    """Those that may be functions."""
    origins, allow_request = options["origins"], options["allow_request"]
    if not (origins is None or callable(origins) or isinstance(origins, str | Collection)):
        raise TypeError(f"origins must be None, '*', a list of str or a function, got {type(origins).__name__}")
    if not (allow_request is None or callable(allow_request)):
        raise TypeError(f"allow_request must be None or a function, got {type(allow_request).__name__}")
