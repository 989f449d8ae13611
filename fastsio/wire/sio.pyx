"""The head of a Socket.IO packet: csrc/sio as Python sees it.

The client and the message modules use the C functions directly.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t

CONNECT = SIO_CONNECT
DISCONNECT = SIO_DISCONNECT
EVENT = SIO_EVENT
ACK = SIO_ACK
CONNECT_ERROR = SIO_CONNECT_ERROR
BINARY_EVENT = SIO_BINARY_EVENT
BINARY_ACK = SIO_BINARY_ACK


def scan(data: bytes, max_attachments: int = 10) -> tuple[int, int, bytes, int | None, int]:
    """(type, attachments, namespace or b"", id or None, where the payload starts)."""
    cdef sio_header head
    cdef const uint8_t *start = data
    cdef int error = sio_scan(start, len(data), max_attachments, &head)
    if error < 0:
        raise ValueError((<bytes>sio_error_text(error)).decode())
    name = b""
    if head.namespace_ != NULL:
        name = PyBytes_FromStringAndSize(<const char *>head.namespace_, head.namespace_size)
    return head.type, head.attachments, name, None if head.id == SIO_NO_ID else head.id, head.payload


def write_header(type: int, attachments: int = 0, namespace: bytes = b"", id: int | None = None) -> bytes:
    """The head of a packet."""
    cdef uint8_t out[SIO_MAX_HEADER]
    cdef const uint8_t *name = namespace
    if len(namespace) > SIO_MAX_NAMESPACE:
        raise ValueError(f"a namespace's name has at most {SIO_MAX_NAMESPACE} bytes, this one {len(namespace)}")
    cdef size_t size = sio_write_header(
        out, type, attachments, name, len(namespace), SIO_NO_ID if id is None else <int64_t>id
    )
    return PyBytes_FromStringAndSize(<const char *>out, size)
