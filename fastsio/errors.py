"""The exceptions that users meet."""


class FastsioError(Exception):
    """The base of all of them."""


class ConnectError(FastsioError):
    """Raised by a namespace's middleware to refuse a connection.

    message: what the client's `connect_error` says; data: any JSON-able value that goes with it (default: none).
    Source: Socket.IO 4.x, `next(new Error(message))` with `err.data`.
    """

    message: str
    data: object

    def __init__(self, message: str, *, data: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class AckTimeout(FastsioError, TimeoutError):
    """No acknowledgement came within the timeout.

    responses: the answers that did come, for a broadcast (default: none). Source: Socket.IO 4.x.
    """

    responses: list[object]

    def __init__(self, message: str, responses: list[object] | None = None) -> None:
        super().__init__(message)
        self.responses = responses or []


class Disconnected(FastsioError):
    """The socket disconnected before the acknowledgement came, or before everything was sent.

    responses: the answers that did come, for a broadcast (default: none). Source: ours; in 4.x the message "socket has
    been disconnected".
    """

    responses: list[object]

    def __init__(self, message: str, responses: list[object] | None = None) -> None:
        super().__init__(message)
        self.responses = responses or []


class EventError(FastsioError):
    """What a client sent does not fit the handler of its event; given to `error` listeners. Source: ours."""
