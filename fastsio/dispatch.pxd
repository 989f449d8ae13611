from libc.stdint cimport int64_t

from fastsio.catching cimport Catching
from fastsio.handlers cimport Handler, Listeners
from fastsio.outbox cimport Outbox
from fastsio.space cimport NamespaceBase


# The part of a Socket that runs for each packet.
cdef class SocketBase:
    cdef readonly str id
    cdef readonly object nsp
    cdef readonly object client
    cdef NamespaceBase space  # nsp again, typed
    cdef Outbox outbox
    cdef int64_t slot  # -1: not connected
    cdef Listeners own  # of on(); None while there are none
    cdef Catching catching  # None while there is nothing in it
    cdef list early  # Messages that middlewares sent; None when no middleware is at it
    cdef set tasks  # of coroutine handlers; None before the first
    cdef dict acks  # id -> (callback, timer or None); None while there are none
    cdef object __weakref__

    cdef int on_event(self, list items, int64_t ack_id) except -1
    cdef int handle(self, list items, int64_t ack_id) except -1
    cdef int catch_event(self, list items, int64_t ack_id) except -1
    cdef int begin(self, object coroutine, object ack) except -1
    cdef int on_ack(self, int64_t ack_id, list arguments) except -1
    cdef Listeners table_of(self, Handler handler)
    cdef int run(self, tuple handlers, object event, list items, Acknowledgement ack) except -1
    cdef list convert(self, Handler handler, list items, Acknowledgement ack)
    cdef int refuse(self, Handler handler, Acknowledgement ack, object error) except -1
    cdef int send(self, int type, int64_t ack_id, object data, bint is_volatile, bint compress=*) except -1
    cdef int keep(self, int type, int64_t ack_id, object data, bint compress) except -1


# Answers a packet, once.
cdef class Acknowledgement:
    cdef SocketBase socket
    cdef int64_t id  # -1: no answer was asked for
    cdef bint taken  # a handler has the callable: return values do not answer

    cdef int answer(self, object result) except -1
    cdef bint waits_for(self, object result) except -1
