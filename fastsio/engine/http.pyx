"""HTTP/1 as the engine takes it: bytes to requests.

Sans-I/O. A head is read line by line as it comes, by rules that are stricter than
RFC 9112 asks wherever leniency has been a way to smuggle requests; llhttp then
checks the whole head once more, and decodes chunks. The first thing that is wrong
ends it: HttpError has the status to answer with.

Memory is bounded by MAX_HEAD, the size given for bodies, and PIPELINE.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memchr

from fastsio.engine.http_syntax cimport (
    HTTP_CONNECTION, HTTP_CONTENT_ENCODING, HTTP_CONTENT_LENGTH, HTTP_EXPECT, HTTP_HOST, HTTP_OTHER, HTTP_SINGLE,
    HTTP_TRANSFER_ENCODING, HTTP_UPGRADE, http_find, http_has_token, http_header_kind, http_is,
    http_is_digits, http_is_host, http_is_target, http_is_version, http_is_word, http_path_of_absolute, http_trim,
)
from fastsio.engine.request cimport Request
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

MAX_HEADERS = 100
PIPELINE = 8  # requests read ahead of their answers
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

cdef Py_ssize_t MAX_HEAD = 16 * 1024  # request line and headers
cdef Py_ssize_t CHUNK_OVERHEAD = 16  # bytes of framing for each byte in chunks, and MAX_TRAILER once
cdef Py_ssize_t MAX_TRAILER = 4096
cdef bytes CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

# CONNECT and TRACE have no use here (RFC 9110 9.3).
cdef dict METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")}


class HttpError(Exception):
    """What came is not acceptable. status: to answer with; the text tells the peer why, without quoting it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


cdef int refuse(int status, str text) except -1:
    raise HttpError(status, text)


cdef class BodyEvents:
    def on_body(self, bytes piece) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.complete = True


