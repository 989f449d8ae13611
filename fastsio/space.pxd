from libc.stdint cimport int64_t

from fastsio.handlers cimport Listeners
from fastsio.message cimport message


# The part of a Namespace that its sockets need for each packet.
cdef class NamespaceBase:
    cdef readonly str name
    cdef readonly bytes wire_name  # in UTF-8; empty for the main namespace
    cdef readonly Listeners handlers  # of @event: for all sockets of the namespace
    cdef public object parser  # None: packets are JSON, as the protocol's own
    cdef int64_t ack_ids  # the last one given out

    # A new reference, to be released.
    cdef message *encode(self, int type, int64_t ack_id, object data) except NULL
    cpdef int64_t _next_ack_id(self)
