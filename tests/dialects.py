"""What a client of each dialect makes of the bytes that it is sent: naive decoders, the oracle for csrc/forms."""

import zlib
from base64 import b64decode
from collections.abc import Iterator

EIO3, BASE64, POLLING, DEFLATE = 1, 2, 4, 8  # csrc/message.h
DIALECTS = [*range(POLLING), *range(POLLING, 2 * POLLING), *range(DEFLATE, DEFLATE + POLLING)]

TEXT, BINARY, RSV1 = 0x81, 0x82, 0x40

Packet = str | bytes  # in text with its type, or the data of a binary message


def packets(data: bytes, dialect: int) -> list[Packet]:
    """The packets in whole frames, or in a payload with whatever ends the last one."""
    if not dialect & POLLING:
        return [unframed(head, payload, dialect) for head, payload in frames(data)]
    if not dialect & EIO3:
        assert data.endswith(b"\x1e")
        return [from_text(piece.decode(), b"b") for piece in data[:-1].split(b"\x1e")]
    return list(binary_payload(data) if data[0] < ord("0") else text_payload(data))


def from_text(packet: str, prefix: bytes) -> Packet:
    mark = prefix.decode()
    return b64decode(packet.removeprefix(mark), validate=True) if packet.startswith(mark) else packet


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(first byte, payload); RFC 6455, section 5.2."""
    while data:
        extended = {126: 2, 127: 8}.get(data[1], 0)
        size = int.from_bytes(data[2 : 2 + extended], "big") if extended else data[1]
        assert size >= {0: 0, 2: 126, 8: 65536}[extended], "not the shortest length"
        start = 2 + extended
        assert len(data) >= start + size
        yield data[0], data[start : start + size]
        data = data[start + size :]


def unframed(head: int, payload: bytes, dialect: int) -> Packet:
    if head & RSV1:
        assert dialect & DEFLATE
        payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")  # RFC 7692, section 7.2.2
        head &= ~RSV1
    if head == TEXT:
        return from_text(payload.decode(), b"b4" if dialect & EIO3 else b"b") if dialect & BASE64 else payload.decode()
    assert head == BINARY and not dialect & BASE64
    if dialect & EIO3:
        assert payload[0] == 4
        return payload[1:]
    return payload


def text_payload(data: bytes) -> Iterator[Packet]:
    """JavaScript's strings: a length counts UTF-16 code units."""
    text = data.decode().encode("utf-16-le")
    while text:
        length, _, rest = text.decode("utf-16-le").partition(":")
        units = rest.encode("utf-16-le")
        end = 2 * int(length)
        assert len(units) >= end
        yield from_text(units[:end].decode("utf-16-le"), b"b4")
        text = units[end:]


def binary_payload(data: bytes) -> Iterator[Packet]:
    while data:
        kind, rest = data[0], data[1:]
        digits, _, rest = rest.partition(b"\xff")
        size = int("".join(map(str, digits)))
        assert kind in (0, 1) and len(rest) >= size
        if kind == 1:
            assert rest[0] == 4
        yield rest[1:size] if kind == 1 else rest[:size].decode()
        data = rest[size:]


def deflate(payload: bytes) -> bytes:
    """RFC 7692, section 7.2.1."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
