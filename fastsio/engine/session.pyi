from collections.abc import Callable
from typing import Final, Literal

from fastsio.engine.core import Core
from fastsio.engine.request import Request
from fastsio.handlers import Listeners
from fastsio.outbox import SlotOwner

NOOP_INTERVAL: Final[float]

class Receiver:
    def attach(self, session: Session) -> None: ...

class Transport(SlotOwner):
    session: Session | None
    @property
    def name(self) -> Literal["websocket", "polling"]: ...

class Session:
    id: str
    request: Request
    protocol: Literal[3, 4]
    base64: bool
    opened: float
    upgraded: bool
    core: Core
    on_closed: Callable[[Session], None] | None
    def __init__(
        self,
        core: Core,
        id: str,
        request: Request,
        receiver: Receiver,
        protocol: int = 4,
        base64: bool = False,
    ) -> None: ...
    def send(self, data: str | bytes, *, compress: bool = True) -> None: ...
    async def drain(self) -> None: ...
    def hand_over(self, receiver: Receiver, connect_timeout: float) -> None: ...
    def close(self, discard: bool = False) -> None: ...
    def end(self, reason: str, description: object = None) -> None: ...
    def _table(self) -> Listeners: ...
    @property
    def may_upgrade(self) -> bool: ...
    @property
    def slot_number(self) -> int: ...
    @property
    def ready_state(self) -> Literal["opening", "open", "closing", "closed"]: ...
    @property
    def transport(self) -> Transport | None: ...
    @property
    def remote_address(self) -> str: ...
    @property
    def buffered_amount(self) -> int: ...
