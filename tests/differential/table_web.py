"""What browsers see besides Engine.IO: origins, preflights, cookies, and the files of the client."""

from __future__ import annotations

import json

from tests.differential.steps import (
    EIO3,
    EIO4,
    UPGRADE,
    Case,
    Receive,
    Send,
    Step,
    Steps,
    answer,
    case,
    end,
    frames,
    get,
    head,
    joined,
    of,
    poll,
    post,
    request,
    url,
    waiting,
    websocket,
)
from tests.requirements import TESTS

GOOD = "Origin: http://good.example"
BAD = "Origin: http://bad.example"
WS4 = "EIO=4&transport=websocket"
PREFLIGHT = (GOOD, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-a, content-type")
FILES = ("socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js")
VERSION = json.loads((TESTS / "package.json").read_text())["devDependencies"]["socket.io"]
ETAG = f'"{VERSION}"'


def cors(name: str, *parts: Step | Steps, variant: str = "cors") -> Case:
    return case(f"cors: {name}", *parts, variant=variant)


def file(name: str, *fields: str, method: str = "GET") -> Steps:
    return request(method, None, *fields, path=f"/socket.io/{name}")


ORIGINS = [
    cors("no Origin", get()),
    cors("listed", get(EIO4, GOOD)),
    cors("not listed", get(EIO4, BAD)),
    cors("null", get(EIO4, "Origin: null")),
    cors("another case", get(EIO4, "Origin: HTTP://GOOD.EXAMPLE")),
    cors("a longer host", get(EIO4, "Origin: http://good.example.evil.com")),
    cors("another port", get(EIO4, "Origin: http://good.example:8080")),
    cors("another scheme", get(EIO4, "Origin: https://good.example")),
    cors("empty", get(EIO4, "Origin:")),
    cors("EIO 3", get(EIO3, GOOD), poll(EIO3, GOOD)),
    cors(
        "listed, whole session", get(EIO4, GOOD), post("40", EIO4, "Content-Type: text/plain", GOOD), poll(EIO4, GOOD)
    ),
    cors("listed, a waiting GET", joined(), waiting(EIO4, GOOD), post('42["say",1]'), answer("w")),
    cors("listed, on an error", get(EIO4 + "&sid=nope", GOOD)),
    cors("no Origin, on an error", get(EIO4 + "&sid=nope")),
    cors("listed, denied", get(EIO4 + "&deny=1", GOOD)),
    cors(
        "listed, 413",
        joined(),
        request("POST", EIO4 + of(1), GOOD, "Content-Type: text/plain", body=b"4" + b"x" * 1_000_000),
    ),
    cors("listed, PUT with sid", joined(), request("PUT", EIO4 + of(1), GOOD)),
    cors(
        "listed, octet-stream",
        joined(),
        request("POST", EIO4 + of(1), GOOD, "Content-Type: application/octet-stream", body=b"4"),
    ),
    cors("listed, two GETs", joined(), waiting(EIO4, GOOD), poll(EIO4, GOOD), answer("w")),
    cors("listed, HEAD", request("HEAD", EIO4, GOOD)),
    cors("listed, another path", get(EIO4, GOOD, path="/other")),
    cors("websocket, listed", websocket(WS4, GOOD), frames(1)),
    cors("websocket, not listed", websocket(WS4, BAD), Receive("ws", "frame")),
    cors("websocket, listed, refused", websocket(WS4 + "&sid=nope", GOOD), end("ws")),
    cors("any origin", get(EIO4, BAD), variant="any origin"),
    cors("any origin, none sent", get(), variant="any origin"),
    cors("any origin, error", get(EIO4 + "&sid=nope", BAD), variant="any origin"),
    cors("any origin, websocket", websocket(WS4, BAD), frames(1), variant="any origin"),
    cors("none configured, no Origin", get(), variant="plain"),
    cors("none configured, same origin", get(EIO4, "Origin: http://localhost"), variant="plain"),
    cors("none configured, another origin", get(EIO4, BAD), variant="plain"),
    cors("none configured, another origin, websocket", websocket(WS4, BAD), Receive("ws", "frame"), variant="plain"),
    cors("none configured, another origin, error", get(EIO4 + "&sid=nope", BAD), variant="plain"),
    cors(
        "Origin with a character beyond ASCII",
        Send("a", head("GET", url(), "Origin: http://g\xf6\xf6d.example")),
        answer(),
    ),
]

PREFLIGHTS = [
    cors("preflight", request("OPTIONS", EIO4, *PREFLIGHT)),
    cors("preflight, not listed", request("OPTIONS", EIO4, BAD, *PREFLIGHT[1:])),
    cors("preflight, no headers asked for", request("OPTIONS", EIO4, *PREFLIGHT[:2])),
    cors("preflight, DELETE", request("OPTIONS", EIO4, GOOD, "Access-Control-Request-Method: DELETE")),
    cors("preflight without an Origin", request("OPTIONS", EIO4)),
    cors("preflight with an unknown transport", request("OPTIONS", "EIO=4", *PREFLIGHT)),
    cors("preflight with an unknown sid", request("OPTIONS", EIO4 + "&sid=nope", *PREFLIGHT)),
    cors("preflight with a sid", joined(), request("OPTIONS", EIO4 + of(1), *PREFLIGHT), post("6")),
    cors(
        "preflight while a GET waits",
        joined(),
        waiting(),
        request("OPTIONS", EIO4 + of(1), *PREFLIGHT),
        post('42["say",1]'),
        answer("w"),
    ),
    cors("preflight, EIO 3", request("OPTIONS", EIO3, *PREFLIGHT)),
    cors("preflight, denied", request("OPTIONS", EIO4 + "&deny=1", *PREFLIGHT)),
    cors("preflight, another path", request("OPTIONS", EIO4, *PREFLIGHT, path="/other")),
    cors("preflight for a file", file("socket.io.js", *PREFLIGHT, method="OPTIONS")),
    cors("preflight, any origin", request("OPTIONS", EIO4, *PREFLIGHT), variant="any origin"),
    cors("preflight, none configured", request("OPTIONS", EIO4, *PREFLIGHT), variant="plain"),
]

COOKIES = [
    cors("cookie at the handshake only", get(), post("40"), poll()),
    cors("cookie is not read", get(EIO4, "Cookie: io=abc")),
    cors("no cookie on an error", get("EIO=4&transport=foo")),
    cors("no cookie on a websocket", websocket(WS4), frames(1)),
]

CLIENT = [
    *(case(f"file {name}", file(name)) for name in FILES),
    *(case(f"file {name}.map", file(name + ".map")) for name in FILES),
    case("file by HEAD", file("socket.io.js", method="HEAD")),
    case("file by POST", file("socket.io.js", "Content-Length: 0", f"If-None-Match: {ETAG}", method="POST")),
    case("file with a query", request("GET", "v=1", path="/socket.io/socket.io.js")),
    case("file with gzip", file("socket.io.js", "Accept-Encoding: gzip")),
    case("file with deflate", file("socket.io.js", "Accept-Encoding: deflate")),
    case("file with deflate;q=0", file("socket.io.js", "Accept-Encoding: deflate;q=0")),
    case("file with identity", file("socket.io.js", "Accept-Encoding: identity")),
    case("file with gzip by HEAD", file("socket.io.js", "Accept-Encoding: gzip", method="HEAD")),
    case("map with gzip", file("socket.io.js.map", "Accept-Encoding: gzip")),
    case("file that is known", file("socket.io.js", f"If-None-Match: {ETAG}")),
    case("file that is known, weakly", file("socket.io.js", f"If-None-Match: W/{ETAG}")),
    case("file that is known, by HEAD", file("socket.io.js", f"If-None-Match: {ETAG}", method="HEAD")),
    case("file that was another", file("socket.io.js", 'If-None-Match: "1.0.0"')),
    case("file among several known", file("socket.io.js", f'If-None-Match: "1.0.0", {ETAG}', method="HEAD")),
    case("file with If-None-Match *", file("socket.io.js", "If-None-Match: *", method="HEAD")),
    case("file that is known, cors", file("socket.io.js", GOOD, f"If-None-Match: {ETAG}"), variant="cors"),
    case("file with cors", file("socket.io.js", GOOD, method="HEAD"), variant="cors"),
    case("file with cors, not listed", file("socket.io.js", BAD, method="HEAD"), variant="cors"),
    case("file with none configured, another origin", file("socket.io.js", BAD, method="HEAD")),
    case("file unknown", file("socket.io.xx.js")),
    case("file in a folder", file("x/socket.io.js")),
    case("file under another path", request("GET", None, path="/my/socket.io.js"), variant="path"),
    case("file and a websocket", Send("a", head("GET", "/socket.io/socket.io.js", *UPGRADE)), answer(), end()),
]

TABLE = [*ORIGINS, *PREFLIGHTS, *COOKIES, *CLIENT]
