from libc.stdint cimport int64_t, uint8_t

from fastsio.engine.core cimport Core
from fastsio.outbox cimport SlotOwner


# What sits on top of a session: hooks, called in the order of the wire.
cdef class Receiver:
    cdef int on_text(self, const uint8_t *data, size_t size) except -1
    cdef int on_binary(self, const uint8_t *data, size_t size) except -1
    cdef int on_close(self, str reason, object description) except -1


# What sits below a session and carries its bytes. The slot of the transport is the session's.
cdef class Transport(SlotOwner):
    # Sends what is queued, tells the peer, closes the descriptor; with `discard` only the last.
    cdef int shut(self, bint discard) except -1
    cdef str transport_name(self)


cdef enum SessionState:
    OPEN
    CLOSED


cdef class Session:
    cdef Core core
    cdef Transport carrier  # None once it is closed
    cdef Receiver receiver  # None once it is closed
    cdef readonly str id
    cdef readonly object request
    cdef readonly double opened  # seconds since the epoch
    cdef public object on_closed  # called once with (session); the registry's, not the user's
    cdef uint8_t state
    cdef bint awaiting_pong
    cdef bint extended  # the wait for the pong was extended once
    cdef bint joined  # a namespace was joined, so connect_timeout is over
    cdef double connect_by  # monotonic seconds
    cdef double beat_at  # monotonic seconds: the next ping, or the end of the wait for a pong

    cdef int on_frame(self, const uint8_t *data, size_t size) except -1
    cdef int on_binary_frame(self, const uint8_t *data, size_t size) except -1
    cdef int on_other_packet(self, const uint8_t *data, size_t size) except -1
    cdef int on_base64(self, const uint8_t *data, size_t size) except -1
    cdef int on_pong(self) except -1
    cdef int extend(self) except -1
    cdef int on_deadline(self, double now) except -1
    cdef double next_deadline(self) noexcept
    cdef int begin(self, Transport carrier) except -1
    cdef int finish(self, str reason, object description, bint discard=*) except -1
    cdef int64_t slot(self) noexcept
