# A function that is called for an event, its signature read once.
cdef class Handler:
    cdef readonly object function
    cdef readonly bint once
    cdef readonly bint with_socket  # the socket comes first
    cdef readonly int least  # arguments that it needs, the socket among them, the acknowledgement not
    cdef readonly int most  # arguments that it takes; -1: any number
    cdef readonly tuple ack_name  # the keyword that takes the acknowledgement, or None
    cdef readonly object converters  # of annotated parameters: fastsio.typed.Converters, or None

    cdef int read_function(self, object function, int bound) except -1
    cdef int read_code(self, object function, int bound, bint wrapped) except -1
    cdef int take_ack(self, str name, bint positional, int before) except -1
    cdef int read_signature(self) except -1
    cdef int take_event(self, object event) except -1
    # Calls with items[1:], or with all of items when the socket was put in front. `ack` is for a
    # handler with ack_name only.
    cdef object call(self, list items, object ack)
    cdef bint lacks(self, list items) noexcept


# Event name -> handlers, in the order of registration. A found tuple never changes.
cdef class Listeners:
    cdef dict table  # name -> tuple of Handler, never empty; None while there are none

    cdef inline tuple find(self, object event):
        return self.table.get(event) if self.table is not None else None
