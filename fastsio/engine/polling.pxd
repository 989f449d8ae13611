from libc.stdint cimport uint8_t

from fastsio.engine.core cimport Core
from fastsio.engine.session cimport Session, Transport
from fastsio.wire.polling cimport eio_payload


# A session without a connection of its own. Its slot is blocked exactly while no GET waits.
# An exchange is one HTTP request under way: respond(status, headers, body), wait(), waiter.
cdef class Polling(Transport):
    cdef Core core
    cdef Session ended  # the one that has ended, whose upgrade may be under way
    cdef str id
    cdef int protocol
    cdef str jsonp  # the function's index that the handshake named (j=); None: no JSONP
    cdef bint client_closed  # it was the client that closed
    cdef bint ending  # the session has ended; the next answer is the last

    # The GET that waits; getter is None while there is none.
    cdef object getter
    cdef object get_request
    cdef list get_headers

    # The POST under way: its body is coming, or its packets are being worked off.
    cdef object poster
    cdef list post_headers
    cdef bytes body
    cdef eio_payload payload

    cdef int read_packets(self) except -1
    cdef int begin_payload(self, object request) except -1
    cdef int end_post(self, int status) except -1
    cdef int overlap(self, object exchange, list headers, str description) except -1
    cdef int answer(self, bytes body, bint is_binary=*, bint compress=*) except -1
    cdef int tell_end(self) except -1
    cdef int release(self) except -1
    cdef int plan(self) except -1
