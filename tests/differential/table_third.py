"""Long-polling of Engine.IO 3, that is of 2.x clients: length-prefixed and binary payloads, JSONP, namespaces with a
query, the client's heartbeat. Compared with both references, except where 2.x lacks the thing."""

from __future__ import annotations

from tests.differential.steps import (
    EIO3,
    OCTETS,
    TEXT_PLAIN,
    Case,
    Drop,
    Ended,
    Silence,
    Sleep,
    Step,
    Steps,
    answer,
    case,
    form,
    get,
    joined3,
    of,
    payload3,
    poll,
    post,
    request,
    waiting,
)

BASE64 = EIO3 + "&b64=1"
JSONP = EIO3 + "&j=5"
ECHO = '420["echo","é€😀"]'
PLACE = '{"_placeholder":true,"num":0}'


def third(name: str, *parts: Step | Steps, variant: str = "plain", against: tuple[str, ...] = ("4", "2")) -> Case:
    return case(f"EIO 3: {name}", *parts, variant=variant, against=against)


def send3(*packets: str, query: str = EIO3, on: str = "a") -> Steps:
    return post(payload3(*packets), query, on=on)


def fetched(query: str = EIO3, on: str = "a", session: int = 1) -> Steps:
    return poll(query, on=on, session=session)


def binary3(*packets: str | bytes) -> bytes:
    """A binary payload; bytes are the data of a message."""
    found = b""
    for packet in packets:
        data = packet.encode() if isinstance(packet, str) else b"\x04" + packet
        digits = bytes(int(digit) for digit in str(len(data)))
        found += (b"\0" if isinstance(packet, str) else b"\1") + digits + b"\xff" + data
    return found


def octets(data: bytes) -> Steps:
    return post(data, EIO3, OCTETS)


CONNECTING = [
    third("connected unasked", joined3()),
    third("namespace", joined3(), send3("40/custom,"), fetched()),
    third("namespace without a comma", joined3(), send3("40/custom"), fetched()),
    third("namespace with a query", joined3(), send3("40/custom?token=abc,", '42/custom,["query"]'), fetched()),
    third(
        "namespace with a query, later event",
        joined3(),
        send3("40/custom?token=abc&x=1,"),
        fetched(),
        send3('42/custom,["query"]'),
        fetched(),
    ),
    third(
        "namespace with a query and no comma",
        joined3(),
        send3("40/custom?a=b%20c"),
        fetched(),
        send3('42/custom,["query"]'),
        fetched(),
    ),
    third(
        "namespace beside the handshake's query",
        get(EIO3 + "&room=1"),
        fetched(),
        send3("40/custom?token=abc,"),
        fetched(),
        send3('42/custom,["query"]'),
        fetched(),
    ),
    third("the handshake's query", get(EIO3 + "&b=2&a=1"), fetched(), send3('42["query"]'), fetched()),
    third("unknown namespace", joined3(), send3("40/nope,"), fetched()),
    third("namespace that refuses", joined3(), send3("40/deny,"), fetched()),
    third("refused by a middleware", get(EIO3 + "&bad=1"), fetched(), send3("40"), fetched()),
    third("refused, then a namespace", get(EIO3 + "&bad=1"), fetched(), send3("40/custom,"), fetched(), against=("4",)),
    third("connects to / itself", joined3(), send3("40"), fetched()),
    third("leaves", joined3(), send3("41"), send3("2"), fetched()),
    third("leaves, then a namespace", joined3(), send3("41"), send3("40/custom,"), fetched(), against=("4",)),
    third("leaves a namespace", joined3(), send3("40/custom,"), fetched(), send3("41/custom,"), send3(ECHO), fetched()),
    third("the server disconnects a socket", joined3(), send3('42["sdisc"]'), fetched(), send3("40"), fetched()),
]

