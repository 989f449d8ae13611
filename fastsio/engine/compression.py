"""Compression of HTTP bodies: which coding a client takes (RFC 9110 12.5.3), and the body in it.

br needs a library: `brotli` or `brotlicffi`, as in `pip install fastsio[brotli]`. Nothing is kept between two calls.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from fastsio.checks import check_number

THRESHOLD = 1024

# What is compressed already; a vector graphic is text.
DENSE = ("image/", "audio/", "video/", "font/woff", "application/zip", "application/gzip")


@dataclass(frozen=True)
class CompressionSettings:
    """The option `http_compression`. threshold: bodies below it, in bytes, are sent as they are."""

    threshold: int = THRESHOLD

    def __post_init__(self) -> None:
        check_number("threshold", self.threshold, (int,), 0, 2**40)


class Encoded(NamedTuple):
    """A body as it is sent. encoding: its coding, None: as it was; headers: to be sent with it."""

    encoding: str | None
    body: bytes
    headers: list[tuple[str, str]]


class Compression:
    """settings: None turns it off."""

    def __init__(self, settings: CompressionSettings | None) -> None:
        self._settings = settings

    def encode(self, accept_encoding: str | None, body: bytes, content_type: str) -> Encoded:
        """A body in the coding that the client likes best, where that pays.

        accept_encoding: the request's header. The answer's headers name the coding; and that another client may get
        another one, wherever a coding comes into question at all.
        """
        if self._settings is None or len(body) < self._settings.threshold or is_dense(content_type):
            return Encoded(None, body, [])
        encoding = choose(accept_encoding)
        if encoding is not None:
            compressed = CODINGS[encoding](body)
            if len(compressed) < len(body):
                return encoded(encoding, compressed)
        return encoded(None, body)


def encoded(encoding: str | None, body: bytes) -> Encoded:
    """With the headers of a body that another client may get in another coding."""
    vary = ("Vary", "Accept-Encoding")
    return Encoded(encoding, body, [vary] if encoding is None else [("Content-Encoding", encoding), vary])


def is_dense(content_type: str) -> bool:
    """Whether bodies of this media type are compressed already."""
    return content_type.startswith(DENSE) and not content_type.startswith("image/svg+xml")


def choose(accept_encoding: str | None) -> str | None:
    """The coding with the greatest weight, of equal ones the one that we like better; None: as it is.

    RFC 9110 12.5.3, and 8.4.1.3 for x-gzip. Items that break its syntax count for nothing.
    """
    if not accept_encoding:
        return None
    weights: dict[str, float] = {}
    for item in accept_encoding.split(","):
        name, _, parameter = item.partition(";")
        value = weight(parameter.strip(" \t"))
        if value is not None:
            weights.setdefault(name.strip(" \t").lower().replace("x-gzip", "gzip"), value)
    others = weights.get("*", 0.0)
    best, most = None, weights.get("identity", 0.0)
    for name in CODINGS:
        value = weights.get(name, others)
        if value > 0.0 and (value > most or (best is None and value == most)):
            best, most = name, value
    return best


def weight(parameter: str) -> float | None:
    """RFC 9110 12.4.2: "q=" and 0 to 1 with at most three decimals; None where it is something else."""
    if not parameter:
        return 1.0
    number = parameter[2:]
    if parameter[:2].lower() != "q=" or not 1 <= len(number) <= 5 or number[0] not in "01" or number[1:2] not in ".":
        return None
    decimals = number[2:]
    if decimals and not (decimals.isascii() and decimals.isdigit()):
        return None
    value = float(number)
    return value if value <= 1.0 else None


def brotli() -> Any:
    """The library for br, None without one."""
    for name in ("brotli", "brotlicffi"):
        try:
            return import_module(name)
        except ImportError:
            pass
    return None


def codings(library: Any) -> dict[str, Callable[[bytes], bytes]]:
    """What bodies can be sent in, the best first. library: for br, or None."""
    found: dict[str, Callable[[bytes], bytes]] = {}
    if library is not None:
        found["br"] = lambda body: library.compress(body, quality=5)
    return found | {"gzip": lambda body: gzip.compress(body, 6, mtime=0), "deflate": zlib.compress}


CODINGS = codings(brotli())
