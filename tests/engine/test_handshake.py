"""The handshake: the order of its checks, what is answered, and that everything is answered, once."""

import base64
import json
import subprocess
import sys

import pytest

from fastsio import ConnectError
from fastsio.engine import handshake
from fastsio.engine.handshake import Handshake, Refusal, accept, generate_id, is_same_origin, switching_protocols
from fastsio.options import resolve
from tests.engine.requests import GOOD, KEY, request

SID = "aaaaaaaaaaaaaaaaaaaa"  # of an open session


def refusal(found, **options):
    """What the checks say; None: the session may open. The application's functions are not awaited."""
    steps = Handshake(resolve(**options) | {"transports": ("websocket", "polling")}, {SID}).check(found)
    answer = None
    try:
        while True:
            answer = steps.send(answer)
    except Refusal as error:
        return error
    except StopIteration:
        return None


UNKNOWN, UNKNOWN_SID, METHOD, BAD, FORBIDDEN, PROTOCOL = range(6)

PLAIN = {
    "H74 no query": (UNKNOWN, request(None, upgrade=False)),
    "H80 no transport": (UNKNOWN, request("EIO=4", upgrade=False)),
    "H80 empty transport": (UNKNOWN, request("EIO=4&transport=", upgrade=False)),
    "H82 constructor": (UNKNOWN, request("EIO=4&transport=constructor", upgrade=False)),
    "H83 webtransport": (UNKNOWN, request("EIO=4&transport=webtransport", upgrade=False)),
    "H84 no upgrade": (BAD, request(upgrade=False)),
    "H85 websocket in 1.0": (BAD, request(version="1.0")),
    "H86 EIO=5": (PROTOCOL, request("EIO=5&transport=polling", upgrade=False)),
    "H86 EIO=3": (PROTOCOL, request("EIO=3&transport=polling", upgrade=False)),
    "H86 no EIO": (PROTOCOL, request("transport=polling", upgrade=False)),
    "H87 EIO twice": (BAD, request("EIO=3&EIO=4&transport=websocket")),
    "H87 EIO twice the same": (BAD, request("EIO=4&EIO=4&transport=websocket")),
    "H88 transport twice": (BAD, request("EIO=4&transport=polling&transport=websocket")),
    "H88 transport twice, one escaped": (BAD, request("EIO=4&transport=websocket&tr%61nsport=websocket")),
    "H88 transport twice, unknown": (BAD, request("EIO=4&transport=x&transport=x", upgrade=False)),
    **{
        f"H90 {method}": (METHOD, request("EIO=4&transport=polling", method=method, upgrade=False))
        for method in ("PUT", "DELETE", "HEAD", "PATCH", "POST", "OPTIONS")
    },
    **{
        f"H100 sid={sid}": (UNKNOWN_SID, request(f"EIO=4&transport=polling&sid={sid}", method=method, upgrade=False))
        for method in ("GET", "POST")
        for sid in ("nosuchsid", "__proto__", "hasOwnProperty", "toString", "%00", "%zz", SID[:-1], SID + "a")
    },
    "H113 sid: bad and good": (BAD, request(f"{GOOD}&sid=bad&sid={SID}")),
    "H114 sid: good and bad": (BAD, request(f"{GOOD}&sid={SID}&sid=bad")),
    "H155 POST": (METHOD, request(method="POST")),
    "H157 h2c": (BAD, request(Upgrade="h2c")),
    "H158 no Connection": (BAD, request(Connection=None)),
    "H169 unknown sid": (UNKNOWN_SID, request(f"{GOOD}&sid=nope")),
    "H170 polling with upgrade": (BAD, request("EIO=4&transport=polling")),
    "H173 a session that is on websocket": (BAD, request(f"{GOOD}&sid={SID}")),
    "H174 polling on such a session": (BAD, request(f"EIO=4&transport=polling&sid={SID}", upgrade=False)),
    "H174 PUT on such a session": (BAD, request(f"{GOOD}&sid={SID}", upgrade=False, method="PUT")),
    "the transport is judged before the sid": (UNKNOWN, request("EIO=4&transport=x&sid=x", upgrade=False)),
    "the sid before the method": (UNKNOWN_SID, request(f"{GOOD}&sid=x", method="PUT")),
    "the method before the upgrade": (METHOD, request(upgrade=False, method="POST")),
    "the upgrade before the origin": (BAD, request(upgrade=False, Origin="http://evil.example")),
    "the origin before the protocol": (FORBIDDEN, request("EIO=3&transport=websocket", Origin="http://evil.example")),
    "the protocol before the version": (PROTOCOL, request("EIO=3&transport=websocket", Sec_WebSocket_Version="8")),
}  # fmt: skip


