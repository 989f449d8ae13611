"""The server's side of the websocket handshake (RFC 6455 4.2): what the request must have, and the 101 answer."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from hashlib import sha1

from fastsio.engine.request import Request
from fastsio.engine.response import header_lines

WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3

SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n%b\r\n"
)


def is_key(key: str | None) -> bool:
    """Whether it is a Sec-WebSocket-Key: 16 bytes in base64."""
    try:
        return key is not None and len(a2b_base64(key, strict_mode=True)) == 16
    except (Base64Error, ValueError):
        return False


def accept(key: str) -> bytes:
    """The Sec-WebSocket-Accept for a key."""
    return b2a_base64(sha1(key.encode() + WEBSOCKET_GUID, usedforsecurity=False).digest(), newline=False)


def switching_protocols(request: Request, extra: Iterable[tuple[str, str]]) -> bytes:
    """The head of the 101 answer to a request with a good key. extra: more headers. ValueError: CR, LF or NUL in
    one."""
    key = request.header("sec-websocket-key")
    assert key is not None
    return SWITCHING % (accept(key), header_lines(extra))
