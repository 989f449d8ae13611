"""HTTP/1 as the engine takes it: bytes to requests.

Sans-I/O. A head is read line by line as it comes, and chunks byte by byte, by rules
that are stricter than RFC 9112 asks wherever leniency has been a way to smuggle
requests. The first thing that is wrong ends it: HttpError has the status to answer with.

A request that is hosted is not the engine's: its body goes on as it comes, and is only
followed to its end. Memory is bounded by MAX_HEAD, the size given for bodies, and PIPELINE.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from fastsio.engine.http_chunks cimport (
    HTTP_CHUNKS_COMPLETE, HTTP_CHUNKS_MALFORMED, HTTP_CHUNKS_TOO_LARGE, HTTP_CHUNKS_UNLIMITED, http_chunks_begin,
    http_chunks_read,
)
from fastsio.engine.http_syntax cimport (
    HTTP_CONNECTION, HTTP_CONTENT_ENCODING, HTTP_CONTENT_LENGTH, HTTP_EXPECT, HTTP_HOST, HTTP_OTHER, HTTP_SINGLE,
    HTTP_TRANSFER_ENCODING, HTTP_UPGRADE, http_find, http_has_token, http_header_kind, http_is, http_is_digits,
    http_is_host, http_is_target, http_is_token, http_is_value, http_is_version, http_is_word, http_path_of_absolute,
    http_trim,
)
from fastsio.engine.request cimport Request

MAX_HEADERS = 100
PIPELINE = 8  # requests read ahead of their answers
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

cdef Py_ssize_t MAX_HEAD = 16 * 1024  # request line and headers
cdef uint64_t LARGEST = HTTP_CHUNKS_UNLIMITED  # a body that is not ours

# CONNECT and TRACE have no use here (RFC 9110 9.3).
cdef dict METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")}


class HttpError(Exception):
    """What came is not acceptable.

    status: to answer with; the text tells the peer why, without quoting it; request: whose head was good and whose
    body is not, or None.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.request = None


cdef int refuse(int status, str text) except -1:
    raise HttpError(status, text)


cdef class Announcement:
    """The head of a request is complete, its body is still coming. request: without its body."""

    def __cinit__(self, Request request):
        self.request = request


