"""Origins: which pages may connect."""

import pytest

from fastsio.engine import origins as module
from fastsio.engine.origins import OriginCheck, is_same_origin
from tests.engine.requests import request

OWN = "http://a:3000"  # of the requests that are made here
EVIL = "http://evil.example"
GOOD = "http://good.example"


def judged(origins, origin, found=None):
    """What the check says; the application's function is not awaited."""
    steps = OriginCheck(origins).judge(origin, found or request())
    answer = None
    try:
        while True:
            answer = steps.send(answer)
    except StopIteration as end:
        return end.value


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
    assert judged(None, origin, found) is same


def test_the_target_s_host_counts_where_it_has_one():
    found = request(path="http://a/socket.io/", Host="evil.example")
    assert is_same_origin("http://a", found)
    assert not is_same_origin(EVIL, found)


def good(origin):
    return origin == GOOD


def failing(origin):
    raise RuntimeError("a secret")


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("*", EVIL, True),
        (["*"], EVIL, True),
        (GOOD, GOOD, True),
        (GOOD, GOOD[:-1], False),
        ((GOOD,), GOOD, True),
        (["http://b", GOOD], GOOD, True),
        ([GOOD], GOOD + ".evil.com", False),
        ([GOOD], GOOD.upper(), False),
        (["null"], "null", True),
        ([], "null", False),
        (None, EVIL, False),
        (good, GOOD, True),
        (good, EVIL, False),
        (failing, GOOD, False),
    ],
)
def test_origins(origins, origin, allowed):
    assert judged(origins, origin) is allowed
    assert OriginCheck(origins).is_listed(origin) is (allowed and not callable(origins))


@pytest.mark.parametrize("origins", [None, GOOD, [GOOD], [], good])
def test_the_own_pages_are_always_allowed(origins):
    assert judged(origins, OWN)


def test_a_function_is_not_asked_for_the_own_pages():
    def origins(origin):
        raise AssertionError

    assert judged(origins, OWN)


def test_a_refused_origin_is_logged_once_with_the_remedy(caplog):
    check = OriginCheck(None)
    for origin in [EVIL] * 3 + ["http://\xff'"] + ["x" * 201] + [f"http://{n}.example" for n in range(1000)]:
        assert not any(check.judge(origin, request()))
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == f"refused a page of origin '{EVIL}'; to allow it: Server(origins=['{EVIL}'])"
    assert "\\xff" in lines[1]
    assert len(lines) == len(set(lines)) == module.MAX_ORIGINS_LOGGED


def test_what_a_function_raises_is_logged(caplog, monkeypatch):
    monkeypatch.setattr("fastsio.limits._logged", {})
    assert not judged(failing, EVIL)
    (record,) = caplog.records
    assert record.getMessage() == "exception in the function given as origins"
    assert record.exc_info
