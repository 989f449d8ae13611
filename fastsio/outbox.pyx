"""Outbox: from a message and a set of slots to bytes on sockets.

The work is csrc/outbox's. Here it meets the event loop: a push schedules one
flush for this iteration of the loop; the flush sends in slices with the GIL
released; what the kernel does not take goes to the owner of the slot. Belongs to
the thread of its loop. It never calls the user's code: what may end in a
disconnect is put off to the loop.

SlotOwner    implemented by whatever a slot stands for (a websocket connection)
CohortBuffer keeps a sequence alive while a transport still writes from it
Outbox       owns the slots
"""

from logging import getLogger

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from fastsio.message cimport Message, encode_raw, encode_text, message, message_release, span
from fastsio.rooms cimport Rooms
from fastsio.bitset cimport bitset

from fastsio.limits import rate_limited

log = getLogger("fastsio")


cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident() noexcept


cdef uint64_t SLICE_NS = 2_000_000  # how long a flush may keep the loop


cdef class SlotOwner:
    def __cinit__(self):
        self.slot = -1

    cdef int on_handover(self, object data) except -1:
        raise NotImplementedError

    cdef int on_stuck(self, int error) except -1:
        raise NotImplementedError

    cdef int on_deadline(self) except -1:
        raise NotImplementedError

    cdef int on_drained(self) except -1:
        return 0

    def _stuck(self, int error) -> None:
        if self.slot >= 0:
            self.on_stuck(error)


@cython.no_gc_clear  # __dealloc__ needs the owner, which a collection would have taken away
cdef class CohortBuffer:
    """The bytes of a pending sequence, for a transport; shared by every slot that waits for the same."""

    cdef Outbox owner
    cdef cohort *node  # owns one reference
    cdef span bytes

    def __dealloc__(self):
        if self.node != NULL:
            cohort_release(self.owner.c, self.node)

    @property
    def compress(self) -> bool:
        """Whether any message in it is worth compressing."""
        return cohort_wants_compression(self.owner.c, self.node)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, <void *>self.bytes.data, self.bytes.size, 1, flags)


cdef int deflate_in_python(
    void *context, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size
) noexcept with gil:
    # Comes from inside a flush, on the loop's thread.
    cdef bytes deflated
    try:
        deflated = (<Outbox>context).deflate(PyBytes_FromStringAndSize(<const char *>data, size))
        out_size[0] = PyBytes_GET_SIZE(deflated)
        out[0] = <uint8_t *>malloc(out_size[0] + 1)
        if out[0] == NULL:
            return -1
        memcpy(out[0], PyBytes_AS_STRING(deflated), out_size[0])
        return 0
    except BaseException:  # nobody is there to catch it; who should have got the message is disconnected
        if rate_limited("deflate"):
            log.exception("a message could not be deflated")
        return -1


