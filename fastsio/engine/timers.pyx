"""Deadlines of all connections on one wheel and one timer of the event loop.

Heartbeats, handshakes, closes and stalled writes: each slot has one deadline at
a time; its owner's on_deadline decides what it means and sets the next. Only the
monotonic clock counts. When the loop was kept busy past a look, sockets are read
once before anything is judged: a stall of ours must not look like a dead client.
"""

from libc.stdint cimport uint32_t, uint64_t

from fastsio.outbox cimport Outbox, SlotOwner, outbox_now

cdef uint64_t TICK_NS = 20_000_000
cdef uint64_t LATE_TICKS = 5  # 100 ms
cdef uint64_t GRACE_NS = 1_000_000  # a look comes in its tick, not just before it


cdef inline uint64_t tick_now() noexcept:
    return outbox_now() // TICK_NS


cdef class Deadlines:
    def __cinit__(self, Outbox outbox):
        self.outbox = outbox
        wheel_init(&self.c, tick_now())

    def __dealloc__(self):
        wheel_destroy(&self.c)

    cdef int set(self, uint32_t slot, double seconds) except -1:
        """The slot's owner is called in `seconds` from now, instead of at any time set before."""
        cdef uint64_t deadline = (outbox_now() + <uint64_t>(seconds * 1e9)) // TICK_NS + 1
        if self.c.count == 0:
            self.c.now = tick_now()  # the wheel stood still
        if wheel_set(&self.c, slot, deadline) < 0:
            raise MemoryError
        if self.handle is None or deadline < self.planned:
            self.plan()
        return 0

    cdef int cancel(self, uint32_t slot) except -1:
        wheel_cancel(&self.c, slot)
        return 0

    def stop(self) -> None:
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None

    cdef int plan(self) except -1:
        """One timer, at the next tick for which there is something on the wheel."""
        cdef uint64_t tick = wheel_next(&self.c)
        cdef uint64_t now = outbox_now()
        self.stop()
        if tick != 0:
            self.planned = tick
            self.due = max(tick * TICK_NS, now) + GRACE_NS
            self.handle = self.outbox.loop.call_later((self.due - now) / 1e9, self._look)
        return 0

    cdef int note_lag(self) noexcept:
        cdef uint64_t now = outbox_now()
        self.lag_last = now - self.due if now > self.due else 0
        self.looks += 1
        self.lag_total += self.lag_last
        self.lag_largest = max(self.lag_largest, self.lag_last)
        return 0

    def _look(self) -> None:
        self.note_lag()
        if tick_now() > self.planned + LATE_TICKS:
            self.handle = self.outbox.loop.call_soon(self._look_again)
        else:
            self._judge()

    def _look_again(self) -> None:
        """One round of the loop later: what was readable has been read after this one."""
        self.handle = self.outbox.loop.call_soon(self._judge)

    def _judge(self) -> None:
        self.handle = None
        try:
            self.judge()
        finally:
            self.plan()

    cdef int judge(self) except -1:
        """Calls the owners one by one: each may set, cancel or close what would be next."""
        cdef uint32_t slot
        cdef uint64_t now = tick_now()
        while wheel_due(&self.c, now, &slot, 1):
            owner = self.outbox.owners[slot]
            if owner is not None:
                (<SlotOwner>owner).on_deadline()
        return 0
