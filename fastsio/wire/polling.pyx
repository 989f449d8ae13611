"""The packets of a polling POST: csrc/eio as Python sees it.

The polling transport walks a body with the C functions, without an object for each packet:

    cdef eio_payload payload = eio_open(body, len(body), EIO_4)
    cdef eio_packet packet
    cdef int status = eio_next(&payload, &packet)
    while status == EIO_PACKET:
        ...  # packet.data, packet.size, packet.is_binary; body is kept until the end
        status = eio_next(&payload, &packet)
    if status < 0:
        ...  # the session closes with "parse error": eio_error_text(status)
"""

from libc.stdint cimport uint8_t

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8

MAX_DIGITS = EIO_MAX_DIGITS


class BadPayload(ValueError):
    """A body with a bad packet; `packets` are those before it."""

    def __init__(self, reason: str, packets: list[str | bytes]) -> None:
        super().__init__(reason)
        self.packets = packets


def decode4(body: bytes) -> list[str | bytes]:
    """The packets in a body of Engine.IO 4, all of them text."""
    return decode(body, EIO_4)


def decode3(body: bytes, binary: bool = False) -> list[str | bytes]:
    """The packets in a body of Engine.IO 3; binary: its type is application/octet-stream."""
    return decode(body, EIO_3_BINARY if binary else EIO_3_TEXT)


cdef list decode(bytes body, int form):
    cdef const uint8_t *start = body
    cdef eio_payload payload = eio_open(start, len(body), form)
    cdef eio_packet packet
    cdef int status = eio_next(&payload, &packet)
    cdef list packets = []
    while status == EIO_PACKET:
        packets.append(value_of(&packet))
        status = eio_next(&payload, &packet)
    if status < 0:
        raise BadPayload((<bytes>eio_error_text(status)).decode(), packets)
    return packets


cdef object value_of(const eio_packet *packet):
    if packet.is_binary:
        return PyBytes_FromStringAndSize(<const char *>packet.data, packet.size)
    return PyUnicode_DecodeUTF8(<const char *>packet.data, packet.size, NULL)
