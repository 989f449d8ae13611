"""How a difference from the reference servers is told, and the lines that their transcripts and ours repeat.

In the reference's transcript of the cases that are named, the last `theirs` is replaced by `ours`, with `everywhere`
each one, in all other cases too; the result must be our transcript. It is an error when `theirs` is not in the
transcript of a case that is named, so no difference that is told outlives itself.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT = "200 [cache-control: no-store] [content-type: text/plain; charset=UTF-8] "
OCTETS = "200 [cache-control: no-store] [content-type: application/octet-stream] "
OK = "200 [cache-control: no-store] [content-type: text/html] ok"
FOUR, TWO, BOTH = ("4",), ("2",), ("4", "2")
HTTP = ("http.txt",)
UNKNOWN = '400 [content-type: application/json] {"code":1,"message":"Session ID unknown"}'
BAD_REQUEST = '400 [content-type: application/json] {"code":3,"message":"Bad request"}'
FORBIDDEN = '[content-type: application/json] {"code":4,"message":"Forbidden"}'
GONE = '{"code":1,"message":"Session ID unknown"} closed '
ALIVE = "session 1: ok open []"
PARSE_ERROR = f"session 1: {GONE}['engine: parse error', '/: parse error']"
SWITCHED = "101 [sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=] "
REFUSED = "400 [content-type: text/html] [close] Bad request"
CORS = "[access-control-allow-credentials: true] "
GOOD = "[access-control-allow-origin: http://good.example] "

# Reasons that several have.
STRICT = "what is not a payload ends the session"
EMPTY = "an empty body is answered 400"
AT_ONCE = "a CONNECT without an asynchronous middleware is done before the next packet"


class Difference(NamedTuple):
    why: str
    theirs: str
    ours: str
    cases: tuple[str, ...]
    against: tuple[str, ...] = FOUR
    everywhere: bool = False


def opened(interval: int = 25000, timeout: int = 20000, upgrades: str = '["websocket"]') -> str:
    """The open packet up to what Engine.IO 4 has added."""
    return f'0{{"sid":"<sid>","upgrades":{upgrades},"pingInterval":{interval},"pingTimeout":{timeout}'


def third(*names: str) -> tuple[str, ...]:
    return tuple(f"EIO 3: {name}" for name in names)


def escaped(text: str) -> str:
    return text.replace('"', '\\"')


MAXIMUM = ',"maxPayload":1000000}'
VERSION_2 = "Engine.IO 3 clients get maxPayload too, as from socket.io 4"
