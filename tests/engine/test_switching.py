"""The websocket handshake: keys, and the 101 answer."""

import pytest

from fastsio.engine.switching import accept, is_key, switching_protocols
from tests.engine.requests import KEY, request


def test_accept():
    assert accept(KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3


@pytest.mark.parametrize("key", [KEY, "AAAAAAAAAAAAAAAAAAAAAA==", "+/+/+/+/+/+/+/+/+/+/+w=="])
def test_keys(key):
    assert is_key(key)


@pytest.mark.parametrize(
    "key",
    [None, "", "abc", KEY[:-1], KEY + "=", KEY + "AAAA", KEY[:-2] + "AA", KEY.replace("G", "_"), "é" * 24, "=" * 24],
)
def test_what_is_no_key(key):
    assert not is_key(key)


def test_the_answer():
    assert switching_protocols(request(), [("A", "b"), ("C", "d")]) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nA: b\r\nC: d\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["b\r\nC: d", "b\n", "\0"])
def test_nothing_is_smuggled_into_it(value):
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        switching_protocols(request(), [("A", value)])
