from typing import Final

CONNECT: Final[int]
DISCONNECT: Final[int]
EVENT: Final[int]
ACK: Final[int]
CONNECT_ERROR: Final[int]
BINARY_EVENT: Final[int]
BINARY_ACK: Final[int]

def scan(data: bytes, max_attachments: int = 10) -> tuple[int, int, bytes, int | None, int]: ...
def write_header(type: int, attachments: int = 0, namespace: bytes = b"", id: int | None = None) -> bytes: ...
