"""The deliberate differences in long-polling of Engine.IO 3: a part of the list in deliberate.py."""

from __future__ import annotations

from tests.differential.difference import (
    ALIVE,
    AT_ONCE,
    BOTH,
    EMPTY,
    GONE,
    OCTETS,
    OK,
    PARSE_ERROR,
    STRICT,
    TEXT,
    TWO,
    UNKNOWN,
    Difference,
    third,
)

# An acknowledgement with a placeholder in a binary payload, with an attachment of no bytes.
ANSWERED = (b'\0\3\6\xff461-0[{"_placeholder":true,"num":0}]\1\1\xff\4').hex(" ")
ASKED = '35:42/custom,["query",{"token":"abc"}]'
BASE64 = '"48:451-[\\"bin\\",{\\"_placeholder\\":true,\\"num\\":0},\\"é€😀\\"]6:b4AQID"'
OK2, TEXT2 = "200 [content-type: text/html] ok", "200 [content-type: text/plain; charset=UTF-8] "
QUERY = "a namespace's query goes to its handshake, as in 2.x"
LATER = "as in socket.io 4"
TOLERATED = third(
    *("length in hex", "length with a sign", "length with a space", "binary payload beyond the body"),
    *("binary payload of an unknown kind", "empty octet-stream"),
)
BUFFER = (
    '{"type":"Buffer","data":[0,5,3,255,52,53,49,45,91,34,98,105,110,34,44,123,34,95,112,108,97,99,101,104,111,108,100,101,'
    "114,34,58,116,114,117,101,44,34,110,117,109,34,58,48,125,44,34,195,169,226,130,172,240,159,152,128,34,93,1,4,255,4,1,2,3]}"
)
THIRD: list[Difference] = [
    Difference(EMPTY, f"a: {OK}", "a: 400 ", third("empty body", "empty octet-stream")),
    Difference(EMPTY, f"a: {OK2}", "a: 400 ", third("empty body", "empty octet-stream"), TWO),
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
        EMPTY,
        f'a: {OK}\na: {OK}\na: {TEXT}___eio[5]("11:430[\\"é€😀\\"]");\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\na: {UNKNOWN}\n{PARSE_ERROR}",
        third("JSONP, no d"),
    ),
    Difference(
        EMPTY,
        f'a: {OK2}\na: {OK2}\na: {TEXT2}___eio[5]("11:430[\\"é€😀\\"]");\n{ALIVE}',
        f"a: 400 \na: {UNKNOWN}\na: {UNKNOWN}\n{PARSE_ERROR}",
        third("JSONP, no d"),
        TWO,
    ),
    Difference("JSONP is text", BUFFER, BASE64, third("JSONP, binary"), BOTH),
    Difference(
        AT_ONCE,
        f"{TEXT}1:61:1\nsession 1: {GONE}['engine: forced close', '/: forced server close']",
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
        f"{TEXT2}1:1\nsession 1: {GONE}['engine: forced close', '/: forced server close']",
        third("connects to / itself"),
        TWO,
    ),
    Difference(
        LATER,
        f'{TEXT2}11:430["é€😀"]\n{ALIVE}',
        f"{TEXT2}1:1\nsession 1: {GONE}['engine: forced close', '/: forced server close']",
        third("event for a namespace not joined"),
        TWO,
    ),
    Difference(
        LATER,
        ALIVE,
        f"session 1: {GONE}['engine: transport error', '/: transport error']",
        third("pong, the wrong direction"),
        TWO,
    ),
    Difference(
        LATER,
        f"w: nothing\n{ALIVE}",
        f"w: {TEXT2}1:1\nsession 1: {GONE}['engine: forced close', '/: forced close']",
        third("invalid Socket.IO packet, 2.x"),
        TWO,
    ),
    Difference(
        "the noop that only carries a close is left out",
        "] 1:61:1\n",
        "] 1:1\n",
        third("close by the server, no GET"),
        BOTH,
        everywhere=True,
    ),
]