TEXTS = [
    third("echo", joined3(), send3(ECHO), fetched()),
    third("lengths of astral characters", joined3(), send3('42["say","😀😀"]', ECHO), fetched()),
    third("several events", joined3(), send3('42["say",1]', '42["say",2]', '420["echo",3]'), fetched()),
    third("events that no GET waits for", joined3(), send3('42["say",1]'), send3('42["say",2]'), fetched()),
    third("event while a GET waits", joined3(), waiting(EIO3), send3('42["say",1]'), answer("w")),
    third(
        "the server asks",
        joined3(),
        send3('42["ask",1]'),
        fetched(),
        send3(*(f'43{i}["yes"]' for i in range(10))),
        fetched(),
    ),
    third("event for a namespace not joined", joined3(), send3('42/custom,["say",1]'), send3(ECHO), fetched()),
    third("large answer, gzip", joined3(), send3('42["big",5000]'), poll(EIO3, "Accept-Encoding: gzip")),
    third("volatile while no GET waits", joined3(), send3('42["say volatile",1]', '42["say",2]'), fetched()),
    third("a number with a leading zero as length", joined3(), post("0" + payload3('42["say",1]'), EIO3), fetched()),
]

BINARIES = [
    third("binary from the server", joined3(), send3('42["bin"]'), fetched()),
    third("binary from the server, base64", joined3(BASE64), send3('42["bin"]'), fetched()),
    third("binary, base64 only in the GET", joined3(), send3('42["bin"]'), fetched(BASE64)),
    third("text beside binary", joined3(), send3('42["say",1]', '42["bin"]', '42["say",2]'), fetched()),
    third("binary from the client as base64", joined3(), send3(f'451-0["echo",{PLACE}]', "b4AQID"), fetched()),
    third(
        "binary from the client as base64, base64 session",
        joined3(BASE64),
        send3(f'451-0["echo",{PLACE}]', "b4AQID", query=BASE64),
        fetched(),
    ),
    third("binary payload", joined3(), octets(binary3(f'451-0["echo",{PLACE}]', b"\1\2\3")), fetched()),
    third("binary payload of texts", joined3(), octets(binary3('420["echo","x"]')), fetched()),
    third("binary payload, other characters", joined3(), octets(binary3(ECHO)), fetched()),
    third("binary payload of no bytes", joined3(), octets(binary3(f'451-0["echo",{PLACE}]', b"")), fetched()),
    third("binary payload with a heartbeat", joined3(), octets(binary3("2", '420["echo",1]')), fetched()),
    third(
        "binary of 300 bytes",
        joined3(BASE64),
        send3(f'451-0["echo",{PLACE}]', "b4" + "AQID" * 100, query=BASE64),
        fetched(),
    ),
    third("large binary, gzip", joined3(), send3('42["big",2000]', '42["bin"]'), poll(EIO3, "Accept-Encoding: gzip")),
]

FAULTS = [
    *(
        third(name, joined3(), post(body, EIO3))
        for name, body in {
            "empty body": "",
            "length too long": "999:4",
            "length of many digits": "1" * 300 + ":4",
            "length 1e3": "1e3:4",
            "length in hex": "0x1:6",
            "no colon": '42["say",1]',
            "no digits": ":6",
            "length 0": "0:",
            "negative length": "-1:6",
            "length with a sign": "+1:6",
            "length with a space": " 1:6",
            "unknown packet": "1:9",
            "garbage behind a packet": "1:6x",
            "pong, the wrong direction": "1:3",
            "a good packet before a bad one": payload3('42["say",1]') + "1:9",
        }.items()
    ),
    third("length too short", joined3(), post('3:42["say",1]', EIO3), fetched(), Ended()),
    third("a bad packet while a GET waits", joined3(), waiting(EIO3), post("1:9", EIO3), answer("w"), Ended()),
    *(
        third(name, joined3(), octets(body))
        for name, body in {
            "binary payload without a terminator": b"\0\1",
            "binary payload of 400 digits": b"\0" + b"\1" * 400 + b"\xff6",
            "binary payload beyond the body": b"\0\1\0\xff6",
            "binary payload of an unknown kind": b"\7\1\xff6",
            "binary payload with invalid UTF-8": b"\0\2\xff4\xff",
            "empty octet-stream": b"",
            "text as octet-stream": b"1:6",
        }.items()
    ),
    third("invalid Socket.IO packet", joined3(), send3("4abc"), fetched(), Ended(), against=("4",)),
    third("invalid Socket.IO packet, 2.x", joined3(), waiting(EIO3), send3("4abc"), Silence("w"), against=("2",)),
    third("450-", joined3(), send3('450-["echo"]'), fetched(), Ended(), against=("4",)),
    third("binary that nobody waits for", joined3(), send3("b4AQID"), fetched(), Ended()),
    third("invalid base64", joined3(), send3(f'451-0["echo",{PLACE}]', "b4!!!!"), fetched()),
    third("reserved event name", joined3(), send3('42["disconnect"]'), fetched(), Ended(), against=("4",)),
]

