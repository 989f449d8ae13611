"""Answers as bytes."""

from http import HTTPStatus
from itertools import product

import pytest

from fastsio.engine.response import REASONS, header_lines, response


def test_response():
    assert response(200, [("A", "b"), ("C", "\xe9")], b"hello", close=False) == (
        b"HTTP/1.1 200 OK\r\nA: b\r\nC: \xe9\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert response(413, [], b"", close=True) == (
        b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    assert response(200, [], b"hello", close=False, head=True) == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert response(304, [], b"hello", close=False) == b"HTTP/1.1 304 Not Modified\r\n\r\n"
    assert response(299, [], b"", close=False) == b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"
    assert response(204, [], b"", close=True) == b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def test_what_is_remembered_is_of_equal_answers_alone():
    def answers():
        return [
            response(status, iter([("A", value)]), body, close=close, head=head)
            for status, value, body, close, head in product(
                (200, 404, 204), "bc", (b"x", b"yy"), (False, True), (False, True)
            )
        ]

    first = answers()
    assert answers() == first
    assert len(set(first)) == 2 * (2 * 2 * 2 * 2) + 2 * 2  # of 204 neither body nor HEAD changes anything


@pytest.mark.parametrize("status", [status.value for status in HTTPStatus if status >= 200])
def test_every_status_has_its_reason(status):
    line = response(status, [], b"", close=False).split(b"\r\n")[0]
    assert line == b"HTTP/1.1 %d %b" % (status, REASONS[status].encode("ascii"))
    assert REASONS[status]


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nSet-Cookie: a=b"])
def test_headers_that_would_be_more_than_one(bad):
    for pair in [("A", "b" + bad), ("A" + bad, "b")]:
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            response(200, [pair], b"", close=False)
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            header_lines([pair])
