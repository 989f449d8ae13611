"""Hostile and odd input over HTTP, as a table: what is sent on a connection, and what must come of it.

The rows' names are those of the hardening rules: H HTTP, E Engine.IO over polling. In what is sent, <sid> is a
session in "/" of an Engine.IO 4 client, <sid2> one of an Engine.IO 3 client. An answer is a line of
tests/differential/wire.py, of which a row gives the start.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.differential.steps import EIO3, EIO4, FORM, OCTETS, TEXT_PLAIN, UPGRADE, head, of, url

MAX = 1_000_000  # bytes of a body
OK = "200 [cache-control: no-store] [content-type: text/html] ok"
OPENED = "200 [cache-control: no-store] [content-type: text/plain; charset=UTF-8] "
WS4 = "EIO=4&transport=websocket"
ECHO = b'420["echo","x"]'
PLACE = '{"_placeholder":true,"num":0}'


def error(code: int) -> str:
    """The start of an engine's refusal."""
    return f'{403 if code == 4 else 400} [content-type: application/json] {{"code":{code},'


class Row(NamedTuple):
    """answers: the starts of the answers, several alternatives with | between; lives: whether <sid> does afterwards,
    or <sid2>; reason: why its socket disconnected; closes: whether the connection ends; fetched: what the session's
    next GET gets, or the one that waits."""

    name: str
    sent: bytes
    answers: tuple[str, ...]
    closes: bool = False
    lives: bool = True
    reason: str | None = None
    fetched: str | None = None
    third: bool = False


def query(session: int = 1) -> str:
    return (EIO4 if session == 1 else EIO3) + of(session)


def post(body: bytes, *fields: str, session: int = 1) -> bytes:
    """A POST to a session, with its length."""
    return head("POST", url(query(session)), *(fields or (TEXT_PLAIN,)), f"Content-Length: {len(body)}") + body


