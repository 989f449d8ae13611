"""permessage-deflate: what is agreed on, messages against zlib and against the npm package ws, and bombs."""

import json
import random
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsio.wire.deflate import (
    ANSWER,
    MAX_STREAMS,
    DeflateSettings,
    TooLarge,
    deflate,
    inflate,
    negotiate,
)
from tests.wire.ws_package import ws_package

DEFAULT = DeflateSettings()
NO_LIMIT = 2**30
SYNC = b"\x00\x00\xff\xff"


@pytest.fixture(scope="module")
def ws():
    with ws_package() as peer:
        yield peer


def raw(data, *, level=6, window_bits=15, mem_level=8, strategy=zlib.Z_DEFAULT_STRATEGY, flush=zlib.Z_SYNC_FLUSH):
    stream = zlib.compressobj(level, zlib.DEFLATED, -window_bits, mem_level, strategy)
    return stream.compress(data) + stream.flush(flush)


def message(data, **options):
    return raw(data, **options).removesuffix(SYNC)


def final(data, **options):
    return raw(data, flush=zlib.Z_FINISH, **options)


def inflated_by_zlib(deflated, window_bits=15):
    """In small steps, as only then zlib refuses what refers further back than the window."""
    stream = zlib.decompressobj(-window_bits)
    rest, parts = deflated + SYNC, []
    while rest:
        parts.append(stream.decompress(rest, 64))
        rest = stream.unconsumed_tail
    return b"".join(parts)


def json_of(size):
    source = random.Random(size)
    rows = [{"id": source.getrandbits(53), "text": "the quick brown fox"[: source.randrange(19)]} for _ in range(size)]
    return json.dumps(rows).encode()[:size]


# Text and noise that repeats itself, near and far.
payloads = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.builds(
        lambda seed, size, gap: (start := random.Random(seed).randbytes(size)) + bytes(gap) + start,
        st.integers(0, 99),
        st.integers(0, 400),
        st.integers(0, 70_000),
    ),
    st.integers(0, 20_000).map(json_of),
)
all_settings = st.builds(
    DeflateSettings,
    level=st.integers(1, 9),
    mem_level=st.integers(1, 9),
    window_bits=st.integers(9, 15),
)


# ---- the settings ----


def test_the_least_and_the_most():
    DeflateSettings(threshold=0, level=9, mem_level=1, window_bits=9)
    DeflateSettings(threshold=2**40, level=1, mem_level=9, window_bits=15)
    assert DEFAULT.threshold == 1024


@pytest.mark.parametrize(
    ("setting", "error", "told"),
    [
        ({"level": "9"}, TypeError, "level must be an int, got str"),
        ({"level": True}, TypeError, "level must be an int, got bool"),
        ({"threshold": 1.5}, TypeError, "threshold must be an int, got float"),
        ({"threshold": -1}, ValueError, "threshold must be between 0 and"),
        ({"level": 0}, ValueError, "level must be between 1 and 9, got 0"),
        ({"level": 10}, ValueError, "level must be between 1 and 9, got 10"),
        ({"mem_level": 0}, ValueError, "mem_level must be between 1 and 9"),
        ({"mem_level": 10}, ValueError, "mem_level must be between 1 and 9"),
        ({"window_bits": 8}, ValueError, "window_bits must be between 9 and 15, got 8"),
        ({"window_bits": 16}, ValueError, "window_bits must be between 9 and 15, got 16"),
    ],
)
def test_settings_that_cannot_be(setting, error, told):
    with pytest.raises(error, match=told):
        DeflateSettings(**setting)


# ---- what is agreed on ----

WINDOW = "; server_max_window_bits="


