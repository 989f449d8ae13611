from libc.stdint cimport int64_t, uint8_t, uint32_t

from fastsio.engine.request cimport Request


cdef enum ParserState:
    HEAD
    BODY  # of known length
    CHUNKS
    UPGRADED  # what comes is not HTTP any more
    CLOSED  # nothing more is read: the last request said so, or an error


# Bytes to requests, for one connection.
cdef class HttpParser:
    cdef Py_ssize_t max_body
    cdef uint8_t state
    cdef readonly bytes tail  # what came behind an upgrade request

    # The head being read: cleared for each request.
    cdef bytes held  # the part of it that came in earlier pieces
    cdef Py_ssize_t line  # where its first incomplete line begins
    cdef int lines  # complete ones
    cdef bint skipped  # the one empty line that may stand before a request
    cdef uint32_t seen  # bits of http_header
    cdef bint http_1_0
    cdef bint close
    cdef bint websocket  # a token of Upgrade
    cdef int64_t content_length

    # The request under way, and its body so far.
    cdef Request request
    cdef bint complete
    cdef bytearray body
    cdef bint awaiting_continue
    cdef object chunks  # httptools' parser, while the body is chunked
    cdef BodyEvents events
    cdef int newlines  # CR and LF seen of the empty line that ends chunks
    cdef Py_ssize_t wire  # bytes of the chunked body, framing included

    cpdef list feed(self, bytes data)
    cdef int read(self, bytes data, list done) except -1
    cdef Py_ssize_t read_head(self, bytes data, Py_ssize_t at) except -1
    cdef int begin_head(self) except -1
    cdef Py_ssize_t read_lines(self, const uint8_t *data, Py_ssize_t size) except -1
    cdef int request_line(self, const uint8_t *line, Py_ssize_t size) except -1
    cdef int target(self, const uint8_t *line, const uint8_t *target, const uint8_t *end) except -1
    cdef int header_line(self, const uint8_t *line, Py_ssize_t size) except -1
    cdef int header(self, int kind, const uint8_t *value, Py_ssize_t size) except -1
    cdef int length(self, const uint8_t *value, Py_ssize_t size) except -1
    cdef int end_head(self, bytes head) except -1
    cdef int begin_body(self) except -1
    cdef Py_ssize_t read_body(self, bytes data, Py_ssize_t at) except -1
    cdef Py_ssize_t read_chunks(self, bytes data, Py_ssize_t at) except -1
    cdef Py_ssize_t after_empty_line(self, bytes data, Py_ssize_t at) noexcept


# What httptools tells of a chunked body. Apart from the parser, so that there is no reference cycle.
cdef class BodyEvents:
    cdef bytearray body
    cdef bint complete