@pytest.mark.parametrize(("code", "found"), PLAIN.values(), ids=PLAIN)
def test_checks(code, found):
    error = refusal(found)
    assert (error.code, error.message) == (code, handshake.MESSAGES[code])
    assert error.upgrade_status == (403 if code == FORBIDDEN else 400)


@pytest.mark.parametrize(
    "found",
    [
        request(),
        request("transport=websocket&t=x&EIO=4&b=%00&c=%ff%zz"),  # H76, H77
        request("tr%61nsport=websock%65t&E%49O=%34"),
        request(f"{GOOD}&sid="),  # as the reference
        request(Connection="keep-alive, Upgrade"),  # H159
        request(Upgrade="websocket, foo"),  # H161
        request(Sec_WebSocket_Extensions=";" * 10_000),  # H165
        request(
            Sec_WebSocket_Extensions="__proto__; x=y", Sec_WebSocket_Protocol="a" + " " * 5000 + ", b"
        ),  # H166, 167
        request("EIO=4&transport=polling", upgrade=False),
    ],
)
def test_good(found):
    assert refusal(found) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, 426),  # H153
        ({"Sec_WebSocket_Version": None}, 426),  # H154
        ({"Sec_WebSocket_Version": "13, 8"}, 426),
        ({"Sec_WebSocket_Key": None}, 400),  # H150
        *(
            ({"Sec_WebSocket_Key": key}, 400)  # H151
            for key in ("", "abc", KEY[:-1], KEY + "=", KEY + "AAAA", "dGhlIHNhbXBsZSBub25jZQAA", "é" * 24, "=" * 24)
        ),
        ({"Sec_WebSocket_Key": KEY.replace("G", "_")}, 400),
    ],
)
def test_websocket_headers(headers, status):
    error = refusal(request(**headers))
    assert error.upgrade_status == status
    assert list(error.headers) == ([("Sec-WebSocket-Version", "13")] if status == 426 else [])


@pytest.mark.parametrize(
    ("path", "slash", "matches"),
    [
        ("/socket.io/", True, True),
        ("/socket.io/anything", True, True),  # H72
        ("/socket.io", True, False),
        ("/socket.io", False, True),
        ("/socket.io/", False, True),
        ("/socket.iox", False, False),
        ("/socket.iox/", True, False),
        ("/socket.io/../app", True, False),  # H68
        ("/socket.io/./", True, False),
        ("/socket.io/.x/..y/", True, True),
        ("/app/../socket.io/", True, False),
        ("//socket.io/", True, False),  # H69
        ("/socket%2eio/", True, False),  # H70
        ("/Socket.io/", True, False),
        ("/", True, False),
    ],
)
def test_path(path, slash, matches):
    assert Handshake(resolve(add_trailing_slash=slash), {}).matches(path) is matches


@pytest.mark.parametrize("path", ["/", "/x/", "/x"])
def test_other_paths(path):
    checks = Handshake(resolve(path=path), {})
    assert checks.matches(path.rstrip("/") + "/")
    assert checks.matches("/socket.io/") is (path == "/")


# ---- origins ----


@pytest.mark.parametrize(
    ("origin", "host", "secure", "same"),
    [
        ("http://a", "a", False, True),
        ("http://a:3000", "a:3000", False, True),
        ("http://a:80", "a", False, True),
        ("http://a", "a:80", False, True),
        ("http://[::1]:3000", "[::1]:3000", False, True),
        ("https://a", "a", True, True),
        ("https://a:443", "a", True, True),
        ("https://a", "a", False, True),  # TLS ends in front of us
        ("http://a", "a", True, False),
        ("http://a:443", "a", False, False),
        ("http://a", "a:3000", False, False),
        ("http://a:3000", "a", False, False),
        ("http://evil.example", "a", False, False),  # H147
        ("http://a.evil.example", "a", False, False),  # H143
        ("http://evil-a", "a", False, False),
        ("http://A", "a", False, False),
        ("HTTP://a", "a", False, False),  # H146
        ("http://a/", "a", False, False),
        ("http://x@a", "a", False, False),
        ("null", "null", False, False),  # H142
        ("", "", False, False),
        ("http://", "", False, False),
        ("http://:80", "", False, False),
        ("ftp://a", "a", False, False),
        ("//a", "a", False, False),
        ("http://a, http://a", "a", False, False),
    ],
)
def test_same_origin(origin, host, secure, same):
    found = request(Host=host, Origin=origin)
    found.secure = secure
    assert is_same_origin(origin, found) is same
    assert (refusal(found) is None) is same


