"""The options of a server: names, defaults and checks. Groups of them are checked where they are used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import fields
from typing import Any, Literal, TypedDict, Unpack

from fastsio.checks import check_bool, check_number, did_you_mean
from fastsio.engine.compression import CompressionSettings
from fastsio.engine.cookie import CookieSettings
from fastsio.engine.cors import Cors, CorsSettings, Origins
from fastsio.engine.request import Request
from fastsio.limits import MAX_FRAGMENTS
from fastsio.parser import Parser
from fastsio.recovery import RecoverySettings
from fastsio.wire.deflate import DeflateSettings

TRANSPORTS = ("polling", "websocket")


class CorsOptions(TypedDict, total=False):
    """The option `cors`: what a page of an allowed origin may do, beside reading our answers."""

    credentials: bool  # False; True: it may send cookies; not with origins="*"
    methods: Collection[str] | str  # GET, HEAD, PUT, PATCH, POST, DELETE: that a preflight allows
    headers: Collection[str] | str | None  # None: those that the preflight asks for
    max_age: int | None  # None: as the browser likes; how long it may remember a preflight
    expose_headers: Collection[str] | str  # none: those of an answer that scripts may read


class CookieOptions(TypedDict, total=False):
    """The option `cookie`: one with the session's id, which polling handshakes set, for load balancers."""

    name: str  # "io"
    path: str | None  # "/"; None: the folder of the request
    http_only: bool  # True: hidden from scripts
    same_site: Literal["Strict", "Lax", "None"] | None  # "Lax"; None: as the browser likes
    secure: bool | None  # None: where the handshake came over TLS
    max_age: int | None  # None: until the browser is closed
    domain: str | None  # None: the host alone


class CompressionOptions(TypedDict, total=False):
    """The option `http_compression`: of the answers to polling requests, where the client takes it."""

    threshold: int  # 1024: smaller ones are sent as they are


class DeflateOptions(TypedDict, total=False):
    """The option `per_message_deflate`: compression of websocket messages (RFC 7692)."""

    threshold: int  # 1024: smaller ones are sent as they are
    level: int  # 4: from 1, fastest, to 9, smallest
    mem_level: int  # 8: from 1, the least memory, to 9
    window_bits: int  # 15: how far back a message refers; clients that ask for less get none deflated


class RecoveryOptions(TypedDict, total=False):
    """The option `connection_state_recovery`: clients get what they missed while they were away."""

    max_disconnection_duration: float  # 120.0: how long a client may be away
    skip_middlewares: bool  # True: those of the namespace are not asked about a recovered client
    max_buffer: int  # 64 MiB: events kept for each namespace; above it the oldest go, and who missed them starts anew


class EngineOptions(TypedDict, total=False):
    """What Engine(**options) takes; times in seconds, sizes in bytes."""

    path: str  # "/socket.io": what URLs of the engine start with
    serve_client: bool  # True: the browser client is served under path
    transports: Collection[str]  # ("polling", "websocket"): those that clients may use
    allow_upgrades: bool  # True: a client that polls may go over to websocket
    allow_eio3: bool  # True: 2.x clients, which speak Engine.IO protocol 3
    origins: Origins  # None: same origin only; "*"; a list; a function (sync or async)
    cors: bool | CorsOptions | None  # None: its defaults; they apply to the allowed origins, so not without `origins`
    cookie: bool | CookieOptions | None  # None: no cookie
    allow_request: Callable[[Request], bool | Awaitable[bool]] | None  # None; False or an exception refuses
    ping_interval: float  # 25.0
    ping_timeout: float  # 20.0
    upgrade_timeout: float  # 10.0: from the probe to the end of the upgrade
    max_http_buffer_size: int  # 1_000_000: of one message
    max_backlog: int  # 16 MiB: queued for one connection
    max_connections: int | None  # None: what the limit on file descriptors leaves
    add_trailing_slash: bool  # True: path must be followed by "/"
    http_compression: bool | CompressionOptions | None  # True; False or None: off
    per_message_deflate: bool | DeflateOptions | None  # False or None: off
    initial_packet: str | bytes | None  # None; a message that every session begins with


class Options(EngineOptions, total=False):
    """What Server(**options) takes: those of its engine, and these."""

    connect_timeout: float  # 45.0: to join a namespace in
    max_attachments: int  # 10: of one packet
    cleanup_empty_child_namespaces: bool  # False; True: a dynamic namespace goes with its last socket
    connection_state_recovery: bool | RecoveryOptions | None  # None: off
    parser: Parser | None  # None: the protocol's own; a format of packets that the clients have too
    adapter: Callable[[Any], Any] | None  # None: in memory; a subclass of fastsio.adapter.Adapter, or what makes one


