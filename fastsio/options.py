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

POSITIVE = ("ping_interval", "ping_timeout", "max_http_buffer_size", "max_backlog")


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
    for name in POSITIVE:
        check_number(name, result[name], above=0)
    for name in ("max_attachments", "connect_timeout"):
        check_number(name, result[name], above=-1)
    if not isinstance(result["path"], str) or not result["path"].startswith("/"):
        raise ValueError(f"path must be a string that starts with '/', got {result['path']!r}")
    result["path"] = result["path"].rstrip("/")
    return result


def check_number(name: str, value: object, above: int) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not value > above:
        raise ValueError(f"{name} must be above {above}, got {value}")
