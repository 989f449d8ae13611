"""JSON that orjson refuses and JavaScript accepts, by the standard json module."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from math import isfinite
from typing import Any

import orjson

MAX_DIGITS = 20  # of an integer that fits in 64 bits


def json_text(value: object) -> str:
    """A date as JavaScript writes it: UTC, milliseconds, "Z" (a naive one is taken as UTC). TypeError: it is none."""
    if isinstance(value, datetime):
        utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return utc.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(
        f"a value of type {type(value).__name__} cannot be sent: send what JSON has"
        " (dict, list, str, int, float, bool, None), dates, bytes, or a dataclass"
    )


# ---- in ----


def _integer(digits: str) -> int | float:
    """As JavaScript and orjson: a float above 64 bits."""
    number = int(digits) if len(digits) <= MAX_DIGITS else float(digits)
    return number if -(2**63) <= number < 2**64 else float(number)


def _refuse(literal: str) -> float:
    raise ValueError(f"{literal} is not JSON")


_decoder = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse)


def loads_tolerant(data: bytes) -> Any:
    """The value, lone surrogates and numbers too large for a float (infinity) allowed. ValueError: not JSON."""
    return _decoder.decode(data.decode())


# ---- out ----

_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def dumps_tolerant(data: object, leftovers: Callable[[object], object]) -> bytes:
    """JSON in ASCII, with keys of any kind, lone surrogates, and integers of any size.

    leftovers: what becomes of a value that is not JSON; TypeError: it does not know either. ValueError: nested
    deeper than the interpreter can follow (a few hundred levels), or in a circle.
    """
    try:
        return _encoder.encode(_plain(data, leftovers)).encode()
    except RecursionError:
        raise ValueError("the data is nested too deep, or contains itself") from None


def _plain(value: Any, leftovers: Callable[[object], object]) -> Any:
    """The value in terms of the json module."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item, leftovers) for item in value]
    if isinstance(value, dict):
        return {_key(key): _plain(item, leftovers) for key, item in value.items()}
    if isinstance(value, bytes | bytearray | memoryview | date | time):
        return leftovers(value)
    try:  # what orjson knows beside: enums, dataclasses, UUIDs
        return orjson.loads(orjson.dumps(value, leftovers, orjson.OPT_PASSTHROUGH_DATETIME))
    except TypeError as error:
        raise error.__cause__ or error from None


def _key(key: Any) -> str:
    """A key as orjson writes it."""
    if isinstance(key, str):
        return key
    text: str = next(iter(orjson.loads(orjson.dumps({key: None}, option=orjson.OPT_NON_STR_KEYS))))
    return text