DEFAULTS: dict[str, Any] = {
    "path": "/socket.io",
    "serve_client": True,
    "transports": TRANSPORTS,
    "allow_upgrades": True,
    "allow_eio3": True,
    "origins": None,
    "cors": None,
    "cookie": None,
    "allow_request": None,
    "ping_interval": 25.0,
    "ping_timeout": 20.0,
    "upgrade_timeout": 10.0,
    "connect_timeout": 45.0,
    "max_http_buffer_size": 1_000_000,
    "max_attachments": 10,
    "max_backlog": 16 * 1024 * 1024,
    "max_connections": None,
    "add_trailing_slash": True,
    "http_compression": True,
    "per_message_deflate": False,
    "cleanup_empty_child_namespaces": False,
    "connection_state_recovery": None,
    "parser": None,
    "adapter": None,
    "initial_packet": None,
}

# name: the least and the most it may be
SECONDS = {
    "ping_interval": (0.001, 1e7),
    "ping_timeout": (0.001, 1e7),
    "upgrade_timeout": (0.001, 1e7),
    "connect_timeout": (0.0, 1e7),
}
INTEGERS = {
    "max_http_buffer_size": (1, 2**40),
    "max_attachments": (0, 1000),
    "max_backlog": (1, 2**48),
    "max_connections": (1, 2**31),
}
# Those of a Server whose engine knows nothing of them.
OF_SERVER = Options.__annotations__.keys() - EngineOptions.__annotations__.keys()
BOOLEANS = ("serve_client", "allow_upgrades", "allow_eio3", "add_trailing_slash", "cleanup_empty_child_namespaces")


GROUPS: dict[str, type] = {
    "cors": CorsSettings,
    "cookie": CookieSettings,
    "http_compression": CompressionSettings,
    "per_message_deflate": DeflateSettings,
    "connection_state_recovery": RecoverySettings,
}


def resolve(**options: Unpack[Options]) -> dict[str, Any]:
    """All options with their defaults.

    The groups become the settings that their users take; None: off. TypeError: an unknown option or key (the message names the nearest known one) or a
    value of the wrong type; ValueError: one out of range, or `origins="*"` with `cors` credentials.
    """
    for name in options:
        if name not in DEFAULTS:
            raise TypeError(f"unknown option {name!r}{did_you_mean(name, DEFAULTS)}")
    result = {**DEFAULTS, **options, "max_fragments": MAX_FRAGMENTS}
    for name, (least, most) in SECONDS.items():
        check_number(name, result[name], (int, float), least, most)
    for name, bounds in INTEGERS.items():
        if name != "max_connections" or result[name] is not None:
            check_number(name, result[name], (int,), *bounds)
    for name in BOOLEANS:
        check_bool(name, result[name])
    check_functions(result)
    if not isinstance(result["path"], str) or not result["path"].startswith("/"):
        raise ValueError(f"path must be a string that starts with '/', got {result['path']!r}")
    result["path"] = result["path"].rstrip("/")
    if not isinstance(result["initial_packet"], str | bytes | None):
        raise TypeError(f"initial_packet must be None, str or bytes, got {type(result['initial_packet']).__name__}")
    result["transports"] = known_transports(result["transports"])
    for name, settings in GROUPS.items():
        result[name] = grouped(name, result[name], settings)
    Cors(result["origins"], result["cors"])  # do they go together?
    return result


def split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the server, and those of its engine; unknown ones are with the latter."""
    own = {name: value for name, value in options.items() if name in OF_SERVER}
    return own, {name: value for name, value in options.items() if name not in OF_SERVER}


def known_transports(names: object) -> tuple[str, ...]:
    """The option `transports`, without repetitions."""
    if isinstance(names, str) or not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"transports must be a list of str, such as ['websocket'], got {names!r}")
    unknown = [name for name in names if name not in TRANSPORTS]
    if unknown or not names:
        got = repr(unknown[0]) if unknown else "none of them"
        raise ValueError(f"transports must be 'polling', 'websocket' or both, got {got}")
    return tuple(dict.fromkeys(names))


def grouped(name: str, value: object, settings: type) -> Any:
    """The settings of a group: None and False for none, True for the defaults, or a dict with what differs."""
    if value is None or value is False:
        return None
    if value is True:
        return settings()
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be None, False, True or a dict, got {type(value).__name__}")
    known = [field.name for field in fields(settings)]
    for key in value:
        if key not in known:
            near = did_you_mean(str(key), known) or did_you_mean(str(key), DEFAULTS).replace("mean", "mean the option")
            raise TypeError(f"unknown key {key!r} in {name}{near}")
    try:
        return settings(**value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def check_functions(options: dict[str, Any]) -> None:
    """Those that may be functions."""
    origins, allow_request = options["origins"], options["allow_request"]
    if not (origins is None or callable(origins) or isinstance(origins, str | Collection)):
        raise TypeError(f"origins must be None, '*', a list of str or a function, got {type(origins).__name__}")
    if not (options["adapter"] is None or callable(options["adapter"])):
        raise TypeError(f"adapter must be None, a class or a function, got {type(options['adapter']).__name__}")
    if not isinstance(options["parser"], Parser | None):
        raise TypeError(f"parser must be None or an instance of fastsio.Parser, got {options['parser']!r}")
    if not (allow_request is None or callable(allow_request)):
        raise TypeError(f"allow_request must be None or a function, got {type(allow_request).__name__}")
