"""Answers to HTTP requests, as bytes: status line, headers, body of known length. What is wrong raises ValueError."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

# As RFC 9110 has them, where versions of Python differ.
REASONS = {status.value: status.phrase for status in HTTPStatus if status >= 200} | {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """(name, value) pairs as they go on the wire. ValueError: CR, LF or NUL in one."""
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    text = "".join(lines)
    if text.count("\r") != len(lines) or text.count("\n") != len(lines) or "\0" in text:
        raise ValueError(f"a header must not contain CR, LF or NUL: {text!r}")
    return text.encode("latin-1")


def response(status: int, headers: Iterable[tuple[str, str]], body: bytes, *, close: bool, head: bool = False) -> bytes:
    """An answer with a body of known length.

    headers: (name, value) pairs; close: says that the connection ends with it; head: for a HEAD request, so
    without the body. ValueError: CR, LF or NUL in a header.
    """
    bodyless = status in (204, 304)
    length = b"" if bodyless else b"Content-Length: %d\r\n" % len(body)
    end = b"Connection: close\r\n\r\n" if close else b"\r\n"
    start = b"HTTP/1.1 %d %b\r\n%b%b%b" % (status, REASONS.get(status, "").encode(), header_lines(headers), length, end)
    return start if head or bodyless else start + body
