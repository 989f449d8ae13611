"""ParsingClient: a connection whose packets a parser of the application reads, by the rules of every Client."""

from logging import getLogger

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t

from fastsio.client cimport Client
from fastsio.dispatch cimport SocketBase
from fastsio.message cimport Message
from fastsio.wire.sio cimport SIO_CONNECT, SIO_CONNECT_ERROR, SIO_DISCONNECT, SIO_NO_ID, sio_header

from fastsio.limits import rate_limited
from fastsio.packets import Packet
from fastsio.parser import check_packet

log = getLogger("fastsio")


cdef class ParsingClient(Client):
    """server: one with the option `parser`."""

    def __cinit__(self, object server):
        self.parser = server._options["parser"]
        self.decode = self.parser.decoder()

    cdef int on_text(self, const uint8_t *data, size_t size) except -1:
        return self.on_encoded(PyBytes_FromStringAndSize(<const char *>data, size).decode())

    cdef int on_binary(self, const uint8_t *data, size_t size) except -1:
        return self.on_encoded(PyBytes_FromStringAndSize(<const char *>data, size))

    cdef Message packet(self, int type, str namespace, object data):
        return Message(Packet(type, namespace, data), True, self.parser)

    cdef int on_encoded(self, object message) except -1:
        try:
            packet = self.decode(message)
        except Exception as error:
            if rate_limited("parser"):
                log.info("the parser could not decode a message: %r", error)
            return self.violation(f"the parser could not decode a message: {error!r}")
        if packet is None:
            return 0
        what = check_packet(packet)
        return self.on_packet(packet) if what is None else self.violation(what)

    cdef int on_packet(self, object packet) except -1:
        cdef bytes name
        cdef sio_header head
        cdef SocketBase target
        try:
            name = b"" if packet.nsp == "/" else packet.nsp.encode()
        except UnicodeEncodeError:
            return self.violation("the name of a namespace is not UTF-8")
        head.type = packet.type
        head.attachments = 0
        head.namespace_ = <const uint8_t *>PyBytes_AS_STRING(name) if name else NULL
        head.namespace_size = PyBytes_GET_SIZE(name)
        head.id = SIO_NO_ID if packet.id is None else packet.id
        if head.type == SIO_CONNECT:
            return self.connect(&head, name, {} if packet.data is None else packet.data)
        target = self.find(&head)
        if head.type == SIO_DISCONNECT:
            return self.quit(target)
        if head.type == SIO_CONNECT_ERROR:
            return self.violation("CONNECT_ERROR from a client", "forced server close")
        if target is None:
            return self.not_joined(&head)
        return self.on_payload(&head, target, packet.data)
