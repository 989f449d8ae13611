"""Polling payloads: against a naive twin, and against what the official parsers encode and decode."""

import base64
import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.wire.polling import MAX_DIGITS, BadPayload, decode3, decode4
from tests.requirements import require, require_npm

# ---- the twin: packets until the first bad one, where it raises ValueError ----


def text(data: bytes) -> str:
    if not data:
        raise ValueError("empty")
    return data.decode()


def twin4(body: bytes) -> Iterator[str | bytes]:
    for part in body.split(b"\x1e"):
        yield text(part)


def twin3_text(body: bytes) -> Iterator[str | bytes]:
    if not body:
        raise ValueError("empty")
    while body:
        match = re.match(rb"([0-9]{1,%d}):" % MAX_DIGITS, body)
        if not match:
            raise ValueError("no length")
        size = bytes_of_units(body[match.end() :], int(match[1]))
        packet, body = body[match.end() : match.end() + size], body[match.end() + size :]
        if packet:
            yield text(packet)


def bytes_of_units(body: bytes, units: int) -> int:
    """A character is a first byte and the continuations after it."""
    size = 0
    for match in re.finditer(rb"[^\x80-\xbf][\x80-\xbf]*", body):
        if units <= 0:
            break
        if match.start() != size:
            raise ValueError("not UTF-8")
        units -= len(match[0].decode().encode("utf-16-le")) // 2
        size = match.end()
    if units != 0:
        raise ValueError("beyond the end, or inside a surrogate pair")
    return size


def twin3_binary(body: bytes) -> Iterator[str | bytes]:
    if not body:
        raise ValueError("empty")
    while body:
        match = re.match(rb"([\x00\x01])([\x00-\x09]{1,%d})\xff" % MAX_DIGITS, body)
        if not match:
            raise ValueError("no head")
        size = int("".join(map(str, match[2])))
        packet, body = body[match.end() : match.end() + size], body[match.end() + size :]
        if not packet or len(packet) < size:
            raise ValueError("empty, or beyond the end")
        yield packet if match[1] == b"\1" else text(packet)


DECODERS = {
    "4": (decode4, twin4),
    "3 text": (decode3, twin3_text),
    "3 binary": (lambda body: decode3(body, True), twin3_binary),
}


def outcome(decode, body):
    """(the packets before the end or the first bad one, whether all was good)."""
    try:
        return decode(body), True
    except BadPayload as error:
        return error.packets, False


def expected(twin, body):
    packets = []
    try:
        for packet in twin(body):
            packets.append(packet)
    except ValueError:
        return packets, False
    return packets, True


# ---- bodies: of random bytes, of pieces that mean something, and good ones ----

