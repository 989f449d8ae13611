"""Handlers: the user's functions, registered by event name and called without detours.

A signature is read once, at registration, from the code object when there is one:
a function that is defined anew for each connection costs well under a microsecond.
Surplus arguments are dropped; a caller asks `lacks` before it calls.
"""

from inspect import Parameter, signature, unwrap
from types import FunctionType, MethodType, NoneType, UnionType
from typing import ForwardRef, Union, get_args, get_origin

from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject

from fastsio.event import Event, check_name
from fastsio.tasks import FAILURES as _FAILURES
from fastsio.tasks import start
from fastsio.typed import (
    completing,
    converters_of,
    converters_of_parameters,
    defined,
    function_of,
    only_name,
    tells_what_it_takes,
    unevaluated,
)


cdef extern from "Python.h":
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    object PyObject_Vectorcall(object function, PyObject **args, size_t nargsf, PyObject *keywords)
    PyObject *PyFunction_GetAnnotations(object function)
    PyObject *PyErr_Occurred()
    void PyErr_Clear()
    bint PyCoro_CheckExact(object) noexcept
    ctypedef struct PyListObject:
        PyObject **ob_item

cdef dict NO_ANNOTATIONS = {}
cdef object MISSING = object()

# flags of code, as in inspect: CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR
cdef int VARARGS = 0x04
cdef int ANYTHING = 0x04 | 0x08  # *args and **kwargs
cdef int GENERATOR = 0x20
cdef int AWAITABLE = 0x100  # a generator by types.coroutine
cdef int ASYNC_GENERATOR = 0x200


class Ack:
    """The acknowledgement that a client asked for, as the type of a handler's parameter.

    ``def handler(data, ack: Ack)`` gets a callable: ``ack(*args)`` answers, once; a
    second call is ignored, and so is every call when the client asked for no answer.
    A parameter named ``ack`` needs no annotation; ``Ack | None`` says the same. Source: Socket.IO 2.x and 4.x.
    """

    def __call__(self, *args: object) -> None:
        raise NotImplementedError


