"""Client: one connection's Socket.IO packets, to the sockets of its namespaces.

The receiver of a Session. Decodes (csrc/sio and wire.payload), keeps a packet until
its attachments have come, and knows which namespaces are joined, being joined or
left. A violation closes the connection, and nothing else notices.

 1. CONNECT: to a namespace neither joined nor being joined; an object or nothing with it.
 2. EVENT, ACK: for a joined namespace. For one that was left they are dropped (an honest client may
    have sent them before it knew); for any other the connection is closed.
 3. Between a packet with attachments and its last attachment there are binary messages only.
 4. A client of Engine.IO protocol 3 (Socket.IO 2.x) is in "/" without asking, and may put a query behind the
    name of another namespace. Its CONNECT is answered without a payload, and an error has data or message alone.
"""

from contextvars import Context
from logging import getLogger
from urllib.parse import unquote_plus

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t

from fastsio.dispatch cimport SocketBase
from fastsio.engine.session cimport Receiver, Session
from fastsio.message cimport Message
from fastsio.wire.payload cimport fill, loads_span
from fastsio.wire.sio cimport (
    SIO_BINARY_EVENT,
    SIO_CONNECT,
    SIO_CONNECT_ERROR,
    SIO_DISCONNECT,
    SIO_EVENT,
    SIO_MAX_NAMESPACE,
    SIO_NO_ID,
    sio_error_text,
    sio_header,
    sio_scan,
)

from fastsio import event, limits
from fastsio.engine.ids import generate_id
from fastsio.packets import Packet
from fastsio.tasks import new_context

from fastsio.wire.payload import PayloadError

log = getLogger("fastsio")

cdef frozenset reserved = event.RESERVED
cdef int max_namespaces = limits.MAX_NAMESPACES


cdef bytes wire_name(const sio_header *head):
    if head.namespace_ == NULL or head.namespace_size == 1:
        return b""
    return PyBytes_FromStringAndSize(<const char *>head.namespace_, head.namespace_size)


