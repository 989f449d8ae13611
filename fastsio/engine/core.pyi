from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from fastsio.engine.connection import Connection
from fastsio.engine.http import HttpError
from fastsio.engine.polling import Polling
from fastsio.engine.request import Request
from fastsio.engine.session import Session
from fastsio.engine.timers import Deadlines
from fastsio.outbox import Outbox, SlotOwner
from fastsio.wire.deflate import DeflateSettings

class Hooks(Protocol):
    def on_made(self, connection: Connection) -> None: ...
    def on_request(self, connection: Connection, request: Request | HttpError) -> None: ...
    def on_lost(self, connection: Connection) -> None: ...
    def on_announced(self, connection: Connection, request: Request) -> None: ...
    def on_opened(self, session: Session) -> None: ...

class Core:
    loop: AbstractEventLoop
    outbox: Outbox
    hooks: Hooks
    deadlines: Deadlines
    counters: Counter[str]
    ping_interval: float
    ping_timeout: float
    connect_timeout: float
    upgrade_timeout: float
    deflate: DeflateSettings | None
    messages_in: int
    bytes_in: int
    sessions: int
    sessions_total: int
    sessions_peak: int
    connections: int
    connections_total: int
    connections_peak: int
    lingering: dict[str, Polling]
    max_body: int
    hosted: Callable[[Request], bool] | None
    def __init__(self, loop: AbstractEventLoop, options: dict[str, Any], hooks: Hooks) -> None: ...
    def owners(self) -> list[SlotOwner]: ...
