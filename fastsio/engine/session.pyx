"""Session: Engine.IO protocol 4 as one connection sees it (the rules are in the Engine.IO specification).

It is told of frames and deadlines by its Transport and tells its Receiver of
messages. Here are packet types, the heartbeat and the end of a session with its
reason. It never touches a socket or an event loop, and knows nothing of
Socket.IO.

 1. A session is OPEN from the open packet until its first reason to end; the reason is given to
    the Receiver exactly once, and nothing is given to it afterwards.
 2. The server pings every ping_interval; a pong sets the next ping; no pong within ping_timeout
    ends the session with "ping timeout". Any other packet extends that wait, once.
 3. Without a namespace joined within connect_timeout the session ends.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from time import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t

from fastsio.engine.core cimport Core
from fastsio.outbox cimport SlotOwner, outbox_now, outbox_pending
from fastsio.wire.ws cimport WS_MAX_HEADER, WS_TEXT, ws_write_header

cdef bytes PING = b"\x81\x012"


cdef inline double monotonic() noexcept:
    return outbox_now() / 1e9


cdef class Receiver:
    def attach(self, session: Session) -> None:
        """Names the session whose receiver this is."""
        raise NotImplementedError

    cdef int on_text(self, const uint8_t *data, size_t size) except -1:
        raise NotImplementedError

    cdef int on_binary(self, const uint8_t *data, size_t size) except -1:
        raise NotImplementedError

    cdef int on_close(self, str reason, object description) except -1:
        raise NotImplementedError


cdef class Transport(SlotOwner):
    cdef int shut(self, bint discard) except -1:
        raise NotImplementedError

    cdef str transport_name(self):
        raise NotImplementedError

    @property
    def name(self) -> str:
        return self.transport_name()


cdef class Session:
    """The engine socket: one Engine.IO client.

    Made by the engine; `conn` of a Client and of a Socket is one of these.
    """

    def __cinit__(self, Core core, str id, object request, Receiver receiver):
        self.core = core
        self.id = id
        self.request = request
        self.receiver = receiver
        self.state = SessionState.OPEN
        self.opened = time()

    # ---- what the transport tells ----

    cdef int begin(self, Transport carrier) except -1:
        """Sends the open packet and starts the heartbeat."""
        cdef double now = monotonic()
        self.carrier = carrier
        self.beat_at = now + self.core.ping_interval
        self.connect_by = now + self.core.connect_timeout
        self.joined = self.core.connect_timeout == 0
        opening = b'0{"sid":"' + self.id.encode() + self.core.open_packet_rest
        return self.core.outbox.write(<uint32_t>carrier.slot, frame(opening))

    cdef int on_frame(self, const uint8_t *data, size_t size) except -1:
        """A text frame: one packet."""
        if self.state != SessionState.OPEN:
            return 0
        if size > 1 and data[0] == c"4":
            if self.awaiting_pong:
                self.extend()
            return self.receiver.on_text(data + 1, size - 1)
        return self.on_other_packet(data, size)

    cdef int on_binary_frame(self, const uint8_t *data, size_t size) except -1:
        """A binary frame: a message without a type."""
        if self.state != SessionState.OPEN:
            return 0
        if self.awaiting_pong:
            self.extend()
        return self.receiver.on_binary(data, size)

    cdef int on_other_packet(self, const uint8_t *data, size_t size) except -1:
        cdef uint8_t type = data[0] if size else 0
        if type == c"3" and size == 1:
            return self.on_pong()
        if self.awaiting_pong:
            self.extend()
        if type == c"4":
            return self.receiver.on_text(data + 1, 0)
        if type == c"b":
            return self.on_base64(data + 1, size - 1)
        if type == c"2":
            return self.finish("transport error", "invalid heartbeat direction")
        if type in (c"0", c"1", c"3", c"5", c"6"):
            return 0  # open, close, upgrade, noop: without meaning from a websocket client
        return self.finish("parse error", "unknown packet type")

    cdef int on_base64(self, const uint8_t *data, size_t size) except -1:
        cdef bytes decoded
        try:
            decoded = b64decode(PyBytes_FromStringAndSize(<const char *>data, size), validate=True)
        except Base64Error:
            return self.finish("parse error", "invalid base64")
        return self.receiver.on_binary(<const uint8_t *>PyBytes_AS_STRING(decoded), PyBytes_GET_SIZE(decoded))

    # ---- heartbeat ----

    cdef int on_pong(self) except -1:
        if self.awaiting_pong:
            self.awaiting_pong = False
            self.extended = False
            self.beat_at = monotonic() + self.core.ping_interval
            self.core.deadlines.set(<uint32_t>self.carrier.slot, self.core.ping_interval)
        return 0

    cdef int extend(self) except -1:
        if not self.extended:
            self.extended = True
            self.beat_at = monotonic() + self.core.ping_timeout
        return 0

    cdef int on_deadline(self, double now) except -1:
        """Does what is due."""
        if not self.joined and now >= self.connect_by:
            self.core.counters["connect timeout"] += 1
            return self.finish("forced close", "no namespace joined")
        if now < self.beat_at:
            return 0
        if self.awaiting_pong:
            return self.finish("ping timeout", None)
        self.awaiting_pong = True
        self.beat_at = now + self.core.ping_timeout
        return self.core.outbox.write(<uint32_t>self.carrier.slot, PING)

    cdef double next_deadline(self) noexcept:
        """The monotonic time at which on_deadline has something to do."""
        return self.beat_at if self.joined or self.beat_at < self.connect_by else self.connect_by

    # ---- the end ----

    cdef int finish(self, str reason, object description, bint discard=False) except -1:
        """Ends the session for this reason, once: the receiver is told, then the transport closed."""
        if self.state == SessionState.CLOSED:
            return 0
        self.state = SessionState.CLOSED
        cdef Transport carrier = self.carrier
        cdef Receiver receiver = self.receiver
        self.carrier = None
        self.receiver = None
        try:
            if self.on_closed is not None:
                self.on_closed(self)
            receiver.on_close(reason, description)
        finally:
            if carrier is not None:
                carrier.shut(discard)
        return 0

    # ---- for the user ----

    def close(self, discard: bool = False) -> None:
        """Closes the connection, after what is queued was sent; with `discard` at once."""
        self.finish("forced close", None, discard)

    def end(self, str reason, object description=None) -> None:
        """Closes with another reason than "forced close" (for the layers above)."""
        self.finish(reason, description)

    @property
    def ready_state(self) -> str:
        """ "open" or "closed"."""
        return "open" if self.state == SessionState.OPEN else "closed"

    @property
    def protocol(self) -> int:
        """The Engine.IO protocol: 4."""
        return 4

    @property
    def transport(self) -> Transport | None:
        """What carries the session now, with a `name`; None once it is closed."""
        return self.carrier

    @property
    def upgraded(self) -> bool:
        """Whether the session came from polling to websocket."""
        return False

    @property
    def remote_address(self) -> str:
        """The peer's address."""
        return self.request.address

    @property
    def buffered_amount(self) -> int:
        """Bytes that are queued for this client and not yet in the kernel's hands."""
        cdef int64_t slot = self.slot()
        return outbox_pending(self.core.outbox.c, <uint32_t>slot) if slot >= 0 else 0

    @property
    def slot_number(self) -> int:
        """Its slot in the outbox; -1 once it is closed."""
        return self.slot()

    cdef int64_t slot(self) noexcept:
        return self.carrier.slot if self.carrier is not None else -1


cdef bytes frame(bytes text):
    """A text frame around the text."""
    cdef uint8_t head[WS_MAX_HEADER]
    cdef size_t size = ws_write_header(head, WS_TEXT, 0, len(text))
    return PyBytes_FromStringAndSize(<const char *>head, size) + text
