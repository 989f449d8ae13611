"""Checks of what the application hands in: a wrong type is a TypeError, a value out of range a ValueError."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

# RFC 9110 5.6.2: what names of headers and methods are made of
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, if any is near."""
    near = get_close_matches(name, known, 1)
    return f": did you mean {near[0]!r}?" if near else ""


def check_number(name: str, value: object, types: tuple[type, ...], least: float, most: float) -> None:
    """An int, or with float among the types any number; bool is neither."""
    if not isinstance(value, types) or isinstance(value, bool):
        raise TypeError(f"{name} must be {'a number' if float in types else 'an int'}, got {type(value).__name__}")
    if not least <= value <= most:  # type: ignore[operator]
        raise ValueError(f"{name} must be between {least} and {most}, got {value}")


def check_callable(name: str, value: object) -> None:
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {type(value).__name__}")


def check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {type(value).__name__}")


def is_token(text: str) -> bool:
    """RFC 9110 5.6.2."""
    return text != "" and TOKEN.issuperset(text)


def tokens(name: str, value: object) -> tuple[str, ...]:
    """The tokens in a collection of str, or in one str with commas between them."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, Collection) or not all(isinstance(part, str) for part in value):
        raise TypeError(f"{name} must be a list of str, got {value!r}")
    for part in value:
        if not is_token(part):
            raise ValueError(f"{name} must be names as in HTTP headers, without spaces or separators, got {part!r}")
    return tuple(value)