cdef class HttpParser:
    """The requests of one connection. max_body: the largest body, in bytes."""

    def __cinit__(self, Py_ssize_t max_body):
        self.max_body = max_body
        self.state = HEAD
        self.tail = b""
        self.begin_head()

    cpdef list feed(self, bytes data):
        """Takes bytes and returns the requests that are complete with them.

        HttpError: what came is not acceptable; where requests came before it in the same bytes, they are
        returned and the error is the last item of the list, so that they are answered first. After an error,
        an upgrade request or one with `Connection: close` nothing more is read.
        """
        cdef list done = []
        try:
            self.read(data, done)
        except HttpError as error:
            self.begin_head()
            self.state = CLOSED
            if not done:
                raise
            done.append(error)
        return done

    def interim(self) -> bytes:
        """`100 Continue` where the client waits for it, once, and no request read with this one is due first."""
        if not self.awaiting_continue or self.state not in (BODY, CHUNKS) or self.body:
            return b""
        self.awaiting_continue = False
        return CONTINUE

    cdef int read(self, bytes data, list done) except -1:
        cdef Py_ssize_t at = 0
        while at < PyBytes_GET_SIZE(data) and self.state < UPGRADED:
            if self.state == HEAD:
                if len(done) == PIPELINE:
                    refuse(503, "too many pipelined requests")
                at = self.read_head(data, at)
            elif self.state == BODY:
                at = self.read_body(data, at)
            else:
                at = self.read_chunks(data, at)
            if self.complete:
                done.append(self.request)
                self.state = UPGRADED if self.request.upgrade else CLOSED if self.close else HEAD
                self.begin_head()
        if self.state == UPGRADED:
            self.tail += data[at:]
        self.awaiting_continue &= not done
        return 0

    # ---- head ----

    cdef int begin_head(self) except -1:
        self.request = None
        self.complete = False
        self.body = None
        self.chunks = None
        self.held = b""
        self.line = 0
        self.lines = 0
        self.skipped = False
        self.seen = 0
        self.http_1_0 = False
        self.close = False
        self.websocket = False
        self.content_length = 0
        self.awaiting_continue = False
        return 0

    cdef Py_ssize_t read_head(self, bytes data, Py_ssize_t at) except -1:
        """Returns where it stopped: behind the head, or at the end of the data."""
        cdef Py_ssize_t size, before = PyBytes_GET_SIZE(self.held)
        cdef bytes head = self.held + data if before else data[at:]
        if not self.skipped and head.startswith(b"\r\n"):
            self.skipped = True  # RFC 9112 2.2: an empty line before the request line, one
            self.held = b""
            return at - before + 2
        size = self.read_lines(<const uint8_t *>PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
        if size == 0:
            self.held = head
            return PyBytes_GET_SIZE(data)
        self.held = b""
        self.end_head(head[:size])
        return at - before + size

    cdef Py_ssize_t read_lines(self, const uint8_t *data, Py_ssize_t size) except -1:
        """Reads the lines that are complete; returns the size of the head, 0: it has not ended yet."""
        cdef const uint8_t *line
        cdef const uint8_t *end
        while True:
            line = data + self.line
            end = <const uint8_t *>memchr(line, c"\n", size - self.line)
            if (size if end == NULL else end + 1 - data) > MAX_HEAD:
                refuse(431 if self.lines else 414, "the head is too large")
            if self.lines == 0 and not http_is_word(data, 1) and data[0] != c"\r":
                refuse(400, "this is not HTTP")
            if end == NULL:
                return 0
            if end == line or (end - 1)[0] != c"\r":
                refuse(400, "a line must end with CR LF")
            self.line = end + 1 - data
            if self.lines == 0:
                self.request_line(line, end - 1 - line)
            elif end - 1 == line:
                return self.line
            else:
                self.header_line(line, end - 1 - line)
            self.lines += 1

    cdef int request_line(self, const uint8_t *line, Py_ssize_t size) except -1:
        """RFC 9112 3: method, target and version between single spaces."""
        cdef const uint8_t *target = <const uint8_t *>memchr(line, c" ", size)
        cdef const uint8_t *version = NULL
        if target != NULL:
            target += 1
            version = <const uint8_t *>memchr(target, c" ", line + size - target)
        if version == NULL or not http_is_version(version + 1, line + size - version - 1):
            return refuse(400, "malformed request line")
        if version[6] != c"1" or version[8] > c"1":
            return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        method = METHODS.get(line[: target - 1 - line])
        if method is None:
            return refuse(501 if http_is_word(line, target - 1 - line) else 400, "unknown method")
        self.close = self.http_1_0 = version[8] == c"0"
        self.request = Request.__new__(Request)
        self.request.method = method
        return self.target(line, target, version)

    cdef int target(self, const uint8_t *line, const uint8_t *target, const uint8_t *end) except -1:
        """RFC 9112 3.2: "/path?query", the same after "http://authority", or "*" with OPTIONS."""
        cdef Request request = self.request
        cdef const uint8_t *path = target
        if not http_is_target(target, end - target):
            return refuse(400, "malformed target")
        if target[0] != c"/" and not (request.method == "OPTIONS" and end - target == 1 and target[0] == c"*"):
            path = http_path_of_absolute(target, end)
            if path == NULL:
                return refuse(400, "malformed target")
        request.target_at = target - line
        request.path_at = path - line
        request.path_end = http_find(path, end, c"?") - line
        request.target_end = end - line
        request.headers_at = request.target_end + 11  # " HTTP/1.1" and CR LF
        return 0

    cdef int header_line(self, const uint8_t *line, Py_ssize_t size) except -1:
        cdef const uint8_t *colon = <const uint8_t *>memchr(line, c":", size)
        cdef const uint8_t *value
        cdef const uint8_t *end = line + size
        cdef int kind
        if self.lines > MAX_HEADERS:
            return refuse(431, "too many headers")
        if colon == NULL:
            return refuse(400, "malformed header")
        kind = http_header_kind(line, colon - line)
        if kind == HTTP_OTHER:
            return 0
        if kind & HTTP_SINGLE and self.seen & kind:
            return refuse(400, "a header that may come once came twice")
        self.seen |= kind
        value = colon + 1
        http_trim(&value, &end)
        return self.header(kind, value, end - value)

    cdef int header(self, int kind, const uint8_t *value, Py_ssize_t size) except -1:
        if kind == HTTP_CONNECTION:
            self.close = self.close or http_has_token(value, size, b"close")
        elif kind == HTTP_UPGRADE:
            self.websocket = self.websocket or http_has_token(value, size, b"websocket")
        elif kind == HTTP_CONTENT_LENGTH:
            return self.length(value, size)
        elif kind == HTTP_HOST:
            if not http_is_host(value, size):
                return refuse(400, "malformed Host")
        elif kind == HTTP_TRANSFER_ENCODING:
            if self.http_1_0:
                return refuse(400, "HTTP/1.0 has no Transfer-Encoding")
            if not http_is(value, size, b"chunked"):
                return refuse(501 if http_is_word(value, size) else 400, "of transfer codings only chunked is known")
        elif kind == HTTP_CONTENT_ENCODING:
            if not http_is(value, size, b"identity"):
                return refuse(415, "of content codings only identity is spoken here")
        elif kind == HTTP_EXPECT:
            if not http_is(value, size, b"100-continue"):
                return refuse(417, "of expectations only 100-continue is met here")
            self.awaiting_continue = not self.http_1_0
        return 0

    cdef int length(self, const uint8_t *value, Py_ssize_t size) except -1:
        """Content-Length: digits, nothing else, and no more than there may be."""
        cdef Py_ssize_t at
        if not http_is_digits(value, size):
            return refuse(400, "malformed Content-Length")
        for at in range(size):
            self.content_length = self.content_length * 10 + value[at] - c"0"
            if self.content_length > self.max_body:
                return refuse(413, "the body is too large")
        return 0

    cdef int end_head(self, bytes head) except -1:
        """The head is complete: what only the whole of it shows, and llhttp's opinion."""
        cdef Request request = self.request
        cdef bint upgrade = False
        cdef bint has_body = self.content_length > 0 or self.seen & HTTP_TRANSFER_ENCODING
        if not self.seen & HTTP_HOST and not self.http_1_0:
            return refuse(400, "Host is missing")
        if self.seen & HTTP_TRANSFER_ENCODING and self.seen & HTTP_CONTENT_LENGTH:
            return refuse(400, "Transfer-Encoding and Content-Length exclude each other")
        try:
            HttpRequestParser(None).feed_data(head)
        except HttpParserUpgrade:  # "upgrade" is among the tokens of Connection, and there is an Upgrade
            upgrade = self.websocket and not self.http_1_0
        except HttpParserError:
            return refuse(400, "malformed header")
        if upgrade and has_body:
            return refuse(400, "an upgrade request has no body")
        request.head = head
        request.body = b""
        request.upgrade = upgrade
        request.keep_alive = not self.close
        if has_body:
            self.begin_body()
        else:
            self.complete = True
        return 0

    # ---- body ----

    cdef int begin_body(self) except -1:
        self.body = bytearray()
        if self.seen & HTTP_TRANSFER_ENCODING:
            self.state = CHUNKS
            self.newlines = 0
            self.wire = 0
            self.events = BodyEvents.__new__(BodyEvents)
            self.events.body = self.body
            self.chunks = HttpRequestParser(self.events)
            self.chunks.feed_data(CHUNKED_HEAD)
        else:
            self.state = BODY
        return 0

    cdef Py_ssize_t read_body(self, bytes data, Py_ssize_t at) except -1:
        cdef Py_ssize_t size = min(self.content_length - len(self.body), PyBytes_GET_SIZE(data) - at)
        self.body += data[at : at + size]
        if len(self.body) == self.content_length:
            self.request.body = bytes(self.body)
            self.complete = True
        return at + size

    cdef Py_ssize_t read_chunks(self, bytes data, Py_ssize_t at) except -1:
        """Chunks end with an empty line; llhttp does not say where, so it gets no byte beyond one."""
        cdef Py_ssize_t end = self.after_empty_line(data, at)
        try:
            self.chunks.feed_data(data[at:end])
        except HttpParserError:
            return refuse(400, "malformed chunk")
        self.wire += end - at
        if len(self.body) > self.max_body:
            return refuse(413, "the body is too large")
        if self.wire > MAX_TRAILER + CHUNK_OVERHEAD * len(self.body):
            return refuse(400, "the chunks hold too little")
        if self.events.complete:
            self.request.body = bytes(self.body)
            self.complete = True
        return end

    cdef Py_ssize_t after_empty_line(self, bytes data, Py_ssize_t at) noexcept:
        """The position behind the next empty line, which may have begun in earlier data; the end without."""
        cdef const uint8_t *bytes_ = <const uint8_t *>PyBytes_AS_STRING(data)
        cdef uint8_t byte
        while at < PyBytes_GET_SIZE(data):
            byte = bytes_[at]
            at += 1
            if byte == (c"\n" if self.newlines & 1 else c"\r"):
                self.newlines += 1
            else:
                self.newlines = 1 if byte == c"\r" else 0
            if self.newlines == 4:
                self.newlines = 0
                break
        return at
