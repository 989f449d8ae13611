"""HTTP: each input whole, byte by byte and at random splits."""

from contextlib import suppress

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.engine.http import CONTINUE, MAX_HEADERS, PIPELINE, Announcement, HttpError, HttpParser
from fastsio.engine.request import Request
from tests.engine.parsing import MAX_BODY, chunked, cuts, events, head, parse, pieces, post, summary

STATUSES = {400, 413, 414, 415, 417, 431, 501, 503, 505}
WEBSOCKET = "Upgrade: websocket", "Connection: Upgrade"


def request(data):
    (found,), tail = parse(data)
    assert isinstance(found, Request), found
    return found


REFUSED = {
    "H02 length and chunks": (400, post("Content-Length: 5", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")),
    "H03 chunks and length": (400, post("Transfer-Encoding: chunked", "Content-Length: 5", body=b"5\r\nhello\r\n0\r\n\r\n")),
    "H04 two equal lengths": (400, post("Content-Length: 5", "Content-Length: 5", body=b"hello")),
    "H04 two lengths": (400, post("Content-Length: 5", "Content-Length: 6", body=b"hello")),
    "H05 a list of lengths": (400, post("Content-Length: 5, 5", body=b"hello")),
    "H06 +5": (400, post("Content-Length: +5", body=b"hello")),
    "H07 -5": (400, post("Content-Length: -5", body=b"hello")),
    "H08 0x5": (400, post("Content-Length: 0x5", body=b"hello")),
    "H09 5abc": (400, post("Content-Length: 5abc", body=b"hello")),
    "H09 no length": (400, post("Content-Length:", body=b"hello")),
    "H10 2^70": (413, post(f"Content-Length: {2**70}")),
    "H12 another coding": (501, post("Transfer-Encoding: xchunked")),
    "H13 chunked is not last": (400, post("Transfer-Encoding: chunked, identity")),
    "H14 two codings": (400, post("Transfer-Encoding: gzip, chunked")),
    "H16 chunked twice": (400, post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")),
    "H16 chunked twice in a list": (400, post("Transfer-Encoding: chunked, chunked")),
    "H17 chunked in 1.0": (400, head("Transfer-Encoding: chunked", line="POST / HTTP/1.0")),
    "H18 vertical tab": (400, post("Transfer-Encoding: chunked\x0b")),
    "H20 chunk of 0x5": (400, chunked(b"0x5\r\nhello\r\n0\r\n\r\n")),
    "H21 chunk above 64 bits": (400, chunked(b"fffffffffffffffff\r\nhello")),
    "H22 chunk of -1": (400, chunked(b"-1\r\nhello\r\n0\r\n\r\n")),
    "H24 chunk size ends with LF": (400, chunked(b"5\nhello\r\n0\r\n\r\n")),
    "H25 no CRLF behind a chunk": (400, chunked(b"5\r\nhelloXX0\r\n\r\n")),
    "H26 20 KB of chunk extension": (400, chunked(b"5;" + b"x" * 20_000 + b"\r\nhello\r\n0\r\n\r\n")),
    "H26 20 KB of trailers": (400, chunked(b"5\r\nhello\r\n0\r\nA: " + b"x" * 20_000 + b"\r\n\r\n")),
    "H29 space behind a chunk size": (400, chunked(b"5 \r\nhello\r\n0\r\n\r\n")),
    "H30 a folded line": (400, head("A: b", " c")),
    "H32 CR in a value": (400, head("A: b\rc")),
    "H33 NUL in a value": (400, head("A: b\0c")),
    "H34 control in a value": (400, head("A: b\x01c")),
    "H35 LF ends a header": (400, head("A: b\nC: d")),
    "H35 LF ends a header, said at once": (400, b"GET / HTTP/1.1\r\nHost: a\n"),
    "H35 LF ends the request line, said at once": (400, b"GET / HTTP/1.1\n"),
    "H37 space in a name": (400, head("A b: c")),
    "H37 space behind a name": (400, head("A : c")),
    "H38 no name": (400, head(": c")),
    "H38 no colon": (400, head("abc")),
    "H40 white space before the first header": (400, head(" A: b", host="")),
    "H41 no Host": (400, head(host="")),
    "H42 two Hosts": (400, head("Host: a")),
    "H42 two in one Host": (400, head(host="Host: a, b")),
    "H43 user in Host": (400, head(host="Host: a@b")),
    "H46 HTTP/1.2": (505, head(line="GET / HTTP/1.2")),
    "H47 HTTP/2.0": (505, head(line="GET / HTTP/2.0")),
    "H48 HTTP/0.9": (400, b"GET /\r\n"),
    "H49 lower-case http": (400, head(line="GET / http/1.1")),
    "H50 the preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "H51 TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "H52 two spaces": (400, head(line="GET  / HTTP/1.1")),
    "H52 two spaces before the version": (400, head(line="GET /  HTTP/1.1")),
    "H52 a space at the end": (400, head(line="GET / HTTP/1.1 ")),
    "H53 tab": (400, head(line="GET\t/ HTTP/1.1")),
    "H53 tab in the target": (400, head(line="GET /\t HTTP/1.1")),
    "H54 two empty lines first": (400, b"\r\n\r\n" + head()),
    "H54 LF first": (400, b"\n" + head()),
    "H56 UTF-8 in the target": (400, head(line="GET /\xc3\xa9 HTTP/1.1")),
    "H56 DEL in the target": (400, head(line="GET /\x7f HTTP/1.1")),
    "H57 lower-case method": (501, head(line="get / HTTP/1.1")),
    "H58 unknown method": (501, head(line="FOO / HTTP/1.1")),
    "H58 no method": (400, head(line="@ / HTTP/1.1")),
    "H59 TRACE": (501, head(line="TRACE / HTTP/1.1")),
    "H60 3000 headers": (431, head(*["A: b"] * 3000)),
    "H60 one header too many": (431, head(*["A: b"] * MAX_HEADERS)),
    "H60 16 KB of headers": (431, head("A: " + "b" * 17_000)),
    "H60 17 KB without an end": (431, head("A: b")[:-2] + b"b" * 17_000),
    "H61 request line of 100 KB": (414, head(line=f"GET /{'x' * 100_000} HTTP/1.1")),
    "H61 17 KB without an end": (414, b"GET /" + b"x" * 17_000),
    "H66 CONNECT": (501, head(line="CONNECT a:80 HTTP/1.1")),
    "H66 no target": (400, head(line="GET a HTTP/1.1")),
    "H66 user in the target": (400, head(line="GET http://a@b/ HTTP/1.1")),
    "H66 no authority": (400, head(line="GET http:///socket.io/ HTTP/1.1")),
    "H67 *": (400, head(line="GET * HTTP/1.1")),
    "H73 fragment": (400, head(line="GET /#a HTTP/1.1")),
    "H120 body too large": (413, post(f"Content-Length: {MAX_BODY + 1}")),
    "H121 chunks too large": (413, chunked(b"1f5\r\n" + b"x" * 501 + b"\r\n" + b"1f4\r\n" + b"x" * 500)),
    "H122 2^40": (413, post(f"Content-Length: {2**40}")),
    "H124 gzip": (415, post("Content-Encoding: gzip", "Content-Length: 5", body=b"hello")),
    "H126 another expectation": (417, post("Expect: coffee", "Content-Length: 5")),
    "H149 two Origins": (400, head("Origin: http://a", "Origin: http://a")),
    "H150 two keys": (400, head(*["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="] * 2)),
    "H152 two versions": (400, head(*["Sec-WebSocket-Version: 13"] * 2)),
    "H162 upgrade with a body": (400, head(*WEBSOCKET, "Content-Length: 5") + b"hello"),
    "H163 upgrade with chunks": (400, head(*WEBSOCKET, "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED)
def test_refused(status, data):
    (error,), tail = parse(data)
    assert isinstance(error, HttpError)
    assert (error.status, tail) == (status, b"")


def test_texts_of_errors_quote_nothing():
    for _, data in REFUSED.values():
        (error,), _ = events([data])
        assert str(error)
        assert "xx" not in str(error)
        assert str(error).isascii()


BODIES = {
    "none": post(),
    "length 0": post("Content-Length: 0"),
    "length": post("Content-Length: 5", body=b"hello"),
    "leading zeros": post("content-length: 0005", body=b"hello"),
    "the longest": post(f"Content-Length: {MAX_BODY}", body=b"x" * MAX_BODY),
    "identity": post("Content-Encoding: identity", "Content-Length: 5", body=b"hello"),
    "H19 chunks": chunked(b"5\r\nhello\r\n0\r\n\r\n"),
    "chunks in any case": post("transfer-encoding: CHUNKED", body=b"A\r\nhellohello\r\n0\r\n\r\n"),
    "empty lines in chunks": chunked(b"8\r\n\r\n\r\n\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n"),
    "no chunk": chunked(b"0\r\n\r\n"),
    "extension and trailer": chunked(b"5;a=b\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n"),
    "H28 chunks of 1 byte": chunked(b"1\r\nx\r\n" * MAX_BODY + b"0\r\n\r\n"),
    "the longest in chunks": chunked(b"3e8\r\n" + b"x" * MAX_BODY + b"\r\n0\r\n\r\n"),
    "upgrade to h2c": post("Upgrade: h2c", "Connection: Upgrade", "Content-Length: 5", body=b"hello"),
    "upgrade to h2c in chunks": chunked(b"5\r\nhello\r\n0\r\n\r\n", "Upgrade: h2c", "Connection: Upgrade"),
}


@pytest.mark.parametrize("data", BODIES.values(), ids=BODIES)
def test_body(data):
    """As llhttp has it, and the next request is found behind it."""
    bodies = []

    class Events:
        def on_body(self, piece):
            bodies.append(piece)

    httptools.HttpRequestParser(Events()).feed_data(data.replace(b"Upgrade: h2c\r\n", b""))
    (first, second), _ = parse(data + head(line="GET /next HTTP/1.1"))
    assert (first.method, first.url, first.body, first.keep_alive) == ("POST", "/", b"".join(bodies), True)
    assert (second.method, second.url, second.body) == ("GET", "/next", b"")


@pytest.mark.parametrize(
    ("headers", "line", "upgrade", "keep_alive"),
    [
        (WEBSOCKET, None, True, True),
        (("upgrade: WebSocket", "CONNECTION: keep-alive, UPGRADE"), None, True, True),  # H159
        (("Upgrade: websocket, foo", "Connection: Upgrade"), None, True, True),  # H161
        (
            ("Upgrade: foo", "Upgrade:websocket\t", "Connection: keep-alive", "Connection:\tUpgrade , x"),
            None,
            True,
            True,
        ),
        (("Upgrade: websocket", "Upgrade: foo", "Connection: Upgrade"), None, True, True),
        ((*WEBSOCKET, "Content-Length: 0"), None, True, True),
        (("Upgrade: h2c", "Connection: Upgrade"), None, False, True),  # H157
        (("Upgrade: websockets", "Connection: Upgrade"), None, False, True),
        (("Upgrade: websocket",), None, False, True),  # H158
        (("Upgrade: websocket", "Connection: upgrades"), None, False, True),
        (("Connection: Upgrade",), None, False, True),
        (WEBSOCKET, "GET / HTTP/1.0", False, False),
        ((), None, False, True),
        (("Connection: close",), None, False, False),
        (("Connection: x, Close ",), None, False, False),
        (("Connection: x", "connection: close"), None, False, False),
        (("Connection: closed",), None, False, True),
        (("Connection: keep-alive",), "GET / HTTP/1.0", False, False),  # H44
    ],
)
def test_connection(headers, line, upgrade, keep_alive):
    found = request(head(*headers, line=line or "GET / HTTP/1.1"))
    assert (found.upgrade, found.keep_alive) == (upgrade, keep_alive)


def test_nothing_is_read_behind_an_upgrade_or_a_close():
    (found,), tail = parse(head(*WEBSOCKET) + b"\x81\x85frames")
    assert (found.upgrade, tail) == (True, b"\x81\x85frames")
    (found,), tail = parse(head("Connection: close") + head())
    assert (found.keep_alive, tail) == (False, b"")
    parser = HttpParser(MAX_BODY)
    (error,) = parser.feed(b"\n")
    assert error.status == 400
    assert parser.feed(head()) == []


def test_http_1_0_needs_no_host():  # H45
    assert request(head(line="GET / HTTP/1.0", host="")).host == ""


def test_one_empty_line_may_come_first():  # H54
    (first, second), _ = parse(b"\r\n" + head() + b"\r\n" + head())
    assert first.method == second.method == "GET"


def test_good_requests_before_a_bad_one():  # H64
    (first, second, error), _ = parse(head(line="GET /1 HTTP/1.1") + head(line="GET /2 HTTP/1.1") + b"garbage\r\n\r\n")
    assert (first.url, second.url, error.status) == ("/1", "/2", 400)


def test_pipeline():
    parser = HttpParser(MAX_BODY)
    assert len(parser.feed(head() * PIPELINE)) == PIPELINE
    *requests, error = parser.feed(head() * 5000)
    assert len(requests) == PIPELINE
    assert error.status == 503


def test_100_continue():  # H125
    expecting = post("Expect: 100-Continue", "Content-Length: 5")
    parser = HttpParser(MAX_BODY)
    parser.feed(expecting[:-1])
    assert parser.interim() == b""
    (announced,) = parser.feed(expecting[-1:])
    assert isinstance(announced, Announcement)
    assert (parser.interim(), parser.interim()) == (CONTINUE, b"")
    (found,) = parser.feed(b"hello")
    assert found.body == b"hello"
    assert parser.interim() == b""
    parser.feed(expecting + b"h")
    assert parser.interim() == b""  # it is not waiting
    for data in (
        expecting.replace(b"1.1", b"1.0"),
        expecting.replace(b" 5", b" 0"),
        post("Content-Length: 5"),
        head() + expecting,  # an answer is due first
    ):
        parser = HttpParser(MAX_BODY)
        parser.feed(data)
        assert parser.interim() == b""


# ---- any input ----

tokens = st.text("abcXYZ019-_", min_size=1, max_size=8)
values = st.text("abc,; \t=\xff", max_size=12)
headers = st.lists(st.tuples(tokens.map(lambda name: f"X-{name}"), values), max_size=4)


@st.composite
def requests(draw):
    """The bytes of a request, and what they mean."""
    fields = draw(headers)
    url = "/" + draw(st.text("ab/?&=%2+.", max_size=12))
    body = draw(st.binary(max_size=30))
    lines = [f"POST {url} HTTP/1.1", "Host: a", *(f"{name}:{value}" for name, value in fields)]
    if draw(st.booleans()):
        size = draw(st.integers(1, 31))
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        sent = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        lines.append("Transfer-Encoding: chunked")
    else:
        sent = body
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + sent, (url, body, [(name, value.strip(" \t")) for name, value in fields])


@given(st.lists(requests(), max_size=4), cuts)
def test_good_requests_at_any_splits(sent, cuts):
    found, tail = events(pieces(b"".join(data for data, _ in sent), cuts))
    assert tail == b""
    assert [
        (item.url, item.body, [pair for pair in item.headers.items() if pair[0].startswith("X-")]) for item in found
    ] == [meaning for _, meaning in sent]


SEEDS = [data for _, data in REFUSED.values() if len(data) < 500] + list(BODIES.values()) + [head(*WEBSOCKET)]


@given(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=3).map(b"".join), st.data(), cuts)
def test_anything_ends_the_same_at_any_splits(stream, data, cuts):
    damaged = bytearray(stream)
    for at in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=3)):
        damaged[at] = data.draw(st.sampled_from(b"\r\n \t:,0a\x00\xff/"))
    whole = summary([bytes(damaged)])
    assert summary(pieces(bytes(damaged), cuts)) == whole
    assert {item[0] for item in whole[0] if len(item) == 2} <= STATUSES


class Llhttp:
    """What llhttp makes of a request."""

    def __init__(self):
        self.headers = []
        self.body = b""
        self.complete = False

    def on_url(self, url):
        self.url = url.decode()

    def on_header(self, name, value):
        if not self.body:  # no trailer
            self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))

    def on_body(self, piece):
        self.body += piece

    def on_message_complete(self):
        self.complete = True


OF_ONE_REQUEST = [
    post("A:\t b \t", "C: d,\xff", "Content-Length: 5", body=b"hello"),
    chunked(b"5\r\nhello\r\n0\r\n\r\n"),
    chunked(b"0A\r\n0123456789\r\n3\r\n\r\n0\r\n0\r\nA: b\r\n\r\n"),
    head("Connection: keep-alive, x", "Upgrade: foo"),
    head(*WEBSOCKET),
]


@given(st.sampled_from(OF_ONE_REQUEST), st.data())
def test_what_is_accepted_llhttp_accepts(stream, data):
    """And has the same headers, body and end: a second opinion on everything that could smuggle a request."""
    damaged = bytearray(stream)
    for at in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=3)):
        damaged[at] = data.draw(st.sampled_from(b"\r\n \t:,01a\x00\x0b\x7f\xff/"))
    parser = HttpParser(MAX_BODY)
    for end in range(1, len(damaged) + 1):
        found = [event for event in parser.feed(bytes(damaged[end - 1 : end])) if isinstance(event, Request)]
        if found:
            break
    else:
        return
    opinion = Llhttp()
    llhttp = httptools.HttpRequestParser(opinion)
    llhttp.feed_data(bytes(damaged[: end - 1]))
    assert not opinion.complete
    with suppress(httptools.HttpParserUpgrade):
        llhttp.feed_data(bytes(damaged[end - 1 : end]))
    assert opinion.complete
    assert (llhttp.get_method().decode(), opinion.url) == (found[0].method, found[0].url)
    assert (opinion.headers, opinion.body) == (list(found[0].headers.items()), found[0].body)
