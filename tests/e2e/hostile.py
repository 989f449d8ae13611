"""Hostile and odd input, as a table: what is sent on a websocket, and what must come of it.

The rows' names are those of the hardening rules: W websocket, E Engine.IO, S Socket.IO. The application that
they talk to is `install` in test_hardening_wire.py.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.e2e.rawws import BINARY, CONTINUATION, PING, PONG, TEXT, Frame, binary, close, frame, head, text

MAX = 1_000_000  # bytes of one message
ECHO = b'420["echo","x"]'
ECHOED = Frame(TEXT, b'430["x"]')
ALIVE = -1  # in place of a close code: the connection lives
NO_CODE = None  # a close frame without a code
ATTACHMENT = '{"_placeholder":true,"num":0}'


class Row(NamedTuple):
    name: str
    sent: bytes
    code: int | None
    replies: tuple[Frame, ...] = ()
    joined: bool = True  # in "/" before
    we_close: bool = False  # a close frame of ours is in what is sent


def packets(*what: str | bytes) -> bytes:
    return b"".join(text(one) if isinstance(one, str) else binary(one) for one in what)


def lives(name: str, *sent: str | bytes, replies: tuple[str | bytes, ...] = (), joined: bool = True) -> Row:
    frames = tuple(Frame(TEXT, r.encode()) if isinstance(r, str) else Frame(BINARY, r) for r in replies)
    return Row(name, packets(*sent), ALIVE, frames, joined)


def closes(name: str, *sent: str | bytes, joined: bool = True) -> Row:
    return Row(name, packets(*sent), NO_CODE, (), joined)


def fails(name: str, code: int, *sent: bytes, we_close: bool = False) -> Row:
    return Row(name, b"".join(sent), code, we_close=we_close)


def passes(name: str, *sent: bytes, replies: tuple[Frame, ...] = (ECHOED,)) -> Row:
    return Row(name, b"".join(sent), ALIVE, replies)


def split(data: bytes, at: int, between: bytes = b"") -> bytes:
    """A text message in two fragments."""
    return frame(TEXT, data[:at], fin=False) + between + frame(CONTINUATION, data[at:])


def close_rows() -> list[Row]:
    echoed = (1000, 1001, 1003, 1007, 1012, 1014, 3000, 4999)
    refused = (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535)
    return [
        *(fails(f"W26.{code} close code", code, close(code), we_close=True) for code in echoed),
        *(fails(f"W26.{code} close code", 1002, close(code), we_close=True) for code in refused),
        fails("W26 close without a code", None, close(), we_close=True),
        fails("W27 close with a payload of 1 byte", 1002, frame(8, b"\x03"), we_close=True),
        fails("W28 close with an invalid reason", 1007, close(1000, b"\xff"), we_close=True),
        fails("W29 close with a reason", 1000, close(1000, "bye é€😀".encode()), we_close=True),
        fails("W30 close with 126 bytes", 1002, close(1000, b"x" * 124), we_close=True),
        fails("W31 data after close", 1000, close(1000), text('42["note","after close"]'), we_close=True),
        fails("W18 close between fragments", 1000, frame(TEXT, b"42", fin=False), close(1000), we_close=True),
    ]


EURO = '420["echo","€😀"]'.encode()
WEBSOCKET: list[Row] = [
    fails("W01 unmasked", 1002, frame(TEXT, ECHO, mask=None)),
    *(fails(f"W0{n} RSV{n - 1}", 1002, frame(TEXT, ECHO, rsv=rsv)) for n, rsv in ((2, 4), (3, 2), (4, 1))),
    *(
        fails(f"W05.{opcode} reserved opcode", 1002, frame(opcode, b"x"))
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    ),
    fails("W06 fragmented ping", 1002, frame(PING, b"x", fin=False)),
    fails("W07 ping with 126 bytes", 1002, frame(PING, b"x" * 126)),
    passes("W08 ping with 125 bytes", frame(PING, b"x" * 125), replies=(Frame(PONG, b"x" * 125),)),
    passes("W09 length in 16 bits where 7 do", frame(TEXT, ECHO, form=2)),
    passes("W10 length in 64 bits where 7 do", frame(TEXT, ECHO, form=8)),
    fails("W12 declared length of 2^40", 1009, head(TEXT, 2**40)),
    fails("W13 declared length above the limit", 1009, head(TEXT, MAX + 1)),
    fails("W14 fragments above the limit", 1009, split(b"4" + b"x" * (MAX + 1), MAX // 2)),
    fails("W15 continuation of nothing", 1002, frame(CONTINUATION, b"x")),
    fails("W16 a new message inside a fragmented one", 1002, frame(TEXT, b"42", fin=False), frame(TEXT, ECHO)),
    passes(
        "W17 a ping between fragments",
        split(ECHO, 5, between=frame(PING, b"between")),
        replies=(Frame(PONG, b"between"), ECHOED),
    ),
    *(
        passes(f"W20 a code point split at {at}", split(EURO, at), replies=(Frame(TEXT, '430["€😀"]'.encode()),))
        for at in range(EURO.index("€".encode()), len(EURO) - 1)
    ),
    fails("W21 invalid UTF-8 over two fragments", 1007, split(b'42["\xc3(', 5)),
    fails("W22 a surrogate", 1007, frame(TEXT, b'42["\xed\xa0\x80"]')),
    fails("W23 an overlong form", 1007, frame(TEXT, b'42["\xc0\xaf"]')),
    fails("W24 above U+10FFFF", 1007, frame(TEXT, b'42["\xf4\x90\x80\x80"]')),
    fails("W25 truncated UTF-8", 1007, frame(TEXT, b'42["\xe2\x82')),
    passes("W32 an unsolicited pong", frame(PONG, b"x") * 3, replies=()),
    fails("W34 fragments of 1 byte", 1008, frame(TEXT, b"4", fin=False), frame(CONTINUATION, b"x", fin=False) * 20_000),
    fails("W35 empty fragments", 1008, frame(TEXT, b"", fin=False), frame(CONTINUATION, b"", fin=False) * 20_000),
    fails("W38 an empty binary frame", None, frame(BINARY, b"")),
    passes("W40 a mask of zeros", frame(TEXT, ECHO, mask=bytes(4))),
    *close_rows(),
]

ENGINE: list[Row] = [
    closes("E01 unknown packet type", "9"),
    closes("E01 an empty packet", ""),
    lives("E03 unsolicited pongs", *["3"] * 1000),
    lives("E04 OPEN from a client", "0{}"),
    lives("E05 CLOSE over websocket", "1"),
    lives("E07 NOOP", "6"),
    closes("E08 an empty message", "4"),
    closes("E09 base64 that is not due", "bAQID"),
    lives(
        "E09 base64 that is due",
        f'451-0["echo",{ATTACHMENT}]',
        "bAQID",
        replies=(f"461-0[{ATTACHMENT}]", b"\x01\x02\x03"),
    ),
    closes("E09 invalid base64", f'451-0["echo",{ATTACHMENT}]', "b!!"),
    lives("E11 a separator inside a text frame", '6\x1e42["note",1]'),
    closes("E12 two packets in one frame", '42["echo",1]\x1e42["note",2]'),
    closes("E13 a ping from the client", "2"),
]

CONNECTING: list[Row] = [
    closes("S01 EVENT before CONNECT", '42["note",1]', joined=False),
    closes("S02 ACK before CONNECT", "431[]", joined=False),
    closes("S03 BINARY_EVENT before CONNECT", f'451-["note",{ATTACHMENT}]', joined=False),
    closes("S05 CONNECT_ERROR from a client", '44{"message":"x"}'),
    closes("S06 CONNECT twice", "40"),
    lives("S07 unknown namespace", "40/nowhere,", replies=('44/nowhere,{"message":"Invalid namespace"}',)),
    lives("S09 refused by a middleware", "40/deny,", replies=('44/deny,{"message":"no","data":{"why":"é"}}',)),
    closes("S11 EVENT while the middleware is at it", "40/slow,", '42/slow,["note",1]'),
    closes("S13 auth is an array", "40[]", joined=False),
    closes("S14 auth is a string", '40"x"', joined=False),
    closes("S15 auth is null", "40null", joined=False),
    closes("S15 auth is broken", '40{"a":', joined=False),
    lives("S17 namespace with a query", "40/adm?x=1,", replies=('44/adm?x=1,{"message":"Invalid namespace"}',)),
    lives("S18 namespace without a comma", "40/chat", replies=('40/chat,{"sid":"<id>"}',)),
    closes("S19 namespace of 100 KB", f"40/{'n' * 100_000},"),
    closes("S19 namespace of 257 bytes", f"40/{'n' * 256},"),
    lives(
        "S19 namespace of 256 bytes",
        f"40/{'n' * 255},",
        replies=(f'44/{"n" * 255},{{"message":"Invalid namespace"}}',),
    ),
    # An honest client may have sent the event before it knew that it was out: dropped, as by 2.x.
    lives(
        "S22 EVENT after DISCONNECT", "40/chat,", "41/chat,", '42/chat,["note",1]', replies=('40/chat,{"sid":"<id>"}',)
    ),
    closes("S23 DISCONNECT with a payload", "41{}"),
]

EVENTS: list[Row] = [
    *(
        closes(f"S25 reserved event {name}", f'42["{name}"]')
        for name in ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
    ),
    lives("S29 event 'error'", '420["error",1]', replies=('430["error",1]',)),
    *(lives(f"S30 event {name}", f'42["{name}",1]') for name in ("__proto__", "constructor", "__class__", "emit")),
    lives("S31 a number as the event's name", "420[7,1]", replies=('430["seven",1]',)),
    closes("S33 null as the event's name", "42[null]"),
    closes("S34 true as the event's name", "42[true]"),
    closes("S34 an array as the event's name", '42[["echo"]]'),
    closes("S34 an object as the event's name", "42[{}]"),
    lives("S35 the empty event name", '420[""]', replies=('430["empty"]',)),
    closes("S36 no event name", "42[]"),
    closes("S37 EVENT without payload", "42"),
    closes("S38 the payload is an object", '42{"a":1}'),
    closes("S39 truncated JSON", '42["echo","x'),
    closes("S39 something after the JSON", '42["echo"]x'),
    closes("S41 NaN", '42["echo",NaN]'),
    closes("S41 Infinity", '42["echo",-Infinity]'),
    lives("S42 duplicate keys", '420["echo",{"a":1,"a":2}]', replies=('430[{"a":2}]',)),
    closes("S46 nested 10,000 deep", f'42["echo",{"[" * 10_000}{"]" * 10_000}]'),
    closes("S47 nested 400,000 deep", f'42["echo",{"[" * 400_000}{"]" * 400_000}]'),
    lives("S46 nested 200 deep", f'420["echo",{"[" * 200}{"]" * 200}]', replies=(f"430[{'[' * 200}{']' * 200}]",)),
    closes("S51 unknown packet type", '47["echo"]'),
    closes("S51 a letter as the packet type", "4x"),
    lives("S97 control characters in a name", '420["a\\u0001b"]', replies=('430["kept"]',)),
    closes("S98 a raw control character", '42["a\x01b"]'),
    closes("S99 a byte order mark before the JSON", '42\ufeff["echo"]'),
    closes("S100 a space before the JSON", '42 ["echo"]'),
]

ACKS: list[Row] = [
    closes("S53 an id of 20 digits", f'42{"9" * 20}["echo"]'),
    closes("S53 an id of 2^53", '429007199254740992["echo"]'),
    lives("S53 an id of 2^53 - 1", '429007199254740991["echo"]', replies=("439007199254740991[]",)),
    closes("S54 an id of 100,000 digits", f'42{"1" * 100_000}["echo"]'),
    closes("S55 an id with a space", '42 1["echo"]'),
    lives("S57 an id with leading zeros", '420007["echo",1]', replies=("437[1]",)),
    lives("S58 ACK with an unknown id", '4399["x"]'),
    lives("S59 ACK without an id", '43["x"]'),
    closes("S60 ACK without a payload", "431"),
    closes("S60 ACK with an object", "431{}"),
]

BINARY_PACKETS: list[Row] = [
    closes("S71 no attachments", '450-["echo"]'),
    closes("S72 11 attachments", '4511-["echo"]'),
    closes("S73 10^9 attachments", '451000000000-["echo"]'),
    closes("S73 10^30 attachments", f'451{"0" * 30}-["echo"]'),
    *(
        closes(f"S75 attachments {count}", f'45{count}["echo"]')
        for count in ("-1-", "1.5-", "1e0-", "0x1-", "+1-", "", "-")
    ),
    *(
        closes(f"S79 placeholder {num}", f'451-["note",{{"_placeholder":true,"num":{num}}}]', b"x")
        for num in ("1", "-1", '"splice"', "null", "true", "0.5", "[]", "1e99")
    ),
    closes("S83 placeholder without a num", '451-["note",{"_placeholder":true}]', b"x"),
    lives(
        "S84 a placeholder that is not true",
        '451-0["echo",{"_placeholder":"1","num":0}]',
        b"x",
        replies=('430[{"_placeholder":"1","num":0}]',),
    ),
    lives(
        "S85 the same placeholder twice",
        f'451-0["echo",{ATTACHMENT},{ATTACHMENT}]',
        b"x",
        replies=(f'462-0[{ATTACHMENT},{{"_placeholder":true,"num":1}}]', b"x", b"x"),
    ),
    lives("S87 a placeholder in a plain EVENT", f'420["echo",{ATTACHMENT}]', replies=(f"430[{ATTACHMENT}]",)),
    closes("S88 a text while attachments are due", f'451-["note",{ATTACHMENT}]', '42["note",1]'),
    closes("S89 a binary while none is due", b"x"),
    closes("S93 binary for a namespace not joined", f'451-/chat,["note",{ATTACHMENT}]'),
    lives("S95 BINARY_ACK that nobody waits for", f"461-5[{ATTACHMENT}]", b"x"),
    closes("S95 BINARY_ACK with a bad placeholder", '461-5[{"_placeholder":true,"num":7}]', b"x"),
]

ROWS = [*WEBSOCKET, *ENGINE, *CONNECTING, *EVENTS, *ACKS, *BINARY_PACKETS]
