# cython: language_level=3
"""What only compiled modules see of fastsio.outbox and fastsio.engine.timers, for tests in Python."""

from libc.stdint cimport uint32_t

from fastsio.engine.timers cimport Deadlines
from fastsio.message cimport Message
from fastsio.outbox cimport (
    SLOT_BLOCKED,
    Outbox,
    SlotOwner,
    outbox_detach,
    outbox_now,
    outbox_pending,
)


cdef extern from "outbox.h":
    ctypedef struct root_of_cohorts "cohort":
        uint32_t refs

    ctypedef struct whole_outbox "outbox":
        root_of_cohorts root


cdef class Probe(SlotOwner):
    """The owner of a slot; a subclass in Python says what its hooks do."""

    cdef readonly Outbox outbox

    def __init__(self, Outbox outbox, int fd=-1):
        self.outbox = outbox
        outbox.open(self, fd)

    def handover(self, data):
        raise NotImplementedError

    def stuck(self, error):
        raise NotImplementedError

    def deadline(self):
        raise NotImplementedError

    def drained(self):
        raise NotImplementedError

    cdef int on_drained(self) except -1:
        self.drained()
        return 0

    cdef int on_handover(self, object data) except -1:
        self.handover(data)
        return 0

    cdef int on_stuck(self, int error) except -1:
        self.stuck(error)
        return 0

    cdef int on_deadline(self) except -1:
        self.deadline()
        return 0

    @property
    def number(self) -> int:
        return self.slot

    @property
    def blocked(self) -> bool:
        return self.outbox.c.slots[self.slot].flags & SLOT_BLOCKED != 0

    @property
    def pending(self) -> int:
        return outbox_pending(self.outbox.c, <uint32_t>self.slot)

    def push(self, Message message, bint is_volatile=False) -> bool:
        return self.outbox.push(<uint32_t>self.slot, message.c, is_volatile)

    def write(self, bytes data) -> None:
        self.outbox.write(<uint32_t>self.slot, data)

    def flush(self) -> None:
        self.outbox.flush_slot(<uint32_t>self.slot)

    def unblock(self) -> None:
        self.outbox.unblock(<uint32_t>self.slot)

    def taken(self) -> None:
        self.outbox.taken(<uint32_t>self.slot)

    def watch(self, bint on) -> None:
        self.outbox.watch(<uint32_t>self.slot, on)

    def detach(self) -> None:
        outbox_detach(self.outbox.c, <uint32_t>self.slot)

    def close(self) -> None:
        self.outbox.close(self)

    def write_packet(self, bytes packet) -> None:
        self.outbox.write_packet(<uint32_t>self.slot, packet)

    def block(self) -> None:
        self.outbox.block(<uint32_t>self.slot)

    def set_dialect(self, uint32_t dialect) -> None:
        self.outbox.set_dialect(<uint32_t>self.slot, dialect)

    def adopt(self, uint32_t slot, int fd, uint32_t dialect) -> bool:
        return self.outbox.adopt(self, slot, fd, dialect)

    def set_deadline(self, Deadlines deadlines, double seconds) -> None:
        deadlines.set(<uint32_t>self.slot, seconds)

    def cancel_deadline(self, Deadlines deadlines) -> None:
        deadlines.cancel(<uint32_t>self.slot)


def references(Outbox outbox) -> int:
    """What hangs on the root of the cohorts: 1 for itself, 1 for each slot with nothing pending, 1 for each cohort of
    one message, which lives as long as a slot, a view or a longer cohort needs it."""
    return (<whole_outbox *>outbox.c).root.refs


def now() -> int:
    """What the deadlines go by, in nanoseconds."""
    return outbox_now()
