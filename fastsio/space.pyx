"""What all sockets of a namespace share: its name, handlers and format, and the numbers of acknowledgements."""

from fastsio.handlers cimport Listeners
from fastsio.message cimport encode_by, encode_packet, message


cdef class NamespaceBase:
    def __cinit__(self, *args, **options):  # those of a subclass's constructor
        self.handlers = Listeners()
        self.ack_ids = -1
        self.parser = None

    def __init__(self, str name):
        self.name = name
        self.wire_name = b"" if name == "/" else name.encode()

    cdef message *encode(self, int type, int64_t ack_id, object data) except NULL:
        if self.parser is None:
            return encode_packet(type, self.wire_name, ack_id, data)
        return encode_by(self.parser, type, self.wire_name, ack_id, data)

    cpdef int64_t _next_ack_id(self):
        self.ack_ids += 1
        return self.ack_ids
