from fastsio.handlers import Listeners
from fastsio.parser import Parser

class NamespaceBase:
    name: str
    wire_name: bytes
    handlers: Listeners
    parser: Parser | None
    def __init__(self, name: str) -> None: ...
    def _next_ack_id(self) -> int: ...