def test_the_target_s_host_counts_where_it_has_one():
    found = request(path="http://a/socket.io/", Host="evil.example")
    assert is_same_origin("http://a", found)
    assert not is_same_origin("http://evil.example", found)


def good(origin):
    return origin == "http://good.example"


def failing(argument):
    raise RuntimeError("a secret")


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("*", "http://evil.example", True),
        (["*"], "http://evil.example", True),
        ("http://good.example", "http://good.example", True),
        ("http://good.example", "http://good.exampl", False),
        (["http://b", "http://good.example"], "http://good.example", True),
        (["http://good.example"], "http://good.example.evil.com", False),
        (["http://good.example"], "HTTP://GOOD.EXAMPLE", False),
        (["http://good.example"], "http://a:3000", False),  # its own, which is not listed
        (["null"], "null", True),
        ([], "null", False),
        (good, "http://good.example", True),
        (good, "http://evil.example", False),
        (failing, "http://good.example", False),
    ],
)
def test_origins(origins, origin, allowed):
    error = refusal(request(Origin=origin), origins=origins)
    assert (error is None) is allowed
    assert error is None or (error.code, error.message, error.upgrade_status) == (FORBIDDEN, "Forbidden", 403)
    assert refusal(request(), origins=origins) is None  # not from a page


def test_a_refused_origin_is_logged_once_with_the_remedy(caplog):
    checks = Handshake(resolve(), {})
    for origin in ["http://evil.example"] * 3 + ["http://\xff'"] + [f"http://{n}.example" for n in range(1000)]:
        with pytest.raises(Refusal):
            list(checks.check(request(Origin=origin)))
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == (
        "refused a page of origin 'http://evil.example'; to allow it: Server(origins=['http://evil.example'])"
    )
    assert "\\xff" in lines[1]
    assert len(lines) == len(set(lines)) == handshake.MAX_ORIGINS_LOGGED


# ---- allow_request ----


def deny(found):
    if found.query.get("deny") == "1":
        raise ConnectError("custom msg")
    return found.query.get("deny") != "2"


@pytest.mark.parametrize(("query", "message"), [("deny=1", "custom msg"), ("deny=2", "Forbidden"), ("deny=0", None)])
def test_allow_request(query, message):
    query = "EIO=4&transport=polling&" + query
    error = refusal(request(query, upgrade=False), allow_request=deny)
    assert (error and error.message) == message
    if error:
        head, _, body = error.answer(request(query, upgrade=False)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n")
        assert json.loads(body) == {"code": 4, "message": message}


def test_allow_request_must_say_so():
    assert refusal(request(), allow_request=lambda found: None).code == FORBIDDEN
    assert refusal(request(), allow_request=failing).message == "Forbidden"


def test_any_message_can_be_sent():
    for message in ("é€😀", "\ud800", '"', "\r\nA: b"):
        error = Refusal(FORBIDDEN, message)
        _, _, body = error.answer(request(upgrade=False)).partition(b"\r\n\r\n")
        assert json.loads(body) == {"code": 4, "message": message}
        head, _, body = error.answer(request()).partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert body.decode() == message.replace("\ud800", "?")


# ---- ids ----


def test_ids():
    ids = [generate_id() for _ in range(3000)]
    assert len(set(ids)) == 3000
    assert {len(id) for id in ids} == {20}
    assert {len(base64.urlsafe_b64decode(id)) for id in ids} == {15}
    # every bit of them varies
    numbers = [int.from_bytes(base64.urlsafe_b64decode(id)) for id in ids]
    assert all(1000 < sum(number >> bit & 1 for number in numbers) < 2000 for bit in range(120))


def test_ids_after_a_fork():
    script = """
import os, sys
from fastsio.engine.handshake import generate_id
generate_id()
reader, writer = os.pipe()
child = os.fork() == 0
ids = [generate_id() for _ in range(300)]
if child:
    os.write(writer, "\\n".join(ids).encode())
    os._exit(0)
os.wait()
theirs = os.read(reader, 10000).decode().split("\\n")
assert len(theirs) == 300
assert not set(ids) & set(theirs)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


# ---- the 101 answer ----


def test_accept():
    assert accept(KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3
    assert switching_protocols(KEY, [("A", "b")]).endswith(b"\r\nA: b\r\n\r\n")
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        switching_protocols(KEY, [("A", "b\r\nC: d")])
