"""Every deliberate difference from the reference servers, with its reason.

In the reference's transcript of the cases that are named, the last `theirs` is replaced by `ours`, with `everywhere`
each one, in all other cases too; the result must be our transcript. It is an error when `theirs` is not in the
transcript of a case that is named, so nothing here outlives its difference. They are applied in this order.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.differential.table_web import ETAG

TEXT = "200 [cache-control: no-store] [content-type: text/plain; charset=UTF-8] "
OCTETS = "200 [cache-control: no-store] [content-type: application/octet-stream] "
OK = "200 [cache-control: no-store] [content-type: text/html] ok"
FOUR, TWO, BOTH = ("4",), ("2",), ("4", "2")
GOLDEN = ("http.txt", "http-extra.txt")
UNKNOWN = '400 [content-type: application/json] {"code":1,"message":"Session ID unknown"}'
BAD_REQUEST = '400 [content-type: application/json] {"code":3,"message":"Bad request"}'
FORBIDDEN = '[content-type: application/json] {"code":4,"message":"Forbidden"}'
GONE = '{"code":1,"message":"Session ID unknown"} closed '
ALIVE = "session 1: ok open []"
PARSE_ERROR = f"session 1: {GONE}['/: parse error']"
SWITCHED = "101 [sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=] "
REFUSED = "400 [content-type: text/html] [close] Bad request"
CORS = "[access-control-allow-credentials: true] "
GOOD = "[access-control-allow-origin: http://good.example] "


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
# What the golden files call these requests.
MAP = "HEAD socket.io.min.js.map Accept-Encoding: deflate, gzip, br, zstd"
CLOSED = "GET ?EIO=4&transport=polling&sid=<sid>"
# An acknowledgement with a placeholder in a binary payload, with an attachment of no bytes.
ANSWERED = (b'\0\3\6\xff461-0[{"_placeholder":true,"num":0}]\1\1\xff\4').hex(" ")
ASKED = '35:42/custom,["query",{"token":"abc"}]'
BASE64 = '"48:451-[\\"bin\\",{\\"_placeholder\\":true,\\"num\\":0},\\"é€😀\\"]6:b4AQID"'
OPENING: list[Difference] = [
    Difference(VERSION_2, f"97:{opened()}}}", f"118:{opened()}{MAXIMUM}", ("EIO 3",), TWO, everywhere=True),
    Difference(
        VERSION_2,
        f"93:{opened(150, 150)}}}",
        f"114:{opened(150, 150)}{MAXIMUM}",
        third("no ping"),
        TWO,
        everywhere=True,
    ),
    Difference(
        VERSION_2,
        f"97:{escaped(opened() + '}')}",
        f"118:{escaped(opened() + MAXIMUM)}",
        ("JSONP, EIO 3",),
        TWO,
        everywhere=True,
    ),
    Difference(
        "a header for Internet Explorer 8 to 11 alone, whose filter is gone",
        "[x-xss-protection: 0] ",
        "",
        ("old Internet Explorer", "Internet Explorer 11"),
    ),
    Difference(
        "the absolute form is a must of RFC 9112 3.2.2",
        "a: 404 ",
        f"a: {TEXT}{opened()}{MAXIMUM}\n{ALIVE}",
        ("absolute-form target",),
    ),
]

# ---- methods, websockets, origins ----

NO_METHOD = "what is neither GET nor POST is the client's fault, not the server's"
NO_SWITCH = "refused before the 101, not after"
WEBSOCKETS: list[Difference] = [
    Difference(NO_METHOD, "a: 500 ", "a: 400 [content-type: application/json] ", ("HEAD with sid",)),
    Difference(
        NO_METHOD,
        f"500 {CORS}{GOOD}[vary: origin] ",
        f'400 {CORS}{GOOD}[content-type: application/json] [vary: origin] {{"code":3,"message":"Bad request"}}',
        ("cors: listed, PUT with sid",),
    ),
    Difference(
        NO_METHOD,
        f"500 {CORS}[vary: origin] ",
        f'400 {CORS}[content-type: application/json] [vary: origin] {{"code":3,"message":"Bad request"}}',
        ("PUT ?EIO=4&transport=polling&sid=<sid>",),
        GOLDEN[:1],
    ),
    Difference(
        "overlapping requests are the client's fault, as in socket.io 4", "a: 500 ", "a: 400 ", third("two GETs"), TWO
    ),
    Difference(NO_METHOD, "a: 500 \n", f"a: {BAD_REQUEST}\n", ("PUT with sid",), everywhere=True),
    Difference(NO_METHOD, "a: 500 \n", f"a: {BAD_REQUEST}\n", ("PUT with sid, EIO 3", *third("DELETE with sid")), TWO),
    Difference(
        "no subprotocol is spoken, so none is chosen",
        "[sec-websocket-protocol: chat] ",
        "",
        ("websocket, a subprotocol",),
    ),
    Difference(
        "CORS headers go on every answer",
        "400 [content-type: text/html]",
        f"400 {CORS}{GOOD}[content-type: text/html] [vary: origin]",
        ("websocket: denied, with cors", "cors: websocket, listed, refused"),
    ),
    Difference(
        "CORS headers go on every answer",
        "400 [content-type: text/html]",
        f"400 {CORS}[content-type: text/html] [vary: origin]",
        tuple(
            f"websocket ?EIO=4&transport={rest}"
            for rest in ("websocket&sid=nope", "foo", "websocket&deny=1", "websocket&deny=2")
        ),
        GOLDEN[:1],
    ),
    Difference(
        NO_SWITCH,
        SWITCHED
        + "\nws: not the end: b'HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nContent-type: text/html\\r\\nContent-Length: 28\\r\\n\\r\\nUnsupported protocol version'",
        "400 [content-type: text/html] [close] Unsupported protocol version\nws: end",
        ("websocket: EIO refused",),
    ),
    Difference(
        NO_SWITCH,
        SWITCHED + "\nws: not the end: b'\\x88\\x00'",
        REFUSED + "\nws: end",
        ("websocket: transport polling",),
    ),
    Difference(NO_SWITCH, SWITCHED + "\nws: close", REFUSED + "\nws: end", ("upgrade refused: transport polling",)),
    Difference(
        NO_SWITCH,
        SWITCHED + "\nws2: close",
        REFUSED + "\nws2: end",
        ("a second upgrade at the same time", "a second upgrade after the first"),
    ),
    Difference(
        NO_SWITCH,
        SWITCHED + "\nws2: nothing",
        REFUSED + "\nws2: end",
        ("upgrade of a session that began as websocket",),
    ),
    Difference(
        "allow_upgrades=False is not only a matter of what is offered",
        SWITCHED + "\nws: nothing",
        REFUSED + "\nws: end",
        ("upgrade refused: no upgrades",),
    ),
    Difference(
        "RFC 6455 4.2.2: one version",
        SWITCHED
        + f"\nws: not the end: b'\\x81k{opened(upgrades='[]')}{MAXIMUM}'\nsession 1: "
        + '{"code":3,"message":"Bad request"} open []',
        "426 [content-type: text/html] [sec-websocket-version: 13] [close] Unsupported websocket version\nws: end",
        ("websocket: version 8",),
    ),
    Difference(
        "an upgrade to something else is none (RFC 9110 7.8)",
        "400 [content-type: text/html] [close] Invalid Upgrade header",
        BAD_REQUEST,
        ("websocket: h2c",),
    ),
    Difference(
        "one order of checks for all requests",
        "405 [content-type: text/html] [close] Invalid HTTP method",
        REFUSED,
        ("upgrade refused: POST",),
    ),
]

OTHER_ORIGIN = "a page of another origin is refused, by polling and websocket alike"
COOKIE = "[set-cookie: io=<sid>; HttpOnly; Path=/; SameSite=Lax] "
NOT_LISTED = (
    "not listed",
    "null",
    "another case",
    "a longer host",
    "another port",
    "another scheme",
    "empty",
    "Origin with a character beyond ASCII",
)
OPEN_WEBSOCKET = (
    f"\nws: text {opened(upgrades='[]')}{MAXIMUM}\nsession 1: " + '{"code":3,"message":"Bad request"} open []'
)
ORIGINS: list[Difference] = [
    Difference(
        OTHER_ORIGIN,
        f"200 {CORS}[cache-control: no-store] [content-type: text/plain; charset=UTF-8] {COOKIE}[vary: origin] {opened()}{MAXIMUM}\n{ALIVE}",
        f"403 {CORS}{FORBIDDEN.replace('] {', '] [vary: origin] {')}",
        tuple(f"cors: {name}" for name in NOT_LISTED),
    ),
    Difference(
        OTHER_ORIGIN,
        f"200 {CORS}[cache-control: no-store] [content-type: text/plain; charset=UTF-8] {COOKIE}[vary: origin] {opened()}{MAXIMUM}",
        f"403 {CORS}{FORBIDDEN.replace('] {', '] [vary: origin] {')}",
        ("GET ?EIO=4&transport=polling Origin: http://bad.example",),
        GOLDEN[:1],
    ),
    Difference(
        OTHER_ORIGIN,
        f"{TEXT}{opened()}{MAXIMUM}\n{ALIVE}",
        f"403 {FORBIDDEN}",
        ("cors: none configured, another origin",),
    ),
    Difference(
        OTHER_ORIGIN,
        f"101 {CORS}{SWITCHED[4:]}[vary: origin] {OPEN_WEBSOCKET}",
        f"403 {CORS}[content-type: text/html] [vary: origin] [close] Forbidden\nws: end",
        ("cors: websocket, not listed",),
    ),
    Difference(
        OTHER_ORIGIN,
        SWITCHED + OPEN_WEBSOCKET,
        "403 [content-type: text/html] [close] Forbidden\nws: end",
        ("cors: none configured, another origin, websocket",),
    ),
]

# ---- files ----

VARY = "RFC 9110 12.5.5: caches must know that the coding is negotiated"
KNOWN = "RFC 9110 15.4.5: a 304 has the headers of the 200"
CACHED = f"[cache-control: public, max-age=0] [etag: {ETAG}] [vary: accept-encoding"
FILES: list[Difference] = [
    Difference("a file cannot be posted to", "304 ", "405 [allow: GET, HEAD] ", ("file by POST",)),
    Difference(
        "If-None-Match may be a list, or * (RFC 9110 13.1.2)",
        f"200 [cache-control: public, max-age=0] [content-type: application/javascript; charset=utf-8] [etag: {ETAG}] ",
        f"304 {CACHED}] ",
        ("file among several known", "file with If-None-Match *"),
    ),
    Difference(KNOWN, "a: 304 \n", f"a: 304 {CACHED}] \n", ("file that is known",), everywhere=True),
    Difference(
        KNOWN, f"304 {CORS}{GOOD}[vary: origin] ", f"304 {CORS}{GOOD}{CACHED}, origin] ", ("file that is known, cors",)
    ),
    Difference(
        KNOWN,
        f"304 {CORS}[vary: origin] ",
        f"304 {CORS}{CACHED}, origin] ",
        ('GET socket.io.js If-None-Match: "4.8.3"',),
        GOLDEN[:1],
    ),
    Difference(
        VARY,
        f"[etag: {ETAG}] [vary: origin] ",
        f"[etag: {ETAG}] [vary: accept-encoding, origin] ",
        ("file with cors", "file with cors, not listed"),
    ),
    Difference(
        VARY,
        f"[etag: {ETAG}] [vary: origin] ",
        f"[etag: {ETAG}] [vary: accept-encoding, origin] ",
        ("HEAD socket.io.js", MAP),
        GOLDEN[:1],
    ),
    Difference(
        "of codings that are as good, the smaller comes first",
        "[content-encoding: deflate]",
        "[content-encoding: br]",
        (MAP,),
        GOLDEN[:1],
    ),
    Difference(
        VARY, f"[etag: {ETAG}] <", f"[etag: {ETAG}] [vary: accept-encoding] <", ("file socket.io.js",), everywhere=True
    ),
    Difference(
        VARY, f"[etag: {ETAG}] \n", f"[etag: {ETAG}] [vary: accept-encoding] \n", ("file by HEAD",), everywhere=True
    ),
]

# ---- polling ----

STRICT = "what is not a payload is answered 400, and ends the session"
TOLD_ALL = "the next GET gets what is there and the end"
BATCH = "what is sent in one turn goes out together"
AT_ONCE = "a CONNECT without an asynchronous middleware is done before the next packet"
POLLING: list[Difference] = [
    Difference(VARY, f"{TEXT}<", f"{TEXT}[vary: accept-encoding] <", ("large answer", "large answer, gzip;q=0")),
    Difference(
        "br too, where the library is there",
        f"{TEXT}<",
        f"{TEXT.replace('[content-t', '[content-encoding: br] [content-t')}[vary: accept-encoding] <",
        ("large answer, only br",),
    ),
    Difference(
        "br too, where the library is there",
        "[content-encoding: gzip]",
        "[content-encoding: br]",
        ("large answer, anything",),
    ),
    Difference(
        VARY,
        "[content-type: text/plain; charset=UTF-8] <",
        "[content-type: text/plain; charset=UTF-8] [vary: accept-encoding] <",
        (
            "large answer, gzip",
            "large answer, deflate",
            "large answer, deflate preferred",
            "large answer, anything",
            "many small answers above the threshold",
            *third("large answer, gzip"),
        ),
    ),
    Difference(
        VARY,
        "[content-type: application/octet-stream] <",
        "[content-type: application/octet-stream] [vary: accept-encoding] <",
        third("large binary, gzip"),
    ),
    Difference(
        "the rest of the body is not waited for",
        "a: 413 ",
        "a: 413 [close] the body is too large",
        (
            "POST above the maximum",
            "POST above the maximum counts bytes",
            "POST far above the maximum",
            "POST above the maximum, chunked",
        ),
    ),
    Difference(
        "in the order of the requests",
        '44/nope,{"message":"Invalid namespace"}^^40{"sid":"<id>"}^^',
        '40{"sid":"<id>"}^^44/nope,{"message":"Invalid namespace"}^^',
        ("several namespaces in one payload",),
    ),
    Difference(
        BATCH,
        "w: " + TEXT + '42["said",1]',
        "w: " + TEXT + '42["said",1]^^42["said",2]',
        ("two events of which the second waits",),
    ),
    Difference(
        "base64 is strict",
        f'{TEXT}461-0[{{"_placeholder":true,"num":0}}]^^bAQI=\n{ALIVE}',
        f"{UNKNOWN}\n{PARSE_ERROR}",
        ("binary without padding",),
    ),
    Difference(
        "what came before a bad packet is served",
        f"w: {TEXT}1",
        f'w: {TEXT}42["said",1]^^1',
        ("a bad packet in the middle",),
    ),
    Difference(
        "what came before the close is served",
        f"w: {TEXT}6",
        f'w: {TEXT}42["said",1]^^6',
        ("close by the client behind an event",),
    ),
    Difference(
        "a client may not know yet that it is out: dropped, as by 2.x",
        f"{TEXT}6^^1\nsession 1: {GONE}",
        f'{TEXT}40{{"sid":"<id>"}}\nsession 1: ok open ',
        ("event after the client has left",),
    ),
    Difference(
        AT_ONCE,
        f"{TEXT}6^^1\nsession 1: {GONE}[]",
        f'{TEXT}40{{"sid":"<id>"}}^^42["said",1]\n{ALIVE}',
        ("event right behind its connect",),
    ),
    Difference(
        "pipelined requests are taken one after the other",
        f"a: end\na: end\na: end\nsession 1: {GONE}['/: transport error']",
        f'a: {OK}\na: {OK}\na: {TEXT}42["said",1]^^42["said",2]\n{ALIVE}',
        ("POST behind a POST",),
    ),
    Difference(
        TOLD_ALL,
        f"41\na: {TEXT}6^^1\n",
        f"41^^1\na: {UNKNOWN}\n",
        ("disconnect(true), no GET", "disconnect(true) later, no GET", "disconnect(true) while a GET waits"),
    ),
    Difference(
        TOLD_ALL,
        f"41/custom,\na: {TEXT}6^^1\n",
        f"41/custom,^^1\na: {UNKNOWN}\n",
        ("disconnect(true) of two namespaces",),
    ),
    Difference(
        TOLD_ALL,
        f'42["said",1]\na: {TEXT}6^^1\n',
        f'42["said",1]^^1\na: {UNKNOWN}\n',
        ("close by the server with events unfetched",),
    ),
    Difference(TOLD_ALL, '40{"sid":"<id>"}', '40{"sid":"<id>"}^^1', (CLOSED,), GOLDEN[1:]),
    Difference(TOLD_ALL, f"{TEXT}6^^1", UNKNOWN, (CLOSED + " (2)",), GOLDEN[1:]),
    Difference(
        TOLD_ALL,
        "41\n200 [content-type: text/plain; charset=UTF-8] 6^^1",
        f"41^^1\n{UNKNOWN}",
        ("EIO4 disconnect(true) polling",),
        ("websocket.txt",),
    ),
    Difference(
        "the noop that only carries a close is left out",
        "] 6^^1\n",
        "] 1\n",
        ("close by the server, no GET",),
        everywhere=True,
    ),
    Difference(
        "a POST is as strict about UTF-8 as a websocket",
        f'a: {OK}\na: {TEXT}42["said","\ufffd"]\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\n{PARSE_ERROR}",
        ("POST with invalid UTF-8",),
    ),
    Difference(
        STRICT,
        f"a: {OK}",
        "a: 400 ",
        ("empty body", "a separator alone", "a separator at the end", "JSONP, an empty d"),
    ),
    Difference(
        STRICT,
        f'a: {OK}\na: {OK}\na: {TEXT}___eio[3]("40{{\\"sid\\":\\"<id>\\"}}");\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\na: {UNKNOWN}\nsession 1: {GONE}[]",
        ("JSONP, no d", "JSONP, d twice"),
    ),
    Difference(
        "the GET is told to go, the session is not", f"w: {TEXT}1", f"w: {TEXT}6", ("a GET that waits while 5 comes",)
    ),
    Difference(
        "5 is only taken from a websocket that has been probed",
        'ws: text 430[1]\nsession 1: {"code":3,"message":"Bad request"} open []',
        f"ws: close\n{ALIVE}",
        ("5 without a probe",),
    ),
]

# ---- Engine.IO 3 ----

OK2, TEXT2 = "200 [content-type: text/html] ok", "200 [content-type: text/plain; charset=UTF-8] "
QUERY = "a namespace's query goes to its handshake, as in 2.x"
LATER = "as in socket.io 4"
BAD_PAYLOADS = third(
    *(
        "empty body",
        "length too long",
        "length of many digits",
        "length 1e3",
        "no colon",
        "no digits",
        "negative length",
    ),
    *("garbage behind a packet", "binary payload without a terminator", "binary payload of 400 digits"),
    *("binary payload with invalid UTF-8", "text as octet-stream", "JSONP, a bad payload"),
)
TOLERATED = third(
    *("length in hex", "length with a sign", "length with a space", "binary payload beyond the body"),
    *("binary payload of an unknown kind", "empty octet-stream"),
)
BUFFER = (
    '{"type":"Buffer","data":[0,5,3,255,52,53,49,45,91,34,98,105,110,34,44,123,34,95,112,108,97,99,101,104,111,108,100,101,'
    "114,34,58,116,114,117,101,44,34,110,117,109,34,58,48,125,44,34,195,169,226,130,172,240,159,152,128,34,93,1,4,255,4,1,2,3]}"
)
THIRD: list[Difference] = [
    Difference(STRICT, f"a: {OK}", "a: 400 ", (*BAD_PAYLOADS, *TOLERATED)),
    Difference(STRICT, f"a: {OK2}", "a: 400 ", (*BAD_PAYLOADS, *TOLERATED), TWO),
    Difference(STRICT, ALIVE, PARSE_ERROR, TOLERATED, BOTH),
    Difference(
        "base64 is strict", f"{OCTETS}<{ANSWERED}>\n{ALIVE}", f"{UNKNOWN}\n{PARSE_ERROR}", third("invalid base64")
    ),
    Difference(
        "base64 is strict",
        f"{OCTETS.replace('[cache-control: no-store] ', '')}<{ANSWERED}>\n{ALIVE}",
        f"{UNKNOWN}\n{PARSE_ERROR}",
        third("invalid base64"),
        TWO,
    ),
    Difference(
        STRICT,
        f'a: {OK}\na: {OK}\na: {TEXT}___eio[5]("11:430[\\"é€😀\\"]");\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\na: {UNKNOWN}\n{PARSE_ERROR}",
        third("JSONP, no d"),
    ),
    Difference(
        STRICT,
        f'a: {OK2}\na: {OK2}\na: {TEXT2}___eio[5]("11:430[\\"é€😀\\"]");\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\na: {UNKNOWN}\n{PARSE_ERROR}",
        third("JSONP, no d"),
        TWO,
    ),
    Difference("JSONP is text", BUFFER, BASE64, third("JSONP, binary"), BOTH),
    Difference(
        AT_ONCE,
        f"{TEXT}1:61:1\nsession 1: {GONE}['/: forced server close']",
        f'{TEXT}10:40/custom,50:42/custom,["hello","/custom#<sid>"]{ASKED}\n{ALIVE}',
        third("namespace with a query"),
    ),
    Difference(
        AT_ONCE,
        '50:42/custom,["hello","/custom#<sid>"]',
        f'50:42/custom,["hello","/custom#<sid>"]{ASKED}',
        third("namespace with a query"),
        TWO,
    ),
    Difference(
        QUERY,
        '22:42/custom,["query",{}]',
        '43:42/custom,["query",{"token":"abc","x":"1"}]',
        third("namespace with a query, later event"),
    ),
    Difference(
        QUERY,
        '22:42/custom,["query",{}]',
        '31:42/custom,["query",{"a":"b c"}]',
        third("namespace with a query and no comma"),
    ),
    Difference(
        QUERY,
        '32:42/custom,["query",{"room":"1"}]',
        '46:42/custom,["query",{"room":"1","token":"abc"}]',
        third("namespace beside the handshake's query"),
    ),
    Difference(
        "a 2.x client is told the message itself, as by 2.x",
        '39:44/nope,{"message":"Invalid namespace"}',
        '27:44/nope,"Invalid namespace"',
        third("unknown namespace"),
    ),
    Difference(
        "a 2.x client is told the message itself, as by 2.x",
        '44/unknown,{"message":"Invalid namespace"}',
        '44/unknown,"Invalid namespace"',
        ("EIO3 ws basic (v2 client)",),
        ("websocket.txt",),
    ),
    Difference(
        LATER,
        f"{TEXT2}2:40\n{ALIVE}",
        f"{TEXT2}1:1\nsession 1: {GONE}['/: forced server close']",
        third("connects to / itself"),
        TWO,
    ),
    Difference(
        LATER,
        f'{TEXT2}11:430["é€😀"]\n{ALIVE}',
        f"{TEXT2}1:1\nsession 1: {GONE}['/: forced server close']",
        third("event for a namespace not joined"),
        TWO,
    ),
    Difference(LATER, ALIVE, f"session 1: {GONE}['/: transport error']", third("pong, the wrong direction"), TWO),
    Difference(
        LATER,
        f"w: nothing\n{ALIVE}",
        f"w: {TEXT2}1:1\nsession 1: {GONE}['/: forced close']",
        third("invalid Socket.IO packet, 2.x"),
        TWO,
    ),
    Difference(TOLD_ALL, f"2:41\na: {TEXT}1:61:1\n", f"2:411:1\na: {UNKNOWN}\n", third("disconnect(true)")),
    Difference(TOLD_ALL, f"2:41\na: {TEXT2}1:61:1\n", f"2:411:1\na: {UNKNOWN}\n", third("disconnect(true)"), TWO),
    Difference(
        "the noop that only carries a close is left out",
        "] 1:61:1\n",
        "] 1:1\n",
        third("close by the server, no GET"),
        BOTH,
        everywhere=True,
    ),
]

DIFFERENCES = [*OPENING, *WEBSOCKETS, *ORIGINS, *FILES, *POLLING, *THIRD]
