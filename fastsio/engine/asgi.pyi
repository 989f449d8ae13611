from collections.abc import Callable
from typing import Final

from fastsio.engine.core import Core
from fastsio.engine.session import Session, Transport

CLOSE_TIMEOUT: Final[float]
STALL_TIMEOUT: Final[float]

class AsgiWebSocket(Transport):
    session: Session | None
    def __init__(
        self,
        core: Core,
        session: Session,
        deliver: Callable[[list[str | bytes]], None],
        finish: Callable[[int, bool], None],
    ) -> None: ...
    def begin(self, probing: bool) -> None: ...
    def on_message(self, message: str | bytes) -> None: ...
    def on_progress(self) -> None: ...
    def on_sent(self) -> None: ...
    def on_lost(self, code: int) -> None: ...
