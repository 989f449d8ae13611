"""What is sent in every dialect says the same: any messages, alone and in sequences, through a naive client's eyes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.message import Message
from fastsio.packets import Packet
from fastsio.wire.payload import decode, encode
from tests.dialects import BASE64, DEFLATE, DIALECTS, EIO3, POLLING, RSV1, deflate, frames, packets
from tests.test_outbox import EVENT, Wire

THRESHOLD = 40

leaves = st.one_of(
    st.text(max_size=60),
    st.text("aé€😀\u2028", max_size=300),
    st.binary(max_size=130),
    st.sampled_from([b"\0" * 65536, "ab" * 40_000, b"", "\ud83d"]),
    st.integers(-1000, 1000),
)
payloads = st.lists(leaves | st.dictionaries(st.text(max_size=3), leaves, max_size=2), max_size=4)
messages = st.builds(
    lambda data, compress: Message(Packet(EVENT, "/", ["e", *data]), compress=compress), payloads, st.booleans()
)


def test_payloads_are_what_they_seem():
    """Some of them are binary, and half an emoji is valid UTF-8."""
    text, attachments = encode(["\ud83d", b"x"])
    assert attachments == [b"x"]
    assert decode(text) == ["\ud83d", {"_placeholder": True, "num": 0}]


@given(messages)
def test_one_message(message):
    expected = packets(message.frames, 0)
    for dialect in DIALECTS:
        assert packets(message.form(dialect), dialect) == expected
        assert message.form(dialect) == message.form(dialect)


@given(st.lists(messages, min_size=1, max_size=5))
def test_a_sequence(sent):
    wire = Wire(1 << 24)
    wire.outbox.deflater = deflate
    wire.outbox.deflate_threshold = THRESHOLD
    owners = {dialect: wire.open() for dialect in DIALECTS}
    for dialect, owner in owners.items():
        owner.set_dialect(dialect)
    for message in sent:
        wire.outbox.send_to(wire.rooms, (), (), -1, message)
    wire.loop.settle()
    expected = packets(b"".join(message.frames for message in sent), 0)
    is_binary = any(isinstance(packet, bytes) for packet in expected)
    for dialect, owner in owners.items():
        (data,) = map(bytes, owner.given)
        assert packets(data, dialect) == expected
        assert owner.pending == len(data)
        if dialect & ~BASE64 == POLLING | EIO3:
            assert (data[0] < 2) == (is_binary and not dialect & BASE64)


@given(payloads, st.booleans())
def test_what_is_deflated(data, compress):
    """All that is long enough and becomes shorter, and nothing of a message that is not to be deflated."""
    message = Message(Packet(EVENT, "/", data), compress=compress)
    wire = Wire(1 << 24)
    wire.outbox.deflater = deflate
    wire.outbox.deflate_threshold = THRESHOLD
    owner = wire.open()
    owner.set_dialect(DEFLATE)
    wire.outbox.send_to(wire.rooms, (), (), -1, message)
    wire.loop.settle()
    for (head, payload), (plain_head, plain) in zip(frames(owner.given[0]), frames(message.frames), strict=True):
        is_deflated = compress and len(plain) >= THRESHOLD and len(deflate(plain)) < len(plain)
        assert head == plain_head | (RSV1 if is_deflated else 0)
        assert payload == (deflate(plain) if is_deflated else plain)


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (0, b"\x81\x012" + b'\x81\x0b0{"a":"\xc3\xa9"}'),
        (EIO3, b"\x81\x012" + b'\x81\x0b0{"a":"\xc3\xa9"}'),
        (POLLING, b"2\x1e" + b'0{"a":"\xc3\xa9"}\x1e'),
        (POLLING | EIO3, b"1:2" + b'10:0{"a":"\xc3\xa9"}'),
    ],
)
def test_a_packet_of_engine_io(dialect, expected):
    wire = Wire()
    owner = wire.open()
    owner.set_dialect(dialect)
    owner.write_packet(b"2")
    owner.write_packet('0{"a":"é"}'.encode())
    wire.loop.settle()
    assert b"".join(owner.given) == expected
