"""Session: Engine.IO as one client speaks it, protocols 3 and 4 (the rules are in their specifications).

It is told of packets and deadlines by its Transport and tells its Receiver of
messages. Here are packet types, the heartbeat, the upgrade and the end of a session
with its reason. It never touches a socket, and knows nothing of Socket.IO.

 1. A session is OPEN from the open packet until its first reason to end; the reason is given to
    the Receiver exactly once, and nothing is given to it afterwards.
 2. Protocol 4: the server pings every ping_interval; a pong sets the next ping; no pong within
    ping_timeout ends the session with "ping timeout". Any other packet extends that wait, once.
    Protocol 3: the client pings; nothing from it for both times together ends the session.
 3. Without a namespace joined within connect_timeout the session ends.
 4. Upgrade: a candidate sends "2probe" and gets "3probe"; with its "5" it takes over the slot, and so all
    that is queued. Until then messages go by polling. Anything else ends the candidate alone. When the server
    closes meanwhile, the "5" may be on its way: the candidate still gets what is queued, and then the close.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from logging import getLogger
from time import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcmp

from fastsio.engine.core cimport Core
from fastsio.handlers cimport Listeners
from fastsio.message cimport encode_binary, encode_text, message, message_release
from fastsio.outbox cimport SlotOwner, outbox_now, outbox_pending

from fastsio.errors import Disconnected

log = getLogger("fastsio")

NOOP_INTERVAL = 0.1  # seconds between two noops to a polling client whose upgrade is under way


cdef inline double monotonic() noexcept:
    return outbox_now() / 1e9


cdef class Receiver:
    """What takes a session's messages; this one leaves them to the session's listeners."""

    def attach(self, session: Session) -> None:
        """Names the session whose receiver this is."""

    cdef int on_open(self) except -1:
        return 0

    cdef int on_text(self, const uint8_t *data, size_t size) except -1:
        return 0

    cdef int on_binary(self, const uint8_t *data, size_t size) except -1:
        return 0

    cdef int on_close(self, str reason, object description) except -1:
        return 0


cdef class Transport(SlotOwner):
    cdef int shut(self, str reason, bint discard) except -1:
        raise NotImplementedError

    cdef int nudge(self) except -1:
        return 0

    cdef int retire(self) except -1:
        raise NotImplementedError

    cdef int take_over(self, Transport old) except -1:
        raise NotImplementedError

    cdef str transport_name(self):
        raise NotImplementedError

    cdef int on_drained(self) except -1:
        return self.session.on_drained(self) if self.session is not None else 0

    @property
    def name(self) -> str:
        return self.transport_name()


cdef class Session:
    def __cinit__(self, Core core, str id, object request, Receiver receiver, int protocol=4, bint base64=False):
        self.core = core
        self.id = id
        self.request = request
        self.receiver = receiver
        self.protocol = protocol
        self.base64 = base64
        self.state = SessionState.OPENING
        self.opened = time()

    # ---- what the transport tells ----

    cdef int begin(self, Transport carrier) except -1:
        """Sends the open packet and starts the heartbeat."""
        cdef double now = monotonic()
        self.carrier = carrier
        self.state = SessionState.OPEN
        self.core.opened(1)
        self.awaiting_pong = self.protocol == 3
        self.beat_at = now + self.core.ping_interval + (self.core.ping_timeout if self.protocol == 3 else 0.0)
        self.connect_by = now + self.core.connect_timeout
        self.joined = self.core.connect_timeout == 0
        rest = self.core.open_packet_rest[carrier.transport_name()]
        return self.core.outbox.write_packet(<uint32_t>carrier.slot, b'0{"sid":"' + self.id.encode() + rest)

    cdef int announce(self) except -1:
        """The session is open, and may send and receive."""
        if self.core.initial_packet is not None:
            self.send(self.core.initial_packet)
        self.core.on_opened(self)
        self.announced = True
        return self.receiver.on_open() if self.state == SessionState.OPEN else 0

    cdef int on_frame(self, const uint8_t *data, size_t size) except -1:
        """A text packet."""
        if self.state != SessionState.OPEN:
            return 0
        if size > 0 and data[0] == c"4":
            if self.awaiting_pong:
                self.extend()
            self.core.messages_in += 1
            if self.own is not None and not self.tell(data + 1, size - 1, True):
                return 0
            return self.receiver.on_text(data + 1, size - 1)
        return self.on_other_packet(data, size)

    cdef int on_binary_frame(self, const uint8_t *data, size_t size) except -1:
        """A binary packet: with protocol 4 a message without a type."""
        if self.state != SessionState.OPEN:
            return 0
        if self.awaiting_pong:
            self.extend()
        if self.protocol == 3:
            if size == 0 or data[0] != 4:
                return self.finish("parse error", "unknown packet type")
            data += 1
            size -= 1
        self.core.messages_in += 1
        if self.own is not None and not self.tell(data, size, False):
            return 0
        return self.receiver.on_binary(data, size)

    cdef int on_other_packet(self, const uint8_t *data, size_t size) except -1:
        cdef uint8_t type = data[0] if size else 0
        if type == c"3" and size == 1 and self.protocol == 4:
            return self.on_pong()
        if self.awaiting_pong:
            self.extend()
        if type == c"b":
            return self.on_base64(data + 1, size - 1)
        if type == c"2" and self.protocol == 3:
            return self.on_ping()
        if type == (c"2" if self.protocol == 4 else c"3"):
            return self.finish("transport error", "invalid heartbeat direction")
        if type in (c"0", c"1", c"3", c"5", c"6"):
            return 0  # open, close, upgrade, noop: without meaning here
        return self.finish("parse error", "unknown packet type")

    cdef int on_base64(self, const uint8_t *data, size_t size) except -1:
        """A binary message as text; with protocol 3 its type is in front."""
        cdef bytes decoded
        if self.protocol == 3:
            if size == 0 or data[0] != c"4":
                return self.finish("parse error", "unknown packet type")
            data += 1
            size -= 1
        if size % 4 or (size > 2 and memcmp(data + size - 3, b"===", 3) == 0):
            return self.finish("parse error", "invalid base64")
        try:
            decoded = a2b_base64(PyBytes_FromStringAndSize(<const char *>data, size), strict_mode=True)
        except Base64Error:
            return self.finish("parse error", "invalid base64")
        data = <const uint8_t *>PyBytes_AS_STRING(decoded)
        size = PyBytes_GET_SIZE(decoded)
        self.core.messages_in += 1
        if self.own is not None and not self.tell(data, size, False):
            return 0
        return self.receiver.on_binary(data, size)

    cdef bint tell(self, const uint8_t *data, size_t size, bint is_text) except -1:
        """Calls the listeners of a message. Whether the session is still open then."""
        payload = data[:size].decode() if is_text else data[:size]
        self.own.fire(self, "packet", {"type": "message", "data": payload})
        self.own.fire(self, "message", payload)
        return self.state == SessionState.OPEN

    # ---- heartbeat ----

    cdef int on_pong(self) except -1:
        if self.awaiting_pong:
            self.awaiting_pong = False
            self.extended = False
            self.beat_at = monotonic() + self.core.ping_interval
            self.core.deadlines.set(<uint32_t>self.carrier.slot, self.core.ping_interval)
        return 0

    cdef int on_ping(self) except -1:
        return self.beat("pong", b"3")

    cdef int beat(self, str type, bytes packet) except -1:
        """Sends a packet of the heartbeat."""
        if self.own is not None:
            self.own.fire(self, "packet_create", {"type": type, "data": ""})
        if self.state != SessionState.OPEN:
            return 0
        return self.core.outbox.write_packet(<uint32_t>self.carrier.slot, packet)

    cdef int extend(self) except -1:
        if self.protocol == 3:
            self.beat_at = monotonic() + self.core.ping_interval + self.core.ping_timeout
        elif not self.extended:
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
        return self.beat("ping", b"2")

    cdef double next_deadline(self) noexcept:
        """The monotonic time at which on_deadline has something to do."""
        return self.beat_at if self.joined or self.beat_at < self.connect_by else self.connect_by

    # ---- upgrade (rule 4) ----

    @property
    def may_upgrade(self) -> bool:
        """Whether a websocket may ask to take over."""
        return self.state == SessionState.OPEN and self.probe is None and self.carrier.transport_name() == "polling"

    cdef int offer(self, Transport candidate) except -1:
        self.probe = candidate
        self.probed = False
        return 0

    cdef int on_probe(self, Transport candidate, const uint8_t *data, size_t size, bint is_text) except -1:
        """A frame of the candidate."""
        if self.probe is not candidate:
            return 0
        if is_text and size == 6 and memcmp(data, b"2probe", 6) == 0:
            self.core.outbox.write_packet(<uint32_t>candidate.slot, b"3probe")
            if not self.probed:
                self.probed = True
                self.core.loop.call_later(NOOP_INTERVAL, self._nudge, candidate)
            return 0
        if is_text and size == 1 and data[0] == c"5" and self.probed:
            return self.switch(candidate)
        return self.drop_probe()

    def _nudge(self, Transport candidate) -> None:
        """The client waits with its "5" for the end of its GET."""
        if self.probe is candidate and self.state == SessionState.OPEN:
            self.carrier.nudge()
            self.core.loop.call_later(NOOP_INTERVAL, self._nudge, candidate)

    cdef int switch(self, Transport candidate) except -1:
        cdef Transport old = self.carrier if self.state == SessionState.OPEN else self.lingering
        self.probe = self.lingering = None
        if old is None or old.slot < 0:
            return candidate.shut("", False)
        if self.state != SessionState.OPEN:
            self.leaving = candidate
            candidate.take_over(old)
            old.retire()
            return candidate.shut("", False)
        self.carrier = candidate
        self.upgraded = True
        candidate.take_over(old)
        old.retire()
        if self.own is not None:
            self.own.fire(self, "upgrade", candidate)
        return 0

    cdef int drop_probe(self) except -1:
        """The candidate does not take over."""
        cdef Transport candidate = self.probe
        self.probe = self.lingering = None
        return candidate.shut("", False) if candidate is not None else 0

    # ---- another receiver ----

    def hand_over(self, receiver: Receiver, double connect_timeout) -> None:
        """From here on the receiver takes the messages, and joins a namespace in time (seconds; 0: whenever).

        ValueError: the session is not open, or has a receiver that is more than a plain one.
        """
        cdef Receiver other = receiver
        if self.state != SessionState.OPEN:
            raise ValueError("the engine socket is closed")
        if type(self.receiver) is not Receiver:
            raise ValueError("the engine socket has a client already: an engine that is bound feeds all of them")
        other.attach(self)
        self.receiver = other
        if connect_timeout > 0:
            self.joined = False
            self.connect_by = monotonic() + connect_timeout
            self.core.deadlines.set(<uint32_t>self.carrier.slot, max(self.next_deadline() - monotonic(), 0.0))
        if self.announced:
            other.on_open()

    # ---- the end ----

    cdef int finish(self, str reason, object description, bint discard=False) except -1:
        """Ends the session for this reason, once: the receiver is told, then the transport closed."""
        if self.state == SessionState.CLOSED:
            return 0
        if self.state == SessionState.OPEN:
            self.core.opened(-1)
        self.state = SessionState.CLOSED
        cdef Transport carrier = self.carrier
        cdef Receiver receiver = self.receiver
        self.carrier = None
        self.leaving = None if discard else carrier
        self.receiver = None
        self.desert()
        try:
            if self.on_closed is not None:
                self.on_closed(self)
            receiver.on_close(reason, description)
            if self.own is not None:
                self.own.fire(self, "close", "forced close" if reason == "forced server close" else reason, description)
        finally:
            if carrier is not None:
                carrier.shut(reason, discard)
            if self.probe is not None and carrier.slot >= 0:
                self.lingering = carrier
            else:
                self.drop_probe()
        return 0

    # ---- for the user ----

    def send(self, data: str | bytes, *, compress: bool = True) -> None:
        """Sends a message: text, or binary. compress: whether it is compressed, where compression is on.

        After the close nothing is sent. Source: Engine.IO.
        """
        cdef message *packet
        if self.state == SessionState.OPEN and self.own is not None:
            self.own.fire(self, "packet_create", {"type": "message", "data": data})
        if self.state != SessionState.OPEN:
            return
        packet = encode_text(b"4" + data.encode()) if isinstance(data, str) else encode_binary(bytes(data))
        packet.compress = compress
        try:
            self.core.outbox.push(<uint32_t>self.carrier.slot, packet, False)
        finally:
            message_release(packet)

    async def drain(self) -> None:
        """Returns when nothing is left here that was queued for this client: the kernel has it (with TLS: the TLS
        layer), or for a client that polls, the answer to its GET. At once when nothing is.

        Disconnected: the connection ended before. Source: ours.
        """
        if self.state != SessionState.OPEN:
            raise Disconnected("the connection is closed")
        if self.waiting() == 0:
            return
        drained = self.core.loop.create_future()
        if self.waiters is None:
            self.waiters = []
        self.waiters.append(drained)
        self.core.outbox.watch(<uint32_t>self.carrier.slot, True)
        try:
            await drained
        finally:
            if self.waiters is not None and drained in self.waiters:
                self.waiters.remove(drained)

    cdef int on_drained(self, Transport carrier) except -1:
        cdef bint listens = self.own is not None and self.own.find("drain") is not None
        if carrier is not self.carrier:
            return 0
        waiters, self.waiters = self.waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        if listens:
            self.core.loop.call_soon(self._tell_drained)
        return self.core.outbox.watch(<uint32_t>carrier.slot, listens)

    def _tell_drained(self) -> None:
        if self.state == SessionState.OPEN:
            self.own.fire(self, "drain")

    cdef int desert(self) except -1:
        """Nobody will see the drain any more."""
        waiters, self.waiters = self.waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_exception(Disconnected("the connection was closed before everything had been sent"))
        return 0

    def close(self, discard: bool = False) -> None:
        """Closes the connection, after what is queued was sent; with `discard` at once."""
        self.core.outbox.check_thread()
        self.finish("forced close", None, discard)

    def end(self, str reason, object description=None) -> None:
        """Closes with another reason than "forced close" (for the layers above)."""
        self.finish(reason, description)

    def _failed(self, error: Exception) -> None:
        """A listener raised."""
        log.error("exception in a listener of an engine socket", exc_info=error)

    def _table(self) -> Listeners:
        if self.own is None:
            self.own = Listeners()
        if self.slot() >= 0:
            self.core.outbox.watch(<uint32_t>self.slot(), True)  # until a drain that nobody wants to know of
        return self.own

    @property
    def ready_state(self) -> str:
        """ "opening", "open", "closing" or "closed".

        It is closing after its end while something that was queued before still goes out. The event `close` has
        come by then. Source: Engine.IO 6.x (`readyState`).
        """
        if self.state == SessionState.CLOSED and self.waiting() != 0:
            return "closing"
        return ("opening", "open", "closed")[self.state]

    @property
    def transport(self) -> Transport | None:
        """What carries the session now, with a `name`; None once it is closed."""
        return self.carrier

    @property
    def remote_address(self) -> str:
        """The peer's address."""
        return self.request.address

    @property
    def buffered_amount(self) -> int:
        """Bytes that are queued for this client and not yet in the kernel's hands."""
        return self.waiting()

    cdef size_t waiting(self) noexcept:
        cdef Transport transport = self.carrier if self.carrier is not None else self.leaving
        if transport is None or transport.slot < 0:
            return 0
        return outbox_pending(self.core.outbox.c, <uint32_t>transport.slot)

    @property
    def slot_number(self) -> int:
        """Its slot in the outbox; -1 once it is closed."""
        return self.slot()

    cdef int64_t slot(self) noexcept:
        return self.carrier.slot if self.carrier is not None else -1
