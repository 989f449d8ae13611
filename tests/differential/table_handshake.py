"""Handshakes over polling and websocket, paths, methods, and every error code with its place in the order of checks."""

from __future__ import annotations

from tests.differential.steps import (
    EIO3,
    EIO4,
    UPGRADE,
    Case,
    Send,
    answer,
    case,
    end,
    frames,
    get,
    head,
    of,
    poll,
    post,
    request,
    send,
    url,
    websocket,
)

WS4 = "EIO=4&transport=websocket"
WS3 = "EIO=3&transport=websocket"
BOTH = ("4", "2")


def refused(query: str, name: str, *fields: str, variant: str = "plain") -> Case:
    """A websocket that is not to be."""
    return case(f"websocket: {name}", websocket(query, *fields), end("ws"), variant=variant)


HANDSHAKES = [
    case("EIO 4", get()),
    case("EIO 4 with a cookie", get(), variant="cors"),
    case("EIO 3", get(EIO3), poll(EIO3), against=BOTH),
    case("EIO 3 with a cookie", get(EIO3), poll(EIO3), variant="cors"),
    case("EIO 5", get("EIO=5&transport=polling")),
    case("EIO 04", get("EIO=04&transport=polling")),
    case("EIO empty", get("EIO=&transport=polling")),
    case("EIO missing", get("transport=polling"), poll(EIO3)),
    case("EIO 3 refused", get(EIO3), variant="no EIO3"),
    case("EIO 5 refused", get("EIO=5&transport=polling"), variant="no EIO3"),
    case("EIO missing and refused", get("transport=polling"), variant="no EIO3"),
    case("EIO 4 where 3 is refused", get(), variant="no EIO3"),
    case("b64, EIO 4", get(EIO4 + "&b64=1")),
    case("b64, EIO 3", get(EIO3 + "&b64=1"), against=BOTH),
    case("b64 empty, EIO 3", get(EIO3 + "&b64=")),
    case("JSONP, EIO 3", get(EIO3 + "&j=7"), against=BOTH),
    case("JSONP, EIO 4", get(EIO4 + "&j=7")),
    case("JSONP, an index that is code", get(EIO3 + "&j=alert(1)//"), against=BOTH),
    case("JSONP, an empty index", get(EIO3 + "&j="), against=BOTH),
    case("a timestamp", get(EIO4 + "&t=abc123")),
    case("parameters in another order", get("t=1&transport=polling&EIO=4")),
    case("percent-encoded parameters", get("EIO=%34&transport=%70olling")),
    case("a plus sign and a broken percent", get(EIO4 + "&a=1+2&b=%zz&c=%00")),
    case("no upgrades", get(), variant="no upgrades"),
    case("polling only", get(), variant="polling only"),
    case("another maximum", get(), variant="small"),
    case("another heartbeat", get(), variant="fast"),
    case("old Internet Explorer", get(EIO4, "User-Agent: Mozilla/4.0 (compatible;MSIE 8.0)"), variant="cors"),
    case("Internet Explorer 11", get(EIO4, "User-Agent: Mozilla/5.0 (Windows; Trident/7.0) like Gecko")),
    case("two in a row on a connection", get(), get()),
    case("HTTP/1.0", Send("a", head("GET", url(), version="1.0")), answer(), end()),
    case("Connection: close", get(EIO4, "Connection: close"), end()),
    case("two requests in one segment", Send("a", head("GET", url()) * 2), answer(), answer()),
]

METHODS = [
    *(case(f"{method} without sid", request(method, EIO4)) for method in ("POST", "PUT", "DELETE", "HEAD", "PATCH")),
    case("OPTIONS without sid", request("OPTIONS", EIO4)),
    *(
        case(f"{method} with sid", get(), request(method, EIO4 + of(1)))
        for method in ("PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")
    ),
    *(
        case(f"{method} with sid and a body", get(), request(method, EIO4 + of(1), body=b"40"), post("40"), poll())
        for method in ("PUT", "DELETE")
    ),
    case("PUT with sid, EIO 3", get(EIO3), request("PUT", EIO3 + of(1), body=b"1:6"), against=BOTH),
    case("POST without sid, EIO 3", request("POST", EIO3, body=b"2:40")),
    case("POST without sid and without EIO", request("POST", "transport=polling", body=b"2:40")),
]

