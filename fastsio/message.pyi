from fastsio.packets import Packet
from fastsio.parser import Parser

class Message:
    def __init__(self, packet: Packet, compress: bool = True, parser: Parser | None = None) -> None: ...
    def __len__(self) -> int:
        """Bytes of `frames`."""

    @property
    def frames(self) -> bytes: ...
    def form(self, dialect: int) -> bytes: ...
