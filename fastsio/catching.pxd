# Listeners for all events of a socket, and what is asked about them.
cdef class Catching:
    cdef tuple incoming  # of Handler
    cdef tuple outgoing  # of Handler
    cdef tuple middlewares  # functions
