"""What csrc/http_chunks.h declares, for the HTTP parser. The contract is in the header."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t


cdef extern from "http_chunks.h" nogil:
    const uint64_t HTTP_CHUNKS_UNLIMITED

    enum http_chunks_state:
        HTTP_CHUNKS_COMPLETE
        HTTP_CHUNKS_MALFORMED
        HTTP_CHUNKS_TOO_LARGE
        HTTP_CHUNKS_WASTEFUL

    struct http_chunks:
        http_chunks_state state

    void http_chunks_begin(http_chunks *chunks, uint64_t room) noexcept
    const uint8_t *http_chunks_read(
        http_chunks *chunks, const uint8_t *at, const uint8_t *end, size_t *size
    ) noexcept
