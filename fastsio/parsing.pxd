from fastsio.client cimport Client


cdef class ParsingClient(Client):
    cdef object parser
    cdef object decode  # (str or bytes) -> Packet or None

    cdef int on_encoded(self, object message) except -1
    cdef int on_packet(self, object packet) except -1
