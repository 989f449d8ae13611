"""permessage-deflate (RFC 7692) of a server: what is agreed on, and the messages themselves.

No message refers to an earlier one, in either direction: nothing is kept in between, and one deflated
message is right for every receiver. Nothing here knows of frames; RSV1 marks the first one of a message
that went through `deflate`. Memory is bounded by the message, or by the limit given to `inflate`.

`inflate` raises TooLarge (close with 1009) or ValueError (1007). That a text is UTF-8 is for the caller to
check, behind `inflate`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from fastsio.wire.extensions import Offer, offers

EXTENSION = "permessage-deflate"
ANSWER = f"{EXTENSION}; server_no_context_takeover; client_no_context_takeover"
WINDOW_BITS = {str(bits): bits for bits in range(8, 16)}  # no leading zeros (section 7.1.2)

SYNC = b"\x00\x00\xff\xff"  # what a flush ends with; it does not travel (section 7.2.1)
END = SYNC + b"\x03\x00"  # with an empty final block behind it: zlib tells when it has read that
MAX_STREAMS = 16  # that one message may consist of

LOOKAHEAD = 262  # zlib looks back by that much less than its window; so no window is needed below 9 bits


class TooLarge(Exception):
    """A message that would inflate to more than the limit."""


# ---- the settings ----

# name: the least and the most it may be
BOUNDS = {"threshold": (0, 2**40), "level": (1, 9), "mem_level": (1, 9), "window_bits": (9, 15)}


@dataclass(frozen=True)
class DeflateSettings:
    """The option per_message_deflate. TypeError: not an int; ValueError: out of range."""

    threshold: int = 1024  # bytes: shorter messages are not deflated
    level: int = 4  # of zlib, 1 (fast) to 9 (small)
    mem_level: int = 8  # of zlib, 1 to 9
    window_bits: int = 15  # 9 to 15: how far back a message refers; clients that ask for less get none deflated

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an int, got {type(value).__name__}")
            if not least <= value <= most:
                raise ValueError(f"{name} must be between {least} and {most}, got {value}")


# ---- what is agreed on ----


def negotiate(headers: Iterable[str], settings: DeflateSettings) -> str | None:
    """The answer to the request's Sec-WebSocket-Extensions; None: none of the offers can be taken.

    client_max_window_bits is never part of it: a client may look back as far as it likes (section 7.1.2.2).
    """
    for offer in offers(headers):
        if offer.name == EXTENSION:
            try:
                asked = requested_window(offer)
            except ValueError:
                continue
            # The parameter must be answered, and may be given unasked (section 7.1.2.1).
            if asked is None and settings.window_bits == 15:
                return ANSWER
            if asked is None or asked >= settings.window_bits:
                return f"{ANSWER}; server_max_window_bits={settings.window_bits}"
    return None


def requested_window(offer: Offer) -> int | None:
    """The offer's server_max_window_bits, None without it. ValueError: the offer must be declined (section 7.1)."""
    asked = dict(offer.parameters)
    if len(asked) != len(offer.parameters):
        raise ValueError("a parameter is repeated")
    for name, value in asked.items():
        if name == "client_max_window_bits":
            valid = value is None or value in WINDOW_BITS
        elif name == "server_max_window_bits":
            valid = value in WINDOW_BITS
        else:
            valid = value is None and name in ("server_no_context_takeover", "client_no_context_takeover")
        if not valid:
            raise ValueError(f"{name} is unknown or has a value that it cannot have")
    window = asked.get("server_max_window_bits")
    return None if window is None else WINDOW_BITS[window]


# ---- the messages ----


def deflate(payload: bytes | memoryview, settings: DeflateSettings) -> bytes:
    """The payload of a message sent with RSV1 (section 7.2.1)."""
    # zlib clears and touches memory by these two alone, not by what it gets to compress.
    needed = (len(payload) + LOOKAHEAD).bit_length()
    window_bits = min(settings.window_bits, needed)
    mem_level = min(settings.mem_level, needed - 7)
    stream = zlib.compressobj(settings.level, zlib.DEFLATED, -window_bits, mem_level)
    deflated = stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH)
    return deflated[: -len(SYNC)]


def inflate(payload: bytes | memoryview, limit: int) -> bytes:
    """The message that came with RSV1 (section 7.2.2), up to `limit` bytes; a stream may follow a final block.

    TooLarge: it is longer, found with no more than that inflated; ValueError: corrupt or cut off.
    """
    rest = b"".join((payload, END))
    parts: list[bytes] = []
    room = limit + 1  # 0 would mean no limit to zlib
    for _ in range(MAX_STREAMS):
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            part = stream.decompress(rest, room)
        except zlib.error as error:
            raise ValueError(f"corrupt deflated message: {error}") from None
        parts.append(part)
        room -= len(part)
        if room == 0:
            raise TooLarge
        if not stream.eof:
            raise ValueError("a deflated message is cut off")
        rest = stream.unused_data
        if not rest or rest == END:
            return b"".join(parts)
    raise ValueError(f"a deflated message of more than {MAX_STREAMS} streams")
