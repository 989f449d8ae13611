"""Engine.IO's other forms of a message, made from websocket frames when a connection needs one."""

from __future__ import annotations

from base64 import b64encode

from fastsio.wire.ws import encode_frame

TEXT, BINARY = 1, 2


def frames_in_base64(frames: bytes | memoryview) -> bytes:
    """Our own whole frames, binary ones as text: "b" and the base64 of the message (a client with `b64=1`)."""
    result = bytearray()
    at = 0
    while at < len(frames):
        head, size = _extent(frames, at)
        end = at + head + size
        if frames[at] & 0x0F == BINARY:
            result += encode_frame(TEXT, b"b" + b64encode(frames[at + head : end]))
        else:
            result += frames[at:end]
        at = end
    return bytes(result)


def _extent(frames: bytes | memoryview, at: int) -> tuple[int, int]:
    """(size of the head, size of the payload) of the frame that begins there; it has no mask."""
    short = frames[at + 1]
    if short < 126:
        return 2, short
    length = 2 if short == 126 else 8
    return 2 + length, int.from_bytes(frames[at + 2 : at + 2 + length], "big")
