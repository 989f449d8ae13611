"""AsgiWebSocket: a session's websocket where an ASGI server does the framing.

OUT  what the outbox hands over are our own frames, whole ones; they are taken apart
     into messages for `deliver`, and on_sent unblocks the slot.
IN   on_message, for each message that the server has received.
END  the session ends: `finish` is called after everything was delivered. The server
     ends: on_lost, once, after which nothing is called any more.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fastsio.engine.core cimport Core
from fastsio.engine.session cimport Session, Transport
from fastsio.message cimport DIALECT_BASE64, DIALECT_EIO3
from fastsio.outbox cimport outbox_detach, outbox_now
from fastsio.wire.ws cimport WS_BINARY

CLOSE_TIMEOUT = 5.0  # seconds for what is queued at the end
STALL_TIMEOUT = 30.0  # without a message taken by the server

cdef int NORMAL = 1000  # RFC 6455 7.4.1
cdef int TOO_BIG = 1009


cdef inline double monotonic() noexcept:
    return outbox_now() / 1e9


cdef class AsgiWebSocket(Transport):
    def __cinit__(self, Core core, Session session, object deliver, object finish):
        self.core = core
        self.session = session
        self.deliver = deliver
        self.finish = finish
        self.close_code = NORMAL
        core.outbox.open(self, -1)
        self.dialect = (DIALECT_EIO3 if session.protocol == 3 else 0) | (DIALECT_BASE64 if session.base64 else 0)
        core.outbox.set_dialect(<uint32_t>self.slot, self.dialect)

    def begin(self, bint probing) -> None:
        """The websocket is accepted: it carries its session, or with `probing` is its candidate for an upgrade."""
        self.probing = probing
        if probing:
            self.session.offer(self)
            self.core.deadlines.set(<uint32_t>self.slot, self.core.upgrade_timeout)
        else:
            self.session.begin(self)
            self.session.announce()
            self.plan()

    cdef int take_over(self, Transport old) except -1:
        """The upgrade is through: the session's slot becomes this one's."""
        self.probing = False
        self.core.deadlines.cancel(<uint32_t>self.slot)
        self.core.outbox.adopt(self, <uint32_t>old.slot, -1, self.dialect)
        return self.plan()

    # ---- in ----

    def on_message(self, message: str | bytes) -> None:
        cdef Py_ssize_t size
        cdef const char *data
        if self.closing or self.session is None:
            return
        if isinstance(message, str):
            data = PyUnicode_AsUTF8AndSize(message, &size)
            self.receive(<const uint8_t *>data, size, False)
        else:
            message = bytes(message)
            self.receive(<const uint8_t *>PyBytes_AS_STRING(message), PyBytes_GET_SIZE(message), True)

    cdef int receive(self, const uint8_t *data, size_t size, bint is_binary) except -1:
        self.core.bytes_in += size
        if size > self.core.limits.max_message:
            self.close_code = TOO_BIG
            self.core.counters["websocket error %d" % TOO_BIG] += 1
            return self.end("transport error", "websocket protocol error %d" % TOO_BIG)
        if self.probing:
            return self.session.on_probe(self, data, size, not is_binary)
        if is_binary:
            return self.session.on_binary_frame(data, size)
        return self.session.on_frame(data, size)

    # ---- out ----

    cdef int on_handover(self, object data) except -1:
        cdef double now = monotonic()
        if self.stalled_by == 0:
            self.stalled_by = now + STALL_TIMEOUT
        self.deliver(messages(bytes(data)))
        return 0 if self.closing else self.plan()

    def on_progress(self) -> None:
        """The server has taken a message."""
        if self.stalled_by != 0:
            self.stalled_by = monotonic() + STALL_TIMEOUT

    def on_sent(self) -> None:
        """The server has taken everything that was delivered."""
        self.stalled_by = 0
        if self.slot >= 0 and not self.closing:
            self.core.outbox.unblock(<uint32_t>self.slot)

    cdef int on_stuck(self, int error) except -1:
        self.core.counters["max_backlog reached"] += 1
        return self.end("transport error", "max_backlog reached", True)

    # ---- deadlines ----

    cdef int on_deadline(self) except -1:
        cdef double now = monotonic()
        if self.closing:
            self.finish(self.close_code, True)
            return 0
        if self.session is None:
            return 0
        if self.stalled_by != 0 and now >= self.stalled_by:
            self.core.counters["write stalled"] += 1
            return self.end("transport error", "the peer stopped reading", True)
        if self.probing:
            self.core.counters["upgrade timeout"] += 1
            return self.end("", None)
        self.session.on_deadline(now)
        return self.plan()

    cdef int plan(self) except -1:
        cdef double at
        if self.probing or self.closing or self.slot < 0:
            return 0
        at = self.session.next_deadline()
        if self.stalled_by != 0 and self.stalled_by < at:
            at = self.stalled_by
        return self.core.deadlines.set(<uint32_t>self.slot, max(at - monotonic(), 0.0))

    # ---- the end ----

    cdef int end(self, str reason, object description, bint discard=False) except -1:
        """Ends the session, or only this websocket where it is no more than a candidate."""
        if self.session is None:
            return 0
        if not self.probing:
            return self.session.finish(reason, description, discard)
        if self.session.probe is self:
            self.session.drop_probe()
        return 0

    cdef int shut(self, str reason, bint discard) except -1:
        """What is queued is delivered, and nothing after it."""
        if self.closing or self.slot < 0:
            return 0
        self.closing = True
        if not discard:
            self.core.outbox.flush_slot(<uint32_t>self.slot)
            self.core.deadlines.set(<uint32_t>self.slot, CLOSE_TIMEOUT)
        outbox_detach(self.core.outbox.c, <uint32_t>self.slot)
        self.finish(self.close_code, discard)
        return 0

    def on_lost(self, int code) -> None:
        """The server has no such websocket any more. code: of the peer's close frame, 1006 without one."""
        if self.session is None:
            return
        try:
            if not self.closing:
                self.end("transport close", code)
        finally:
            self.session = None
            self.closing = True
            if self.slot >= 0:
                self.core.deadlines.cancel(<uint32_t>self.slot)
                self.core.outbox.close(self)

    cdef str transport_name(self):
        return "websocket"


cdef list messages(bytes frames):
    """What is in our own frames: unmasked, whole, neither fragmented nor deflated."""
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(frames)
    cdef const uint8_t *end = at + PyBytes_GET_SIZE(frames)
    cdef uint64_t size
    cdef int length, index
    cdef bint is_binary
    cdef list found = []
    while at < end:
        is_binary = at[0] & 0x0F == WS_BINARY
        size = at[1]
        at += 2
        if size > 125:
            length = 2 if size == 126 else 8
            size = 0
            for index in range(length):
                size = size << 8 | at[index]
            at += length
        if is_binary:
            found.append(PyBytes_FromStringAndSize(<const char *>at, size))
        else:
            found.append(PyUnicode_DecodeUTF8(<const char *>at, size, NULL))
        at += size
    return found
