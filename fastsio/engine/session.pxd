from libc.stdint cimport int64_t, uint8_t

from fastsio.engine.core cimport Core
from fastsio.handlers cimport Listeners
from fastsio.outbox cimport SlotOwner


# What sits on top of a session: hooks, called in the order of the wire.
cdef class Receiver:
    # The open packet is on its way; what is sent from here on follows it.
    cdef int on_open(self) except -1
    cdef int on_text(self, const uint8_t *data, size_t size) except -1
    cdef int on_binary(self, const uint8_t *data, size_t size) except -1
    cdef int on_close(self, str reason, object description) except -1


cdef class Session


# What sits below a session and carries its bytes. The slot of the transport is the session's.
cdef class Transport(SlotOwner):
    cdef readonly Session session  # None before and after; the transport may be no more than its candidate

    # The session ended for this reason: sends what is queued, tells the peer, closes; with
    # `discard` only the last.
    cdef int shut(self, str reason, bint discard) except -1
    # An upgrade waits: a GET that waits is answered with a noop.
    cdef int nudge(self) except -1
    # An upgrade is through. The old transport has lost its slot; the new one gets the old one's.
    cdef int retire(self) except -1
    cdef int take_over(self, Transport old) except -1
    cdef str transport_name(self)


cdef enum SessionState:
    OPENING
    OPEN
    CLOSED


cdef class Session:
    cdef readonly Core core
    cdef Transport carrier  # None once it is closed
    cdef Transport probe  # the websocket that is to take over; None while there is none
    cdef Transport lingering  # what carried the session, while its probe may still take over what is queued
    cdef Transport leaving  # what carried the session, after its end: the rest of what is queued goes out
    cdef Receiver receiver  # None once it is closed
    cdef Listeners own  # the application's listeners; None while there are none
    cdef list waiters  # futures of those who wait for the drain; None while there are none
    cdef readonly str id
    cdef readonly object request
    cdef readonly int protocol  # Engine.IO's: 3 or 4
    cdef readonly bint base64  # the client takes no binary frames or payloads
    cdef readonly double opened  # seconds since the epoch
    cdef readonly bint upgraded  # it came from polling to websocket
    cdef public object on_closed  # called once with (session); the registry's, not the user's
    cdef uint8_t state
    cdef bint announced  # the receiver was told that it is open
    cdef bint probed  # the probe was answered
    cdef bint awaiting_pong  # with protocol 3 always: the client pings, and silence ends the session
    cdef bint extended  # the wait for the pong was extended once
    cdef bint joined  # a namespace was joined, so connect_timeout is over
    cdef double connect_by  # monotonic seconds
    cdef double beat_at  # monotonic seconds: the next ping, or the end of the wait for a pong

    cdef int begin(self, Transport carrier) except -1
    cdef int announce(self) except -1
    cdef int on_frame(self, const uint8_t *data, size_t size) except -1
    cdef int on_binary_frame(self, const uint8_t *data, size_t size) except -1
    cdef int on_other_packet(self, const uint8_t *data, size_t size) except -1
    cdef int on_base64(self, const uint8_t *data, size_t size) except -1
    cdef int on_ping(self) except -1
    cdef int beat(self, str type, bytes packet) except -1
    cdef int on_pong(self) except -1
    cdef int extend(self) except -1
    cdef int on_deadline(self, double now) except -1
    cdef double next_deadline(self) noexcept
    cdef int offer(self, Transport candidate) except -1
    cdef int on_probe(self, Transport candidate, const uint8_t *data, size_t size, bint is_text) except -1
    cdef int switch(self, Transport candidate) except -1
    cdef int drop_probe(self) except -1
    cdef bint tell(self, const uint8_t *data, size_t size, bint is_text) except -1
    cdef int finish(self, str reason, object description, bint discard=*) except -1
    cdef int on_drained(self, Transport carrier) except -1
    cdef int desert(self) except -1
    cdef size_t waiting(self) noexcept
    cdef int64_t slot(self) noexcept