cdef class HttpParser:
    """The requests of one connection.

    max_body: the largest body, in bytes; hosted: called with each request whose head is complete, tells whether it
    is somebody else's, so that neither max_body nor what we do not speak concerns it. None: all are ours.
    """

    def __cinit__(self, Py_ssize_t max_body, object hosted=None):
        self.max_body = max_body
        self.hosted = hosted
        self.state = HEAD
        self.tail = b""
        self.begin_head()

    cpdef list feed(self, bytes data):
        """Takes bytes and returns what happens with them, in order; what is wrong with them is not raised.

        Request: complete. Announcement: the last, when the head of a request is complete and its body is not.
        HttpError: the last, nothing more is read. A hosted request comes as soon as its head is complete, with
        body b"", and then the bytes of its body, framing and all; the rest of the connection if it is an upgrade.
        After our upgrade what comes is in `tail`. After a request with `Connection: close` nothing more is read.
        """
        cdef list events = []
        try:
            self.read(data, events)
        except HttpError as error:
            if self.request is not None and self.request.head is not None:
                error.request = self.request
            self.begin_head()
            self.state = CLOSED
            events.append(error)
        self.awaiting_continue &= not events
        if self.state in (BODY, CHUNKS) and not self.announced:
            self.announced = True
            if not self.request.hosted:
                events.append(Announcement.__new__(Announcement, self.request))
        return events

    def interim(self) -> bytes:
        """`100 Continue` where the client waits for it, once, and no request read with this one is due first."""
        if not self.awaiting_continue or self.state not in (BODY, CHUNKS) or self.body:
            return b""
        self.awaiting_continue = False
        return CONTINUE

    cdef int read(self, bytes data, list events) except -1:
        cdef Py_ssize_t at = 0, size = PyBytes_GET_SIZE(data)
        cdef int requests = 0
        while at < size and self.state < UPGRADED:
            if self.state == HEAD:
                if requests == PIPELINE:
                    refuse(503, "too many pipelined requests")
                at = self.read_head(data, at, events)
            elif self.state == BODY:
                at = self.read_body(data, at, events)
            else:
                at = self.read_chunks(data, at, events)
            if self.complete:
                requests += 1
                self.end_request(events)
        if at < size:
            if self.state == UPGRADED:
                self.tail += data[at:]
            elif self.state == HOSTED:
                events.append(data[at:])
        return 0

    cdef int end_request(self, list events) except -1:
        cdef Request request = self.request
        if request.upgrade:
            self.state = HOSTED if request.hosted else UPGRADED
        else:
            self.state = CLOSED if self.close else HEAD
        if not request.hosted:
            events.append(request)
        return self.begin_head()

    # ---- head ----

    cdef int begin_head(self) except -1:
        self.request = None
        self.complete = False
        self.announced = False
        self.body = None
        self.held = b""
        self.line = 0
        self.lines = 0
        self.skipped = False
        self.seen = 0
        self.http_1_0 = False
        self.close = False
        self.wants_upgrade = False
        self.websocket = False
        self.content_length = 0
        self.awaiting_continue = False
        self.refused_status = 0
        return 0

    cdef Py_ssize_t read_head(self, bytes data, Py_ssize_t at, list events) except -1:
        """Returns where it stopped: behind the head, or at the end of the data."""
        cdef Py_ssize_t before = PyBytes_GET_SIZE(self.held)
        cdef bytes text = self.held + data if before else data  # `at` is 0 when something is held
        cdef const uint8_t *head = <const uint8_t *>PyBytes_AS_STRING(text) + at
        cdef Py_ssize_t size = PyBytes_GET_SIZE(text) - at
        if not self.skipped and size > 1 and head[0] == c"\r" and head[1] == c"\n":
            self.skipped = True  # RFC 9112 2.2: an empty line before the request line, one
            self.held = b""
            return at - before + 2
        size = self.read_lines(head, size)
        if size == 0:
            self.held = text[at:]
            return PyBytes_GET_SIZE(data)
        self.held = b""
        self.end_head(text[at : at + size], events)
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
        method = method_named(line, target - 1 - line)
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
        if colon == NULL or not http_is_token(line, colon - line) or not http_is_value(colon + 1, end - colon - 1):
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
            if not http_is(value, size, b"keep-alive"):
                self.close = self.close or http_has_token(value, size, b"close")
                self.wants_upgrade = self.wants_upgrade or http_has_token(value, size, b"upgrade")
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
                self.refuse_ours(415, "of content codings only identity is spoken here")
        elif kind == HTTP_EXPECT:
            if not http_is(value, size, b"100-continue"):
                self.refuse_ours(417, "of expectations only 100-continue is met here")
            self.awaiting_continue = not self.http_1_0
        return 0

    cdef int length(self, const uint8_t *value, Py_ssize_t size) except -1:
        """Content-Length: digits, nothing else."""
        cdef Py_ssize_t at
        if not http_is_digits(value, size):
            return refuse(400, "malformed Content-Length")
        for at in range(size):
            if self.content_length > LARGEST // 10:  # before it overflows
                return refuse(413, "the body is too large")
            self.content_length = self.content_length * 10 + value[at] - c"0"
        if self.content_length > LARGEST:
            return refuse(413, "the body is too large")
        if self.content_length > <uint64_t>self.max_body:
            self.refuse_ours(413, "the body is too large")
        return 0

    cdef void refuse_ours(self, int status, str text) noexcept:
        """Refused at the end of the head, unless it is hosted: the first of what is wrong."""
        if self.refused_status == 0:
            self.refused_status = status
            self.refused_text = text

    cdef int end_head(self, bytes head, list events) except -1:
        """The head is complete: what only the whole of it shows."""
        cdef Request request = self.request
        cdef bint has_body = self.content_length > 0 or self.seen & HTTP_TRANSFER_ENCODING
        if not self.seen & HTTP_HOST and not self.http_1_0:
            return refuse(400, "Host is missing")
        if self.seen & HTTP_TRANSFER_ENCODING and self.seen & HTTP_CONTENT_LENGTH:
            return refuse(400, "Transfer-Encoding and Content-Length exclude each other")
        request.upgrade = self.websocket and self.wants_upgrade and not self.http_1_0
        if request.upgrade and has_body:
            return refuse(400, "an upgrade request has no body")
        request.head = head
        request.body = b""
        request.keep_alive = not self.close
        if self.hosted is not None and self.hosted(request):
            request.hosted = True
            events.append(request)
        elif self.refused_status != 0:
            return refuse(self.refused_status, self.refused_text)
        if not has_body:
            self.complete = True
        elif self.seen & HTTP_TRANSFER_ENCODING:
            self.state = CHUNKS
            http_chunks_begin(&self.chunks, LARGEST if request.hosted else <uint64_t>self.max_body)
        else:
            self.state = BODY
            self.left = self.content_length
        return 0

    # ---- body ----

    cdef Py_ssize_t read_body(self, bytes data, Py_ssize_t at, list events) except -1:
        cdef Py_ssize_t end = PyBytes_GET_SIZE(data)
        if self.left < <uint64_t>(end - at):
            end = at + <Py_ssize_t>self.left
        self.left -= end - at
        self.complete = self.left == 0
        if self.request.hosted:
            events.append(data[at:end])
        elif self.complete and self.body is None:
            self.request.body = data[at:end]
        else:
            self.keep(<const uint8_t *>PyBytes_AS_STRING(data) + at, end - at)
            if self.complete:
                self.request.body = bytes(self.body)
        return end

    cdef Py_ssize_t read_chunks(self, bytes data, Py_ssize_t at, list events) except -1:
        cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(data)
        cdef const uint8_t *cursor = start + at
        cdef const uint8_t *end = start + PyBytes_GET_SIZE(data)
        cdef size_t size
        while cursor < end and self.chunks.state < HTTP_CHUNKS_COMPLETE:
            cursor = http_chunks_read(&self.chunks, cursor, end, &size)
            if size > 0 and not self.request.hosted:
                self.keep(cursor - size, size)
        if self.request.hosted and cursor > start + at:
            events.append(data[at : cursor - start])
        if self.chunks.state == HTTP_CHUNKS_COMPLETE:
            self.complete = True
            if self.body is not None:
                self.request.body = bytes(self.body)
        elif self.chunks.state == HTTP_CHUNKS_TOO_LARGE:
            return refuse(413, "the body is too large")
        elif self.chunks.state > HTTP_CHUNKS_COMPLETE:
            malformed = self.chunks.state == HTTP_CHUNKS_MALFORMED
            return refuse(400, "malformed chunk" if malformed else "the chunks hold too little")
        return cursor - start

    cdef int keep(self, const uint8_t *data, Py_ssize_t size) except -1:
        """The next piece of the body."""
        cdef Py_ssize_t before
        if self.body is None:
            self.body = bytearray()
        before = PyByteArray_GET_SIZE(self.body)
        PyByteArray_Resize(self.body, before + size)
        memcpy(PyByteArray_AS_STRING(self.body) + before, data, size)
        return 0


cdef object method_named(const uint8_t *name, Py_ssize_t size):
    """None: there is none of that name, or none that we know."""
    if size == 3 and memcmp(name, <const char *>b"GET", 3) == 0:
        return "GET"
    if size == 4 and memcmp(name, <const char *>b"POST", 4) == 0:
        return "POST"
    return METHODS.get(name[:size])
