"""Payloads: JSON both ways, attachments, and what orjson alone would refuse."""

import json
import math
from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum, IntEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.wire.payload import PayloadError, decode, encode

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
binary = st.binary(max_size=8) | st.binary(max_size=8).map(bytearray) | st.binary(max_size=8).map(memoryview)
with_binary = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=3) | binary,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def to_json(data):
    text, attachments = encode(data)
    assert attachments is None
    return text.decode()


def naive_split(value, found):
    """The twin of encode: takes bytes out, in the order of the JSON text."""
    if isinstance(value, bytes | bytearray | memoryview):
        found.append(bytes(value))
        return {"_placeholder": True, "num": len(found) - 1}
    if isinstance(value, list):
        return [naive_split(item, found) for item in value]
    if isinstance(value, dict):
        return {key: naive_split(item, found) for key, item in value.items()}
    return value


def as_bytes(value):
    if isinstance(value, list):
        return [as_bytes(item) for item in value]
    if isinstance(value, dict):
        return {key: as_bytes(item) for key, item in value.items()}
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def javascript_number(digits):
    """Above 64 bits a float."""
    return int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)


@given(plain)
def test_json_both_ways(value):
    text, attachments = encode(value)
    assert attachments is None
    assert json.loads(text) == value
    assert decode(text) == value


@given(st.lists(with_binary, max_size=4))
def test_binary_values_are_taken_out_and_put_back(value):
    text, attachments = encode(value)
    found = []
    assert json.loads(text) == naive_split(value, found)
    assert (attachments or []) == found
    assert decode(text, attachments or []) == as_bytes(value)


