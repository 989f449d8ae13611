"""Core: what all connections of one engine share, made when the engine gets its event loop."""

from collections import Counter

from fastsio.engine.timers cimport Deadlines
from fastsio.outbox cimport Outbox

from fastsio.engine.compression import Compression
from fastsio.wire.deflate import deflate

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX


cdef Py_ssize_t RECEIVE_BUFFER = 256 * 1024


cdef class Core:
    """The shared state of an engine's connections.

    loop: the running event loop; options: the engine's options by name, in
    seconds and bytes; hooks: has the methods that connections call.
    """

    def __cinit__(self, object loop, dict options, object hooks):
        self.loop = loop
        self.outbox = Outbox(loop, options["max_backlog"])
        self.deadlines = Deadlines(self.outbox)
        self.counters = Counter()
        self.buffer = bytearray(RECEIVE_BUFFER)
        self.bytes = <unsigned char *>self.buffer
        self.limits.max_message = options["max_http_buffer_size"]
        self.limits.max_fragments = options["max_fragments"]
        self.deflate_limits = self.limits
        self.deflate_limits.allow_rsv1 = 1
        self.deflate = options["per_message_deflate"]
        if self.deflate is not None:
            self.outbox.deflater = self._deflate
            self.outbox.deflate_threshold = self.deflate.threshold
        self.ping_interval = options["ping_interval"]
        self.ping_timeout = options["ping_timeout"]
        self.connect_timeout = options["connect_timeout"] or 0
        self.max_body = options["max_http_buffer_size"]
        self.upgrade_timeout = options["upgrade_timeout"]
        self.initial_packet = options["initial_packet"]
        self.compression = Compression(options["http_compression"])
        settings = options["http_compression"]
        self.compression_threshold = PY_SSIZE_T_MAX if settings is None else settings.threshold
        self.lingering = {}
        self.hooks = hooks
        self.on_made = hooks.on_made
        self.on_announced = hooks.on_announced
        self.on_opened = hooks.on_opened
        self.on_request = hooks.on_request
        self.on_lost = hooks.on_lost
        upgrades = options["allow_upgrades"] and "websocket" in options["transports"]
        self.open_packet_rest = {
            "polling": self.open_packet(b'"websocket"' if upgrades else b"", options),
            "websocket": self.open_packet(b"", options),
        }

    cdef int connected(self, int difference) noexcept:
        """A connection was accepted (1) or is gone (-1)."""
        self.connections += difference
        if difference > 0:
            self.connections_total += 1
            self.connections_peak = max(self.connections_peak, self.connections)
        return 0

    cdef int opened(self, int difference) noexcept:
        """A session has opened (1) or closed (-1)."""
        self.sessions += difference
        if difference > 0:
            self.sessions_total += 1
            self.sessions_peak = max(self.sessions_peak, self.sessions)
        return 0

    def _deflate(self, payload: bytes) -> bytes:
        return deflate(payload, self.deflate)

    cdef bytes open_packet(self, bytes upgrades, dict options):
        """What follows the sid: exactly these keys in this order, as the reference sends them; in milliseconds."""
        return b'","upgrades":[%b],"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}' % (
            upgrades,
            round(self.ping_interval * 1000),
            round(self.ping_timeout * 1000),
            options["max_http_buffer_size"],
        )

    def owners(self) -> list:
        """Everything that has a slot now: connections, and polling sessions."""
        return [owner for owner in self.outbox.owners if owner is not None]
