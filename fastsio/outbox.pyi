from asyncio import AbstractEventLoop
from collections.abc import Callable, Collection

from fastsio.message import Message
from fastsio.rooms import Rooms

class SlotOwner: ...

class CohortBuffer:
    @property
    def compress(self) -> bool: ...

class Outbox:
    loop: AbstractEventLoop
    deflater: Callable[[bytes], bytes] | None
    deflate_threshold: int
    def __init__(self, loop: AbstractEventLoop, max_backlog: int) -> None: ...
    def check_thread(self) -> int: ...
    def send_to(
        self,
        rooms: Rooms,
        names: Collection[str],
        excepts: Collection[str],
        sender: int,
        packet: Message,
        is_volatile: bool = False,
    ) -> int: ...
    def stats(self) -> dict[str, int]: ...
    def messages(self) -> int: ...
    def flush_sizes(self) -> list[int]: ...