PATHS = [
    case("extra path", get(path="/socket.io/default/")),
    case("extra path of a file", get(path="/socket.io/a.b")),
    case("no slash", get(path="/socket.io")),
    case("another path", get(path="/other")),
    case("the root", get(None, path="/")),
    case("a longer name", get(path="/socket.iox/")),
    case("another case", get(path="/Socket.io/")),
    case("percent-encoded path", get(path="/socket%2eio/")),
    case("two slashes in front", get(path="//socket.io/")),
    case("POST to another path", request("POST", EIO4, body=b"40", path="/other")),
    case("a path of one's own", get(path="/my"), variant="path"),
    case("a path of one's own with a slash", get(path="/my/"), variant="path"),
    case("a path of one's own, extra path", get(path="/my/x"), variant="path"),
    case("not that path", get(), variant="path"),
    case("absolute-form target", get(path="http://localhost/socket.io/")),
    case(
        "websocket, extra path", Send("a", head("GET", url(WS4, "/socket.io/x/"), *UPGRADE)), answer(), frames(1, "a")
    ),
    case(
        "websocket, a path of one's own",
        Send("a", head("GET", url(WS4, "/my"), *UPGRADE)),
        answer(),
        frames(1, "a"),
        variant="path",
    ),
]

ERRORS = [
    case("transport unknown", get("EIO=4&transport=foo")),
    case("transport missing", get("EIO=4")),
    case("transport empty", get("EIO=4&transport=")),
    case("no query", get(None)),
    case("empty query", get("")),
    *(
        case(f"transport {name}", get(f"EIO=4&transport={name}"))
        for name in ("constructor", "__proto__", "webtransport", "POLLING", "flashsocket")
    ),
    case("transport not among ours: polling", get(), variant="websocket only"),
    case("transport not among ours: websocket", get(WS4), variant="polling only"),
    *(
        case(f"sid {name}", get(f"{EIO4}&sid={sid}"))
        for name, sid in {
            "unknown": "nope",
            "of the right length": "a" * 20,
            "__proto__": "__proto__",
            "toString": "toString",
            "NUL": "%00",
            "broken percent": "%zz",
            "long": "x" * 4000,
        }.items()
    ),
    case("sid empty", get(EIO4 + "&sid=")),
    case("sid unknown, POST", request("POST", EIO4 + "&sid=nope", body=b"40")),
    case("sid unknown, PUT", request("PUT", EIO4 + "&sid=nope")),
    case("sid unknown, HEAD", request("HEAD", EIO4 + "&sid=nope")),
    case("websocket without an upgrade", get(WS4)),
    case("websocket without an upgrade, POST", request("POST", WS4, body=b"")),
    case("denied with a message", get(EIO4 + "&deny=1")),
    case("denied", get(EIO4 + "&deny=2")),
    case("denied, with cors", get(EIO4 + "&deny=2", "Origin: http://good.example"), variant="cors"),
    case("denied only at the handshake", get(), post("40"), poll(EIO4 + "&deny=1")),
    case("another protocol than the session's", get(), poll(EIO3), post("40"), poll()),
    case("another protocol than the session's, EIO 3", get(EIO3), poll(EIO4), post("1:6", EIO3)),
    case("another protocol, POST", get(), post("40", EIO3), post("40"), poll()),
    case("another transport than the session's", get(), get(WS4 + of(1)), post("40"), poll()),
    case("error with an Origin", get("EIO=4&transport=foo", "Origin: http://good.example"), variant="cors"),
]

