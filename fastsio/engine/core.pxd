from libc.stdint cimport uint8_t, uint64_t

from fastsio.engine.timers cimport Deadlines
from fastsio.outbox cimport Outbox
from fastsio.wire.ws cimport ws_limits


# What all connections of an engine share, once it has an event loop.
cdef class Core:
    cdef readonly object loop
    cdef readonly Outbox outbox
    cdef readonly Deadlines deadlines
    cdef readonly object counters  # collections.Counter: what was refused, dropped or cut short, by name

    # Counted since the start.
    cdef readonly uint64_t messages_in  # of clients, text and binary
    cdef readonly uint64_t bytes_in  # read from connections
    cdef readonly uint64_t sessions_total
    cdef readonly uint64_t sessions_peak
    cdef readonly uint64_t connections_total
    cdef readonly uint64_t connections_peak
    # Open now.
    cdef readonly uint64_t connections
    cdef readonly uint64_t sessions

    # One receive buffer for all: bytes are consumed before the loop reads again.
    cdef bytearray buffer
    cdef uint8_t *bytes

    cdef ws_limits limits
    cdef ws_limits deflate_limits  # where permessage-deflate was agreed on
    cdef readonly object deflate  # its settings; None: it is off
    cdef readonly double ping_interval
    cdef readonly double ping_timeout
    cdef public double connect_timeout  # 0: none
    cdef readonly double upgrade_timeout
    cdef dict open_packet_rest  # by transport: what follows the sid in the open packet
    cdef object initial_packet  # str or bytes that is sent after it; None: nothing
    cdef object compression  # of the answers to GETs
    cdef Py_ssize_t compression_threshold
    cdef readonly dict lingering  # id -> Polling whose session has ended and whose client was not told yet

    cdef readonly object hooks  # the engine
    # Its methods, called per connection and request:
    cdef object on_made  # (connection)
    cdef object on_request  # (connection, request or HttpError)
    cdef object on_lost  # (connection)
    cdef object on_announced  # (connection, request whose body is still coming)
    cdef object on_opened  # (session)
    cdef readonly Py_ssize_t max_body
    cdef public object hosted  # (request): whether it is not the engine's; None: all are

    cdef int connected(self, int difference) noexcept
    cdef int opened(self, int difference) noexcept
    cdef bytes open_packet(self, bytes upgrades, dict options)
