"""Framing: whole, byte by byte and at random splits, against the naive twin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.wire.ws import Decoder, encode_frame, first_invalid, is_utf8
from tests.wire.twins import (
    BINARY,
    CLOSE,
    CONTINUATION,
    ERROR,
    NO_STATUS,
    PING,
    PONG,
    TEXT,
    Twin,
    client_frame,
    text_is_hopeless,
)

MAX_MESSAGE, MAX_FRAGMENTS = 1000, 5


def pieces(stream, cuts):
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in zip(edges, edges[1:], strict=False)]


def decode(parts, max_message=MAX_MESSAGE, max_fragments=MAX_FRAGMENTS):
    decoder = Decoder(max_message, max_fragments)
    return [event for part in parts for event in decoder.feed(part)]


def assert_events(stream, expected):
    assert decode([stream]) == expected
    assert decode([stream[i : i + 1] for i in range(len(stream))]) == expected


payloads = st.one_of(
    st.binary(max_size=140), st.text(max_size=60).map(str.encode), st.integers(0, 1100).map(lambda n: b"x" * n)
)
frames = st.builds(
    client_frame,
    st.sampled_from([CONTINUATION, TEXT, TEXT, BINARY, PING, PONG, CLOSE, 3, 11]),
    payloads,
    fin=st.sampled_from([True, True, False]),
    mask=st.binary(min_size=4, max_size=4),
    flags=st.sampled_from([0, 0, 0, 0, 0x40, 0x20, 0x10]),
    length_bytes=st.sampled_from([None, None, 2, 8]).filter(bool) | st.none(),
)
closes = st.builds(
    lambda code, reason: client_frame(CLOSE, (code.to_bytes(2, "big") + reason)[:125]),
    st.one_of(st.integers(0, 65535), st.sampled_from([1000, 1005, 1006, 1014, 1015, 2999, 3000, 4999, 5000])),
    st.binary(max_size=4) | st.text(max_size=5).map(str.encode),
)


@given(
    st.lists(frames | closes, max_size=8).map(b"".join) | st.binary(max_size=60),
    st.lists(st.integers(0, 5000), max_size=6),
)
def test_any_stream_at_any_splits_gives_what_the_twin_gives(stream, cuts):
    expected = Twin(MAX_MESSAGE, MAX_FRAGMENTS).decode(stream)
    assert decode([stream]) == expected
    assert decode(pieces(stream, cuts)) == expected
    assert decode([stream[i : i + 1] for i in range(len(stream))]) == expected


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode), st.lists(st.integers(0, 100), max_size=4))
def test_utf8_is_what_python_says_and_refused_at_the_first_hopeless_byte(data, cuts):
    try:
        data.decode()
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert is_utf8(*pieces(data, cuts)) is valid
    hopeless = [n for n in range(len(data)) if text_is_hopeless(data[: n + 1])]
    assert first_invalid(data) == (hopeless[0] if hopeless else -1)


@pytest.mark.parametrize("first", range(256))
def test_utf8_of_every_pair_of_bytes(first):
    for second in range(256):
        for tail in (b"", b"\x80", b"\x80\x80", b"a" * 40):
            data = bytes([first, second]) + tail
            try:
                data.decode()
                valid = True
            except UnicodeDecodeError:
                valid = False
            assert is_utf8(data) is valid, data


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\x01\x80\x7e"])
def test_sizes_and_masks(size, mask):
    payload = bytes(i % 251 for i in range(size))
    stream = client_frame(BINARY, payload, mask=mask) + client_frame(TEXT, b"next", mask=mask)
    expected = [(BINARY, payload, 0), (TEXT, b"next", 0)]
    assert decode([stream], 10**6) == expected
    for cut in (1, 2, 3, 5, 7, 13, 14, 15, size // 2 + 6, len(stream) - 11, len(stream) - 1):
        assert decode([stream[:cut], stream[cut:]], 10**6) == expected


REFUSED_BY_THE_HEAD = {
    "not masked": (b"\x81\x02hi", 1002),
    "RSV1": (client_frame(TEXT, b"x", flags=0x40), 1002),
    "RSV2": (client_frame(TEXT, b"x", flags=0x20), 1002),
    "RSV3": (client_frame(TEXT, b"x", flags=0x10), 1002),
    "opcode 3": (client_frame(3), 1002),
    "opcode 11": (client_frame(11), 1002),
    "opcode 15": (client_frame(15), 1002),
    "fragmented ping": (client_frame(PING, fin=False), 1002),
    "long ping": (client_frame(PING, b"x" * 126), 1002),
    "continuation of nothing": (client_frame(CONTINUATION), 1002),
    "new text inside a message": (client_frame(TEXT, b"a", fin=False) + client_frame(TEXT, b"b"), 1002),
    "declared length above the limit": (b"\x82\xfe" + (MAX_MESSAGE + 1).to_bytes(2, "big") + b"\0\0\0\0", 1009),
    "declared length of 2^40": (b"\x82\xff" + (2**40).to_bytes(8, "big") + b"\0\0\0\0", 1009),
    "declared length of 2^64 - 1": (b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", 1009),
}


@pytest.mark.parametrize("name", REFUSED_BY_THE_HEAD)
def test_refused_by_the_head(name):
    stream, code = REFUSED_BY_THE_HEAD[name]
    assert_events(stream, [(ERROR, b"", code)])
    assert_events(stream + client_frame(TEXT, b"ignored"), [(ERROR, b"", code)])


def test_fragments_add_up_to_the_limit():
    half = client_frame(BINARY, b"x" * 500, fin=False)
    assert_events(half + client_frame(CONTINUATION, b"x" * 500), [(BINARY, b"x" * 1000, 0)])
    assert_events(half + client_frame(CONTINUATION, b"x" * 501), [(ERROR, b"", 1009)])


def test_fragments_are_counted_the_empty_ones_too_and_the_count_starts_anew():
    message = client_frame(TEXT, fin=False) + client_frame(CONTINUATION, fin=False) * 3 + client_frame(CONTINUATION)
    assert_events(message * 3, [(TEXT, b"", 0)] * 3)
    too_many = client_frame(TEXT, fin=False) + client_frame(CONTINUATION, fin=False) * 4 + client_frame(CONTINUATION)
    assert_events(too_many, [(ERROR, b"", 1008)])


def test_control_frames_between_fragments():
    stream = (
        client_frame(TEXT, b"a", fin=False)
        + client_frame(PING, b"ping")
        + client_frame(CONTINUATION, b"b", fin=False)
        + client_frame(PONG)
        + client_frame(CONTINUATION, b"c")
        + client_frame(CLOSE)
    )
    assert_events(stream, [(PING, b"ping", 0), (PONG, b"", 0), (TEXT, b"abc", 0), (CLOSE, b"", NO_STATUS)])


def test_invalid_text_is_refused_as_it_arrives():
    start = client_frame(TEXT, b"a" * 900 + b"\xed\xa0")
    assert decode([start[:-1]]) == []
    assert decode([start]) == [(ERROR, b"", 1007)]


def test_what_is_held_is_bounded_by_what_has_come_and_freed_with_the_message():
    decoder = Decoder(10**9)
    decoder.feed(client_frame(BINARY, b"x" * 1000, fin=False))
    held = decoder.held
    assert 1000 <= held < 2100
    decoder.feed(client_frame(CONTINUATION, b"", fin=False) * 5000)
    assert decoder.held == held
    decoder.feed(client_frame(PING, b"x" * 100)[:50])
    decoder.feed(b"\x82\xff" + (10**8).to_bytes(8, "big"))
    assert decoder.held < 2300
    whole = Decoder(10**9)
    assert len(whole.feed(client_frame(BINARY, b"x" * 5000))) == 1
    assert whole.held == 0


def test_the_buffer_of_a_message_goes_when_the_next_bytes_come():
    decoder = Decoder(10**6)
    stream = client_frame(BINARY, b"x" * 5000)
    decoder.feed(stream[:100])
    assert decoder.feed(stream[100:]) == [(BINARY, b"x" * 5000, 0)]
    decoder.feed(b"")
    assert decoder.held == 0


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f" + (65536).to_bytes(8, "big")),
    ],
)
def test_heads_of_our_own_frames(size, head):
    assert encode_frame(TEXT, b"x" * size) == head + b"x" * size
    assert encode_frame(TEXT, b"x" * size, True)[0] == 0xC1
