"""Dispatch: from a decoded packet to the user's functions, and back.

SocketBase      one client in one namespace; Socket derives from it
Acknowledgement the answer to one packet

Order for one event: listeners for any event, middlewares, the socket's own listeners, the namespace's handlers. An
exception in one is logged, given to the "error" listeners, and changes nothing else.
"""

from asyncio import current_task
from inspect import getcoroutinelocals, getcoroutinestate, isawaitable
from logging import getLogger

from libc.stdint cimport int64_t, uint32_t

cimport cython

from fastsio.catching cimport Catching
from fastsio.handlers cimport Handler, Listeners
from fastsio.message cimport Message, message, message_release
from fastsio.outbox cimport Outbox
from fastsio.space cimport NamespaceBase
from fastsio.wire.sio cimport SIO_ACK, SIO_CONNECT_ERROR, SIO_DISCONNECT, SIO_EVENT, SIO_NO_ID

from fastsio import limits
from fastsio.errors import AckTimeout, Disconnected, EventError
from fastsio.packets import Packet
from fastsio.tasks import FAILURES as _FAILURES
from fastsio.tasks import start, unattended, value_of


cdef extern from "Python.h":
    bint PyCoro_CheckExact(object) noexcept


log = getLogger("fastsio")

cdef int max_pending_acks = limits.MAX_PENDING_ACKS


@cython.freelist(64)
cdef class Acknowledgement:
    def __call__(self, *args):
        """Answers with these arguments; ignored when it was answered before or nobody asked."""
        if self.id >= 0:
            self.socket.send(SIO_ACK, self.id, list(args), False)
            self.id = -1

    cdef int answer(self, object result) except -1:
        """Answers with what a handler returned."""
        cdef list data
        cdef int64_t ack_id = self.id
        if not is_plain(result) and self.waits_for(result):
            return 0
        if ack_id < 0 or self.taken:
            return 0
        self.id = -1
        if result is None:
            data = []
        elif type(result) is tuple:
            data = list(<tuple>result)
        else:
            data = [result]
        return self.socket.send(SIO_ACK, ack_id, data, False)

    cdef bint waits_for(self, object result) except -1:
        """Whether it is an awaitable other than a coroutine, such as socket.join gives: then it is awaited."""
        if not isawaitable(result):
            return False
        self.socket.begin(value_of(result), self)
        return True

    def settle(self, object result) -> None:
        """The same, for a coroutine handler that has returned."""
        self.answer(result)


cdef inline bint is_plain(object result) noexcept:
    """Whether it is what handlers mostly return, which nobody could wait for."""
    cdef object kind = type(result)
    return result is None or kind is dict or kind is list or kind is tuple or kind is str or kind is int or kind is bool


