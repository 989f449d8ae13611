# What HTTP is made of, as pointers into what came: bytes, tokens, lists, and the headers that matter here.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp


# The headers that the parser itself looks at, one bit each.
cdef enum Header:
    OTHER = 0
    HOST = 1
    CONTENT_LENGTH = 2
    TRANSFER_ENCODING = 4
    ORIGIN = 8
    WEBSOCKET_KEY = 16
    WEBSOCKET_VERSION = 32
    SINGLE = 63  # those above: at most once in a request
    CONTENT_ENCODING = 64
    EXPECT = 128
    CONNECTION = 256
    UPGRADE = 512


cdef inline bint is_digit(uint8_t byte) noexcept:
    return c"0" <= byte <= c"9"


cdef inline bint is_letter(uint8_t byte) noexcept:
    return c"a" <= (byte | 0x20) <= c"z"


cdef inline uint8_t lower(uint8_t byte) noexcept:
    return byte | 0x20 if c"A" <= byte <= c"Z" else byte


cdef inline const uint8_t *find_byte(const uint8_t *start, const uint8_t *end, uint8_t byte) noexcept:
    """Where it is; the end without."""
    cdef const uint8_t *at = <const uint8_t *>memchr(start, byte, end - start)
    return end if at == NULL else at


cdef inline bint is_word(const uint8_t *text, Py_ssize_t size) noexcept:
    cdef Py_ssize_t at
    for at in range(size):
        if not is_letter(text[at]):
            return False
    return size > 0


cdef inline bint equal(const uint8_t *text, const uint8_t *lowered, Py_ssize_t size) noexcept:
    """Compares without regard to case; the second is in lower case already."""
    cdef Py_ssize_t at
    for at in range(size):
        if lower(text[at]) != lowered[at]:
            return False
    return True


cdef inline bint is_literal(const uint8_t *text, Py_ssize_t size, bytes lowered) noexcept:
    return size == PyBytes_GET_SIZE(lowered) and equal(text, <const uint8_t *>PyBytes_AS_STRING(lowered), size)


cdef inline int trim(const uint8_t **start, const uint8_t **end) noexcept:
    """Takes white space off both ends."""
    while start[0] < end[0] and start[0][0] in (c" ", c"\t", c"\r"):
        start[0] += 1
    while start[0] < end[0] and (end[0] - 1)[0] in (c" ", c"\t", c"\r"):
        end[0] -= 1
    return 0


cdef inline bint has_token(const uint8_t *list_, Py_ssize_t size, bytes token) noexcept:
    """Whether a comma-separated list has the token, in any case (RFC 9110 5.6.1)."""
    cdef const uint8_t *limit = list_ + size
    cdef const uint8_t *start
    cdef const uint8_t *comma
    cdef const uint8_t *end
    while list_ <= limit:
        comma = find_byte(list_, limit, c",")
        start, end = list_, comma
        trim(&start, &end)
        if is_literal(start, end - start, token):
            return True
        list_ = comma + 1
    return False


cdef inline bint is_host(const uint8_t *text, Py_ssize_t size) noexcept:
    """Whether nothing is in it that would make it more than one host and port."""
    cdef Py_ssize_t at
    for at in range(size):
        if text[at] <= 0x20 or text[at] >= 0x7F or text[at] in (c",", c"/", c"?", c"#", c"@", c"\\"):
            return False
    return True


cdef inline bint is_version(const uint8_t *text) noexcept:
    """Whether 8 bytes say HTTP/ and a version, in this case (RFC 9112 2.3)."""
    return memcmp(text, b"HTTP/", 5) == 0 and is_digit(text[5]) and text[6] == c"." and is_digit(text[7])


cdef inline Py_ssize_t end_of_authority(const uint8_t *line, Py_ssize_t start, Py_ssize_t end) noexcept:
    """Where the path begins in a target of the absolute form; 0: it is none."""
    cdef Py_ssize_t at = start
    if end - start > 7 and equal(line + start, <const uint8_t *>b"http://", 7):
        at += 7
    elif end - start > 8 and equal(line + start, <const uint8_t *>b"https://", 8):
        at += 8
    else:
        return 0
    start = at
    while at < end and line[at] != c"/" and line[at] != c"?":
        at += 1
    return at if at > start and is_host(line + start, at - start) else 0


cdef inline int header_kind(const uint8_t *name, Py_ssize_t size) noexcept:
    cdef uint8_t first = lower(name[0]) if size else 0
    if size == 4 and is_literal(name, size, b"host"):
        return HOST
    if size == 6:
        if first == c"o" and is_literal(name, size, b"origin"):
            return ORIGIN
        if first == c"e" and is_literal(name, size, b"expect"):
            return EXPECT
    if size == 7 and is_literal(name, size, b"upgrade"):
        return UPGRADE
    if size == 10 and is_literal(name, size, b"connection"):
        return CONNECTION
    if size == 14 and is_literal(name, size, b"content-length"):
        return CONTENT_LENGTH
    if size == 16 and is_literal(name, size, b"content-encoding"):
        return CONTENT_ENCODING
    if size == 17:
        if first == c"s" and is_literal(name, size, b"sec-websocket-key"):
            return WEBSOCKET_KEY
        if first == c"t" and is_literal(name, size, b"transfer-encoding"):
            return TRANSFER_ENCODING
    if size == 21 and is_literal(name, size, b"sec-websocket-version"):
        return WEBSOCKET_VERSION
    return OTHER
