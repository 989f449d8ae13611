"""Heads of Socket.IO packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.wire.sio import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, EVENT, scan, write_header
from tests.wire import twins


def refused(packet, max_attachments=10):
    with pytest.raises(ValueError):
        scan(packet, max_attachments)
    return True


@given(
    st.text(alphabet="0123456789-/,[]{a\u00e9", max_size=30).map(str.encode) | st.binary(max_size=30),
    st.integers(0, 12),
)
def test_any_packet_is_read_as_the_twin_reads_it(packet, max_attachments):
    expected = twins.scan(packet, max_attachments)
    if expected is None:
        assert refused(packet, max_attachments)
    else:
        assert scan(packet, max_attachments) == expected


@given(
    st.sampled_from([CONNECT, EVENT, ACK, BINARY_EVENT, BINARY_ACK]),
    st.integers(1, 10),
    st.sampled_from([b"", b"/", b"/chat", b"/" + b"x" * 255]),
    st.none() | st.integers(0, 2**53 - 1),
)
def test_what_is_written_is_read(type, attachments, name, id):
    attachments = attachments if type in (BINARY_EVENT, BINARY_ACK) else 0
    head = write_header(type, attachments, name, id)
    assert scan(head + b"[]") == (type, attachments, name, id, len(head))


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"0", (0, 0, b"", None, 1)),
        (b"0/custom", (0, 0, b"/custom", None, 8)),
        (b'0/adm?x=1,{"a":1}', (0, 0, b"/adm?x=1", None, 10)),
        (b'20007["a"]', (2, 0, b"", 7, 5)),
        (b'2 1["a"]', (2, 0, b"", None, 1)),
        (b'51-/n,9["a"]', (5, 1, b"/n", 9, 7)),
        (b"29007199254740991[]", (2, 0, b"", 2**53 - 1, 17)),
    ],
)
def test_heads(packet, expected):
    assert scan(packet) == expected


@pytest.mark.parametrize(
    "packet",
    [
        b"", b"7", b"x", b"50-[]", b"511-[]", b"5999999999999999999999-[]", b"5-1-[]", b"51.5-[]", b"51e0-[]",
        b"50x1-[]", b"5+1-[]", b"5-[]", b"5[]", b"51", b"29007199254740992[]", b"2" + b"9" * 100_000,
        b"0/" + b"n" * 256, b"0/" + b"n" * 100_000 + b",",
    ],
)  # fmt: skip
def test_refused(packet):
    assert refused(packet)


def test_a_name_too_long_is_not_written():
    with pytest.raises(ValueError, match="256"):
        write_header(EVENT, namespace=b"/" + b"x" * 256)
