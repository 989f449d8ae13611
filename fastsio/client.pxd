from libc.stdint cimport int64_t, uint8_t

from fastsio.dispatch cimport SocketBase
from fastsio.engine.session cimport Receiver, Session
from fastsio.message cimport Message
from fastsio.wire.sio cimport sio_header


# One connection with its namespaces. A namespace is, by its wire name, in at most one of: joined
# (`main` or `others`), `joining`, `left`.
cdef class Client(Receiver):
    cdef readonly Session conn
    cdef readonly object server
    cdef int max_attachments
    cdef object own_context  # None before the first coroutine

    cdef SocketBase main  # the socket in "/"
    cdef dict others  # wire name -> SocketBase; None while there are none
    cdef set joining  # a middleware is still deciding; None while there are none
    cdef set left  # joined once; None while there are none

    # A packet whose attachments are still coming; data is None when there is none.
    cdef list data
    cdef int type
    cdef int64_t ack_id
    cdef int due  # attachments it has in all
    cdef SocketBase target  # None: the namespace was left, the packet is read and dropped
    cdef list attachments

    cdef SocketBase find(self, const sio_header *head)
    cdef int on_message(self, sio_header *head, const uint8_t *data, size_t size) except -1
    cdef int on_payload(self, sio_header *head, SocketBase target, list payload) except -1
    cdef int deliver(self, int type, SocketBase target, list data, int64_t ack_id) except -1
    cdef int on_connect(self, sio_header *head, const uint8_t *data, size_t size) except -1
    cdef int on_disconnect(self, sio_header *head, size_t size) except -1
    cdef int connect(self, sio_header *head, bytes name, object auth) except -1
    cdef int quit(self, SocketBase socket) except -1
    cdef Message packet(self, int type, str namespace, object data)
    cdef int not_joined(self, sio_header *head) except -1
    cdef int violation(self, str what, str reason=*) except -1
