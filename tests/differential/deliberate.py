"""Every deliberate difference from the reference servers, with its reason, in the order in which they are applied."""

from __future__ import annotations

from tests.differential.deliberate_third import THIRD
from tests.differential.difference import (
    ALIVE,
    AT_ONCE,
    BAD_REQUEST,
    CORS,
    EMPTY,
    FORBIDDEN,
    GONE,
    GOOD,
    HTTP,
    MAXIMUM,
    OK,
    PARSE_ERROR,
    REFUSED,
    SWITCHED,
    TEXT,
    TWO,
    UNKNOWN,
    VERSION_2,
    Difference,
    escaped,
    opened,
    third,
)
from tests.differential.table_web import ETAG

# What the golden files call these requests.
MAP = "HEAD socket.io.min.js.map Accept-Encoding: deflate, gzip, br, zstd"
CLOSED = "GET ?EIO=4&transport=polling&sid=<sid>"
OPENING: list[Difference] = [
    Difference(VERSION_2, f"97:{opened()}}}", f"118:{opened()}{MAXIMUM}", ("EIO 3",), TWO, everywhere=True),
    Difference(
        VERSION_2,
        f"93:{opened(250, 250)}}}",
        f"114:{opened(250, 250)}{MAXIMUM}",
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
    Difference(NO_METHOD, "b: 500 \n", f"b: {BAD_REQUEST}\n", ("PUT in pieces",)),
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
        HTTP,
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
        HTTP,
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
        HTTP,
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
        HTTP,
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
        HTTP,
    ),
    Difference(
        "of codings that are as good, the smaller comes first",
        "[content-encoding: deflate]",
        "[content-encoding: br]",
        (MAP,),
        HTTP,
    ),
    Difference(
        VARY, f"[etag: {ETAG}] <", f"[etag: {ETAG}] [vary: accept-encoding] <", ("file socket.io.js",), everywhere=True
    ),
    Difference(
        VARY, f"[etag: {ETAG}] \n", f"[etag: {ETAG}] [vary: accept-encoding] \n", ("file by HEAD",), everywhere=True
    ),
]

# ---- polling ----

BATCH = "what is sent in one turn goes out together"
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
        f"413 {CORS}{GOOD}[vary: origin] ",
        f"413 {CORS}{GOOD}[vary: origin] [close] the body is too large",
        ("cors: listed, 413",),
    ),
    Difference(
        "the rest of the body is not waited for",
        f"413 {CORS}[vary: origin] ",
        f"413 {CORS}[vary: origin] [close] the body is too large",
        ("POST ?EIO=4&transport=polling&sid=<sid> of 1000001 bytes",),
        HTTP,
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
        "what came before the close is served",
        f"w: {TEXT}6",
        f'w: {TEXT}42["said",1]',
        ("close by the client behind an event",),
    ),
    Difference(
        "what came before a bad packet is served",
        f"w: {TEXT}1",
        f'w: {TEXT}42["said",1]',
        ("a bad packet in the middle",),
    ),
    Difference(
        "a client may not know yet that it is out: dropped, as by 2.x",
        f"{TEXT}6^^1\nsession 1: {GONE}['engine: forced close', ",
        f'{TEXT}40{{"sid":"<id>"}}\nsession 1: ok open [',
        ("event after the client has left",),
    ),
    Difference(
        AT_ONCE,
        f"{TEXT}6^^1\nsession 1: {GONE}['engine: forced close']",
        f'{TEXT}40{{"sid":"<id>"}}^^42["said",1]\n{ALIVE}',
        ("event right behind its connect",),
    ),
    Difference(
        "the noop that only carries a close is left out",
        "] 6^^1\n",
        "] 1\n",
        ("close by the server, no GET",),
        ("4", "http-extra.txt", "websocket.txt"),
        everywhere=True,
    ),
    Difference(
        "a POST is as strict about UTF-8 as a websocket",
        f'{TEXT}42["said","\ufffd"]\n{ALIVE}',
        f"{UNKNOWN}\n{PARSE_ERROR}",
        ("POST with invalid UTF-8",),
    ),
    Difference(
        EMPTY,
        f"a: {OK}",
        "a: 400 ",
        ("empty body", "JSONP, an empty d"),
    ),
    Difference(
        EMPTY,
        f'a: {OK}\na: {OK}\na: {TEXT}___eio[3]("40{{\\"sid\\":\\"<id>\\"}}");\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\na: {UNKNOWN}\nsession 1: {GONE}['engine: parse error']",
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

DIFFERENCES = [*OPENING, *WEBSOCKETS, *ORIGINS, *FILES, *POLLING, *THIRD]
