"""What csrc/http_syntax.h declares, for the HTTP parser. The contract is in the header."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t


cdef extern from "http_syntax.h" nogil:
    enum http_header:
        HTTP_OTHER
        HTTP_HOST
        HTTP_CONTENT_LENGTH
        HTTP_TRANSFER_ENCODING
        HTTP_SINGLE
        HTTP_CONTENT_ENCODING
        HTTP_EXPECT
        HTTP_CONNECTION
        HTTP_UPGRADE

    int http_header_kind(const uint8_t *name, size_t size) noexcept
    bint http_equal(const uint8_t *text, const uint8_t *lowered, size_t size) noexcept
    bint http_is(const uint8_t *text, size_t size, const char *lowered) noexcept
    bint http_has_token(const uint8_t *list, size_t size, const char *lowered) noexcept
    bint http_is_digits(const uint8_t *text, size_t size) noexcept
    bint http_is_word(const uint8_t *text, size_t size) noexcept
    bint http_is_version(const uint8_t *text, size_t size) noexcept
    bint http_is_target(const uint8_t *text, size_t size) noexcept
    bint http_is_value(const uint8_t *text, size_t size) noexcept
    bint http_is_token(const uint8_t *text, size_t size) noexcept
    bint http_is_host(const uint8_t *text, size_t size) noexcept
    const uint8_t *http_find(const uint8_t *start, const uint8_t *end, uint8_t byte) noexcept
    void http_trim(const uint8_t **start, const uint8_t **end) noexcept
    const uint8_t *http_path_of_absolute(const uint8_t *target, const uint8_t *end) noexcept