cdef class Client(Receiver):
    """One connection. conn: its engine socket; server: the Server."""

    def __cinit__(self, object server):
        self.server = server
        self.max_attachments = server.max_attachments

    def attach(self, session: Session) -> None:
        """Names the session whose receiver this is."""
        self.conn = session

    cdef int on_open(self) except -1:
        """Rule 4."""
        if self.conn.protocol == 3:
            self.joining = {b""}
            self.server._connect(self, "/", {})
        return 0

    # ---- in ----

    cdef int on_text(self, const uint8_t *data, size_t size) except -1:
        cdef sio_header head
        cdef int error = sio_scan(data, size, self.max_attachments, &head)
        if error < 0:
            return self.violation((<bytes>sio_error_text(error)).decode())
        if self.data is not None:
            return self.violation("a text message while attachments are due")
        if head.type == SIO_CONNECT:
            return self.on_connect(&head, data, size)
        if head.type == SIO_DISCONNECT:
            return self.on_disconnect(&head, size)
        return self.on_message(&head, data, size)

    cdef int on_message(self, sio_header *head, const uint8_t *data, size_t size) except -1:
        """EVENT and ACK, with and without attachments."""
        cdef SocketBase target = self.find(head)
        cdef object payload
        if head.type == 4:
            return self.violation("CONNECT_ERROR from a client", "forced server close")
        if target is None:
            return self.not_joined(head)
        if head.payload == size or data[head.payload] != c"[":
            return self.violation("the payload must be an array")
        try:
            payload = loads_span(data + head.payload, size - head.payload)
        except PayloadError as error:
            return self.violation(str(error))
        return self.on_payload(head, target, <list>payload)

    cdef int on_payload(self, sio_header *head, SocketBase target, list payload) except -1:
        """The same, decoded."""
        if head.type in (SIO_EVENT, SIO_BINARY_EVENT) and not is_event(payload):
            return self.violation("the first item of an event must be its name")
        if head.attachments == 0:
            return self.deliver(head.type, target, payload, head.id)
        self.data = payload
        self.type = head.type
        self.ack_id = head.id
        self.due = head.attachments
        self.target = target
        self.attachments = []
        return 0

    cdef int on_binary(self, const uint8_t *data, size_t size) except -1:
        cdef list payload = self.data
        cdef list attachments = self.attachments
        cdef SocketBase target = self.target
        if payload is None:
            return self.violation("a binary message while none is due")
        attachments.append(PyBytes_FromStringAndSize(<const char *>data, size) if target is not None else None)
        if len(attachments) < self.due:
            return 0
        self.data = self.attachments = self.target = None
        if target is None:
            return 0
        try:
            payload = fill(payload, attachments)
        except PayloadError as error:
            return self.violation(str(error))
        return self.deliver(self.type, target, payload, self.ack_id)

    cdef int deliver(self, int type, SocketBase target, list data, int64_t ack_id) except -1:
        if target.slot < 0:
            return 0  # left while the attachments were coming
        if type == SIO_EVENT or type == SIO_BINARY_EVENT:
            return target.on_event(data, ack_id)
        return target.on_ack(ack_id, data) if ack_id != SIO_NO_ID else 0

    cdef int not_joined(self, sio_header *head) except -1:
        """Rule 2."""
        if self.left is not None and wire_name(head) in self.left:
            if head.attachments:  # read and dropped
                self.data = []
                self.due = head.attachments
                self.target = None
                self.attachments = []
            return 0
        return self.violation("a packet for a namespace that is not joined", "forced server close")

    cdef SocketBase find(self, const sio_header *head):
        if head.namespace_ == NULL or head.namespace_size == 1:
            return self.main
        if self.others is None:
            return None
        return self.others.get(wire_name(head))

    # ---- namespaces ----

    cdef int on_connect(self, sio_header *head, const uint8_t *data, size_t size) except -1:
        """Rule 1, as JSON."""
        cdef bytes name = wire_name(head)
        auth = {}
        if self.conn.protocol == 3 and b"?" in name:
            name, query = name.split(b"?", 1)
            auth = query_of(query)
            head.namespace_size = len(name)
        if head.payload != size:
            if data[head.payload] != c"{":
                return self.violation("the payload of CONNECT must be an object")
            try:
                auth = loads_span(data + head.payload, size - head.payload)
            except PayloadError as error:
                return self.violation(str(error))
        return self.connect(head, name, auth)

    cdef int connect(self, sio_header *head, bytes name, object auth) except -1:
        """Rule 1."""
        if len(name) > SIO_MAX_NAMESPACE:
            return self.violation("the name of a namespace is too long")
        if self.find(head) is not None or (self.joining is not None and name in self.joining):
            return self.violation("CONNECT to a namespace that is joined already", "forced server close")
        if self.count() >= max_namespaces:
            return self.violation("too many namespaces on one connection")
        try:
            text = name.decode() or "/"
        except UnicodeDecodeError:
            return self.violation("the name of a namespace is not UTF-8")
        if self.joining is None:
            self.joining = set()
        self.joining.add(name)
        self.server._connect(self, text, auth)
        return 0

    cdef int on_disconnect(self, sio_header *head, size_t size) except -1:
        if head.payload != size:
            return self.violation("DISCONNECT has no payload")
        return self.quit(self.find(head))

    cdef int quit(self, SocketBase socket) except -1:
        """The client leaves a namespace; None: one that it is not in."""
        if socket is not None:
            socket._close("client namespace disconnect")
        return 0

    def count(self) -> int:
        """Namespaces that this connection joined or is joining."""
        cdef Py_ssize_t count = self.main is not None
        for names in (self.others, self.joining):
            if names is not None:
                count += len(names)
        return count

    def new_id(self, name: str) -> str:
        """The id of a new socket in this namespace: a client of protocol 3 computes it itself."""
        if self.conn.protocol == 4:
            return generate_id()
        return self.conn.id if name == "/" else f"{name}#{self.conn.id}"

    def is_joining(self, wire_name: bytes) -> bool:
        """Whether a CONNECT for this namespace waits for its answer; False once the connection is closed."""
        return self.joining is not None and wire_name in self.joining

    def refuse(self, wire_name: bytes) -> None:
        """The CONNECT was answered with an error."""
        self.joining.discard(wire_name)

    def join(self, socket: SocketBase, dict answer) -> None:
        """The CONNECT is granted, with this answer: packets of the namespace go to this socket."""
        cdef bytes name = socket.space.wire_name
        self.joining.discard(name)
        if not self.joining:
            self.joining = None
        if self.left is not None:
            self.left.discard(name)
        if name:
            if self.others is None:
                self.others = {}
            self.others[name] = socket
        else:
            self.main = socket
        self.conn.joined = True
        socket.send(SIO_CONNECT, SIO_NO_ID, None if self.conn.protocol == 3 else answer, False)  # rule 4

    def leave(self, socket: SocketBase) -> None:
        """The socket is disconnected; its namespace may be joined again."""
        cdef bytes name = socket.space.wire_name
        if name:
            self.others.pop(name, None)
        else:
            self.main = None
        if self.left is None:
            self.left = set()
        if len(self.left) >= max_namespaces:
            self.left.pop()  # one of them: it is for packets that are under way
        self.left.add(name)

    @property
    def sockets(self) -> dict:
        """Namespace name -> Socket."""
        result = {} if self.main is None else {"/": self.main}
        for socket in (self.others or {}).values():
            result[socket.nsp.name] = socket
        return result

    @property
    def request(self) -> object:
        """The request that opened the connection."""
        return self.conn.request

    @property
    def context(self) -> Context:
        """The context in which the connection's coroutines run: what one sets is there for the next."""
        if self.own_context is None:
            self.own_context = new_context()
        return self.own_context

    # ---- out, and the end ----

    def send(self, int type, str namespace, object data) -> None:
        """Sends a packet that belongs to no socket: the answer to a CONNECT."""
        cdef int64_t slot = self.conn.slot()
        if self.conn.protocol == 3:  # rule 4
            data = older_answer(type, data)
        if slot >= 0:
            self.conn.core.outbox.push(<unsigned int>slot, self.packet(type, namespace, data).c, False)

    cdef Message packet(self, int type, str namespace, object data):
        """Encodes it in the format that the client reads."""
        return Message(Packet(type, namespace, data))

    def disconnect(self) -> None:
        """Leaves every namespace and closes the connection."""
        for socket in self.sockets.values():
            socket.disconnect()
        self.conn.finish("forced server close", None)

    cdef int violation(self, str what, str reason="forced close") except -1:
        self.conn.core.counters["protocol violation"] += 1
        if limits.rate_limited("protocol violation"):
            log.info("closed a connection from %s: %s", self.conn.remote_address, what)
        return self.conn.finish(reason, what)

    cdef int on_close(self, str reason, object description) except -1:
        self.joining = None
        self.data = self.attachments = self.target = None
        for socket in self.sockets.values():
            socket._close(reason, description)
        return 0


cdef object older_answer(int type, object data):
    """What a CONNECT is answered with by rule 4."""
    if type != SIO_CONNECT_ERROR:
        return None
    found = data.get("data")
    return found if found or isinstance(found, dict | list) else data["message"]  # what is true in JavaScript


cdef dict query_of(bytes query):
    """The parameters in it; of equal names the last."""
    parts = [part.partition(b"=") for part in query.split(b"&") if part]
    return {text_of(name): text_of(value) for name, _, value in parts}


cdef str text_of(bytes escaped):
    return unquote_plus(escaped.decode(errors="replace"), errors="replace")


cdef inline bint is_event(list payload):
    """Whether it is an event's payload: its name first, a string that is not reserved or a number."""
    if not payload:
        return False
    name = payload[0]
    if type(name) is str:
        return name not in reserved
    return type(name) is int or type(name) is float
