from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "message.h" nogil:
    ctypedef struct span:
        const uint8_t *data
        size_t size

    enum:
        DIALECT_EIO3
        DIALECT_BASE64
        DIALECT_POLLING
        DIALECT_DEFLATE

    ctypedef int (*deflate_payload)(
        void *context, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size
    ) noexcept

    ctypedef struct deflater:
        deflate_payload deflate
        void *context
        size_t threshold

    ctypedef struct message:
        uint32_t refs
        uint8_t raw
        uint8_t binary
        uint8_t compress
        size_t size
        uint8_t bytes[0]

    message *message_packet(span head, span payload, const span *attachments, size_t count)
    message *message_pieces(const span *pieces, const uint8_t *are_binary, size_t count)
    message *message_binary(span payload)
    message *message_raw(span bytes)
    message *message_hold(message *self)
    void message_release(message *self)
    uint32_t dialect_of_pieces(uint32_t dialect, int any_binary)
    span message_in(message *self, uint32_t dialect, const deflater *deflater)


# One reference is the caller's, who gives it back with message_release. `namespace_` is the
# name in UTF-8, empty for the main namespace; `data` None writes no payload; id SIO_NO_ID none.
# Until the first push `compress` may be set to 0: then it is never deflated.
cdef message *encode_packet(int type, bytes namespace_, int64_t id, object data) except NULL
# The same by a parser of the application's.
cdef message *encode_by(object parser, int type, bytes namespace_, int64_t id, object data) except NULL
cdef message *encode_raw(bytes data) except NULL
# An Engine.IO packet in text, its type included: b"2", b'0{"sid":...}'. Unlike a raw one it is right in every dialect.
cdef message *encode_text(bytes packet) except NULL
cdef message *encode_binary(bytes payload) except NULL  # an Engine.IO message


cdef class Message:
    # Owns one reference; NULL only before __cinit__ is through.
    cdef message *c
