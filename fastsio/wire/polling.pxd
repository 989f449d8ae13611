"""What csrc/eio.h declares, which the polling transport uses directly. The contract is in the header."""

from libc.stdint cimport uint8_t


cdef extern from "eio.h" nogil:
    enum:
        EIO_4
        EIO_3_TEXT
        EIO_3_BINARY
        EIO_END
        EIO_PACKET
        EIO_EMPTY
        EIO_BAD_TEXT
        EIO_BAD_LENGTH
        EIO_LONG_LENGTH
        EIO_SPLIT_LENGTH
        EIO_BAD_KIND
        EIO_MAX_DIGITS

    ctypedef struct eio_payload:
        int status

    ctypedef struct eio_packet:
        const uint8_t *data
        size_t size
        int is_binary

    eio_payload eio_open(const uint8_t *body, size_t size, int form) noexcept
    int eio_next(eio_payload *payload, eio_packet *packet) noexcept
    const char *eio_error_text(int error) noexcept