LIFE = [
    third("ping", joined3(), send3("2"), fetched()),
    third("ping with data", joined3(), send3("2probe"), fetched()),
    third("ping while a GET waits", joined3(), waiting(EIO3), send3("2"), answer("w")),
    third("pings keep it alive", joined3(), *((Sleep(0.2), *send3("2"), *fetched()) for _ in range(3)), variant="fast"),
    third("no ping", joined3(), waiting(EIO3), answer("w"), Ended(), variant="fast"),
    third("no ping and no GET", joined3(), Ended(), poll(EIO3), variant="fast"),
    third("close by the client", joined3(), send3("1"), Ended(), poll(EIO3)),
    third("close by the client while a GET waits", joined3(), waiting(EIO3), send3("1"), answer("w"), Ended()),
    third("close by the server, no GET", joined3(), send3('42["close soon"]'), Sleep(0.1), fetched(), Ended()),
    third(
        "close by the server while a GET waits",
        joined3(),
        waiting(EIO3),
        send3('42["close soon"]'),
        answer("w"),
        Ended(),
    ),
    third("disconnect(true)", joined3(), send3('42["sdisc1 soon"]'), Sleep(0.1), fetched(), fetched(), Ended()),
    third("two GETs", joined3(), waiting(EIO3), fetched(), answer("w"), Ended()),
    third("a GET aborted", joined3(), waiting(EIO3), Drop("w"), Ended()),
    third("DELETE with sid", get(EIO3), request("DELETE", EIO3 + of(1))),
    third("octet-stream with a parameter", joined3(), post(payload3(ECHO), EIO3, OCTETS + ";x=1"), fetched()),
    third("POST as text/plain", joined3(), post(payload3(ECHO), EIO3, TEXT_PLAIN), fetched()),
    third("EIO not repeated", joined3(), post(payload3(ECHO), "transport=polling"), fetched()),
]

FORMS = [
    third("JSONP", joined3(JSONP), post(form(payload3(ECHO)), JSONP), fetched(JSONP)),
    third("JSONP, another index later", joined3(JSONP), post(form(payload3(ECHO)), JSONP), fetched(EIO3 + "&j=6")),
    third("JSONP, newlines", joined3(JSONP), post(form('18:420["echo","a\\nb"]'), JSONP), fetched(JSONP)),
    third("JSONP, a real newline", joined3(JSONP), post("d=" + "1:2", JSONP), fetched(JSONP)),
    third("JSONP, binary", joined3(JSONP), post(form(payload3('42["bin"]')), JSONP), fetched(JSONP)),
    third(
        "JSONP with b64, binary", joined3(JSONP + "&b64=1"), post(form(payload3('42["bin"]')), JSONP), fetched(JSONP)
    ),
    third(
        "JSONP, separators", joined3(JSONP), post(form(payload3('42["say","a\u2028b\u2029c"]')), JSONP), fetched(JSONP)
    ),
    third("JSONP, a bad payload", joined3(JSONP), post("d=9", JSONP), Ended()),
    third("JSONP, no d", joined3(JSONP), post("x=1", JSONP), post(form(payload3(ECHO)), JSONP), fetched(JSONP)),
    third("JSONP, closed", joined3(JSONP), waiting(JSONP), post("d=1%3A1", JSONP), answer("w"), Ended()),
]

TABLE = [*CONNECTING, *TEXTS, *BINARIES, *FAULTS, *LIFE, *FORMS]
