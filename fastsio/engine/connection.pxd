from libc.stdint cimport uint8_t, uint32_t

from fastsio.engine.core cimport Core
from fastsio.engine.http cimport HttpParser
from fastsio.engine.request cimport Request
from fastsio.engine.session cimport Transport
from fastsio.wire.ws cimport ws_decoder, ws_event, ws_limits


cdef enum ConnectionState:
    NEW  # not yet connected
    HTTP  # requests are read
    WAITING  # a request is being answered; without a waiter, what comes meanwhile is not read
    WEBSOCKET
    CLOSING  # everything was sent; the peer has CLOSE_TIMEOUT to go
    LOST


# An accepted TCP (or TLS, or Unix) connection: an asyncio BufferedProtocol.
cdef class Connection(Transport):
    cdef Core core
    cdef object transport  # asyncio's; None before and after
    cdef readonly bint secure
    cdef uint8_t state

    # HTTP: until the upgrade.
    cdef HttpParser parser
    cdef list requests  # the parser's events, not yet worked on
    cdef readonly Request request  # the one under way; None while there is none, or for what is not HTTP
    cdef bint asked  # an answer is due
    cdef bint body_due  # the request under way has not come whole
    cdef public object waiter  # a Polling that answers the request when it likes; None otherwise
    cdef bint reading
    cdef bint eof  # the peer sends no more

    # Websocket: from the upgrade on.
    cdef bint probing  # it is the session's candidate for an upgrade, not yet its transport
    cdef uint32_t dialect
    cdef const ws_limits *limits  # the core's
    cdef ws_decoder decoder
    cdef bytearray rest  # received, not yet decoded: the loop had to go on; reading is paused
    cdef int close_code  # what the close frame says; 0: nothing
    cdef bint peer_closed  # its close frame came
    cdef bint failed  # it broke the protocol: nothing that follows can be understood
    cdef int pongs  # queued since the peer was last known to read

    # Writing: the transport holds bytes and has not said that it is through.
    cdef bint paused
    cdef double stalled_by  # monotonic; 0: nothing is held up
    cdef size_t stalled_size

    cdef int feed(self, object data) except -1
    cdef int next_request(self) except -1
    cpdef int read(self, bint on) except -1
    cpdef int answered(self, bint close) except -1
    cdef int end(self, str reason, object description, bint discard=*) except -1
    cdef int decode(self, uint8_t *cursor, uint8_t *end) except -1
    cdef int put_aside(self, uint8_t *cursor, uint8_t *end) except -1
    cdef int on_message(self, int kind, const uint8_t *data, size_t size) except -1
    cdef int on_message_of(self, ws_event *event, int kind) except -1
    cdef int fail(self, int code) except -1
    cdef int on_control(self, int kind, ws_event *event) except -1
    cdef int pong(self, ws_event *event) except -1
    cdef bint blocked(self) noexcept
    cdef int half_close(self) except -1
    cdef int plan(self) except -1
    cdef int leave(self) except -1
    cdef bint stalled(self, double now) except -1
