from typing import Final

MAX_DIGITS: Final[int]

class BadPayload(ValueError):
    packets: list[str | bytes]
    def __init__(self, reason: str, packets: list[str | bytes]) -> None: ...

def decode4(body: bytes) -> list[str | bytes]: ...
def decode3(body: bytes, binary: bool = False) -> list[str | bytes]: ...
