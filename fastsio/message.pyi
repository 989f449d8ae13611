from fastsio.packets import Packet
from fastsio.parser import Parser

class Message:
    def __init__(
        self,
        type: int,
        namespace: str,
        data: object,
        id: int = -1,
        compress: bool = True,
        parser: Parser | None = None,
    ) -> None: ...
    @staticmethod
    def of(packet: Packet, compress: bool, parser: Parser | None) -> Message: ...
    def __len__(self) -> int:
        """Bytes of `frames`."""

    @property
    def frames(self) -> bytes: ...
    def form(self, dialect: int) -> bytes: ...