@pytest.mark.parametrize(
    ("offered", "answer"),
    [
        ("permessage-deflate", ANSWER),
        ("permessage-deflate; client_max_window_bits", ANSWER),
        ("permessage-deflate; client_max_window_bits=8", ANSWER),
        ("permessage-deflate; client_max_window_bits=15", ANSWER),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", ANSWER),
        ("permessage-deflate; server_max_window_bits=15", ANSWER + WINDOW + "15"),
        ('permessage-deflate; client_max_window_bits; server_max_window_bits="15"', ANSWER + WINDOW + "15"),
        # The first that can be taken.
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", ANSWER),
        ("permessage-deflate, permessage-deflate; server_max_window_bits=15", ANSWER),
        ("permessage-deflate; server_max_window_bits=15, permessage-deflate", ANSWER + WINDOW + "15"),
        ("x-webkit-deflate-frame, bbf-usp; a=b, permessage-deflate", ANSWER),
        ("permessage-deflate; what, permessage-deflate; client_max_window_bits", ANSWER),
        # None can.
        ("", None),
        ("x-webkit-deflate-frame", None),
        ("Permessage-Deflate", None),
        ("permessage-deflate;", None),
        ("permessage-deflate, ;", None),
        ("permessage-deflate; what", None),
        ("permessage-deflate; __proto__", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; client_no_context_takeover=true", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits=15", None),
        ("permessage-deflate; server_max_window_bits", None),
        *[(f"permessage-deflate; server_max_window_bits={bits}", None) for bits in range(15)],
        *[(f"permessage-deflate; {side}_max_window_bits={bits}", None)
          for side in ("server", "client") for bits in ("7", "16", "015", "08", "+15", "1e1", "-8", "15.0", "0xf")],
    ],
)  # fmt: skip
def test_negotiation(offered, answer):
    assert negotiate([offered], DEFAULT) == answer


@pytest.mark.parametrize("own", range(9, 16))
@pytest.mark.parametrize("asked", range(8, 16))
def test_the_window_of_all_fits_every_client_that_is_taken(own, asked):
    """8 is never taken: zlib has no such window."""
    expected = ANSWER + WINDOW + str(own) if asked >= own else None
    assert (
        negotiate([f"permessage-deflate; server_max_window_bits={asked}"], DeflateSettings(window_bits=own)) == expected
    )


def test_a_smaller_window_is_told_unasked():
    assert negotiate(["permessage-deflate"], DeflateSettings(window_bits=12)) == ANSWER + WINDOW + "12"


def test_several_headers():
    assert negotiate(["other", "permessage-deflate; client_max_window_bits"], DEFAULT) == ANSWER
    assert negotiate(["permessage-deflate", "b;"], DEFAULT) is None
    assert negotiate([], DEFAULT) is None


# ---- the messages ----

