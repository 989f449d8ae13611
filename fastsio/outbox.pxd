from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from fastsio.message cimport deflater, message, span
from fastsio.bitset cimport bitset


cdef extern from "outbox.h" nogil:
    ctypedef struct cohort:
        size_t size

    enum:
        SLOT_OPEN
        SLOT_DIRECT
        SLOT_BLOCKED
        OUTBOX_FLUSH_SIZES

    ctypedef struct slot:
        size_t handed
        uint32_t generation
        uint16_t flags
        uint16_t dialect

    ctypedef struct handover:
        uint32_t slot
        uint32_t generation
        int error
        span rest
        cohort *cohort

    ctypedef struct outbox_stats:
        uint64_t pushed
        uint64_t sends
        uint64_t bytes
        uint64_t dropped
        uint64_t overflows
        uint64_t blocked
        uint64_t handed
        uint64_t flushes
        uint64_t flushed
        uint64_t largest

    ctypedef struct outbox:
        slot *slots
        uint32_t used
        uint32_t queue_size
        handover *handovers
        uint32_t handover_count
        uint32_t *overflows
        uint32_t overflow_count
        uint32_t drained_count
        deflater deflater
        outbox_stats stats
        uint64_t *flush_sizes

    int outbox_init(outbox *self, size_t max_backlog)
    void outbox_destroy(outbox *self)
    int64_t outbox_open(outbox *self, int fd, uint32_t flags)
    void outbox_close(outbox *self, uint32_t slot)
    void outbox_detach(outbox *self, uint32_t slot)
    void outbox_set_dialect(outbox *self, uint32_t slot, uint32_t dialect)
    void outbox_adopt(outbox *self, uint32_t slot, int fd, uint32_t flags, uint32_t dialect)
    int outbox_push(outbox *self, uint32_t slot, message *message, int is_volatile)
    int64_t outbox_broadcast(outbox *self, const bitset *set, int64_t skip, message *message, int is_volatile)
    int outbox_flush(outbox *self, uint64_t deadline_ns)
    void outbox_flush_slot(outbox *self, uint32_t slot)
    void outbox_block(outbox *self, uint32_t slot, size_t handed)
    void outbox_unblock(outbox *self, uint32_t slot)
    void outbox_taken(outbox *self, uint32_t slot)
    void outbox_watch(outbox *self, uint32_t slot, int on)
    int64_t outbox_next_drained(outbox *self)
    size_t outbox_pending(const outbox *self, uint32_t slot)
    int cohort_wants_compression(const outbox *self, const cohort *node)
    void cohort_release(outbox *self, cohort *node)
    uint64_t outbox_now()


# The owner of a slot: hooks that the outbox and the deadlines call. An implementation may
# be called for the last time after it has closed its slot; it must tolerate a dead transport.
cdef class SlotOwner:
    cdef int64_t slot  # -1: none

    # Bytes, in the slot's dialect, that must be written by other means; the slot is blocked until outbox.unblock.
    cdef int on_handover(self, object data) except -1
    # The slot takes no more messages: its reader is too slow, or send(2) failed with `error`.
    cdef int on_stuck(self, int error) except -1
    # The deadline that was set for the slot has come.
    cdef int on_deadline(self) except -1
    # The slot is watched, and nothing is left that was queued for it. Must not call the user's code.
    cdef int on_drained(self) except -1


cdef class Outbox:
    # Owns the C outbox and, by slot, a reference to each owner.
    cdef outbox *c
    cdef list owners
    cdef readonly object loop
    cdef unsigned long thread
    cdef object flush_callback  # the bound method, made once
    cdef bint scheduled
    cdef uint64_t others  # accepted, and no messages: packets of a type of their own, HTTP, bare frames
    cdef object deflate  # callable(bytes) -> bytes, or None

    cdef int64_t open(self, SlotOwner owner, int fd) except -1
    cdef int close(self, SlotOwner owner) except -1
    cdef int set_dialect(self, uint32_t slot, uint32_t dialect) except -1
    # Whether the slot was still there to be adopted when the owner's former slot had been flushed.
    cdef bint adopt(self, SlotOwner owner, uint32_t slot, int fd, uint32_t dialect) except -1
    cdef int push(self, uint32_t slot, message *packet, bint is_volatile) except -1
    cdef int64_t broadcast(self, const bitset *set, int64_t skip, message *packet, bint is_volatile) except -1
    cdef int write(self, uint32_t slot, bytes data) except -1
    cdef int write_packet(self, uint32_t slot, bytes packet) except -1
    cdef int hand_over(self, uint32_t slot) except -1
    cdef int flush_slot(self, uint32_t slot) except -1
    cdef int block(self, uint32_t slot) except -1
    cdef int unblock(self, uint32_t slot) except -1
    cdef int taken(self, uint32_t slot) except -1
    cdef int watch(self, uint32_t slot, bint on) except -1
    cdef int flush_until(self, uint64_t deadline) except -1
    cdef bint has_work(self) noexcept
    cpdef int check_thread(self) except -1
    cdef object rest_of(self, handover *given)
    cdef int after_push(self) except -1
    cdef int settle_overflows(self) except -1
    cdef int settle_handovers(self) except -1
    cdef int settle_drained(self) except -1
    cdef int schedule(self) except -1