# Two faults in one request: which is told.
PAIRS = [
    case("transport unknown and sid unknown", get("EIO=4&transport=foo&sid=nope")),
    case("transport unknown and POST", request("POST", "EIO=4&transport=foo", body=b"")),
    case("transport unknown and denied", get("EIO=4&transport=foo&deny=1")),
    case("transport unknown and EIO refused", get("EIO=3&transport=foo"), variant="no EIO3"),
    case("transport unknown and a good sid", get(), get("EIO=4&transport=foo" + of(1))),
    case("sid unknown and POST", request("POST", EIO4 + "&sid=nope", body=b"")),
    case("sid unknown and websocket without an upgrade", get(WS4 + "&sid=nope")),
    case("sid unknown and denied", get(EIO4 + "&sid=nope&deny=1")),
    case("sid unknown and EIO refused", get(EIO3 + "&sid=nope"), variant="no EIO3"),
    case("POST and websocket without an upgrade", request("POST", WS4, body=b"")),
    case("POST and denied", request("POST", EIO4 + "&deny=1", body=b"")),
    case("POST and EIO refused", request("POST", EIO3, body=b""), variant="no EIO3"),
    case("websocket without an upgrade and denied", get(WS4 + "&deny=1")),
    case("websocket without an upgrade and EIO refused", get(WS3), variant="no EIO3"),
    case("denied and EIO refused", get(EIO3 + "&deny=1"), variant="no EIO3"),
    case("another transport and another protocol", get(), get(WS3 + of(1))),
    case("another transport and PUT", get(), request("PUT", WS4 + of(1))),
    case("another protocol and PUT", get(), request("PUT", EIO3 + of(1))),
]

WEBSOCKETS = [
    case("websocket, EIO 4", websocket(WS4), frames(1), send("40"), frames(1)),
    case("websocket, EIO 4, cors", websocket(WS4, "Origin: http://good.example"), frames(1), variant="cors"),
    case("websocket, EIO 3", websocket(WS3), frames(2), send("2"), frames(1)),
    case("websocket, EIO missing", websocket("transport=websocket"), frames(2)),
    case(
        "websocket, keep-alive too",
        Send("ws", head("GET", url(WS4), "Connection: keep-alive, Upgrade", *UPGRADE[1:])),
        answer("ws"),
        frames(1),
    ),
    case(
        "websocket, Upgrade in capitals",
        Send("ws", head("GET", url(WS4), "connection: upgrade", "upgrade: WebSocket", *UPGRADE[2:])),
        answer("ws"),
        frames(1),
    ),
    case("websocket, a subprotocol", websocket(WS4, "Sec-WebSocket-Protocol: chat"), frames(1)),
    case("websocket, compression offered", websocket(WS4, "Sec-WebSocket-Extensions: permessage-deflate"), frames(1)),
    case("websocket only", websocket(WS4), frames(1), variant="websocket only"),
    refused(WS4 + "&sid=nope", "sid unknown"),
    refused("EIO=4&transport=foo", "transport unknown"),
    refused("EIO=4", "transport missing"),
    refused(WS4 + "&deny=1", "denied with a message"),
    refused(WS4 + "&deny=2", "denied"),
    refused(WS4 + "&deny=2", "denied, with cors", "Origin: http://good.example", variant="cors"),
    refused(WS3 + "&sid=nope", "sid unknown, EIO 3"),
    refused("EIO=4&transport=foo&sid=nope", "transport and sid unknown"),
    refused(WS4 + "&sid=nope&deny=1", "sid unknown and denied"),
    case("websocket: EIO refused", websocket(WS3), end("ws"), variant="no EIO3"),
    case("websocket: transport polling", websocket(EIO4), end("ws")),
    case("websocket: POST", Send("ws", head("POST", url(WS4), *UPGRADE)), answer("ws"), end("ws")),
    case("websocket: no key", Send("ws", head("GET", url(WS4), *UPGRADE[:3])), answer("ws"), end("ws")),
    case(
        "websocket: version 8",
        Send("ws", head("GET", url(WS4), *UPGRADE[:2], "Sec-WebSocket-Version: 8", UPGRADE[3])),
        answer("ws"),
        end("ws"),
    ),
    case("websocket: h2c", Send("ws", head("GET", url(WS4), "Connection: Upgrade", "Upgrade: h2c")), answer("ws")),
    case("websocket: no Connection", Send("ws", head("GET", url(WS4), *UPGRADE[1:])), answer("ws")),
]

TABLE = [*HANDSHAKES, *METHODS, *PATHS, *ERRORS, *PAIRS, *WEBSOCKETS]
