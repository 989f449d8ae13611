"""Connection: the only file that touches a transport.

IN   get_buffer / buffer_updated: HTTP requests go to the engine, which answers each
     by respond, at once or later; after an upgrade frames are decoded where they lie
     and given to the Session, or to its upgrade while that is under way.
OUT  whatever is sent goes through the outbox under this connection's slot, so that
     there is one order. Plain TCP is flushed by the outbox straight to the
     descriptor; what the kernel does not take, and all of TLS, comes to
     on_handover and is the transport's from then on.

The slot is taken in connection_made and given back in connection_lost, before the
descriptor is closed: a recycled descriptor never gets somebody else's bytes.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fastsio.engine.core cimport Core
from fastsio.engine.http cimport HttpParser
from fastsio.engine.request cimport Request
from fastsio.engine.session cimport Session, Transport
from fastsio.message cimport DIALECT_BASE64, DIALECT_DEFLATE, DIALECT_EIO3
from fastsio.outbox cimport SLOT_BLOCKED, outbox_detach, outbox_now
from fastsio.wire.ws cimport (
    WS_BINARY, WS_CLOSE, WS_CLOSE_NO_STATUS, WS_ERROR, WS_NEED_MORE, WS_PING, WS_PONG, WS_TEXT, ws_decode,
    ws_decoder_clear,
)

from fastsio.engine.http import PIPELINE, Announcement, HttpError
from fastsio.engine.response import response
from fastsio.wire.deflate import TooLarge, inflate
from fastsio.wire.ws import encode_frame, is_utf8

# Deadlines in seconds.
HANDSHAKE_TIMEOUT = 10.0  # from the connection, and from each answer, to the end of the next request's head
BODY_TIMEOUT = 30.0  # from there to the end of its body
CLOSE_TIMEOUT = 5.0
STALL_TIMEOUT = 30.0  # without a byte taken by the peer

cdef uint64_t SLICE_NS = 2_000_000  # how long one connection's frames may keep the loop
cdef int FRAMES_PER_LOOK = 32  # frames between two looks at the clock
cdef int MAX_PONGS = 64  # queued for a peer that reads; 1 for one that does not


cdef inline double monotonic() noexcept:
    return outbox_now() / 1e9


cdef class Connection(Transport):
    """One accepted connection. core: what it shares with the others; secure: whether it is TLS."""

    def __cinit__(self, Core core, bint secure):
        self.core = core
        self.secure = secure
        self.requests = []
        self.reading = True

    def __dealloc__(self):
        ws_decoder_clear(&self.decoder)

    # ---- asyncio's side ----

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.state = ConnectionState.HTTP
        self.parser = HttpParser(self.core.max_body, self.core.hosted)
        socket = None if self.secure else transport.get_extra_info("socket")
        self.core.outbox.open(self, -1 if socket is None else socket.fileno())
        # pause_writing as soon as anything is held: above 0 bytes, or from 1 on, as TLS transports count.
        transport.set_write_buffer_limits(1 if self.secure else 0, 0)
        self.core.deadlines.set(<uint32_t>self.slot, HANDSHAKE_TIMEOUT)
        self.core.connected(1)
        self.core.on_made(self)

    def get_buffer(self, size_hint):
        return self.core.buffer

    def buffer_updated(self, Py_ssize_t size) -> None:
        cdef uint8_t *data = self.core.bytes
        self.core.bytes_in += size
        if self.state == ConnectionState.WEBSOCKET:
            if self.pongs != 0 and not self.blocked():
                self.pongs = 0
            self.decode(data, data + size)
        elif self.state == ConnectionState.HTTP or self.state == ConnectionState.WAITING:
            self.feed(PyBytes_FromStringAndSize(<const char *>data, size))
        elif self.state == ConnectionState.CLOSING and self.session is not None and not self.failed:
            self.decode(data, data + size)  # for the peer's close frame

    def eof_received(self) -> bool:
        """Whether the transport stays open for writing: only while a request is being answered."""
        self.eof = True
        if self.state == ConnectionState.WAITING and self.waiter is not None and not self.waiter.on_eof(self):
            if self.state != ConnectionState.WAITING and self.slot >= 0:
                self.core.outbox.flush_slot(<uint32_t>self.slot)  # the answer that was just given
            return False
        return self.state == ConnectionState.WAITING

    def connection_lost(self, exc) -> None:
        cdef Session session = self.session
        waiter, self.waiter = self.waiter, None
        self.state = ConnectionState.LOST
        self.core.deadlines.cancel(<uint32_t>self.slot)
        self.core.outbox.close(self)
        self.core.connected(-1)
        self.transport = self.parser = self.request = self.rest = None
        ws_decoder_clear(&self.decoder)
        try:
            if waiter is not None:
                waiter.aborted(self)
            if session is not None:
                self.end("transport close" if exc is None else "transport error", exc)
        finally:
            self.session = None
            self.core.on_lost(self)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.stalled_by = 0
        if self.slot >= 0:
            self.core.outbox.unblock(<uint32_t>self.slot)

    # ---- HTTP ----

    cdef int feed(self, object data) except -1:
        self.requests += self.parser.feed(data)
        interim = self.parser.interim()
        if interim:
            self.core.outbox.write(<uint32_t>self.slot, interim)
        return self.next_request()

    cdef int next_request(self) except -1:
        """The oldest request goes to the engine, which answers it now or later."""
        while self.requests and (self.state == ConnectionState.HTTP or is_rest(self.requests[0])):
            event = self.requests.pop(0)
            if is_rest(event) or (type(event) is Request and (<Request>event).hosted):
                self.delegate(event)
                continue
            self.asked = True
            if type(event) is Announcement:
                self.request = event.request
                self.body_due = True
                self.core.deadlines.set(<uint32_t>self.slot, BODY_TIMEOUT)
                self.core.on_announced(self, event.request)
                continue
            self.request = event if type(event) is Request else None
            self.body_due = False
            self.state = ConnectionState.WAITING
            self.core.on_request(self, event)
        if self.state == ConnectionState.WAITING and (self.waiter is None or len(self.requests) > PIPELINE):
            self.read(False)
        return 0

    def delegate(self, event) -> None:
        """Not ours: a request whose head is complete, its body piece by piece, or what is wrong with that. It is
        answered by write and answered."""
        raise NotImplementedError

    def write(self, bytes data) -> None:
        """Sends, after what was sent before."""
        self.core.outbox.write(<uint32_t>self.slot, data)

    cpdef int read(self, bint on) except -1:
        """Reads, or does not for a while."""
        if on != self.reading and self.transport is not None:
            self.reading = on
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()
        return 0

    def wait(self) -> None:
        """The request under way is answered whenever there is something to answer."""
        self.state = ConnectionState.WAITING
        self.core.deadlines.cancel(<uint32_t>self.slot)

    def respond(self, int status, headers, bytes body) -> None:
        """Answers the request under way, once; the connection ends with it where the request says so.

        headers: (name, value) pairs. ValueError: CR, LF or NUL in one.
        """
        cdef Request request = self.request
        cdef bint close = request is None or self.body_due or self.eof or request.upgrade or not request.keep_alive
        if not self.asked or self.transport is None or self.state == ConnectionState.CLOSING:
            return
        head = request is not None and request.method == "HEAD"
        self.core.outbox.write(<uint32_t>self.slot, response(status, headers, body, close=close, head=head))
        self.asked = False
        waiter, self.waiter = self.waiter, None
        if waiter is not None:  # somebody else answers in its place
            waiter.overtaken(self, request is None and status != 413)
        self.answered(close)

    cpdef int answered(self, bint close) except -1:
        """The answer is complete; with `close` the connection ends after it."""
        self.request = self.waiter = None
        if close:
            return self.half_close()
        self.state = ConnectionState.HTTP
        self.core.deadlines.set(<uint32_t>self.slot, HANDSHAKE_TIMEOUT)
        self.read(True)
        if self.requests:
            self.core.loop.call_soon(self._next_request)
        return 0

    def _next_request(self) -> None:
        self.next_request()

    def upgrade(self, bytes head, Session session, bint probing, bint deflate) -> None:
        """Sends the head of the 101 answer; from here on the connection speaks websocket for this session,
        or with `probing` is its candidate for an upgrade. deflate: permessage-deflate was agreed on."""
        cdef bytearray tail = bytearray(self.parser.tail)
        cdef bint base64 = b"b64=" in self.request.query_string() and bool(self.request.query.get("b64"))
        self.parser = self.requests = self.request = None
        self.asked = False
        self.session = session
        self.probing = probing
        self.state = ConnectionState.WEBSOCKET
        self.core.outbox.write(<uint32_t>self.slot, head)
        self.dialect = (DIALECT_EIO3 if session.protocol == 3 else 0) | (DIALECT_BASE64 if base64 else 0)
        self.dialect |= DIALECT_DEFLATE if deflate else 0
        self.limits = &self.core.deflate_limits if deflate else &self.core.limits
        self.core.outbox.set_dialect(<uint32_t>self.slot, self.dialect)
        if probing:
            session.offer(self)
            self.core.deadlines.set(<uint32_t>self.slot, self.core.upgrade_timeout)
        else:
            session.begin(self)
            session.announce()
            self.plan()
        self.read(True)
        if tail:
            self.decode(<uint8_t *>PyByteArray_AS_STRING(tail), <uint8_t *>PyByteArray_AS_STRING(tail) + len(tail))

    cdef int take_over(self, Transport old) except -1:
        """The upgrade is through: the session's slot gets this descriptor."""
        cdef int fd = -1 if self.secure else self.transport.get_extra_info("socket").fileno()
        self.probing = False
        self.core.deadlines.cancel(<uint32_t>self.slot)
        self.core.outbox.adopt(self, <uint32_t>old.slot, fd, self.dialect)
        return self.plan()

    # ---- websocket in ----

    cdef int decode(self, uint8_t *cursor, uint8_t *end) except -1:
        cdef ws_event event
        cdef int kind, frames = 0
        cdef uint64_t deadline = 0
        while True:
            kind = ws_decode(&self.decoder, self.limits, &cursor, end, &event)
            if kind == WS_TEXT and not event.compressed:
                self.on_message(kind, event.data, event.size)
            elif kind == WS_NEED_MORE:
                return 0
            elif kind == WS_BINARY or kind == WS_TEXT:
                self.on_message_of(&event, kind)
            else:
                self.on_control(kind, &event)
            if self.state == ConnectionState.LOST or self.failed or self.peer_closed:
                return 0
            frames += 1
            if frames % FRAMES_PER_LOOK == 0 and cursor != end:
                if deadline == 0:
                    deadline = outbox_now() + SLICE_NS
                elif outbox_now() > deadline:
                    return self.put_aside(cursor, end)

    cdef inline int on_message(self, int kind, const uint8_t *data, size_t size) except -1:
        if self.probing:
            return self.session.on_probe(self, data, size, kind == WS_TEXT)
        if kind == WS_TEXT:
            return self.session.on_frame(data, size)
        return self.session.on_binary_frame(data, size)

    cdef int on_message_of(self, ws_event *event, int kind) except -1:
        """A message that may be deflated (RFC 7692)."""
        cdef bytes payload
        if not event.compressed:
            return self.on_message(kind, event.data, event.size)
        try:
            payload = inflate(event.data[: event.size], self.core.limits.max_message)
        except TooLarge:
            return self.fail(1009)
        except ValueError:
            return self.fail(1007)
        if kind == WS_TEXT and not is_utf8(payload):
            return self.fail(1007)
        return self.on_message(kind, <const uint8_t *>PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload))

    cdef int fail(self, int code) except -1:
        """The peer broke the protocol; the close frame says how."""
        self.failed = True
        self.close_code = code
        self.core.counters["websocket error %d" % code] += 1
        return self.end("transport error", "websocket protocol error %d" % code)

    cdef int put_aside(self, uint8_t *cursor, uint8_t *end) except -1:
        """The others' turn: what is left is decoded in the next round of the loop, before anything new is read."""
        self.rest = bytearray(PyBytes_FromStringAndSize(<const char *>cursor, end - cursor))
        self.read(False)
        self.core.loop.call_soon(self._go_on)
        return 0

    def _go_on(self) -> None:
        cdef bytearray rest = self.rest
        cdef uint8_t *data
        if rest is None or self.transport is None:
            return
        self.rest = None
        data = <uint8_t *>PyByteArray_AS_STRING(rest)
        self.decode(data, data + len(rest))
        if self.rest is None and self.transport is not None and not self.transport.is_closing():
            self.read(True)

    cdef int on_control(self, int kind, ws_event *event) except -1:
        if kind == WS_PING:
            return self.pong(event)
        if kind == WS_PONG:
            return 0
        if kind == WS_ERROR:
            return self.fail(event.code)
        # RFC 6455 5.5.1: a close frame is answered by one with the same code, unless ours went first.
        self.peer_closed = True
        if self.state == ConnectionState.CLOSING:
            self.transport.close()
            return 0
        self.close_code = 0 if event.code == WS_CLOSE_NO_STATUS else event.code
        return self.end("transport close", event.code)

    cdef int pong(self, ws_event *event) except -1:
        if self.state != ConnectionState.WEBSOCKET:
            return 0
        if self.pongs >= (1 if self.blocked() else MAX_PONGS):
            self.core.counters["pong dropped"] += 1
            return 0
        self.pongs += 1
        return self.core.outbox.write(<uint32_t>self.slot, encode_frame(WS_PONG, event.data[: event.size]))

    # ---- out ----

    cdef bint blocked(self) noexcept:
        return self.core.outbox.c.slots[self.slot].flags & SLOT_BLOCKED

    cdef int on_handover(self, object data) except -1:
        """Bytes that send(2) did not take, or that are the transport's anyway (TLS)."""
        if self.transport is None:
            return 0
        self.transport.write(data)
        if self.slot < 0:
            return 0
        if not self.paused and self.transport.get_write_buffer_size() == 0:
            self.core.outbox.unblock(<uint32_t>self.slot)
        elif self.stalled_by == 0:
            self.stalled_by = monotonic() + STALL_TIMEOUT
            self.stalled_size = self.transport.get_write_buffer_size()
            self.plan()
        return 0

    cdef int on_stuck(self, int error) except -1:
        """send(2) failed, or the peer reads too slowly: what it has not got by now it will not get."""
        self.core.counters["send error" if error else "max_backlog reached"] += 1
        if self.session is not None:
            description = OSError(error, "send failed") if error else "max_backlog reached"
            self.end("transport error", description, True)
        elif self.transport is not None:
            self.transport.abort()
        return 0

    # ---- deadlines ----

    cdef int on_deadline(self) except -1:
        cdef double now = monotonic()
        if self.transport is None:
            return 0
        if self.state == ConnectionState.WEBSOCKET:
            if self.stalled(now):
                self.core.counters["write stalled"] += 1
                return self.end("transport error", "the peer stopped reading", True)
            if self.probing:
                self.core.counters["upgrade timeout"] += 1
                return self.end("", None)
            self.session.on_deadline(now)
            return self.plan()
        if self.state == ConnectionState.WAITING:
            self.core.on_request(self, HttpError(503, "no decision in time"))
            return 0
        if self.state != ConnectionState.CLOSING:
            self.core.counters["handshake timeout"] += 1
        self.transport.abort()
        return 0

    cdef bint stalled(self, double now) except -1:
        """Whether the transport has held bytes for STALL_TIMEOUT without getting rid of any."""
        cdef size_t size
        if self.stalled_by == 0 or now < self.stalled_by:
            return False
        size = self.transport.get_write_buffer_size()
        if size >= self.stalled_size:
            return True
        self.stalled_size = size
        self.stalled_by = now + STALL_TIMEOUT
        return False

    cdef int plan(self) except -1:
        """Sets the deadline of an open websocket: the session's, or the end of a stall when that is earlier."""
        cdef double at
        if self.state != ConnectionState.WEBSOCKET or self.probing:
            return 0
        at = self.session.next_deadline()
        if self.stalled_by != 0 and self.stalled_by < at:
            at = self.stalled_by
        return self.core.deadlines.set(<uint32_t>self.slot, max(at - monotonic(), 0.0))

    # ---- the end ----

    cdef int end(self, str reason, object description, bint discard=False) except -1:
        """Ends the session, or only this connection where it is no more than a candidate."""
        if not self.probing:
            return self.session.finish(reason, description, discard)
        if self.session.probe is self:
            self.session.drop_probe()
        if discard:
            self.abort()
        return 0

    cdef int shut(self, str reason, bint discard) except -1:
        """The closing handshake (RFC 6455 7.1.2): our close frame, the peer's, then the descriptor."""
        if self.transport is None or self.state == ConnectionState.CLOSING:
            return 0
        if discard:
            self.state = ConnectionState.CLOSING
            self.transport.abort()
            return 0
        code = b"%c%c" % (self.close_code >> 8, self.close_code & 0xFF) if self.close_code else b""
        self.core.outbox.write(<uint32_t>self.slot, encode_frame(WS_CLOSE, code))
        if self.failed:
            return self.half_close()
        self.leave()
        if self.peer_closed:
            self.transport.close()
        return 0

    cdef int leave(self) except -1:
        """Everything goes to the kernel or the transport now, and nothing after it."""
        self.state = ConnectionState.CLOSING
        self.core.outbox.flush_slot(<uint32_t>self.slot)
        outbox_detach(self.core.outbox.c, <uint32_t>self.slot)
        self.core.deadlines.set(<uint32_t>self.slot, CLOSE_TIMEOUT)
        return 0

    cdef int half_close(self) except -1:
        """Ends our direction and reads on, without listening, until the peer ends its own: closing a
        descriptor with unread bytes would reset the connection and lose the answer on its way."""
        self.leave()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.read(True)
        else:
            self.transport.close()
        return 0

    def refuse(self, int status, headers) -> None:
        """Answers before anything was asked, and closes."""
        self.asked = True
        self.respond(status, headers, b"")

    def hang_up(self) -> None:
        """Closes the connection after what it has still to send."""
        if self.transport is not None and self.state != ConnectionState.CLOSING:
            self.leave()
            self.transport.close()

    def abort(self) -> None:
        """Closes the descriptor at once."""
        if self.transport is not None:
            self.transport.abort()

    cdef str transport_name(self):
        return "websocket"

    @property
    def peer(self) -> str:
        """The peer's address, without the port; "" for a Unix socket."""
        peername = self.transport.get_extra_info("peername") if self.transport is not None else None
        return peername[0] if isinstance(peername, tuple) else ""

    def get_extra_info(self, str name):
        """As asyncio's transports have it."""
        return self.transport.get_extra_info(name) if self.transport is not None else None


cdef bint is_rest(event):
    """Whether it follows the head of a request that is hosted."""
    return type(event) is bytes or (type(event) is HttpError and event.request is not None and event.request.hosted)
