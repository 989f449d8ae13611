"""HTTP that belongs to somebody else: passed on as it came, and followed to its end by the same strict rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.engine.http import Announcement, HttpError, HttpParser
from fastsio.engine.request import Request
from tests.engine.parsing import MAX_BODY, chunked, cuts, events, head, parse, pieces, post, summary

WEBSOCKET = "Upgrade: websocket", "Connection: Upgrade"
OURS = head(line="GET /socket.io/ HTTP/1.1")


def hosted(request):
    return not request.path.startswith("/socket.io/")


BODIES = {
    "none": (post(), b""),
    "length 0": (post("Content-Length: 0"), b""),
    "length": (post("Content-Length: 5"), b"hello"),
    "longer than ours": (post(f"Content-Length: {MAX_BODY + 1}"), b"x" * (MAX_BODY + 1)),
    "chunks": (chunked(b""), b"5\r\nhello\r\n0\r\n\r\n"),
    "no chunk": (chunked(b""), b"0\r\n\r\n"),
    "chunks, longer than ours": (chunked(b""), b"3e9\r\n" + b"x" * 1001 + b"\r\n1\r\nx\r\n0\r\n\r\n"),
    "more framing than ours may have": (chunked(b""), b"1;" + b"x" * 9000 + b"\r\nx\r\n0\r\nA: " + b"y" * 9000 + b"\r\n\r\n"),
    "data that looks like framing": (chunked(b""), b"d\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n0\r\n\r\n"),
    "a coding that we do not speak": (post("Content-Encoding: gzip", "Content-Length: 5"), b"hello"),
    "an expectation that we do not meet": (post("Expect: coffee", "Content-Length: 5"), b"hello"),
    "an upgrade that is none of ours": (post("Upgrade: h2c", "Connection: Upgrade", "Content-Length: 5"), b"hello"),
}  # fmt: skip


@pytest.mark.parametrize(("start", "body"), BODIES.values(), ids=BODIES)
def test_body(start, body):
    """As it came; ours before it and behind it are found."""
    (before, *found, after), tail = parse(OURS + start + body + OURS, hosted)
    request, *rest = found
    assert (request.url, request.hosted, request.body, request.keep_alive) == ("/", True, b"", True)
    assert b"".join(rest) == body
    assert (before.url, before.hosted, after.url, after.hosted) == ("/socket.io/", False, "/socket.io/", False)
    assert tail == b""


def test_bytes_come_split_as_they_came():
    parser = HttpParser(MAX_BODY, hosted)
    request, *rest = parser.feed(post("Content-Length: 5") + b"he")
    assert request.hosted
    assert rest == [b"he"]
    assert (parser.feed(b"l"), parser.feed(b"")) == ([b"l"], [])
    last, after = parser.feed(b"lo" + OURS)
    assert (last, after.url) == (b"lo", "/socket.io/")
    assert len(parser.feed(chunked(b"1"))) == 2
    assert parser.feed(b"\r") == [b"\r"]
    assert parser.feed(b"\nx\r\n0\r\n\r\n") == [b"\nx\r\n0\r\n\r\n"]


def test_the_largest_body():
    parser = HttpParser(MAX_BODY, hosted)
    (request,) = parser.feed(post(f"Content-Length: {2**62}"))
    assert request.hosted
    assert parser.feed(b"x" * 5000) == [b"x" * 5000]
    for size in (2**62 + 1, 2**64, 2**64 + 5, 2**70):
        (error,), _ = parse(post(f"Content-Length: {size}"), hosted)
        assert error.status == 413
    (_, data), _ = parse(chunked(b"4000000000000000\r\nabc"), hosted)
    assert data == b"4000000000000000\r\nabc"
    (_, data, error), _ = parse(chunked(b"4000000000000001\r\nabc"), hosted)
    assert (data, error.status) == (b"4000000000000001\r", 413)


@pytest.mark.parametrize("bad", [b"5\n", b"x", b"5 ", b"5\r\nhelloX", b"-", b"0\r\n ", b"0\r\nA\r", b"1" * 17])
def test_malformed_chunks(bad):
    """All that came before the byte that is wrong, the last here, goes on."""
    (request, rest, error), _ = parse(chunked(b"1\r\na\r\n" + bad), hosted)
    assert (request.hosted, rest, error.status) == (True, b"1\r\na\r\n" + bad[:-1], 400)


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, post("Content-Length: 5", "Transfer-Encoding: chunked")),
        (400, post("Content-Length: 5", "Content-Length: 5")),
        (400, post("Transfer-Encoding: gzip, chunked")),
        (501, post("Transfer-Encoding: gzip")),
        (400, head("A : b")),
        (400, head("A: b\rc")),
        (400, head(host="")),
        (400, head(*WEBSOCKET, "Content-Length: 5")),
        (400, head(*WEBSOCKET, "Transfer-Encoding: chunked")),
        (431, head("A: " + "b" * 17_000)),
    ],
)
def test_the_rules_of_syntax_hold(status, data):
    asked = []
    (error,), _ = parse(data, lambda request: asked.append(request) or True)
    assert (error.status, asked) == (status, [])


def test_upgrade():
    """The rest of the connection is theirs."""
    (request, rest), tail = parse(head(*WEBSOCKET, line="GET /ws HTTP/1.1") + b"\x81\x85frames" + OURS, hosted)
    assert (request.hosted, request.upgrade, rest, tail) == (True, True, b"\x81\x85frames" + OURS, b"")
    (request,), tail = parse(head(*WEBSOCKET, line="GET /socket.io/ HTTP/1.1") + b"\x81\x85frames", hosted)
    assert (request.hosted, request.upgrade, tail) == (False, True, b"\x81\x85frames")


def test_nothing_is_read_behind_a_close():
    (request, body), _ = parse(post("Connection: close", "Content-Length: 5", body=b"hello") + OURS, hosted)
    assert (request.keep_alive, body) == (False, b"hello")


def test_it_is_asked_once_at_the_end_of_each_head():
    asked = []

    def ask(request):
        asked.append((request.method, request.path, request.header("x"), request.upgrade, request.keep_alive))
        return None

    data = post("X: 1", "Content-Length: 5", body=b"hello") + head(*WEBSOCKET, "X: 2", line="GET /ws HTTP/1.1")
    parser = HttpParser(MAX_BODY, ask)
    for at in range(len(data)):
        parser.feed(data[at : at + 1])
        assert len(asked) == (at >= data.index(b"hello") - 1) + (at == len(data) - 1)
    assert asked == [("POST", "/", "1", False, True), ("GET", "/ws", "2", True, True)]


def test_ours_are_refused_where_theirs_are_not():
    for status, headers in (
        (413, [f"Content-Length: {MAX_BODY + 1}"]),
        (415, ["Content-Encoding: gzip", f"Content-Length: {MAX_BODY + 1}"]),  # the first
        (417, ["Expect: coffee", "Content-Encoding: gzip"]),
    ):
        data = post(*headers)
        (error,), _ = parse(data, lambda request: False)
        assert (error.status, parse(data)[0][0].status) == (status, status)
        (request,), _ = parse(data, hosted)
        assert request.hosted


def test_neither_announced_nor_told_to_continue():
    expecting = post("Expect: 100-continue", "Content-Length: 5")
    parser = HttpParser(MAX_BODY, hosted)
    (request,) = parser.feed(expecting)
    assert (request.hosted, parser.interim()) == (True, b"")
    assert parser.feed(b"hello") == [b"hello"]
    (announcement,) = HttpParser(MAX_BODY, lambda request: False).feed(expecting)
    assert isinstance(announcement, Announcement)


def test_requests_ahead_are_bounded():
    *found, error = events([head() * 9], hosted)[0]
    assert (len(found), error.status) == (8, 503)


# ---- any input ----


@st.composite
def requests(draw):
    """The bytes of a request, and the events they are."""
    path = draw(st.sampled_from(["/socket.io/", "/other"]))
    body = draw(st.binary(max_size=30))
    ours = path == "/socket.io/"
    if draw(st.booleans()):
        size = draw(st.integers(1, 31))
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        sent = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        field = "Transfer-Encoding: chunked"
    else:
        sent = body
        field = f"Content-Length: {len(body)}"
    meaning = [("POST", path, body if ours else b"", True, False, not ours)]
    if sent and not ours:
        meaning.append(sent)
    return head(field, line=f"POST {path} HTTP/1.1") + sent, meaning


@given(st.lists(requests(), max_size=4), cuts)
def test_good_requests_at_any_splits(sent, cuts):
    data = b"".join(data for data, _ in sent)
    assert summary(pieces(data, cuts), hosted) == ([event for _, meaning in sent for event in meaning], b"")


SEEDS = [start + body for start, body in BODIES.values() if len(body) < 500] + [OURS, head(*WEBSOCKET)]


@given(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=3).map(b"".join), st.data(), cuts)
def test_anything_ends_the_same_at_any_splits(stream, data, cuts):
    damaged = bytearray(stream)
    for at in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=3)):
        damaged[at] = data.draw(st.sampled_from(b"\r\n \t:,0a\x00\xff/;"))
    whole = summary([bytes(damaged)], hosted)
    assert summary(pieces(bytes(damaged), cuts), hosted) == whole
    assert summary([bytes([byte]) for byte in damaged], hosted) == whole
    found, tail = events([bytes(damaged)], hosted)
    assert not any(isinstance(event, HttpError) for event in found[:-1])
    assert all(isinstance(event, Request | HttpError | bytes) for event in found)
    assert bytes(damaged).endswith(tail)
