"""Websocket framing of a server (RFC 6455): csrc/ws as Python sees it, for tests and tools.

The engine uses the C functions directly; what is here copies.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t


cdef class Decoder:
    def __cinit__(self, unsigned long long max_message, unsigned int max_fragments=0, bint allow_rsv1=False):
        self.limits.max_message = max_message
        self.limits.max_fragments = max_fragments
        self.limits.allow_rsv1 = allow_rsv1

    def __dealloc__(self):
        ws_decoder_clear(&self.c)

    def feed(self, data: bytes) -> list[tuple[int, bytes, int]]:
        """The events that these bytes complete: (kind, payload, code)."""
        cdef bytearray copy = bytearray(data)
        cdef uint8_t *cursor = <uint8_t *>PyByteArray_AS_STRING(copy)
        cdef uint8_t *end = cursor + len(copy)
        cdef ws_event event
        cdef int kind
        cdef list events = []
        while True:
            kind = ws_decode(&self.c, &self.limits, &cursor, end, &event)
            if kind == WS_NEED_MORE:
                return events
            events.append((kind, PyBytes_FromStringAndSize(<const char *>event.data, event.size), event.code))

    @property
    def held(self) -> int:
        """Bytes that it holds for a message under way."""
        return ws_decoder_held(&self.c)


def encode_frame(opcode: int, payload: bytes, rsv1: bool = False) -> bytes:
    """A server's frame: FIN set, not masked."""
    cdef uint8_t head[WS_MAX_HEADER]
    cdef size_t size = ws_write_header(head, opcode, rsv1, len(payload))
    return PyBytes_FromStringAndSize(<const char *>head, size) + payload


def is_utf8(*pieces: bytes) -> bool:
    """Whether the pieces together are valid UTF-8 (RFC 3629)."""
    cdef utf8_state state = UTF8_ACCEPT
    cdef const uint8_t *data
    for piece in pieces:
        data = piece
        state = utf8_feed(state, data, len(piece))
    return state == UTF8_ACCEPT


def first_invalid(data: bytes) -> int:
    """Where the byte is that makes the text invalid; -1: nowhere."""
    cdef utf8_state state = UTF8_ACCEPT
    cdef const uint8_t *start = data
    cdef Py_ssize_t index
    for index in range(len(data)):
        state = utf8_feed(state, start + index, 1)
        if state == UTF8_REJECT:
            return index
    return -1