cdef class Handler:
    """function: what is called; once: only the first time; with_socket: its first argument is the socket."""

    def __cinit__(self, object function, bint once=False, bint with_socket=False):
        if not callable(function):
            raise TypeError(f"a handler must be callable, got {type(function).__name__}")
        self.function = function
        self.once = once
        self.with_socket = with_socket
        if type(function) is FunctionType:
            self.read_function(function, 0)
        elif type(function) is MethodType and type(function.__func__) is FunctionType:
            self.read_function(function.__func__, 1)
        else:
            self.read_signature()

    cdef int read_function(self, object function, int bound) except -1:
        """What takes anything for another function is called with what that one takes."""
        cdef int flags = function.__code__.co_flags
        cdef bint wrapped = False
        check_runs(function, flags)
        if flags & ANYTHING == ANYTHING and hasattr(function, "__wrapped__"):
            wrapped = True
            function = unwrap(function, stop=tells_what_it_takes)
            if type(function) is not FunctionType or hasattr(function, "__signature__"):
                return self.read_signature()
        return self.read_code(function, bound, wrapped)

    cdef int read_code(self, object function, int bound, bint wrapped) except -1:
        code = function.__code__
        cdef int positional = code.co_argcount
        cdef int keyword_only = code.co_kwonlyargcount
        cdef tuple names = code.co_varnames[: positional + keyword_only]
        cdef object defaults = function.__defaults__
        cdef object annotations = annotations_of(function)
        cdef int index = ack_index(names, annotations, function)
        self.least = positional - bound - (len(defaults) if defaults is not None else 0)
        self.most = positional - bound
        if code.co_flags & VARARGS:
            self.most = -1
        if annotations is not NO_ANNOTATIONS:
            ack = names[index] if index >= 0 else None
            self.converters = converters_of(function, annotations, (0 if self.with_socket else 1) - bound, ack)
        if keyword_only and not wrapped:  # a wrapper may give what nobody else could
            check_keyword_only(function, names[positional:], names[index] if index >= positional else None)
        if index >= 0:
            if index < positional:
                check_ack(function, index, code.co_posonlyargcount, positional, code.co_flags & VARARGS)
            self.take_ack(names[index], index < positional, index - bound)
        return 0

    cdef int take_ack(self, str name, bint positional, int before) except -1:
        """The acknowledgement is passed by keyword; its parameter is no place for an argument."""
        self.ack_name = (name,)
        if positional:
            self.most = before
            self.least = min(self.least, before)
        return 0

    cdef int read_signature(self) except -1:
        function = function_of(self.function)
        if function is not None:
            check_runs(function, function.__code__.co_flags)
        try:
            parameters = list(signature(self.function).parameters.values())
        except ValueError:  # a builtin that does not tell
            self.most = -1
            return 0
        space = getattr(defined(self.function), "__globals__", {})
        for parameter in parameters:
            if parameter.name == "ack" or is_ack(parameter.annotation, space):
                self.ack_name = (parameter.name,)
                if parameter.kind is Parameter.POSITIONAL_ONLY:
                    raise misplaced(self.function, parameter.name, "after the /")
            elif parameter.kind <= Parameter.VAR_POSITIONAL:  # with the positional ones, which are less
                if self.ack_name is not None:
                    raise misplaced(self.function, self.ack_name[0], "last, or after a *")
                if parameter.kind is Parameter.VAR_POSITIONAL:
                    self.most = -1
                else:
                    self.most += 1
                    self.least += parameter.default is Parameter.empty
            elif parameter.kind is Parameter.KEYWORD_ONLY and parameter.default is Parameter.empty:
                raise without_value(self.function, parameter.name)
        cdef object ack = self.ack_name[0] if self.ack_name is not None else None
        self.converters = converters_of_parameters(self.function, parameters, 0 if self.with_socket else 1, ack)
        return 0

    cdef int take_event(self, object event) except -1:
        """Its annotations count where there are none of one's own, its defaults where the handler has none."""
        cdef int needed = self.least - self.with_socket
        cdef tuple defaults = event.defaults(needed)
        if self.converters is None:
            self.converters = event.converters
        if defaults:
            self.converters = completing(self.converters, needed + 1, defaults)
            self.least -= <int>len(defaults)
        return 0

    cdef object call(self, list items, object ack):
        cdef size_t first = 0 if self.with_socket else 1
        cdef size_t count = <size_t>PyList_GET_SIZE(items) - first
        cdef PyObject **args
        cdef list extended
        if self.most >= 0 and count > <size_t>self.most:
            count = self.most
        if self.ack_name is None:
            args = (<PyListObject *>items).ob_item + first
            if first:  # items[0] is not an argument: a bound method may put its self there
                return PyObject_Vectorcall(self.function, args, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)
            return PyObject_Vectorcall(self.function, args, count, NULL)
        extended = items[first : first + count]
        extended.append(ack)
        return PyObject_Vectorcall(
            self.function, (<PyListObject *>extended).ob_item, count, <PyObject *>self.ack_name
        )

    cdef bint lacks(self, list items) noexcept:
        """Whether the arguments are too few."""
        return PyList_GET_SIZE(items) - (0 if self.with_socket else 1) < self.least

    def fitted(self, tuple args) -> tuple:
        """As the function takes them: surplus ones dropped, missing ones None, as in JavaScript."""
        cdef int count = len(args)
        if self.most >= 0 and count > self.most:
            return args[: self.most]
        return args if count >= self.least else args + (None,) * (self.least - count)

    def accepts(self, int count) -> bool:
        """Whether it can be called with so many arguments, surplus ones dropped."""
        return count >= self.least


cdef int check_runs(object function, int flags) except -1:
    """What yields only runs for one who asks for its values."""
    if flags & (GENERATOR | ASYNC_GENERATOR) and not flags & AWAITABLE:
        raise TypeError(f"{function.__qualname__}: a handler that yields would never run: return or emit instead")
    return 0


cdef int check_keyword_only(object function, tuple names, object ack) except -1:
    """They have defaults, all but the acknowledgement."""
    cdef object defaults = function.__kwdefaults__ or ()
    for name in names:
        if name != ack and name not in defaults:
            raise without_value(function, name)
    return 0


cdef int check_ack(object function, int index, int positional_only, int positional, bint rest) except -1:
    """A parameter with a place among the arguments can take the acknowledgement."""
    name = function.__code__.co_varnames[index]
    if index < positional_only:
        raise misplaced(function, name, "after the /")
    if index < positional - 1 or rest:
        raise misplaced(function, name, "last, or after a *")
    return 0


cdef object misplaced(object function, str name, str where):
    return TypeError(f"{named(function)}: the parameter {name!r} is given by keyword: put it {where}")


cdef object without_value(object function, str name):
    return TypeError(f"{named(function)}: the keyword-only parameter {name!r} of a handler needs a default")


cdef str named(object function):
    return getattr(function, "__qualname__", None) or repr(function)


