from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "message.h" nogil:
    ctypedef struct span:
        const uint8_t *data
        size_t size

    ctypedef struct message:
        uint32_t refs
        uint32_t raw
        size_t size
        uint8_t bytes[0]

    message *message_packet(span head, span payload, const span *attachments, size_t count)
    message *message_raw(span bytes)
    message *message_hold(message *self)
    void message_release(message *self)


# One reference is the caller's, who gives it back with message_release. `namespace_` is the
# name in UTF-8, empty for the main namespace; `data` None writes no payload; id SIO_NO_ID none.
cdef message *encode_packet(int type, bytes namespace_, int64_t id, object data) except NULL
cdef message *encode_raw(bytes data) except NULL


cdef class Message:
    # Owns one reference; NULL only before __cinit__ is through.
    cdef message *c
