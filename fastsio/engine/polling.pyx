"""Polling: a session carried by HTTP requests, one GET and one POST at a time.

OUT  the session's slot has no descriptor and is blocked while no GET waits. A GET
     unblocks it; the flush hands over what is queued, put together in the client's
     dialect, and that is the answer. So there is one order and one backlog rule
     with every other connection, and fan-out does not know of polling.
IN   the body of a POST is walked packet by packet, in slices, to the Session.

When the server closes, what is queued goes out with one GET and the close packet
with the next: a client that gets both at once may see no more than the close. So
the slot lingers until then. Requests are parsed and admitted elsewhere.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fastsio.engine.core cimport Core
from fastsio.engine.session cimport Session, Transport
from fastsio.message cimport DIALECT_BASE64, DIALECT_EIO3, DIALECT_POLLING
from fastsio.outbox cimport outbox_now, outbox_pending
from fastsio.wire.polling cimport (
    EIO_3_BINARY,
    EIO_3_TEXT,
    EIO_4,
    EIO_EMPTY,
    EIO_END,
    EIO_PACKET,
    eio_error_text,
    eio_next,
    eio_open,
    eio_packet,
)

from fastsio.wire.jsonp import unwrap, wrap

LINGER = 30.0  # seconds that a closed session waits for the GET that tells the client

cdef uint64_t SLICE_NS = 2_000_000  # how long one POST's packets may keep the loop
cdef int PACKETS_PER_LOOK = 32
cdef str OCTETS = "application/octet-stream"
cdef tuple TEXT = (("Content-Type", "text/plain; charset=UTF-8"), ("cache-control", "no-store"))
cdef tuple BINARY = (("Content-Type", OCTETS), ("cache-control", "no-store"))
cdef tuple RECEIVED = (("Content-Type", "text/html"), ("cache-control", "no-store"))
# Ends that the server wants: the client is told, however late its next GET.
cdef frozenset GENTLE = frozenset(["forced close", "forced server close"])


cdef inline double monotonic() noexcept:
    return outbox_now() / 1e9


cdef class Polling(Transport):
    """The transport of a session that polls. Made by the engine; takes a slot at once."""

    def __cinit__(self, Core core, Session session, str jsonp=None):
        cdef uint32_t dialect = DIALECT_POLLING
        self.core = core
        self.session = session
        self.id = session.id
        self.protocol = session.protocol
        self.jsonp = jsonp
        if session.protocol == 3:
            dialect |= DIALECT_EIO3
        if session.base64:
            dialect |= DIALECT_BASE64
        core.outbox.open(self, -1)
        core.outbox.block(<uint32_t>self.slot)
        core.outbox.set_dialect(<uint32_t>self.slot, dialect)

    def open(self, exchange: object, request: object, list headers) -> None:
        """The request that opens the session: it is answered with the open packet at once."""
        cdef Session session = self.session
        session.begin(self)
        self.on_get(exchange, request, headers)
        self.core.outbox.flush_slot(<uint32_t>self.slot)
        self.plan()
        session.announce()

    # ---- GET ----

    def on_get(self, exchange: object, request: object, list headers) -> None:
        """A GET: answered when there is something to send."""
        if self.getter is not None:
            self.overlap(exchange, headers, "overlap from client")
            return
        self.getter = exchange
        self.get_request = request
        self.get_headers = headers
        exchange.waiter = self
        self.core.outbox.unblock(<uint32_t>self.slot)
        exchange.wait()
        if self.ending:
            self.tell_end()

    cdef int on_handover(self, object data) except -1:
        cdef bint is_binary
        if self.getter is None:  # its connection went in this very round of the loop: `aborted` has been called
            return 0
        self.core.outbox.taken(<uint32_t>self.slot)
        is_binary = data[0] < 2  # 0 or 1 begins a binary payload of protocol 3
        body = bytes(data)
        return self.answer(body if self.protocol == 3 else body[: len(body) - 1], is_binary, data.obj.compress)

    cdef int answer(self, bytes body, bint is_binary=False, bint compress=False) except -1:
        exchange, request, headers = self.getter, self.get_request, self.get_headers
        self.getter = self.get_request = self.get_headers = None
        exchange.waiter = None
        if self.jsonp is not None:
            body = wrap(self.jsonp, body)
        headers = [*(BINARY if is_binary else TEXT), *headers]
        if compress and PyBytes_GET_SIZE(body) >= self.core.compression_threshold:
            accepted = request.header("accept-encoding")
            _, body, more = self.core.compression.encode(accepted, body, headers[0][1])
            headers += more
        exchange.respond(200, headers, body)
        return 0

    cdef int nudge(self) except -1:
        if self.getter is not None:
            self.core.outbox.write_packet(<uint32_t>self.slot, b"6")
        return 0

    def on_eof(self, exchange: object) -> bool:
        """The client of a request under way sends no more. Whether it is still to be answered: a GET only now."""
        if exchange is not self.getter:
            return True
        if outbox_pending(self.core.outbox.c, <uint32_t>self.slot) != 0:
            self.core.outbox.flush_slot(<uint32_t>self.slot)
        return False

    # ---- POST ----

    def on_announced(self, exchange: object, list headers) -> bool:
        """A POST has begun; False: it was refused."""
        if self.poster is not None:
            self.overlap(exchange, headers, "data request overlap from client")
            return False
        self.poster = exchange
        exchange.waiter = self
        return True

    def on_post(self, exchange: object, request: object, list headers) -> None:
        """A POST is complete: its packets go to the session, then it is answered."""
        if self.poster is not None and self.poster is not exchange:
            self.overlap(exchange, headers, "data request overlap from client")
            return
        self.poster = exchange
        self.post_headers = headers
        exchange.waiter = self
        if self.begin_payload(request):
            self.read_packets()

    cdef int begin_payload(self, object request) except -1:
        """Whether the body can be read; else the request is answered."""
        cdef bint octets = request.header("content-type") == OCTETS
        if octets and self.protocol == 4:
            if self.session is not None:
                self.session.finish("transport error", "invalid content")
            self.end_post(400)
            return False
        self.body = request.body
        if self.jsonp is not None:
            try:
                self.body = unwrap(self.body)
            except ValueError:
                self.body = b""
        self.payload = eio_open(
            <const uint8_t *>PyBytes_AS_STRING(self.body),
            PyBytes_GET_SIZE(self.body),
            EIO_4 if self.protocol == 4 else EIO_3_BINARY if octets else EIO_3_TEXT,
        )
        return True

    cdef int read_packets(self) except -1:
        cdef eio_packet packet
        cdef int status = EIO_END
        cdef int count = 0
        cdef uint64_t deadline = outbox_now() + SLICE_NS
        cdef Session session = self.session
        while self.session is not None:
            status = eio_next(&self.payload, &packet)
            if status != EIO_PACKET:
                break
            if packet.is_binary:
                session.on_binary_frame(packet.data, packet.size)
            elif packet.size == 1 and packet.data[0] == c"1":
                self.client_closed = True
                session.finish("transport close", None)
            else:
                session.on_frame(packet.data, packet.size)
            count += 1
            if count % PACKETS_PER_LOOK == 0 and outbox_now() > deadline:
                self.core.loop.call_soon(self._go_on)  # the others' turn
                return 0
        if status < 0:
            session.finish("parse error", (<bytes>eio_error_text(status)).decode())
        return self.end_post(400 if status == EIO_EMPTY and not self.body else 200)

    def _go_on(self) -> None:
        if self.poster is not None:
            self.read_packets()

    cdef int end_post(self, int status) except -1:
        exchange, headers = self.poster, self.post_headers
        self.poster = self.post_headers = self.body = None
        if exchange is not None:
            exchange.waiter = None
            if status == 200:
                exchange.respond(200, [*RECEIVED, *headers], b"ok")
            else:
                exchange.respond(status, headers, b"")
        return 0

    # ---- what goes wrong ----

    cdef int overlap(self, object exchange, list headers, str description) except -1:
        """Two GETs, or two POSTs, at a time: the second is refused, and the session ends."""
        exchange.respond(400, headers, b"")
        if self.session is not None:
            self.session.finish("transport error", description)
        return 0

    def aborted(self, exchange: object) -> None:
        """The connection of a request under way is gone."""
        if exchange is self.getter:
            self.getter = self.get_request = self.get_headers = None
            description = "poll connection closed prematurely"
        elif exchange is self.poster:
            self.poster = self.post_headers = self.body = None
            description = "data request connection closed prematurely"
        else:
            return
        if self.session is not None:
            self.session.finish("transport error", description)
        elif self.ending:
            self.release()

    def overtaken(self, exchange: object, bint broken) -> None:
        """A POST was answered by somebody else before it was complete: it was refused, which leaves the session
        alone, or is no HTTP."""
        if broken:
            self.aborted(exchange)
        elif exchange is self.poster:
            self.poster = self.post_headers = self.body = None

    cdef int on_stuck(self, int error) except -1:
        self.core.counters["max_backlog reached"] += 1
        if self.session is not None:
            self.session.finish("transport error", "max_backlog reached", True)
        return 0

    # ---- deadlines ----

    cdef int on_deadline(self) except -1:
        if self.session is None:
            self.core.counters["closed before the last poll"] += 1
            return self.release()
        self.session.on_deadline(monotonic())
        return self.plan()

    cdef int plan(self) except -1:
        if self.session is None or self.slot < 0:
            return 0
        return self.core.deadlines.set(<uint32_t>self.slot, max(self.session.next_deadline() - monotonic(), 0.0))

    # ---- the end ----

    cdef int shut(self, str reason, bint discard) except -1:
        self.ended, self.session = self.session, None
        self.ending = True
        if self.slot < 0:
            return 0
        if reason in GENTLE and not discard:
            self.core.lingering[self.id] = self
            self.core.deadlines.set(<uint32_t>self.slot, LINGER)
            return self.tell_end() if self.getter is not None else 0
        if self.getter is not None:
            self.tell_end()
        return self.release()

    cdef int tell_end(self) except -1:
        """A GET waits: it gets what is queued, or else the close packet, the last that this client gets."""
        if outbox_pending(self.core.outbox.c, <uint32_t>self.slot) != 0:
            return self.core.outbox.flush_slot(<uint32_t>self.slot)
        return self.release()

    cdef int release(self) except -1:
        """Gives the slot back, and what was queued up."""
        cdef Session ended = self.ended
        self.ended = None
        self.core.lingering.pop(self.id, None)
        if ended is not None:
            ended.drop_probe()
        if self.slot >= 0:
            self.core.deadlines.cancel(<uint32_t>self.slot)
            self.core.outbox.close(self)
        if self.getter is not None:
            packet = b"6" if self.client_closed else b"1"
            self.answer(b"1:" + packet if self.protocol == 3 else packet)
        return 0

    cdef int retire(self) except -1:
        """A websocket has the slot, and all that was queued."""
        self.session = self.ended = None
        self.core.lingering.pop(self.id, None)
        if self.getter is not None:
            self.answer(b"1:6" if self.protocol == 3 else b"6")
        return 0

    def drop(self) -> None:
        """The engine closes: nobody is waited for any more."""
        self.release()

    @property
    def active(self) -> bool:
        """Whether requests still come to something here."""
        return self.slot >= 0

    cdef str transport_name(self):
        return "polling"
