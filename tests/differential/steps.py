"""What a sequence of requests is made of, and the words that its tables are written in.

A case is a name and steps, taken one after the other on connections with names ("a" where none is given); one
that does not exist yet is opened. In what is sent, <sid> stands for the id of the first session that the case
has opened, <sid2> for the second, and so on. `Case.variant` names a server of servers.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from tests.e2e.rawws import BINARY, CLOSE, TEXT, frame

EIO4 = "EIO=4&transport=polling"
EIO3 = "EIO=3&transport=polling"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HOST = "Host: localhost"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}")
TEXT_PLAIN = "Content-Type: text/plain;charset=UTF-8"
OCTETS = "Content-Type: application/octet-stream"
FORM = "Content-Type: application/x-www-form-urlencoded"


class Send(NamedTuple):
    """Bytes go out. Where what is sent must differ in length with <sid>, it must not be counted before."""

    on: str
    data: bytes


class Receive(NamedTuple):
    """What the server sends is noted: an "answer", a "head" answer (without body), a "frame" or the "end"."""

    on: str
    what: str


class Silence(NamedTuple):
    """The server has nothing to send, for a while."""

    on: str
    what: str = "answer"


class Settle(NamedTuple):
    """The server has read what was sent."""


class Drop(NamedTuple):
    """The client closes its connection; with `reset` by a RST."""

    on: str
    reset: bool = False


class Ended(NamedTuple):
    """The session ends before the case goes on."""

    session: int = 1


class Sleep(NamedTuple):
    seconds: float


Step = Send | Receive | Silence | Settle | Drop | Ended | Sleep
Steps = tuple[Step, ...]


class Case(NamedTuple):
    name: str
    steps: Steps
    variant: str
    against: tuple[str, ...]  # the references that it is compared with


def case(name: str, *parts: Step | Iterable[Step], variant: str = "plain", against: tuple[str, ...] = ("4",)) -> Case:
    steps: list[Step] = []
    for part in parts:
        if isinstance(part, Send | Receive | Silence | Settle | Drop | Ended | Sleep):
            steps.append(part)
        else:
            steps.extend(part)
    return Case(name, tuple(steps), variant, against)


# ---- HTTP ----


def head(method: str, target: str, *fields: str, version: str = "1.1") -> bytes:
    """A request's head; Host is added unless it is among the fields."""
    first = () if any(field.lower().startswith("host:") for field in fields) else (HOST,)
    return "\r\n".join([f"{method} {target} HTTP/{version}", *first, *fields, "", ""]).encode("latin-1")


def url(query: str | None = EIO4, path: str = "/socket.io/") -> str:
    return path if query is None else f"{path}?{query}"


def ask(
    method: str, query: str | None, *fields: str, body: bytes | None = None, on: str = "a", path: str = "/socket.io/"
) -> Send:
    """A request goes out; the answer is not waited for."""
    if body is not None:
        fields = (*fields, f"Content-Length: {len(body)}")
    return Send(on, head(method, url(query, path), *fields) + (body or b""))


def request(
    method: str, query: str | None, *fields: str, body: bytes | None = None, on: str = "a", path: str = "/socket.io/"
) -> Steps:
    """A request and its answer."""
    what = "head" if method == "HEAD" else "answer"
    return ask(method, query, *fields, body=body, on=on, path=path), Receive(on, what)


def get(query: str | None = EIO4, *fields: str, on: str = "a", path: str = "/socket.io/") -> Steps:
    return request("GET", query, *fields, on=on, path=path)


def of(session: int) -> str:
    return f"&sid=<sid{'' if session == 1 else session}>"


def poll(query: str = EIO4, *fields: str, on: str = "a", session: int = 1) -> Steps:
    return get(query + of(session), *fields, on=on)


def waiting(query: str = EIO4, *fields: str, on: str = "w", session: int = 1) -> Steps:
    """A GET that the server holds."""
    return ask("GET", query + of(session), *fields, on=on), Settle()


def post(body: str | bytes, query: str = EIO4, *fields: str, on: str = "a", session: int = 1) -> Steps:
    data = body.encode() if isinstance(body, str) else body
    return request("POST", query + of(session), *(fields or (TEXT_PLAIN,)), body=data, on=on)


def chunked(*chunks: bytes, query: str = EIO4, end: bytes = b"0\r\n\r\n", on: str = "a") -> Send:
    """A POST with a chunked body."""
    fields = (TEXT_PLAIN, "Transfer-Encoding: chunked")
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return Send(on, head("POST", url(query + of(1)), *fields) + data + end)


def answer(on: str = "a") -> Receive:
    return Receive(on, "answer")


def end(on: str = "a") -> Receive:
    return Receive(on, "end")


def joined(on: str = "a") -> Steps:
    """An Engine.IO 4 session over polling that is in "/"."""
    return *get(on=on), *post("40", on=on), *poll(on=on)


def joined3(query: str = EIO3, on: str = "a") -> Steps:
    """An Engine.IO 3 session over polling, whose CONNECT packet has been fetched."""
    return *get(query, on=on), *poll(query, on=on)


def payload3(*packets: str) -> str:
    """An Engine.IO 3 payload: each packet behind its length in UTF-16 code units."""
    return "".join(f"{len(packet.encode('utf-16-le')) // 2}:{packet}" for packet in packets)


def form(payload: str) -> str:
    """The body that a JSONP client sends."""
    return "d=" + quote(payload.replace("\\n", "\\\\n"), safe="")


# ---- websocket ----


def websocket(query: str, *fields: str, on: str = "ws") -> Steps:
    """A request for a websocket and the answer to it."""
    return Send(on, head("GET", url(query), *UPGRADE, *fields)), answer(on)


def send(*packets: str | bytes, on: str = "ws") -> Send:
    """Engine.IO packets as frames."""
    frames = [frame(TEXT, p.encode()) if isinstance(p, str) else frame(BINARY, p) for p in packets]
    return Send(on, b"".join(frames))


def close_frame(code: int | None = 1000, on: str = "ws") -> Send:
    return Send(on, frame(CLOSE, b"" if code is None else code.to_bytes(2, "big")))


def frames(count: int, on: str = "ws") -> Steps:
    return (Receive(on, "frame"),) * count


def probe(query: str = "EIO=4&transport=websocket", on: str = "ws", session: int = 1) -> Steps:
    """A websocket for the session, whose probe has been answered."""
    return *websocket(query + of(session), on=on), send("2probe", on=on), *frames(1, on=on)
