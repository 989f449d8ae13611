"""Request: what it tells of a head."""

import pytest

from fastsio.engine.http import HttpParser
from fastsio.engine.request import Request


def head(*headers, line="GET / HTTP/1.1", host="Host: a"):
    return "\r\n".join([line, *([host] if host else []), *headers, "", ""]).encode("latin-1")


def request(data):
    (found,) = HttpParser(1000).feed(data)
    assert isinstance(found, Request)
    return found


def test_request():
    found = request(
        head(
            "User-Agent: x  y",
            "X-Many:1",
            "x-many: \t2\t ",
            "Latin: \xff",
            "Empty:",
            "Cookie: io=abc; a=\"b c\"; io=second; broken; =; e=f=g",
            line="GET /socket.io/%2e?EIO=4&a=1&a=2&b=%E2%82%AC+%ff%zz&%61=3&c&=d&&e==%26 HTTP/1.1",
        )
    )  # fmt: skip
    assert found.method == "GET"
    assert found.path == "/socket.io/%2e"
    assert found.url == "/socket.io/%2e?EIO=4&a=1&a=2&b=%E2%82%AC+%ff%zz&%61=3&c&=d&&e==%26"
    assert found.query == {"EIO": "4", "a": "3", "b": "€ \ufffd%zz", "c": "", "": "d", "e": "=&"}
    assert found.only("c", "EI", "EIO4") == ["", None, None]
    with pytest.raises(ValueError, match="a came more than once"):
        found.only("a")
    assert found.headers.getall("X-MANY") == ["1", "2"]
    assert found.headers["latin"] == "\xff"
    assert list(found.headers)[:2] == ["Host", "User-Agent"]
    assert found.headers is found.headers
    assert [found.header(name) for name in ("X-Many", "user-agent", "empty", "host", "x-man", "many")] == [
        "1", "x  y", "", "a", None, None,
    ]  # fmt: skip
    assert found.cookies == {"io": "abc", "a": "b c", "": "", "e": "f=g"}
    assert (found.address, found.secure) == ("", False)
    assert repr(found) == "<Request GET /socket.io/%2e>"


@pytest.mark.parametrize(
    ("target", "path", "host", "query"),
    [
        ("/", "/", "a", {}),
        ("/?", "/", "a", {}),
        ("/x/../y", "/x/../y", "a", {}),
        ("//x", "//x", "a", {}),
        ("/?a=/b?c", "/", "a", {"a": "/b?c"}),
        ("http://b:80/x?y=1", "/x", "b:80", {"y": "1"}),  # H65
        ("HTTPS://b/", "/", "b", {}),
        ("http://b", "/", "b", {}),
        ("http://b?y=1", "/", "b", {"y": "1"}),
    ],
)
def test_target(target, path, host, query):
    found = request(head(line=f"GET {target} HTTP/1.1"))
    assert (found.url, found.path, found.host, found.query) == (target, path, host, query)


def test_asterisk():
    assert request(head(line="OPTIONS * HTTP/1.1")).path == "*"


def test_no_headers():
    assert dict(request(head(line="GET / HTTP/1.0", host="")).headers) == {}


@pytest.mark.parametrize(
    ("header", "content_type"),
    [
        ("X: y", ""),
        ("Content-Type:", ""),
        ("Content-Type: text/plain", "text/plain"),
        ("content-type: Text/Plain;charset=UTF-8", "text/plain"),
        ("Content-Type: application/octet-stream ; a=b", "application/octet-stream"),
    ],
)
def test_content_type(header, content_type):
    assert request(head(header)).content_type == content_type


def test_only_decodes():
    found = request(head(line="GET /?a=%41+b&%73id=x&t&EIO=4 HTTP/1.1"))
    assert found.only("a", "sid", "t", "EIO", "x") == ["A b", "x", "", "4", None]
    assert found.only() == []
    with pytest.raises(ValueError, match="sid came more than once"):
        request(head(line="GET /?%73id=x&sid=x HTTP/1.1")).only("EIO", "sid")