cdef class SocketBase:
    def __cinit__(self, NamespaceBase nsp, object client, str id, Outbox outbox, *args):
        self.id = id
        self.nsp = nsp
        self.space = nsp
        self.client = client
        self.outbox = outbox
        self.slot = -1

    # ---- in ----

    cdef int on_event(self, list items, int64_t ack_id) except -1:
        """An event of the client: items is [event, *arguments]."""
        return self.handle(items, ack_id) if self.catching is None else self.catch_event(items, ack_id)

    cdef int catch_event(self, list items, int64_t ack_id) except -1:
        """What is there for any event comes first."""
        cdef Catching catching = self.catching
        cdef tuple middlewares = catching.middlewares
        if catching.incoming:
            self.run(catching.incoming, None, [None, *items], nobody(self))
            if self.slot < 0:
                return 0
        if not middlewares:
            return self.handle(items, ack_id)
        for index in range(len(middlewares)):
            try:
                result = middlewares[index](items)
                if isawaitable(result):
                    self.begin(self._ask_later(result, middlewares[index + 1 :], items, ack_id), None)
                    return 0
            except _FAILURES as error:
                self._refuse_event(error)
                return 0
        self._go_on(items, ack_id)
        return 0

    async def _ask_later(self, result, middlewares, items, ack_id) -> None:
        """From the first middleware that has to be waited for."""
        try:
            await result
            for middleware in middlewares:
                result = middleware(items)
                if isawaitable(result):
                    await result
        except _FAILURES as error:
            self._refuse_event(error)
        else:
            self._go_on(items, ack_id)

    def _go_on(self, list items, ack_id) -> None:
        """The middlewares let the event through; the packet stays theirs."""
        if self.slot < 0 or not items:
            return
        if type(items[0]) in (str, int, float):
            self.handle(list(items), ack_id)
        else:
            self._refuse_event(TypeError("a middleware left a packet that does not begin with the name of an event"))

    def _refuse_event(self, error: BaseException) -> None:
        """A middleware stopped the event."""
        if not self._error_handlers() and limits.rate_limited("refused events"):
            log.warning("a middleware of a socket in %s refused an event: %r", self.space.name, error)
        self._tell_error(error)
        if self.slot >= 0 and self.client.conn.protocol == 3:
            answer = {"message": str(error), "data": getattr(error, "data", None)}
            try:
                self.client.send(SIO_CONNECT_ERROR, self.space.name, answer)
            except Exception as second:
                log.error("the data of a refused event cannot be sent", exc_info=second)
                self.client.send(SIO_CONNECT_ERROR, self.space.name, {"message": str(error)})

    cdef int begin(self, object coroutine, object ack) except -1:
        """Runs a coroutine of the application in the context of the connection."""
        if self.tasks is None:
            self.tasks = set()
        start(self, coroutine, ack, self.client.context, self.tasks)
        return 0

    def _cancel_tasks(self) -> int:
        """Before Python 3.12 tasks do not begin at once: the calling one's successors may not have begun."""
        current = current_task() if self.tasks else None
        found = [task for task in self.tasks or () if task is not current]
        begun = [task for task in found if getcoroutinestate(task.get_coro()) != "CORO_CREATED"]
        if current in (self.tasks or ()):
            found = begun
        for task in found:
            if task not in begun:
                getcoroutinelocals(task.get_coro())["coroutine"].close()  # the handler's: it never will begin
            task.cancel()
        return len(found)

    cdef int handle(self, list items, int64_t ack_id) except -1:
        """Calls the socket's own listeners and the namespace's handlers."""
        cdef object event = items[0]
        cdef tuple own = self.own.find(event) if self.own is not None else None
        cdef tuple common = self.space.handlers.find(event)
        cdef Acknowledgement ack
        if own is None and common is None:
            return 0
        ack = nobody(self)
        ack.id = ack_id
        ack.taken = takes_ack(own) or takes_ack(common)
        if own is not None:
            self.run(own, event, items, ack)
        if common is not None:
            items[0] = self
            self.run(common, event, items, ack)
        return 0

    cdef int run(self, tuple handlers, object event, list items, Acknowledgement ack) except -1:
        cdef Handler handler
        cdef list given
        for handler in handlers:
            if handler.lacks(items):
                self.refuse(handler, ack, None)
                continue
            given = items
            if handler.converters is not None:
                given = self.convert(handler, items, ack)
                if given is None:
                    continue
            if handler.once and event is not None:
                self.table_of(handler).discard(handler, event)
            try:
                result = handler.call(given, ack)
                if PyCoro_CheckExact(result):
                    self.begin(result, ack)
                else:
                    ack.answer(result)
            except _FAILURES as error:
                self._failed(error)
        return 0

    cdef Listeners table_of(self, Handler handler):
        return self.space.handlers if handler.with_socket else self.own

    cdef list convert(self, Handler handler, list items, Acknowledgement ack):
        """The items as the handler's annotations want them, in a new list; None: they do not fit."""
        try:
            return handler.converters(items)
        except EventError as error:
            self.refuse(handler, ack, error)
        except Exception as error:
            self._failed(error)
        return None

    cdef int refuse(self, Handler handler, Acknowledgement ack, object error) except -1:
        """Too few arguments (None) or unfit ones: an error of the client's, not of the handler's."""
        name = getattr(handler.function, "__qualname__", "handler")
        kind = "missing arguments" if error is None else "invalid arguments"
        answer = {"error": kind} if error is None else {"error": kind, "message": str(error)}
        given = f"the client sent fewer arguments than {name} takes" if error is None else f"{name}: {error}"
        told = EventError(given)
        told.__cause__ = None if error is None else error.__cause__
        if limits.rate_limited(kind):
            log.warning("namespace %s: %s", self.space.name, given)
        if ack.id >= 0:
            ack(answer)
        self._tell_error(told)
        return 0

    def _failed(self, error: BaseException) -> None:
        """A handler raised."""
        log.error("exception in a handler of namespace %s", self.space.name, exc_info=error)
        self._tell_error(error)

    def _tell_error(self, error: BaseException) -> None:
        """Calls what is there for "error"; what that raises is logged, and told to nobody."""
        cdef Handler handler
        for handler in self._error_handlers():
            if handler.once:
                self.table_of(handler).discard(handler, "error")
            try:
                unattended(handler.call([self if handler.with_socket else "error", error], None), self.client.context)
            except _FAILURES as second:
                log.error("exception in an error listener", exc_info=second)

    def _error_handlers(self) -> tuple:
        return self._listeners("error") + self.space.handlers.get("error")

    def _fire(self, str event, *args) -> None:
        """Calls the listeners of one of our own events, and the namespace's handlers for it."""
        cdef list items = [event, *args]
        cdef tuple own = self.own.find(event) if self.own is not None else None
        cdef tuple common = self.space.handlers.find(event)
        if own is not None:
            self.run(own, event, items, nobody(self))
        if common is not None:
            items[0] = self
            self.run(common, event, items, nobody(self))

    def _call(self, Handler handler, list items) -> None:
        """Calls a handler of the namespace's: items is [event, *arguments]."""
        self.run((handler,), None, items, nobody(self))

    cdef int on_ack(self, int64_t ack_id, list arguments) except -1:
        """The client's answer; unknown, late and repeated ones are ignored."""
        if self.acks is None:
            return 0
        found = self.acks.pop(ack_id, None)
        if found is None:
            return 0
        callback, timer = found
        if timer is not None:
            timer.cancel()
        try:
            result = callback(None, *arguments)
            if PyCoro_CheckExact(result):
                self.begin(result, None)
        except _FAILURES as error:
            self._failed(error)
        return 0

    # ---- out ----

    cdef int send(self, int type, int64_t ack_id, object data, bint is_volatile, bint compress=True) except -1:
        cdef message *packet
        if self.slot < 0:
            return 0 if self.early is None else self.keep(type, ack_id, data, compress)
        packet = self.space.encode(type, ack_id, data)
        packet.compress = compress
        try:
            return self.outbox.push(<uint32_t>self.slot, packet, is_volatile)
        finally:
            message_release(packet)

    cdef int keep(self, int type, int64_t ack_id, object data, bint compress) except -1:
        """It was sent by a middleware."""
        packet = Packet(type, self.space.name, data, None if ack_id == SIO_NO_ID else ack_id)
        self.early.append(Message(packet, compress, self.space.parser))
        return 0

    def _push(self, Message packet, bint is_volatile=False) -> None:
        """Sends a packet that is encoded already."""
        if self.slot >= 0:
            self.outbox.push(<uint32_t>self.slot, packet.c, is_volatile)

    def _emit(self, list items, bint is_volatile=False, bint compress=True) -> None:
        """Sends an event without an acknowledgement: items is [event, *arguments]."""
        if self.catching is not None:
            self._notify_outgoing(items)
        self.send(SIO_EVENT, SIO_NO_ID, items, is_volatile, compress)

    def _emit_with_ack(
        self, list items, object callback, object timeout, bint is_volatile=False, bint compress=True
    ) -> int:
        """Sends an event; callback(error or None, *arguments) is called once, when the answer comes, after
        `timeout` seconds (None: never) or at the disconnect. Returns the acknowledgement's id."""
        cdef int64_t ack_id
        timer = None
        self.outbox.check_thread()
        if self.acks is None:
            self.acks = {}
        elif len(self.acks) >= max_pending_acks:
            raise RuntimeError(
                f"{max_pending_acks} acknowledgements of this client are pending already:"
                " use a timeout, or wait for answers before asking for more"
            )
        if self.catching is not None:
            self._notify_outgoing(items)
        ack_id = self.space._next_ack_id()
        if timeout is not None:
            timer = self.outbox.loop.call_later(timeout, self._ack_timed_out, ack_id)
        self.acks[ack_id] = (callback, timer)
        try:
            self.send(SIO_EVENT, ack_id, items, is_volatile, compress)
        except BaseException:
            self._forget_ack(ack_id)
            raise
        return ack_id

    def _notify_outgoing(self, list items) -> None:
        """Calls the listeners for all that goes out."""
        if self._reachable and self.catching is not None and self.catching.outgoing:
            self.run(self.catching.outgoing, None, [None, *items], nobody(self))

    def _expect_ack(self, ack_id: int, callback: object) -> bool:
        """The client was sent a packet that asks for an acknowledgement; False: too many are pending."""
        if self.acks is None:
            self.acks = {}
        elif len(self.acks) >= max_pending_acks:
            return False
        self.acks[ack_id] = (callback, None)
        return True

    def _forget_ack(self, ack_id: int) -> object:
        """Takes a pending acknowledgement back and returns its callback, or None when it is settled."""
        callback, timer = self.acks.pop(ack_id, (None, None)) if self.acks is not None else (None, None)
        if timer is not None:
            timer.cancel()
        return callback

    def _ack_timed_out(self, ack_id: int) -> None:
        callback = self._forget_ack(ack_id)
        if callback is not None:
            self._settle_ack(callback, AckTimeout("operation has timed out"))

    def _settle_ack(self, callback: object, error: Exception) -> None:
        try:
            result = callback(error)
            if PyCoro_CheckExact(result):
                self.begin(result, None)
        except _FAILURES as second:
            self._failed(second)

    def _leave_slot(self) -> None:
        """The socket is disconnected, or was refused: nothing is sent any more, pending acknowledgements fail."""
        self.slot = -1
        self.early = None
        acks, self.acks = self.acks, None
        for ack_id in acks or ():
            callback, timer = acks[ack_id]
            if timer is not None:
                timer.cancel()
            self._settle_ack(callback, Disconnected("the socket has disconnected"))

    def _hold(self) -> None:
        """Middlewares are at it: what they send is kept for when the client is in the namespace."""
        self.early = []

    def _release(self) -> None:
        """It is."""
        held, self.early = self.early, None
        for packet in held or ():
            if isinstance(packet, Message):
                self._push(packet)
            else:
                packet()

    def _defer(self, call: object) -> None:
        """Calls it when the client is in the namespace; among the packets that are kept."""
        self.early.append(call)

    def _check_thread(self) -> None:
        """RuntimeError: this is another thread than the event loop's."""
        self.outbox.check_thread()

    def _send_disconnect(self) -> None:
        self.send(SIO_DISCONNECT, SIO_NO_ID, None, False)

    # ---- listeners ----

    def _listeners(self, event: str | int) -> tuple:
        return self.own.get(event) if self.own is not None else ()

    def _table(self) -> Listeners:
        """The socket's own listeners, made when the first is registered."""
        if self.own is None:
            self.own = Listeners()
        return self.own

    def _catching(self) -> Catching:
        """What is there for all events, made when first asked for."""
        if self.catching is None:
            self.catching = Catching()
        return self.catching

    @property
    def _has_catching(self) -> bool:
        return self.catching is not None

    @property
    def connected(self) -> bool:
        """Whether the client is in the namespace now."""
        return self.slot >= 0

    @property
    def _reachable(self) -> bool:
        """Whether what is sent goes to the client, now or when the middlewares are through."""
        return self.slot >= 0 or self.early is not None

    @property
    def disconnected(self) -> bool:
        """The opposite of connected."""
        return self.slot < 0

    @property
    def _slot(self) -> int:
        return self.slot

    def _take_slot(self, slot: int) -> None:
        """The socket is connected from here on, in this slot of the outbox."""
        self.slot = slot


cdef Acknowledgement nobody(SocketBase socket):
    """For a packet that asks for no answer."""
    cdef Acknowledgement ack = Acknowledgement.__new__(Acknowledgement)
    ack.socket = socket
    ack.id = -1
    return ack


cdef bint takes_ack(tuple handlers):
    cdef Handler handler
    if handlers is not None:
        for handler in handlers:
            if handler.ack_name is not None:
                return True
    return False
