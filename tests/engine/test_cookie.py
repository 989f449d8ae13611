"""The session's cookie, and the settings that it cannot have."""

import pytest

from fastsio.engine.cookie import CookieSettings, set_cookie
from fastsio.engine.response import header_lines

SID = "TTrY7OP1wljnmv-_AAAA"


def test_as_the_reference():
    assert set_cookie(CookieSettings(), SID, False) == f"io={SID}; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(("setting", "over_tls", "secure"), [
    (None, False, False), (None, True, True), (True, False, True), (False, True, False),
])  # fmt: skip
def test_secure(setting, over_tls, secure):  # H178
    parts = set_cookie(CookieSettings(secure=setting), SID, over_tls).split("; ")
    assert ("Secure" in parts) is secure


def test_everything():
    settings = CookieSettings("sid", "/chat", False, "Strict", True, 3600, "a.example")
    expected = "sid=x; Max-Age=3600; Domain=a.example; Path=/chat; Secure; SameSite=Strict"
    assert set_cookie(settings, "x", False) == expected


def test_nothing():
    settings = CookieSettings(path=None, http_only=False, same_site=None)
    assert set_cookie(settings, "x", False) == "io=x"


@pytest.mark.parametrize(
    ("sid", "value"),
    [
        ("a;b", "a%3Bb"),
        ("a\r\nSet-Cookie: b=c", "a%0D%0ASet-Cookie%3A%20b%3Dc"),
        ("a b,c", "a%20b%2Cc"),
        ("é\0", "%C3%A9%00"),
        ("/", "%2F"),
        ("\ud800", "%3F"),
        ("a!'()*~-._", "a!'()*~-._"),
    ],
)
def test_an_id_of_the_application_stays_one_value(sid, value):
    header = set_cookie(CookieSettings(), sid, False)
    assert header == f"io={value}; Path=/; HttpOnly; SameSite=Lax"
    assert header_lines([("Set-Cookie", header)])


@pytest.mark.parametrize("given", ["lax", "LAX", "Lax"])
def test_same_site_in_any_case(given):
    assert CookieSettings(same_site=given) == CookieSettings()


def test_same_site_none_is_for_tls():
    assert "Secure; SameSite=None" in set_cookie(CookieSettings(same_site="none"), SID, True)
    with pytest.raises(ValueError, match="^same_site must be 'Strict' or 'Lax' where secure is False"):
        CookieSettings(same_site="None", secure=False)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("name", None, TypeError),
        ("name", "", ValueError),
        ("name", "a;b", ValueError),
        ("name", "a=b", ValueError),
        ("name", "a\r\n", ValueError),
        ("path", 1, TypeError),
        ("path", "", ValueError),
        ("path", "/;Secure", ValueError),
        ("path", "/\r\nX: y", ValueError),
        ("path", "/é", ValueError),
        ("domain", b"a", TypeError),
        ("domain", "a;b", ValueError),
        ("domain", "a\n", ValueError),
        ("http_only", None, TypeError),
        ("secure", 1, TypeError),
        ("same_site", True, TypeError),
        ("same_site", "Loose", ValueError),
        ("max_age", 1.5, TypeError),
        ("max_age", -1, ValueError),
    ],
)
def test_bad_settings(name, value, error):
    with pytest.raises(error, match=f"^{name} must be "):
        CookieSettings(**{name: value})