ANY_TEXT = st.text(max_size=12)  # whole Unicode, without surrogates
PACKETS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6)
PIECES = st.lists(
    st.sampled_from([b"\x1e", b":", b"1:", b"2:", b"3:4", b"02:", b"4", b"\0", b"\1", b"\2", b"\xff", b"\0\1\xff"])
    | st.sampled_from(["\u00e9", "\u20ac", "\U0001f600", "a", "b"]).map(str.encode)
    | st.sampled_from([b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xed\xa0\x80", b"\xf8"]),
    max_size=20,
).map(b"".join)
BODIES = st.binary(max_size=30) | PIECES | ANY_TEXT.map(str.encode)


def units(packet: str) -> int:
    return len(packet.encode("utf-16-le")) // 2


def piece3(packet: str | bytes) -> bytes:
    data = packet.encode() if isinstance(packet, str) else packet
    return bytes([isinstance(packet, bytes), *map(int, str(len(data))), 255]) + data


@pytest.mark.parametrize("form", DECODERS)
@given(BODIES)
def test_any_body_is_read_as_the_twin_reads_it(form, body):
    decode, twin = DECODERS[form]
    assert outcome(decode, body) == expected(twin, body)


@given(PACKETS)
def test_packets_of_protocol_4(packets):
    packets = [packet.replace("\x1e", "x") for packet in packets]
    assert decode4("\x1e".join(packets).encode()) == packets


@given(PACKETS, st.integers(0, 5))
def test_packets_of_protocol_3_as_text(packets, zeros):
    body = "".join(f"{'0' * zeros}{units(packet)}:{packet}" for packet in packets)
    assert decode3(body.encode()) == packets


@given(st.lists(st.text(min_size=1) | st.binary(min_size=1, max_size=300), min_size=1, max_size=6))
def test_packets_of_protocol_3_as_binary(packets):
    assert decode3(b"".join(map(piece3, packets)), True) == packets


@given(PACKETS, st.data())
def test_a_body_cut_short_or_changed_is_read_as_the_twin_reads_it(packets, data):
    for form, body in {
        "4": "\x1e".join(packets).encode(),
        "3 text": "".join(f"{units(packet)}:{packet}" for packet in packets).encode(),
        "3 binary": b"".join(map(piece3, packets)),
    }.items():
        decode, twin = DECODERS[form]
        at = data.draw(st.integers(0, len(body)))
        changed = body[:at] + data.draw(st.binary(max_size=2)) + body[at + 1 :]
        assert outcome(decode, body[:at]) == expected(twin, body[:at])
        assert outcome(decode, changed) == expected(twin, changed)


@pytest.mark.parametrize(
    ("form", "body", "packets"),
    [
        ("4", b"40\x1e\x1e42", ["40"]),
        ("4", b"42[1]\x1e4\xff\x1e42[2]", ["42[1]"]),
        ("3 text", b"2:401e3:4", ["40"]),
        ("3 text", b"2:403:4\xf0\x9f\x98\x801:2999:4", ["40", "4\U0001f600", "2"]),
        ("3 binary", b"\0\2\xff40\0\1\xff\xff", ["40"]),
        ("3 binary", b"\1\2\xff\4\xff\3\1\xff4", [b"\4\xff"]),
    ],
)
def test_packets_before_a_bad_one_are_there(form, body, packets):
    with pytest.raises(BadPayload, match=r"packet") as caught:
        DECODERS[form][0](body)
    assert caught.value.packets == packets


# ---- the official parsers ----

# Encodes every list of packets; {"b": base64} stands for a Buffer. The answer: each body in base64.
ENCODE = """
const [folder4, folder3] = process.argv.slice(1);
const parser4 = require(folder4), parser3 = require(folder3);
const {lists, bodies} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const revive = (packets) => packets.map(({type, data}) =>
  ({type, data: data && data.b !== undefined ? Buffer.from(data.b, "base64") : data}));
const base64 = (body) => Buffer.from(body).toString("base64");
const show = ({type, data}) => type === "error" ? null : [type, Buffer.isBuffer(data) ? {b: base64(data)} : data];
const encoded = lists.map((list) => {
  const made = {};
  parser4.encodePayload(revive(list), (body) => { made["4"] = base64(body); });
  parser3.encodePayload(revive(list), false, (body) => { made["3 text"] = base64(body); });
  parser3.encodePayloadAsBinary(revive(list), (body) => { made["3 binary"] = base64(body); });
  return made;
});
const accepted = bodies.map((body) => {
  let good = true;
  parser3.decodePayload(Buffer.from(body, "base64").toString(), (packet) => { good = good && packet.type !== "error"; });
  return good;
});
console.log(JSON.stringify({encoded, accepted}));
"""

TYPES = {"ping": "2", "pong": "3", "message": "4", "noop": "6"}
LETTERS = ["a", '"', "\\", "\n", "\0", ":", "0", "\u00e9", "\u20ac", "\u2028", "\U0001f600", "\U0010ffff", "\ud800"]


def random_packets(rng: random.Random) -> list[tuple[str, str | bytes]]:
    def one() -> tuple[str, str | bytes]:
        if rng.random() < 0.3:
            return "message", rng.randbytes(rng.randrange(300))
        return rng.choice(list(TYPES)), "".join(rng.choices(LETTERS, k=rng.randrange(40)))

    return [one() for _ in range(rng.randrange(1, 8))]


def on_the_wire(form: str, kind: str, data: str | bytes) -> str | bytes:
    """The packet as it comes out of a payload; half a surrogate pair leaves JavaScript as U+FFFD."""
    if isinstance(data, str):
        return TYPES[kind] + data.replace("\ud800", "\ufffd")
    if form == "3 binary":
        return b"\4" + data
    return ("b" if form == "4" else "b4") + base64.b64encode(data).decode()


def ask_node(lists: list[list[tuple[str, str | bytes]]], bodies: list[bytes]) -> dict:
    def shown(data: str | bytes) -> object:
        return data if isinstance(data, str) else {"b": base64.b64encode(data).decode()}

    question = {
        "lists": [[{"type": kind, "data": shown(data)} for kind, data in packets] for packets in lists],
        "bodies": [base64.b64encode(body).decode() for body in bodies],
    }
    parsers: list[Path] = [
        require_npm("engine.io-parser"),
        require_npm("engine.io-client-v3") / "node_modules/engine.io-parser",
    ]
    command = [require("node"), "-e", ENCODE, *map(str, parsers)]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Of these the reference parser of protocol 3 and ours think alike.
LENGTHS = [b"2:40", b"002:40", b"0:", b"0:2:40", b"2:402", b"2:401:", b"2:4", b"40", b"", b":40", b"x:4", b"999:4"]
LENGTHS += [b"3:4\xf0\x9f\x98\x80", b"4:4\xf0\x9f\x98\x80", b"9" * 400 + b":4"]


def test_what_official_parsers_encode_is_decoded():
    rng = random.Random(7)
    lists = [random_packets(rng) for _ in range(300)]
    answer = ask_node(lists, LENGTHS)
    for packets, made in zip(lists, answer["encoded"], strict=True):
        for form, body in made.items():
            decode, _ = DECODERS[form]
            assert decode(base64.b64decode(body)) == [on_the_wire(form, kind, data) for kind, data in packets]
    assert [outcome(decode3, body)[1] for body in LENGTHS] == answer["accepted"]