@given(
    st.binary(max_size=40)
    | st.text(alphabet='[]{}",:\\0123456789eE+-.truefalsn\ud800', max_size=30).map(
        lambda t: t.encode("utf-8", "surrogatepass")
    )
)
def test_whatever_comes_is_decoded_as_json_or_refused(data):
    try:
        expected = json.loads(data.decode(), parse_int=javascript_number, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(PayloadError):
            decode(data)
    else:
        assert decode(data) == expected


# ---- in ----


def test_half_an_emoji_comes_in_and_goes_out():
    assert decode(b'["\\ud83d","\\ude00 \\u00e9"]') == ["\ud83d", "\ude00 é"]
    assert encode(["\ud83d", {"\udc00": 1.5}]) == (b'["\\ud83d",{"\\udc00":1.5}]', None)


def test_numbers_that_javascript_reads():
    assert decode(b"[1e400,-1e400,1]") == [math.inf, -math.inf, 1]
    big = decode(b"[1e400,18446744073709551615,18446744073709551616,9007199254740993,-9223372036854775809]")
    assert big[1:] == [2**64 - 1, 2.0**64, 2**53 + 1, -(2.0**63)]
    assert [type(value) for value in big[1:]] == [int, float, int, float]
    assert decode(b"[1e400," + b"9" * 100_000 + b"]")[1] == math.inf


@pytest.mark.parametrize(
    "text",
    [
        "[NaN]",
        "[Infinity]",
        "[-Infinity]",
        "\ufeff[1]",
        "[1,]",
        "[",
        "",
        "{'a':1}",
        "[01]",
        '["\x01"]',
        "[1] 2",
        "[\\ud800]",
        '["\\ud800",NaN]',
    ],
)
def test_not_json(text):
    with pytest.raises(PayloadError):
        decode(text.encode())


@pytest.mark.parametrize("depth", [1025, 10_000, 400_000])
def test_nesting_is_bounded(depth):
    with pytest.raises(PayloadError, match="1024"):
        decode(b"[" * depth + b"]" * depth)
    with pytest.raises(PayloadError):
        decode(b'["\\ud800",' + b"[" * depth)
    assert decode(b"[" * 1000 + b"]" * 1000)


def test_a_bracket_in_a_string_is_no_nesting():
    text = json.dumps(["\ud800", "[" * 5000, '\\"[['])
    assert decode(text.encode()) == json.loads(text)


def test_duplicate_keys_the_last_one_counts():
    assert decode(b'{"a":1,"a":2}') == {"a": 2}


# ---- placeholders ----


@pytest.mark.parametrize(
    "number", ["1", "-1", '"0"', '"splice"', "true", "false", "null", "0.0", "1e0", "{}", "99999999999999999999"]
)
def test_illegal_placeholders(number):
    with pytest.raises(PayloadError, match="illegal attachments"):
        decode(b'["e",{"_placeholder":true,"num":%s}]' % number.encode(), [b"x"])
    with pytest.raises(PayloadError):
        decode(b'["e",{"a":[{"_placeholder":true}]}]', [b"x"])


def test_the_same_placeholder_twice_gives_the_same_bytes():
    text = b'[{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":0}}]'
    value = decode(text, [b"x"])
    assert value == [b"x", {"a": b"x"}]
    assert value[0] is value[1]["a"]


def test_what_only_looks_like_a_placeholder_is_data():
    assert decode(b'[{"_placeholder":1,"num":0},{"_placeholder":"true"}]', [b"x"]) == [
        {"_placeholder": 1, "num": 0},
        {"_placeholder": "true"},
    ]
    assert decode(b'[{"_placeholder":true,"num":7}]') == [{"_placeholder": True, "num": 7}]


# ---- out ----


def test_dates_are_iso_8601_in_utc_with_milliseconds():
    moment = datetime(2026, 2, 3, 4, 5, 6, 789999)
    assert to_json(moment) == '"2026-02-03T04:05:06.789Z"'
    assert to_json(moment.replace(tzinfo=UTC)) == '"2026-02-03T04:05:06.789Z"'
    assert to_json(moment.replace(tzinfo=timezone(timedelta(hours=2)))) == '"2026-02-03T02:05:06.789Z"'
    assert to_json([date(2026, 2, 3), time(4, 5)]) == '["2026-02-03","04:05:00"]'
    assert to_json({"\ud800": moment}) == '{"\\ud800":"2026-02-03T04:05:06.789Z"}'


def test_numbers_that_json_does_not_have_become_null():
    assert to_json([math.nan, math.inf, -math.inf]) == "[null,null,null]"
    assert to_json([math.nan, 2**70]) == "[null,1180591620717411303424]"


def test_keys_that_are_no_strings():
    assert to_json({7: "a", 2.5: "b", True: "c", None: {"d": 1}}) == '{"7":"a","2.5":"b","true":"c","null":{"d":1}}'
    text, attachments = encode({1: b"x", "y": [b"z"]})
    assert (json.loads(text), attachments) == (
        {"1": {"_placeholder": True, "num": 0}, "y": [{"_placeholder": True, "num": 1}]},
        [b"x", b"z"],
    )


def test_what_orjson_knows_is_known():
    @dataclass
    class Point:
        x: int
        raw: bytes

    class Colour(Enum):
        RED = "red"

    class Level(IntEnum):
        LOW = 1

    Pair = namedtuple("Pair", "a b")
    values = [Colour.RED, Level.LOW, UUID(int=1), (1, 2), Pair(3, 4)]
    expected = ["red", 1, "00000000-0000-0000-0000-000000000001", [1, 2], [3, 4]]
    assert json.loads(to_json(values)) == expected
    assert json.loads(to_json([*values, 2**70])) == [*expected, 2**70]
    for extra in ([], [2**70]):
        text, attachments = encode([Point(1, b"x"), *extra])
        assert json.loads(text)[0] == {"x": 1, "raw": {"_placeholder": True, "num": 0}}
        assert attachments == [b"x"]


@pytest.mark.parametrize("value", [{1, 2}, object(), 1j, range(3)])
def test_what_cannot_be_sent_is_named(value):
    with pytest.raises(TypeError) as raised:
        encode(["e", value])
    assert f"a value of type {type(value).__name__} cannot be sent" in str(raised.value)


def test_deep_data_goes_out_and_a_circle_does_not():
    deep = []
    for _ in range(300):
        deep = [deep]
    assert to_json(deep) == "[" * 301 + "]" * 301
    circle = []
    circle.append(circle)
    with pytest.raises(ValueError, match="contains itself"):
        encode(circle)