cdef bint is_ack(object annotation, dict space):
    """Whether it means Ack, or Ack or None; space: what names in text stand for."""
    if annotation is Ack:
        return True
    if type(annotation) is str:
        return is_ack_in_text(annotation, space)
    if annotation is None or type(annotation) is type:
        return False
    if type(annotation) is ForwardRef:
        return is_ack_in_text(annotation.__forward_arg__, space)
    if get_origin(annotation) not in (Union, UnionType):
        return False
    meant = [argument for argument in get_args(annotation) if argument is not NoneType]
    return len(meant) == 1 and is_ack(meant[0], space)


cdef bint is_ack_in_text(str text, dict space):
    """A name without a value, as of an import for type checkers alone, is taken at its word."""
    cdef tuple names = only_name(text)
    if names is None:
        return False
    value = space.get(names[0], MISSING)
    if value is MISSING:
        return names[len(names) - 1] == "Ack"
    for name in names[1:]:
        value = getattr(value, name, None)
    return value is Ack


cdef dict annotations_of(object function):
    cdef PyObject *annotations = PyFunction_GetAnnotations(function)  # borrowed; makes no dict for one without any
    if annotations == NULL:
        if PyErr_Occurred() == NULL:
            return NO_ANNOTATIONS
        PyErr_Clear()
        return unevaluated(function)
    return <dict>annotations if <dict>annotations else NO_ANNOTATIONS


cdef int ack_index(tuple names, dict annotations, object function) except -2:
    """Where the parameter named "ack", or annotated Ack, stands; -1: there is none."""
    if "ack" in names:
        return names.index("ack")
    for name, annotation in annotations.items():
        if name in names and is_ack(annotation, function.__globals__):
            return names.index(name)
    return -1


cdef class Listeners:
    """An event emitter's table."""

    def add(self, event: Event | str | int, function: object, *, bint once=False, bint with_socket=False) -> None:
        """Registers a function for an event, after those that are there."""
        cdef Handler handler = Handler(function, once, with_socket)
        if type(event) is not str and isinstance(event, Event):
            handler.take_event(event)
            event = event.name
        elif type(event) is not str:
            check_name(event)
        if self.table is None:
            self.table = {}
        self.table[event] = self.table.get(event, ()) + (handler,)

    def remove(self, event: str | int, function: object) -> None:
        """Takes the function's latest registration for the event away; nothing happens without one."""
        cdef tuple found = self.get(event)
        for index in range(len(found) - 1, -1, -1):
            if found[index].function == function:
                self.replace(event, found[:index] + found[index + 1 :])
                return

    def discard(self, handler: Handler, event: str | int) -> None:
        """Takes exactly this handler away."""
        self.replace(event, tuple([other for other in self.get(event) if other is not handler]))

    def replace(self, event: str | int, handlers: tuple) -> None:
        """Sets an event's handlers; an empty tuple forgets the event."""
        if handlers:
            if self.table is None:
                self.table = {}
            self.table[event] = handlers
        elif self.table is not None:
            self.table.pop(event, None)
            if not self.table:
                self.table = None

    def fire(self, owner: object, event: str, *args: object) -> None:
        """Calls the event's functions; an exception of one goes to `owner._failed(error)`, and stops nothing."""
        cdef Handler handler
        for handler in self.get(event):
            if handler.once:
                self.discard(handler, event)
            try:
                result = handler.call([event, *args], None)
                if PyCoro_CheckExact(result):
                    start(owner, result, None)
            except _FAILURES as error:
                owner._failed(error)

    def ask(self, owner: object, event: str | int, args: list, answer: object, tasks: set | None = None) -> None:
        """The same; what a function returns goes to `answer.settle`, unless it takes `ack`, which is `answer`.

        tasks: holds those of coroutines until they are done.
        """
        cdef Handler handler
        for handler in self.get(event):
            if handler.once:
                self.discard(handler, event)
            try:
                result = handler.call([event, *args], answer)
                if PyCoro_CheckExact(result):
                    start(owner, result, answer if handler.ack_name is None else None, None, tasks)
                elif handler.ack_name is None:
                    answer.settle(result)
            except _FAILURES as error:
                owner._failed(error)

    def clear(self, event: str | int | None = None) -> None:
        """Forgets all handlers, or all of one event."""
        if event is None:
            self.table = None
        else:
            self.replace(event, ())

    def get(self, event: str | int) -> tuple:
        """The handlers of an event, in order."""
        cdef tuple found = self.find(event)
        return () if found is None else found

    def names(self) -> list:
        """The events that have handlers."""
        return list(self.table) if self.table is not None else []
