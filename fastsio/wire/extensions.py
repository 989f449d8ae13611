"""The header Sec-WebSocket-Extensions (RFC 6455 section 9.1), read in linear time.

What is not in the grammar, or far longer than anyone needs, offers nothing: a client that sends nonsense
gets a websocket without extensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MAX_ITEMS = 100  # extensions and parameters of one request; browsers send two

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
SPACE = r"[ \t]*+"

# A list may have empty elements (RFC 2616 section 2.1). All quantifiers are possessive: nothing is read twice.
# A quoted value that holds an escaped quote cannot be a token, so it may as well be cut there.
BETWEEN = re.compile(r"[ \t,]*+")
NAME = re.compile(rf"({TOKEN}){SPACE}")
PARAMETER = re.compile(rf";{SPACE}({TOKEN}){SPACE}")
VALUE = re.compile(rf'={SPACE}(?:({TOKEN})|"([^"]*+)"){SPACE}')
UNQUOTED = re.compile(TOKEN)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Offer(NamedTuple):
    """An extension as offered: parameters in their order, as they came, repeated ones too; value None: it has none."""

    name: str
    parameters: list[tuple[str, str | None]]


def offers(headers: Iterable[str]) -> list[Offer]:
    """The offers of a request, best first; empty when the headers do not follow the grammar.

    headers: the values of all its Sec-WebSocket-Extensions, which count as one list.
    """
    text = ",".join(headers)
    if text.count(",") + text.count(";") > MAX_ITEMS:
        return []
    try:
        return _read(text)
    except ValueError:
        return []


def _read(text: str) -> list[Offer]:
    found = []
    at = _end(BETWEEN.match(text))
    while at < len(text):
        name = NAME.match(text, at)
        at = _end(name)
        assert name is not None
        offer = Offer(name[1], [])
        while parameter := PARAMETER.match(text, at):
            at = parameter.end()
            value = None
            if text.startswith("=", at):
                given = VALUE.match(text, at)
                at = _end(given)
                assert given is not None
                value = _value(given[1], given[2])
            offer.parameters.append((parameter[1], value))
        if at < len(text) and text[at] != ",":
            raise ValueError
        found.append(offer)
        at = _end(BETWEEN.match(text, at))
    return found


def _end(match: re.Match[str] | None) -> int:
    if match is None:
        raise ValueError
    return match.end()


def _value(token: str | None, quoted: str | None) -> str | None:
    """What was quoted must be a token too (section 9.1)."""
    if quoted is None:
        return token
    value = ESCAPED.sub(r"\1", quoted)
    if not UNQUOTED.fullmatch(value):
        raise ValueError
    return value