# RFC 7692 section 7.2.3
EXAMPLES = {
    "one block": "f2 48 cd c9 c9 07 00",
    "no compression": "00 05 00 fa ff 48 65 6c 6c 6f 00",
    "BFINAL": "f3 48 cd c9 c9 07 00 00",
    "BFINAL, without the octet behind it": "f3 48 cd c9 c9 07 00",
    "two blocks": "f2 48 05 00 00 00 ff ff ca c9 c9 07 00",
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_examples_of_the_rfc(example):
    assert inflate(bytes.fromhex(example), 5) == b"Hello"
    with pytest.raises(TooLarge):
        inflate(bytes.fromhex(example), 4)


def test_hello_is_deflated_as_in_the_rfc():
    assert deflate(b"Hello", DEFAULT) == bytes.fromhex(EXAMPLES["one block"])
    assert deflate(b"Hello", DEFAULT) == bytes.fromhex(EXAMPLES["one block"]), "no context takeover"


def test_the_empty_message():
    assert deflate(b"", DEFAULT) == b"\x00"
    assert inflate(b"\x00", 0) == inflate(b"\x02\x00", 0) == b""


@given(payloads, all_settings)
def test_what_is_deflated_fits_the_window(payload, chosen):
    deflated = deflate(payload, chosen)
    assert inflated_by_zlib(deflated, chosen.window_bits) == payload
    assert inflate(deflated, len(payload)) == payload
    assert deflate(memoryview(payload), chosen) == deflated


def test_the_window_is_used():
    """The same kilobyte again, so far behind that only the larger window has it."""
    start = random.Random(0).randbytes(1024)
    payload = start + bytes(10_000) + start
    assert len(deflate(payload, DeflateSettings(window_bits=15))) < 1500
    assert len(deflate(payload, DeflateSettings(window_bits=13))) > 2000


@pytest.mark.parametrize("size", [1024, 2048, 4096, 10_000, 100_000])
def test_memory_by_size_costs_no_compression(size):
    payload = json_of(size)
    assert len(deflate(payload, DEFAULT)) <= len(message(payload, level=DEFAULT.level)) * 1.01


@pytest.mark.parametrize("size", [400, 1024, 4090, 4096, 30_000])
def test_a_message_can_refer_to_its_own_start(size):
    noise = random.Random(0).randbytes(size).hex().encode()
    start, middle, other = noise[:100], noise[100 : size - 100], noise[-100:]
    assert len(deflate(start + middle + start, DEFAULT)) < len(deflate(start + middle + other, DEFAULT)) - 30


@given(
    st.lists(payloads, min_size=1, max_size=3),
    st.integers(0, 9),
    st.integers(9, 15),
    st.integers(1, 9),
    st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]),
    st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_NO_FLUSH, zlib.Z_BLOCK]),
)
def test_any_way_to_deflate_is_inflated(parts, level, window_bits, mem_level, strategy, flush):
    stream = zlib.compressobj(level, zlib.DEFLATED, -window_bits, mem_level, strategy)
    deflated = b"".join(stream.compress(part) + stream.flush(flush) for part in parts)
    deflated += stream.flush(zlib.Z_SYNC_FLUSH)
    whole = b"".join(parts)
    if not deflated.endswith(SYNC):  # zlib has nothing to flush twice
        return
    assert inflate(deflated.removesuffix(SYNC), len(whole)) == whole
    assert inflate(memoryview(deflated.removesuffix(SYNC)), len(whole)) == whole


@given(st.lists(payloads, min_size=1, max_size=4), payloads, st.booleans())
def test_streams_behind_a_final_block(parts, last, ends_so):
    deflated = b"".join(map(final, parts)) + (b"\x00" if ends_so else message(last))
    whole = b"".join(parts) + (b"" if ends_so else last)
    assert inflate(deflated, len(whole)) == whole
    if whole:
        with pytest.raises(TooLarge):
            inflate(deflated, len(whole) - 1)


def test_the_number_of_streams_is_bounded():
    assert inflate(final(b"ab") * (MAX_STREAMS - 1) + message(b"c"), 100) == b"ab" * (MAX_STREAMS - 1) + b"c"
    with pytest.raises(ValueError, match=f"more than {MAX_STREAMS} streams"):
        inflate(final(b"ab") * MAX_STREAMS + message(b"c"), 100)
    with pytest.raises(ValueError, match="streams"):
        inflate(final(b"") * 500_000, 100)


@pytest.mark.parametrize("deflated", [message(b"Hello" * 9), message(json_of(5000))])
def test_a_message_cut_anywhere_is_refused(deflated):
    for cut in range(len(deflated)):
        with pytest.raises(ValueError, match="corrupt|cut off"):
            inflate(deflated[:cut], 10_000)


@pytest.mark.parametrize(
    "deflated",
    ["07", "ff", "00 05 00 fa fe 48 65 6c 6c 6f 00", "f2 48 cd c9 c9 07 00 07", "f3 48 cd c9 c9 07 00 00 07",
     "f2 48 cd c9 c9 07 00 00 00 ff ff", "03 82 00"],
)  # fmt: skip
def test_corrupt_messages_are_refused(deflated):
    with pytest.raises(ValueError, match="corrupt|cut off"):
        inflate(bytes.fromhex(deflated), 10_000)


def test_no_message_refers_to_an_earlier_one():
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    first, second = (stream.compress(b"again and again") + stream.flush(zlib.Z_SYNC_FLUSH) for _ in range(2))
    assert inflate(first.removesuffix(SYNC), 100) == b"again and again"
    with pytest.raises(ValueError, match="too far back"):
        inflate(second.removesuffix(SYNC), 100)