cdef class Outbox:
    def __cinit__(self, object loop, size_t max_backlog):
        self.c = <outbox *>calloc(1, sizeof(outbox))
        if self.c == NULL or outbox_init(self.c, max_backlog) < 0:
            raise MemoryError
        self.owners = []
        self.loop = loop
        self.thread = PyThread_get_thread_ident()
        self.flush_callback = self._flush

    def __dealloc__(self):
        if self.c != NULL:
            outbox_destroy(self.c)
            free(self.c)

    # ---- slots ----

    cdef int64_t open(self, SlotOwner owner, int fd) except -1:
        """Gives the owner a slot: flushed straight to `fd`, or through on_handover with fd -1."""
        cdef int64_t number = outbox_open(self.c, fd, SLOT_DIRECT if fd >= 0 else 0)
        if number < 0:
            raise MemoryError
        while len(self.owners) <= number:
            self.owners.append(None)
        self.owners[number] = owner
        owner.slot = number
        return number

    cdef int hand_over(self, uint32_t slot) except -1:
        """From here on what is sent goes through on_handover."""
        self.c.slots[slot].flags &= ~<uint32_t>SLOT_DIRECT
        return 0

    cdef int close(self, SlotOwner owner) except -1:
        """Takes the slot back. From here on its descriptor is never sent anything."""
        if owner.slot >= 0:
            outbox_close(self.c, <uint32_t>owner.slot)
            self.owners[owner.slot] = None
            owner.slot = -1
        return 0

    cdef int set_dialect(self, uint32_t slot, uint32_t dialect) except -1:
        """What waits for the slot is sent in it as well: flush before, or it is the first thing that is done."""
        outbox_set_dialect(self.c, slot, dialect)
        return 0

    cdef bint adopt(self, SlotOwner owner, uint32_t slot, int fd, uint32_t dialect) except -1:
        """A session goes on over another transport: `owner` takes the slot with all that waits for it, and gives up
        its own, of which everything goes out before. What its transport then still holds goes before the rest."""
        cdef SlotOwner before = self.owners[slot]
        cdef bint blocked = False
        cdef size_t handed = 0
        if owner.slot >= 0:
            outbox_flush_slot(self.c, <uint32_t>owner.slot)
        self.settle_handovers()
        if before is None or self.owners[slot] is not before:
            return False  # closed by one of the owners who were just called
        if owner.slot >= 0:
            blocked = self.c.slots[owner.slot].flags & SLOT_BLOCKED
            handed = self.c.slots[owner.slot].handed
            self.close(owner)
        before.slot = -1
        self.owners[slot] = owner
        owner.slot = slot
        outbox_adopt(self.c, slot, fd, SLOT_DIRECT if fd >= 0 else 0, dialect)
        if blocked:
            outbox_block(self.c, slot, handed)
        if not self.c.slots[slot].flags & SLOT_OPEN:
            self.loop.call_soon(owner._stuck, 0)  # `before` may not have been told yet
        self.after_push()
        return True

    # ---- push ----

    cdef int push(self, uint32_t slot, message *packet, bint is_volatile) except -1:
        self.check_thread()
        cdef int accepted = outbox_push(self.c, slot, packet, is_volatile)
        if accepted < 0:
            raise MemoryError
        self.after_push()
        return accepted

    cdef int64_t broadcast(self, const bitset *set, int64_t skip, message *packet, bint is_volatile) except -1:
        self.check_thread()
        cdef int64_t accepted = outbox_broadcast(self.c, set, skip, packet, is_volatile)
        if accepted < 0:
            raise MemoryError
        self.after_push()
        return accepted

    def send_to(self, Rooms rooms, names, excepts, int64_t sender, Message packet, bint is_volatile=False) -> int:
        """Queues a message for everybody in any of `names` (empty: all) and in none of `excepts`, without the
        slot `sender` (-1: nobody). Returns how many receivers it has."""
        return self.broadcast(rooms.select(names, excepts, -1), sender, packet.c, is_volatile)

    cdef int write(self, uint32_t slot, bytes data) except -1:
        """Appends bytes that are sent as they are."""
        cdef message *raw = encode_raw(data)
        try:
            self.others += self.push(slot, raw, False)
        finally:
            message_release(raw)
        return 0

    cdef int write_packet(self, uint32_t slot, bytes packet) except -1:
        """Appends an Engine.IO packet in text, its type included."""
        cdef message *text = encode_text(packet)
        try:
            self.others += self.push(slot, text, False)
        finally:
            message_release(text)
        return 0

    cpdef int check_thread(self) except -1:
        """RuntimeError: this is another thread than the event loop's."""
        if PyThread_get_thread_ident() != self.thread:
            raise RuntimeError(
                "emitted from another thread than the event loop's:"
                " use io.threadsafe.emit(...), or threadsafe of its target"
            )
        return 0

    cdef int after_push(self) except -1:
        if self.c.overflow_count != 0:
            self.settle_overflows()
        return self.schedule() if not self.scheduled else 0

    cdef int schedule(self) except -1:
        self.loop.call_soon(self.flush_callback)
        self.scheduled = True  # now: who calls from the depths of a recursion may make call_soon raise
        return 0

    cdef int settle_overflows(self) except -1:
        # Each is taken off before its owner is called, who may come back here.
        cdef uint32_t number
        while self.c.overflow_count != 0:
            self.c.overflow_count -= 1
            number = self.c.overflows[self.c.overflow_count]
            if self.c.slots[number].flags & SLOT_OPEN:
                outbox_flush_slot(self.c, number)
                self.settle_handovers()
            elif self.owners[number] is not None:  # not closed by the owner of one before
                self.loop.call_soon((<SlotOwner>self.owners[number])._stuck, 0)
        return 0

    # ---- flush ----

    def _flush(self) -> None:
        try:
            self.flush_until(outbox_now() + SLICE_NS)
            if self.c.drained_count != 0:
                self.settle_drained()
        finally:
            self.scheduled = False
            if self.has_work() or self.c.drained_count != 0:
                self.schedule()

    cdef int flush_until(self, uint64_t deadline) except -1:
        while self.has_work():  # an owner that takes a handover may write to another slot
            with nogil:
                outbox_flush(self.c, deadline)
            self.settle_handovers()
            if outbox_now() > deadline:
                break
        return 0

    cdef bint has_work(self) noexcept:
        # A handover is left when the owner of one before raised.
        return self.c.queue_size != 0 or self.c.handover_count != 0

    cdef int flush_slot(self, uint32_t slot) except -1:
        outbox_flush_slot(self.c, slot)
        return self.settle_handovers()

    cdef int block(self, uint32_t slot) except -1:
        """Nobody can take bytes for the slot now: they wait for unblock."""
        outbox_block(self.c, slot, 0)
        return 0

    cdef int unblock(self, uint32_t slot) except -1:
        outbox_unblock(self.c, slot)
        return self.after_push()

    cdef int taken(self, uint32_t slot) except -1:
        """What the slot handed over was queued for other slots; it stays blocked."""
        outbox_taken(self.c, slot)
        return self.after_push()

    cdef int watch(self, uint32_t slot, bint on) except -1:
        """Whether the owner is told, by on_drained, each time that nothing is left for the slot."""
        outbox_watch(self.c, slot, on)
        return 0

    cdef int settle_handovers(self) except -1:
        # Each is taken off before its owner is called, who may come back here.
        cdef handover given
        cdef SlotOwner owner
        while self.c.handover_count != 0:
            self.c.handover_count -= 1
            given = self.c.handovers[self.c.handover_count]
            data = self.rest_of(&given) if given.error == 0 else None  # owns the cohort from here on
            owner = self.owners[given.slot]
            if owner is None or self.c.slots[given.slot].generation != given.generation:
                continue  # closed by the owner of one before
            if data is None:
                self.loop.call_soon(owner._stuck, given.error)
            else:
                owner.on_handover(data)
        if self.c.drained_count != 0 and not self.scheduled:
            self.schedule()
        return 0

    cdef int settle_drained(self) except -1:
        cdef int64_t number
        while True:
            number = outbox_next_drained(self.c)
            if number < 0:
                return 0
            (<SlotOwner>self.owners[number]).on_drained()

    cdef object rest_of(self, handover *given):
        cdef CohortBuffer buffer = CohortBuffer.__new__(CohortBuffer)
        buffer.owner = self
        buffer.node = given.cohort
        buffer.bytes = given.rest
        return memoryview(buffer)

    # ---- deflating ----

    @property
    def deflater(self):
        """callable(bytes) -> bytes that deflates one payload for the slots that take that, or None."""
        return self.deflate

    @deflater.setter
    def deflater(self, deflate):
        self.deflate = deflate
        self.c.deflater.deflate = deflate_in_python
        if deflate is None:
            self.c.deflater.deflate = NULL
        self.c.deflater.context = <void *>self  # which is there as long as its outbox is flushed

    @property
    def deflate_threshold(self) -> int:
        """Payloads below this many bytes are never deflated."""
        return self.c.deflater.threshold

    @deflate_threshold.setter
    def deflate_threshold(self, size_t size):
        self.c.deflater.threshold = size

    # ---- what a look from outside may see ----

    def stats(self) -> dict[str, int]:
        """Counters since the start; their meaning is in csrc/outbox.h."""
        return self.c.stats

    def messages(self) -> int:
        """Messages x receivers accepted since the start."""
        return self.c.stats.pushed - self.others

    def flush_sizes(self) -> list[int]:
        """Flushes that served 1 slot, 2 or 3, 4 to 7, and so on, as far as there were any."""
        cdef int size = OUTBOX_FLUSH_SIZES
        while size > 0 and self.c.flush_sizes[size - 1] == 0:
            size -= 1
        return [self.c.flush_sizes[index] for index in range(size)]
