"""What csrc/sio.h declares. The contract is in the header."""

from libc.stdint cimport int64_t, uint8_t


cdef extern from "sio.h" nogil:
    enum:
        SIO_CONNECT
        SIO_DISCONNECT
        SIO_EVENT
        SIO_ACK
        SIO_CONNECT_ERROR
        SIO_BINARY_EVENT
        SIO_BINARY_ACK
        SIO_MAX_HEADER
        SIO_MAX_NAMESPACE

    int64_t SIO_NO_ID
    int64_t SIO_MAX_ID

    ctypedef struct sio_header:
        int type
        int attachments
        const uint8_t *namespace_
        size_t namespace_size
        int64_t id
        size_t payload

    int sio_scan(const uint8_t *data, size_t size, int max_attachments, sio_header *header) noexcept
    const char *sio_error_text(int error) noexcept
    size_t sio_write_header(
        uint8_t *out, int type, int attachments, const uint8_t *namespace_, size_t namespace_size, int64_t id
    ) noexcept
