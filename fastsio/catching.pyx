"""Catching: what is there for all events of a socket, both ways: listeners and middlewares."""

from fastsio.handlers cimport Handler


cdef class Catching:
    def __cinit__(self):
        self.incoming = self.outgoing = self.middlewares = ()

    def add_incoming(self, function: object, *, bint first=False) -> None:
        """Registers a listener for all events of the client."""
        cdef tuple added = (Handler(function),)
        self.incoming = added + self.incoming if first else self.incoming + added

    def add_outgoing(self, function: object, *, bint first=False) -> None:
        """Registers a listener for all events to the client."""
        cdef tuple added = (Handler(function),)
        self.outgoing = added + self.outgoing if first else self.outgoing + added

    def add_middleware(self, function: object) -> None:
        """Registers a function that is asked about each event of the client."""
        self.middlewares += (function,)

    def remove_incoming(self, function: object) -> None:
        """Takes a function, or all (None), away."""
        self.incoming = without(self.incoming, function)

    def remove_outgoing(self, function: object) -> None:
        """Takes a function, or all (None), away."""
        self.outgoing = without(self.outgoing, function)

    def incoming_functions(self) -> list:
        """The functions for events of the client, in order."""
        return [handler.function for handler in self.incoming]

    def outgoing_functions(self) -> list:
        """The functions for events to the client, in order."""
        return [handler.function for handler in self.outgoing]


cdef tuple without(tuple handlers, object function):
    """The handlers without the first of this function; None: without any."""
    if function is None:
        return ()
    for index in range(len(handlers)):
        if handlers[index].function == function:
            return handlers[:index] + handlers[index + 1 :]
    return handlers
