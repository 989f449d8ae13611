from libc.stdint cimport uint8_t, uint32_t

from fastsio.engine.core cimport Core
from fastsio.engine.session cimport Transport


# A websocket that an ASGI server carries: the messages of a session, without the frames around them.
# The slot is blocked from each handover until the server has taken all of it.
cdef class AsgiWebSocket(Transport):
    cdef Core core
    cdef bint probing  # it is the session's candidate for an upgrade, not yet its transport
    cdef uint32_t dialect
    cdef object deliver  # called with a list of messages, each str or bytes, to be sent in this order
    cdef object finish  # called once with (close code, discard): the end, after what was delivered
    cdef int close_code
    cdef bint closing
    cdef double stalled_by  # monotonic; 0: nothing is held up

    cdef int receive(self, const uint8_t *data, size_t size, bint is_binary) except -1
    cdef int end(self, str reason, object description, bint discard=*) except -1
    cdef int plan(self) except -1
