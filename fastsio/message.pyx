"""Message: a Socket.IO packet, encoded once, for any number of receivers.

Payloads become JSON with their binary values taken out (wire.payload), the head
is written by csrc, and the frames are laid down in one block of memory by
csrc/message. C code works with message pointers; Message is the Python owner of
one, for an emit that goes through an adapter.
"""

from logging import getLogger

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t

from fastsio.wire.payload cimport Leftovers, dumps
from fastsio.wire.sio cimport (
    SIO_ACK,
    SIO_BINARY_ACK,
    SIO_BINARY_EVENT,
    SIO_CONNECT,
    SIO_CONNECT_ERROR,
    SIO_EVENT,
    SIO_MAX_HEADER,
    SIO_NO_ID,
    sio_write_header,
)

from fastsio.limits import rate_limited
from fastsio.packets import Packet

log = getLogger("fastsio")

DEF SPANS = 32
cdef size_t CLIENTS_TAKE = 10  # socket.io-parser 4.2.7; more are sent all the same, with a warning


cdef inline span span_of(bytes data) noexcept:
    cdef span result
    result.data = <const uint8_t *>PyBytes_AS_STRING(data)
    result.size = PyBytes_GET_SIZE(data)
    return result


cdef message *encode_packet(int type, bytes namespace_, int64_t id, object data) except NULL:
    cdef uint8_t head[1 + SIO_MAX_HEADER]
    cdef bytes json = b""
    cdef Leftovers leftovers
    cdef list attachments = None
    cdef span head_span
    cdef size_t count = 0
    if data is not None:
        leftovers = Leftovers.__new__(Leftovers)
        json = dumps(data, leftovers)
        attachments = leftovers.attachments
        if attachments is not None:
            count = len(attachments)
            if type != SIO_EVENT and type != SIO_ACK:
                raise TypeError("binary values travel in events and acknowledgements alone")
            type = SIO_BINARY_EVENT if type == SIO_EVENT else SIO_BINARY_ACK
    head[0] = c"4"
    head_span.data = head
    head_span.size = 1 + sio_write_header(
        head + 1,
        type,
        <int>count,
        <const uint8_t *>PyBytes_AS_STRING(namespace_),
        PyBytes_GET_SIZE(namespace_),
        id,
    )
    if count == 0:
        return checked(message_packet(head_span, span_of(json), NULL, 0))
    return with_attachments(head_span, span_of(json), attachments)


cdef message *with_attachments(span head, span payload, list attachments) except NULL:
    cdef span spans[SPANS]
    cdef size_t count = len(attachments)
    if count > CLIENTS_TAKE and rate_limited("attachments"):
        log.warning("%d binary values in one message: official clients take %d, and close", count, CLIENTS_TAKE)
    if count > SPANS:
        raise ValueError(f"{count} binary values in one message; at most {SPANS} can be sent")
    for i in range(count):
        spans[i] = span_of(attachments[i])
    return checked(message_packet(head, payload, spans, count))


cdef message *encode_by(object parser, int type, bytes namespace_, int64_t id, object data) except NULL:
    cdef span spans[SPANS]
    cdef uint8_t are_binary[SPANS]
    packet = Packet(type, namespace_.decode() or "/", data, None if id == SIO_NO_ID else id)
    cdef list pieces = list(parser.encode(packet))
    cdef size_t count = len(pieces)
    if not 1 <= count <= SPANS:
        raise ValueError(f"the parser made {count} messages of a packet; from 1 to {SPANS} can be sent")
    for i in range(count):
        are_binary[i] = not isinstance(pieces[i], str)
        if are_binary[i] and not isinstance(pieces[i], bytes):
            raise TypeError(f"a parser makes str and bytes of a packet, got {pieces[i]!r:.50}")
        if not are_binary[i]:
            pieces[i] = b"4" + (<str>pieces[i]).encode()
        spans[i] = span_of(pieces[i])
    return checked(message_pieces(spans, are_binary, count))


cdef message *encode_raw(bytes data) except NULL:
    return checked(message_raw(span_of(data)))


cdef message *encode_text(bytes packet) except NULL:
    return checked(message_packet(span_of(packet), span_of(b""), NULL, 0))


cdef message *encode_binary(bytes payload) except NULL:
    return checked(message_binary(span_of(payload)))


cdef inline message *checked(message *made) except NULL:
    if made == NULL:
        raise MemoryError
    return made


cdef class Message:
    """A Packet, encoded; immutable.

    compress: whether it may be deflated for those who take that; parser: what encodes it, None for the built-in format.
    """

    def __cinit__(self, object packet, bint compress=True, object parser=None):
        if not isinstance(packet, Packet):
            raise TypeError(f"a Packet is expected, got {packet!r:.50}")
        cdef tuple fields = <tuple>packet  # by their places: names would cost every broadcast more
        cdef int type = fields[0]
        cdef str namespace = fields[1]
        cdef object data = fields[2]
        cdef int64_t id = SIO_NO_ID if fields[3] is None else fields[3]
        cdef bytes name = b"" if namespace == "/" else namespace.encode()
        if not SIO_CONNECT <= type <= SIO_CONNECT_ERROR:
            raise ValueError(f"a packet's type is 0 to 4, got {type}")
        if len(name) > 256:
            raise ValueError(f"a namespace's name has at most 256 bytes, this one {len(name)}")
        if parser is None:
            self.c = encode_packet(type, name, id, data)
        else:
            self.c = encode_by(parser, type, name, id, data)
        self.c.compress = compress

    def __dealloc__(self):
        if self.c != NULL:
            message_release(self.c)

    def __len__(self):
        return self.c.size

    @property
    def frames(self) -> bytes:
        """What a websocket of Engine.IO 4 is sent, as it goes over the wire."""
        return (<const char *>self.c.bytes)[: self.c.size]

    def form(self, uint32_t dialect) -> bytes:
        """What a connection of this dialect is sent when nothing else waits for it; nothing is deflated here."""
        cdef span found = message_in(self.c, dialect_of_pieces(dialect, self.c.binary), NULL)
        if found.data == NULL:
            raise MemoryError
        return (<const char *>found.data)[: found.size]
