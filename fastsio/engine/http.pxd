from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fastsio.engine.http_chunks cimport http_chunks
from fastsio.engine.request cimport Request


cdef class Announcement:
    cdef readonly Request request


cdef enum ParserState:
    HEAD
    BODY  # of known length
    CHUNKS
    UPGRADED  # what comes is not HTTP any more
    HOSTED  # the same, and not ours
    CLOSED  # nothing more is read: the last request said so, or an error


# Bytes to requests, for one connection.
cdef class HttpParser:
    cdef Py_ssize_t max_body
    cdef object hosted  # None: no request is
    cdef uint8_t state
    cdef readonly bytes tail  # what came behind an upgrade request that is ours

    # The head being read: cleared for each request.
    cdef bytes held  # the part of it that came in earlier pieces
    cdef Py_ssize_t line  # where its first incomplete line begins
    cdef int lines  # complete ones
    cdef bint skipped  # the one empty line that may stand before a request
    cdef uint32_t seen  # bits of http_header
    cdef bint http_1_0
    cdef bint close
    cdef bint wants_upgrade  # a token of Connection
    cdef bint websocket  # a token of Upgrade
    cdef uint64_t content_length
    cdef int refused_status  # what a request of ours would be answered with, 0: nothing
    cdef str refused_text

    # The request under way, and its body so far.
    cdef Request request
    cdef bint complete
    cdef bint announced  # that its body is coming
    cdef bytearray body  # None as long as there is none of it
    cdef bint awaiting_continue
    cdef uint64_t left  # bytes of a body of known length that are still to come
    cdef http_chunks chunks

    cpdef list feed(self, bytes data)
    cdef int read(self, bytes data, list events) except -1
    cdef int end_request(self, list events) except -1
    cdef int begin_head(self) except -1
    cdef Py_ssize_t read_head(self, bytes data, Py_ssize_t at, list events) except -1
    cdef Py_ssize_t read_lines(self, const uint8_t *data, Py_ssize_t size) except -1
    cdef int request_line(self, const uint8_t *line, Py_ssize_t size) except -1
    cdef int target(self, const uint8_t *line, const uint8_t *target, const uint8_t *end) except -1
    cdef int header_line(self, const uint8_t *line, Py_ssize_t size) except -1
    cdef int header(self, int kind, const uint8_t *value, Py_ssize_t size) except -1
    cdef int length(self, const uint8_t *value, Py_ssize_t size) except -1
    cdef void refuse_ours(self, int status, str text) noexcept
    cdef int end_head(self, bytes head, list events) except -1
    cdef Py_ssize_t read_body(self, bytes data, Py_ssize_t at, list events) except -1
    cdef Py_ssize_t read_chunks(self, bytes data, Py_ssize_t at, list events) except -1
    cdef int keep(self, const uint8_t *data, Py_ssize_t size) except -1