@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_bytes_have_a_legal_outcome(deflated, limit):
    with suppress(TooLarge, ValueError):
        assert len(inflate(deflated, limit)) <= limit


# ---- bounds ----


@given(payloads, st.integers(-3, 3))
def test_the_limit_is_exact(payload, more):
    limit = max(0, len(payload) + more)
    if limit >= len(payload):
        assert inflate(message(payload), limit) == payload
    else:
        with pytest.raises(TooLarge):
            inflate(message(payload), limit)


def traced_peak(function, *args):
    """The most memory that the call held, in bytes."""
    tracemalloc.start()
    try:
        with suppress(TooLarge, ValueError):
            function(*args)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "make", [message, lambda data: final(data[1:]) + message(data[:1])], ids=["one", "two streams"]
)
def test_a_bomb_is_cut_at_the_limit(make):
    bomb = make(bytes(10_000_000))
    assert len(bomb) < 10_500
    with pytest.raises(TooLarge):
        inflate(bomb, 100_000)
    assert traced_peak(inflate, bomb, 100_000) < 400_000
    assert traced_peak(inflate, bomb, NO_LIMIT) > 10_000_000, "the measurement sees what zlib allocates"


@pytest.mark.parametrize("flood", [final(b"") * 500_000, b"\x00" + SYNC * 300_000], ids=["streams", "empty blocks"])
def test_a_flood_of_nothing_holds_no_more_than_a_few_copies_of_itself(flood):
    assert traced_peak(inflate, flood, 100_000) < 4 * len(flood)


def test_nothing_is_kept_between_messages():
    payload = json_of(5000)
    deflated = deflate(payload, DEFAULT)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            deflate(payload, DEFAULT)
            inflate(deflated, NO_LIMIT)
            with pytest.raises(TooLarge):
                inflate(deflated, 10)
        assert tracemalloc.get_traced_memory()[0] - before < 20_000, "a deflater alone holds 50 KB, an inflater 40 KB"
    finally:
        tracemalloc.stop()


# ---- the npm package ws ----

CLIENTS = [
    {},
    {"clientMaxWindowBits": False},
    {"clientMaxWindowBits": 9},
    {"serverNoContextTakeover": True, "clientNoContextTakeover": True},
    {"serverMaxWindowBits": 15, "zlibDeflateOptions": {"level": 9}},
]


def agree(ws, client, chosen):
    answer = negotiate([ws.ask("offer", client)], chosen)
    assert answer is not None
    return ws.ask("accept", answer)


@pytest.mark.parametrize("client", CLIENTS, ids=str)
@pytest.mark.parametrize("window_bits", [9, 12, 15])
def test_ws_accepts_the_answer_and_understands_both_ways(ws, client, window_bits):
    chosen = DeflateSettings(window_bits=window_bits)
    agreed = agree(ws, client, chosen)
    assert agreed["server_no_context_takeover"] is agreed["client_no_context_takeover"] is True
    assert agreed.get("server_max_window_bits", 15) == window_bits
    for payload in (
        b"Hello",
        b"Hello",
        b"",
        b"\x00",
        json_of(3000),
        json_of(100_000),
        random.Random(1).randbytes(70_000),
    ):
        assert ws.decompress(deflate(payload, chosen)) == payload
        assert inflate(ws.compress(payload), len(payload)) == payload


@pytest.mark.parametrize("bits", range(8, 15))
def test_a_client_of_ws_with_a_small_window_is_declined(ws, bits):
    assert negotiate([ws.ask("offer", {"serverMaxWindowBits": bits})], DEFAULT) is None


def test_any_payload_to_and_from_ws(ws):
    agree(ws, {}, DEFAULT)

    @settings(max_examples=60)
    @given(payloads)
    def both_ways(payload):
        assert ws.decompress(deflate(payload, DEFAULT)) == payload
        assert inflate(ws.compress(payload), len(payload)) == payload

    both_ways()
