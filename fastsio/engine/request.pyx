"""Request: one HTTP request as the engine and the application see it.

Nothing is made of a head before somebody asks: a Request is its bytes and five offsets, which HttpParser has
found and checked. What is asked for often (headers, query) is made once; the rest each time.
"""

from urllib.parse import unquote_plus

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp

from fastsio.engine.http_syntax cimport http_equal, http_find, http_trim
from multidict import CIMultiDict


cdef class Request:
    """A complete HTTP request.

    method; body: bytes; keep_alive: whether the connection outlives the answer; upgrade: whether it asks
    for a websocket; hosted: whether it is not the engine's, its body is b"" then; address, secure: the
    peer's, as the engine knows them.
    """

    def __cinit__(self):
        self.address = ""

    @property
    def url(self) -> str:
        """The target, as it was sent."""
        return self.head[self.target_at : self.target_end].decode("ascii")

    @property
    def path(self) -> str:
        """The path, as it was sent: neither decoded nor normalised."""
        return self.head[self.path_at : self.path_end].decode("ascii") or "/"

    @property
    def host(self) -> str:
        """What the client calls the server, maybe with a port: RFC 9112 3.2.2 prefers the target to Host."""
        if self.path_at != self.target_at:
            return self.head[self.target_at : self.path_at].partition(b"://")[2].decode("ascii")
        return self.header("host") or ""

    @property
    def query(self) -> dict:
        """The query parameters; of equal names the last."""
        if self._query is None:
            pairs = [part.partition("=") for part in self.query_string().decode("ascii").split("&") if part]
            self._query = {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
        return self._query

    def only(self, *names) -> list:
        """The values of these query parameters, None for one that is missing. ValueError: one came twice."""
        cdef const uint8_t *part = <const uint8_t *>PyBytes_AS_STRING(self.head) + self.path_end + 1
        cdef const uint8_t *limit = <const uint8_t *>PyBytes_AS_STRING(self.head) + self.target_end
        cdef const uint8_t *end
        cdef const uint8_t *separator
        cdef Py_ssize_t index, count = len(names)
        cdef list found = [None] * count
        while part < limit:
            end = http_find(part, limit, c"&")
            separator = http_find(part, end, c"=")
            for index in range(count):
                if is_name(part, separator - part, names[index]):
                    if found[index] is not None:
                        raise ValueError(f"the query parameter {names[index]} came more than once")
                    found[index] = decoded(separator + 1, end - separator - 1) if separator < end else ""
            part = end + 1
        return found

    @property
    def headers(self) -> object:
        """The headers: a case-insensitive multidict; bytes beyond ASCII as Latin-1."""
        if self._headers is None:
            headers = CIMultiDict()
            for line in self.head[self.headers_at : len(self.head) - 4].split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name:
                    headers.add(name.decode("latin-1"), value.strip(b" \t").decode("latin-1"))
            self._headers = headers
        return self._headers

    def header(self, str name) -> object:
        """The first value of a header, None without; cheaper than `headers` for one or two."""
        cdef bytes value = self.find(name.lower().encode())
        return None if value is None else value.decode("latin-1")

    @property
    def content_type(self) -> str:
        """The media type of the body, in lower case and without parameters; "" when it is not told."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def cookies(self) -> dict:
        """The cookies; of equal names the first (RFC 6265 5.4: the most specific)."""
        cookies = {}
        for pair in (self.header("cookie") or "").split(";"):
            name, separator, value = pair.partition("=")
            if separator:
                cookies.setdefault(name.strip(), value.strip().strip('"'))
        return cookies

    cdef bytes find(self, bytes name):
        cdef const uint8_t *wanted = <const uint8_t *>PyBytes_AS_STRING(name)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(name)
        cdef const uint8_t *line = <const uint8_t *>PyBytes_AS_STRING(self.head) + self.headers_at
        cdef const uint8_t *end = <const uint8_t *>PyBytes_AS_STRING(self.head) + PyBytes_GET_SIZE(self.head)
        cdef const uint8_t *value
        cdef const uint8_t *newline
        while line < end:
            newline = <const uint8_t *>memchr(line, c"\n", end - line)
            if newline - line > length and line[length] == c":" and http_equal(line, wanted, length):
                value = line + length + 1
                end = newline
                http_trim(&value, &end)
                return PyBytes_FromStringAndSize(<const char *>value, end - value)
            line = newline + 1
        return None

    cdef bytes query_string(self):
        return self.head[self.path_end + 1 : self.target_end] if self.path_end < self.target_end else b""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"


cdef bint is_name(const uint8_t *text, Py_ssize_t size, str wanted) except -1:
    """Whether it decodes to this."""
    cdef Py_ssize_t length
    cdef const char *name
    if is_plain(text, size):
        name = PyUnicode_AsUTF8AndSize(wanted, &length)
        return size == length and memcmp(text, name, size) == 0
    return decoded(text, size) == wanted


cdef bint is_plain(const uint8_t *text, Py_ssize_t size) noexcept:
    return memchr(text, c"%", size) == NULL and memchr(text, c"+", size) == NULL


cdef str decoded(const uint8_t *text, Py_ssize_t size):
    """What is no valid escape stays as it is; what is no UTF-8 is replaced."""
    cdef str found = PyUnicode_DecodeASCII(<const char *>text, size, NULL)
    return found if is_plain(text, size) else unquote_plus(found)
