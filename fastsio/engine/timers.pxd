from libc.stdint cimport uint32_t, uint64_t

from fastsio.outbox cimport Outbox


cdef extern from "wheel.h" nogil:
    ctypedef struct wheel:
        uint32_t count
        uint64_t now

    void wheel_init(wheel *self, uint64_t now)
    void wheel_destroy(wheel *self)
    int wheel_set(wheel *self, uint32_t slot, uint64_t deadline)
    void wheel_cancel(wheel *self, uint32_t slot)
    size_t wheel_due(wheel *self, uint64_t now, uint32_t *slots, size_t room)
    uint64_t wheel_next(const wheel *self)


# One deadline a slot. Whoever closes a slot cancels its deadline first.
cdef class Deadlines:
    cdef wheel c
    cdef Outbox outbox
    cdef object handle  # asyncio.TimerHandle of the next look, or None
    cdef uint64_t planned  # the tick of that look
    cdef uint64_t due  # the time for which the loop was asked for it, in nanoseconds

    # How late the loop came with a look, in nanoseconds, since the start.
    cdef readonly uint64_t looks
    cdef readonly uint64_t lag_last
    cdef readonly uint64_t lag_total
    cdef readonly uint64_t lag_largest

    cdef int set(self, uint32_t slot, double seconds) except -1
    cdef int cancel(self, uint32_t slot) except -1
    cdef int plan(self) except -1
    cdef int judge(self) except -1
    cdef int note_lag(self) noexcept
