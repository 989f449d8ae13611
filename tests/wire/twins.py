"""Naive decoders: slow, obvious, and the oracle for the compiled ones."""

from __future__ import annotations

from dataclasses import dataclass, field

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
ERROR, NO_STATUS = -2, 1005


def client_frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    mask: bytes = b"\1\2\3\4",
    flags: int = 0,
    length_bytes: int | None = None,
) -> bytes:
    """A client's frame; length_bytes: 0, 2 or 8, also where that is not the shortest form."""
    if length_bytes is None:
        length_bytes = 0 if len(payload) < 126 else 2 if len(payload) < 65536 else 8
    short = {0: len(payload), 2: 126, 8: 127}[length_bytes]
    head = bytes([fin << 7 | flags | opcode, 0x80 | short])
    length = len(payload).to_bytes(length_bytes, "big") if length_bytes else b""
    return head + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def text_is_hopeless(data: bytes) -> bool:
    """Whether no continuation could make the text valid."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return not error.reason.startswith("unexpected end")
    return False


@dataclass
class Twin:
    """Decodes a whole stream of a client's frames by RFC 6455, from its first byte each time it is asked."""

    max_message: int
    max_fragments: int
    events: list[tuple[int, bytes, int]] = field(default_factory=list)

    def decode(self, stream: bytes) -> list[tuple[int, bytes, int]]:
        self.events = []
        self.opcode, self.message, self.fragments = 0, b"", 0
        at = 0
        while at < len(stream):
            size = self.frame(stream[at:])
            if size == 0:
                break
            at += size
        return self.events

    def error(self, code: int) -> int:
        self.events.append((ERROR, b"", code))
        return 0

    def frame(self, data: bytes) -> int:
        """Takes one frame; 0: the end, for whatever reason."""
        if len(data) < 2:
            return 0
        fin, flags, opcode = data[0] >> 7, data[0] & 0x70, data[0] & 15
        length, head = data[1] & 0x7F, 2
        control = opcode >= 8
        if not data[1] & 0x80 or flags or opcode in (3, 4, 5, 6, 7) or opcode > PONG:
            return self.error(1002)
        if control and (not fin or length > 125):
            return self.error(1002)
        if not control and (opcode == CONTINUATION) != (self.opcode != 0):
            return self.error(1002)
        extra = {126: 2, 127: 8}.get(length, 0)
        if len(data) < head + extra:
            return 0
        if extra:
            length = int.from_bytes(data[2 : 2 + extra], "big")
            head += extra
        if not control and not self.fits(length):
            return 0
        mask = data[head : head + 4]
        if len(mask) < 4:
            return 0
        head += 4
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data[head : head + length]))
        whole = len(payload) == length
        if control:
            return head + length if whole and self.control(opcode, payload) else 0
        return head + length if self.data(opcode, bool(fin), payload, length) and whole else 0

    def control(self, opcode: int, payload: bytes) -> bool:
        if opcode != CLOSE:
            self.events.append((opcode, payload, 0))
            return True
        code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else NO_STATUS
        valid = not payload or code in (1000, 1001, 1002, 1003, *range(1007, 1015)) or 3000 <= code < 5000
        if len(payload) == 1 or not valid:
            self.error(1002)
        elif not is_text(payload[2:]):
            self.error(1007)
        else:
            self.events.append((CLOSE, payload[2:], code))
        return False

    def fits(self, length: int) -> bool:
        if self.max_fragments and self.fragments >= self.max_fragments:
            return bool(self.error(1008))
        return len(self.message) + length <= self.max_message or bool(self.error(1009))

    def data(self, opcode: int, fin: bool, payload: bytes, length: int) -> bool:
        self.fragments += 1
        self.opcode = self.opcode or opcode
        self.message += payload
        if self.opcode == TEXT and text_is_hopeless(self.message):
            return bool(self.error(1007))
        if len(payload) < length or not fin:
            return True
        if self.opcode == TEXT and not is_text(self.message):
            return bool(self.error(1007))
        self.events.append((self.opcode, self.message, 0))
        self.opcode, self.message, self.fragments = 0, b"", 0
        return True


def scan(packet: bytes, max_attachments: int) -> tuple[int, int, bytes, int | None, int] | None:
    """The head of a Socket.IO packet; None: refused."""
    text = packet.decode("latin-1")
    if not text or text[0] not in "0123456":
        return None
    kind, at, attachments = int(text[0]), 1, 0
    if kind in (5, 6):
        digits = leading_digits(text[at:])
        at += len(digits) + 1
        if not digits or text[at - 1 : at] != "-" or not 0 < int(digits) <= max_attachments or len(digits) > 32:
            return None
        attachments = int(digits)
    name = b""
    if text[at : at + 1] == "/":
        name, comma, _ = packet[at:].partition(b",")
        at += len(name) + len(comma)
        if len(name) > 256:
            return None
    digits = leading_digits(text[at:])
    if digits and (len(digits) > 32 or int(digits) > 2**53 - 1):
        return None
    return kind, attachments, name, int(digits) if digits else None, at + len(digits)


def leading_digits(text: str) -> str:
    return text[: len(text) - len(text.lstrip("0123456789"))]
