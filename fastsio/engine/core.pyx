"""Core: what all connections of one engine share, made when the engine gets its event loop."""

from collections import Counter

from fastsio.engine.timers cimport Deadlines
from fastsio.outbox cimport Outbox

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
        self.ping_interval = options["ping_interval"]
        self.ping_timeout = options["ping_timeout"]
        self.connect_timeout = options["connect_timeout"] or 0
        self.max_body = options["max_http_buffer_size"]
        self.on_made = hooks.on_made
        self.on_request = hooks.on_request
        self.on_lost = hooks.on_lost
        # Exactly these keys in this order, as the reference sends them; times in milliseconds.
        self.open_packet_rest = b'","upgrades":[],"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}' % (
            round(self.ping_interval * 1000),
            round(self.ping_timeout * 1000),
            options["max_http_buffer_size"],
        )

    def connections(self) -> list:
        """Every connection there is now."""
        return [owner for owner in self.outbox.owners if owner is not None]
