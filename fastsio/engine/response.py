"""Answers to HTTP requests, as bytes: status line, headers, a body of known length."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus

# The names are those of RFC 9110 where versions of Python differ.
REASONS = {status.value: status.phrase for status in HTTPStatus if status >= 200} | {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
BODYLESS = {204, 304}

HEADS_REMEMBERED = 128  # most answers of a server have one of a few heads


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """(name, value) pairs as they go on the wire. ValueError: CR, LF or NUL in one."""
    lines = [f"{name}: {value}" for name, value in headers]
    for line in lines:
        if "\r" in line or "\n" in line or "\0" in line:
            raise ValueError(f"a header must not contain CR, LF or NUL: {line!r}")
    lines.append("")
    return "\r\n".join(lines).encode("latin-1")


def response(status: int, headers: Iterable[tuple[str, str]], body: bytes, *, close: bool, head: bool = False) -> bytes:
    """An answer with a body of known length.

    headers: (name, value) pairs; close: says that the connection ends with it; head: for a HEAD request, so
    without the body. ValueError: CR, LF or NUL in a header.
    """
    start = _start(status, tuple(headers), close)
    if status in BODYLESS:
        return start + b"\r\n"
    return b"%bContent-Length: %d\r\n\r\n%b" % (start, len(body), b"" if head else body)


@lru_cache(HEADS_REMEMBERED)
def _start(status: int, headers: tuple[tuple[str, str], ...], close: bool) -> bytes:
    """The head up to what depends on the body."""
    line = f"HTTP/1.1 {status} {REASONS.get(status, '')}\r\n".encode()
    return line + header_lines(headers) + (b"Connection: close\r\n" if close else b"")