def raw_post(*fields: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """A POST to the session, whose framing is in the fields."""
    return head("POST", url(query()), TEXT_PLAIN, *fields, version=version) + body


def chunked(body: bytes) -> bytes:
    return raw_post("Transfer-Encoding: chunked", body=body)


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def get(target: str = url(), *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    return head(method, target, *fields, version=version)


def line(text: bytes, *fields: bytes) -> bytes:
    """A request whose first line is as given."""
    return b"\r\n".join([text, b"Host: localhost", *fields, b"", b""])


def refused(name: str, status: str, sent: bytes) -> Row:
    """HTTP that is not taken: an answer, and the connection ends. No session notices."""
    return Row(name, sent, tuple(status.split(",")), closes=True)


def answered(name: str, sent: bytes, *answers: str, fetched: str | None = None) -> Row:
    return Row(name, sent, answers, fetched=fetched)


def ends(name: str, sent: bytes, *answers: str, reason: str, fetched: str = "1", third: bool = False) -> Row:
    """A POST that ends the session; `fetched` is what the GET gets that waits."""
    return Row(name, sent, answers, lives=False, reason=reason, fetched=fetched, third=third)


# ---- framing of a POST to a session ----

BODY = ECHO
GOOD_CHUNKS = chunks(BODY)
FRAMING: list[Row] = [
    refused(
        "H02 length and chunks", "400", raw_post("Content-Length: 15", "Transfer-Encoding: chunked", body=GOOD_CHUNKS)
    ),
    refused("H04 two equal lengths", "400", raw_post("Content-Length: 15", "Content-Length: 15", body=BODY)),
    refused("H05 a list of lengths", "400", raw_post("Content-Length: 15, 15", body=BODY)),
    refused("H06 +15", "400", raw_post("Content-Length: +15", body=BODY)),
    refused("H08 0xf", "400", raw_post("Content-Length: 0xf", body=BODY)),
    refused("H09 15abc", "400", raw_post("Content-Length: 15abc", body=BODY)),
    refused("H10 2^70", "400|413", raw_post(f"Content-Length: {2**70}", body=BODY)),
    refused("H12 xchunked", "400|501", raw_post("Transfer-Encoding: xchunked", body=GOOD_CHUNKS)),
    refused("H13 chunked is not last", "400", raw_post("Transfer-Encoding: chunked, identity", body=GOOD_CHUNKS)),
    refused("H14 gzip, chunked", "400|501", raw_post("Transfer-Encoding: gzip, chunked", body=GOOD_CHUNKS)),
    refused("H16 chunked twice", "400", raw_post(*["Transfer-Encoding: chunked"] * 2, body=GOOD_CHUNKS)),
    refused("H17 chunked in HTTP/1.0", "400", raw_post("Transfer-Encoding: chunked", body=GOOD_CHUNKS, version="1.0")),
    refused("H18 chunked with a vertical tab", "400", raw_post("Transfer-Encoding: chunked\x0b", body=GOOD_CHUNKS)),
    answered("H19 chunked", chunked(GOOD_CHUNKS), OK, fetched='430["x"]'),
    answered("H19 chunked in bytes", chunked(chunks(*(BODY[i : i + 1] for i in range(15)))), OK, fetched='430["x"]'),
    refused("H20 chunk of 0x5", "400", chunked(b"0x5\r\n42[1]\r\n0\r\n\r\n")),
    refused("H21 chunk above 64 bits", "400|413", chunked(b"fffffffffffffffff\r\n42[1]")),
    refused("H22 chunk of -1", "400", chunked(b"-1\r\n42\r\n0\r\n\r\n")),
    refused("H24 chunk size ends with LF", "400", chunked(b"5\n42[1]\r\n0\r\n\r\n")),
    refused("H25 no CRLF behind a chunk", "400", chunked(b"5\r\n42[1]XX0\r\n\r\n")),
    refused("H26 20 KB of chunk extension", "400|413", chunked(b"5;" + b"x" * 20_000 + b"\r\n42[1]\r\n0\r\n\r\n")),
    answered("H28 3001 chunks of a byte", chunked(chunks(*[b"6", b"\x1e"] * 1500, b"6")), OK),
    refused("H29 space behind a chunk size", "400", chunked(b"5 \r\n42[1]\r\n0\r\n\r\n")),
    refused("H120 above the maximum", "413", raw_post(f"Content-Length: {MAX + 1}")),
    refused(
        "H121 chunks above the maximum",
        "413",
        chunked(b"%x\r\n%b\r\n%x\r\n%b" % (MAX // 2, b"x" * (MAX // 2), MAX // 2 + 1, b"x" * (MAX // 2 + 1))),
    ),
    refused("H122 2^40", "413", raw_post(f"Content-Length: {2**40}")),
    refused("H124 gzip", "415", raw_post("Content-Encoding: gzip", "Content-Length: 15", body=BODY)),
    answered(
        "H124 identity", raw_post("Content-Encoding: identity", "Content-Length: 15", body=BODY), OK, fetched='430["x"]'
    ),
    answered("H125 Expect", raw_post("Content-Length: 15", "Expect: 100-continue", body=BODY), OK, fetched='430["x"]'),
    refused("H126 another expectation", "417", raw_post("Content-Length: 15", "Expect: coffee", body=BODY)),
    Row("H54 an empty line before a request", b"\r\n" + post(BODY), (OK,), fetched='430["x"]'),
]

# ---- the head of a handshake ----

HEADS: list[Row] = [
    answered("H01 handshake", get(), OPENED + "0{"),
    refused("H30 a folded line", "400", line(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1", b"A: b", b" c")),
    *(
        refused(name, "400", line(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1", field))
        for name, field in {
            "H32 CR in a value": b"A: b\rc",
            "H33 NUL in a value": b"A: b\0c",
            "H34 control in a value": b"A: b\x01c",
            "H37 space in a name": b"A b: c",
            "H38 no name": b": c",
            "H42 two Hosts": b"Host: localhost",
            "H149 two Origins": b"Origin: http://localhost\r\nOrigin: http://localhost",
        }.items()
    ),
    answered("H36 obs-text in a value", get(url(), "A: \xff\xfe"), OPENED + "0{"),
    refused("H40 space before the first header", "400", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    refused("H41 no Host", "400", b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n"),
    Row("H44 HTTP/1.0 and keep-alive", get(url(), "Connection: keep-alive", version="1.0"), ("200 ",), closes=True),
    Row(
        "H45 HTTP/1.0 without Host", b"GET /socket.io/?EIO=4&transport=polling HTTP/1.0\r\n\r\n", ("200 ",), closes=True
    ),
    refused("H46 HTTP/1.2", "505", get(version="1.2")),
    refused("H48 HTTP/0.9", "400", b"GET /socket.io/?EIO=4&transport=polling\r\n"),
    refused("H49 lower-case http", "400", line(b"GET / http/1.1")),
    refused("H50 preface of HTTP/2", "400|505", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("H52 two spaces", "400", line(b"GET  / HTTP/1.1")),
    refused("H53 tab", "400", line(b"GET\t/ HTTP/1.1")),
    refused("H56 UTF-8 in the target", "400", line("GET /é HTTP/1.1".encode())),
    refused("H57 lower-case method", "501|405", line(b"get /socket.io/?EIO=4&transport=polling HTTP/1.1")),
    refused("H58 unknown method", "501|405", line(b"FOO /socket.io/?EIO=4&transport=polling HTTP/1.1")),
    refused("H60 3000 headers", "431", line(b"GET / HTTP/1.1", *[b"A: b"] * 3000)),
    refused("H61 100 KB of request line", "414|431", line(b"GET /" + b"x" * 100_000 + b" HTTP/1.1")),
    Row("H64 garbage behind a request", get() + b"\x00\x01garbage\r\n\r\n", (OPENED + "0{", "400 "), closes=True),
    answered("H65 absolute-form", get("http://localhost" + url()), OPENED + "0{"),
    refused("H66 CONNECT", "405|501", line(b"CONNECT localhost:80 HTTP/1.1")),
    answered("H68 dot segments", get(url(path="/socket.io/../app")), "404 "),
    answered("H69 two slashes in front", get(url(path="//socket.io/")), "404 "),
    answered("H70 percent-encoded path", get(url(path="/socket%2eio/")), "404 "),
    answered("H72 extra path", get(url(path="/socket.io/zzz")), OPENED + "0{"),
    refused("H73 fragment", "400", get(url() + "#x")),
    answered("H74 no query", get("/socket.io/"), error(0)),
    answered("H76 broken percent", get(url(EIO4 + "&x=%zz")), OPENED + "0{"),
    answered("H77 odd characters", get(url(EIO4 + "&x=%00&y=%ff")), OPENED + "0{"),
]

# ---- requests that are HTTP, but not Engine.IO as it should be ----

ENGINE: list[Row] = [
    answered("H80 no transport", get(url("EIO=4")), error(0)),
    answered("H82 transport constructor", get(url("EIO=4&transport=constructor")), error(0)),
    answered("H83 transport webtransport", get(url("EIO=4&transport=webtransport")), error(0)),
    answered("H84 websocket without an upgrade", get(url(WS4)), error(3)),
    answered("H86 EIO 5", get(url("EIO=5&transport=polling")), OPENED + "118:0{"),
    answered("H87 EIO twice", get(url("EIO=3&EIO=4&transport=polling")), error(3)),
    answered("H88 transport twice", get(url("EIO=4&transport=polling&transport=websocket")), error(3)),
    *(
        answered(f"H9{n} {method} without sid", get(method=method), error(2))
        for n, method in ((0, "PUT"), (1, "DELETE"), (4, "PATCH"))
    ),
    *(
        answered(f"{row} sid={sid}", get(url(f"{EIO4}&sid={sid}")), error(1))
        for row, sid in {
            "H100": "nosuchsid",
            "H101": "__proto__",
            "H103": "hasOwnProperty",
            "H104": "toString",
            "H105": "%00",
            "H107": "a" * 20,
            "H108": "%zz",
        }.items()
    ),
    answered(
        "H110 POST to an unknown sid", head("POST", url(EIO4 + "&sid=nope"), "Content-Length: 2") + b"40", error(1)
    ),
    answered("H113 sid twice, the good one last", get(url(EIO4 + "&sid=bad" + of(1))), error(3)),
    answered("H114 sid twice, the good one first", get(url(EIO4 + of(1) + "&sid=bad")), error(3)),
    answered(
        "H132 one connection for all",
        get() + post(b"6") + get("/app") + post(ECHO) + get("/app"),
        OPENED + "0{",
        OK,
        "404 ",
        OK,
        "404 ",
        fetched='430["x"]',
    ),
    answered("H134 an index that is code", get(url(EIO3 + "&j=alert(1)//")), OPENED + "___eio[1]("),
    answered("H155 POST for a websocket, without an upgrade", head("POST", url(WS4), "Content-Length: 0"), error(2)),
    answered("H157 Upgrade: h2c", get(url(WS4), "Connection: Upgrade", "Upgrade: h2c"), error(3)),
    *(
        answered(
            f"H179 {method} to a session", head(method, url(query()), "Content-Length: 1") + b"x", "400 |405 |500 |501 "
        )
        for method in ("PUT", "DELETE", "PATCH")
    ),
    refused(
        "H162 upgrade of the session with a body",
        "400",
        get(url(WS4 + of(1)), *UPGRADE, "Content-Length: 5") + b"hello",
    ),
    refused(
        "H163 upgrade of the session with chunks",
        "400",
        get(url(WS4 + of(1)), *UPGRADE, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    ),
    refused("H169 upgrade of an unknown sid", "400", get(url(WS4 + "&sid=nope"), *UPGRADE)),
    refused("H170 upgrade with transport=polling", "400", get(url(query()), *UPGRADE)),
    refused("H171 upgrade of another path", "404", get("/app", *UPGRADE)),
    refused("H150 upgrade of the session without a key", "400", get(url(WS4 + of(1)), *UPGRADE[:3])),
    refused(
        "H153 upgrade of the session, version 8",
        "426",
        get(url(WS4 + of(1)), *UPGRADE[:2], "Sec-WebSocket-Version: 8", UPGRADE[3]),
    ),
    refused(
        "H147 upgrade of the session from another origin",
        "403",
        get(url(WS4 + of(1)), *UPGRADE, "Origin: http://evil.example"),
    ),
]

# ---- payloads ----

PAYLOADS: list[Row] = [
    ends("H128 empty body", post(b""), OK + "|400 ", reason="parse error"),
    ends("H129 separators", post(b"\x1e" * 900_000), OK + "|400 ", reason="parse error"),
    ends("H129 separators behind a packet", post(b"6" + b"\x1e" * 900_000), OK + "|400 ", reason="parse error"),
    answered("H130 300,000 noops", post(b"\x1e".join([b"6"] * 300_000)), OK),
    answered("H130 300,000 noops and an echo", post(b"\x1e".join([*[b"6"] * 300_000, ECHO])), OK, fetched='430["x"]'),
    ends("H155 octet-stream in Engine.IO 4", post(ECHO, OCTETS), "400 ", reason="transport error"),
    ends("E01 unknown packet", post(b"9"), OK + "|400 ", reason="parse error"),
    answered("E03 pongs", post(b"\x1e".join([b"3"] * 1000)), OK),
    answered("E04 OPEN", post(b"0{}"), OK),
    ends("E13 ping", post(b"2"), OK + "|400 ", reason="transport error"),
    ends("E20 CLOSE", post(b"1"), OK, reason="transport close", fetched="6"),
    ends("E20 CLOSE and more", post(b"1\x1e" + ECHO), OK, reason="transport close", fetched="6"),
    ends(
        "E22 a bad packet in the middle", post(b'42["note",1]\x1e9\x1e42["note",2]'), OK + "|400 ", reason="parse error"
    ),
    *(
        ends(
            f"E23 base64 {text}", post(f'451-0["echo",{PLACE}]\x1eb{text}'.encode()), OK + "|400 ", reason="parse error"
        )
        for text in ("!!!!", "A", "AQ=", "AQID=", "AQ==AQ==", "AQ\n=", "A-_A", "====", "AQI")
    ),
    answered("E24 binary", post(f'451-0["echo",{PLACE}]\x1ebAQID'.encode()), OK, fetched=f"461-0[{PLACE}]^^bAQID"),
    ends(
        "S88 a text while binary is due",
        post(f'451-0["echo",{PLACE}]\x1e6\x1e42["note",1]'.encode()),
        OK,
        reason="forced close",
    ),
    ends("S89 binary that is not due", post(b"bAQID"), OK, reason="forced close"),
]


def post3(body: bytes | str) -> bytes:
    return post(body if isinstance(body, bytes) else body.encode(), session=2)


def third(name: str, body: bytes | str, fetched: str) -> Row:
    return Row(name, post3(body), (OK,), fetched=fetched, third=True)


def bad3(name: str, body: bytes | str, *fields: str) -> Row:
    data = body if isinstance(body, bytes) else body.encode()
    return ends(name, post(data, *fields, session=2), OK + "|400 ", reason="parse error", fetched="1:1", third=True)


BINARY_ECHO = f'451-0["echo",{PLACE}]'.encode()
THIRD: list[Row] = [
    third("E30 a payload", '13:420["echo",1]', "6:430[1]"),
    bad3("E31 length too long", "999:4"),
    bad3("E32 length of many digits", "9" * 400 + ":4"),
    bad3("E32 length of 2^64", f"{2**64 + 1}:6"),
    bad3("E34 length 1e3", "1e3:4"),
    bad3("E35 length 0x1", "0x1:4"),
    bad3("E36 no colon", "6"),
    bad3("E36 digits alone", "123456"),
    third("E38 leading zeros", '0013:420["echo",1]', "6:430[1]"),
    third("E39 lengths in UTF-16", '17:420["echo","é😀"]', '10:430["é😀"]'),
    bad3("E39 lengths in bytes", '20:420["echo","é😀"]'),
    bad3("E39 length that ends within a character", '14:420["echo","é😀"]'),
    Row(
        "E40 binary payload",
        post(b"\0\1\5\xff" + b'420["echo","x"]', OCTETS, session=2),
        (OK,),
        fetched='8:430["x"]',
        third=True,
    ),
    bad3("E42 400 digits", b"\0" + b"\1" * 400 + b"\xff6", OCTETS),
    bad3("E43 no terminator", b"\0\1\0\6", OCTETS),
    bad3("E43 digits alone", b"\0\1", OCTETS),
    bad3("E44 length beyond the body", b"\0\1\0\xff6", OCTETS),
    bad3("E45 unknown kind", b"\2\1\xff6", OCTETS),
    bad3("E45 a digit of 10", b"\0\x0a\xff6", OCTETS),
    bad3("E46 invalid UTF-8", b"\0\2\xff4\xff", OCTETS),
    bad3("E46 nothing", b"", OCTETS),
    ends("E47 pong", post3("1:3"), OK + "|400 ", reason="transport error", fetched="1:1", third=True),
    third("E47 ping", "1:2", "1:3"),
    bad3("E48 a payload of colons", b":" * 900_000),
    Row("E48 packets of no length", post3(b"0:" * 450_000), (OK,), third=True),
    Row("E48 300,000 noops", post3(b"1:6" * 300_000), (OK,), third=True),
    answered("E49 a form without d in a session that is not JSONP", post(b"6", FORM), OK),
]

ROWS = [*FRAMING, *HEADS, *ENGINE, *PAYLOADS, *THIRD]
