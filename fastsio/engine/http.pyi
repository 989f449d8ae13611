from collections.abc import Callable

from fastsio.engine.request import Request

MAX_HEADERS: int
PIPELINE: int
CONTINUE: bytes

class HttpError(Exception):
    status: int
    request: Request | None
    def __init__(self, status: int, text: str) -> None: ...

class Announcement:
    request: Request
    def __init__(self, request: Request) -> None: ...

class HttpParser:
    tail: bytes
    def __init__(self, max_body: int, hosted: Callable[[Request], bool] | None = None) -> None: ...
    def feed(self, data: bytes) -> list[Request | Announcement | bytes | HttpError]: ...
    def interim(self) -> bytes: ...
