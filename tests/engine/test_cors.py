"""Which headers let a page of another origin in, and which answers carry none."""

import pytest

from fastsio.engine.cors import Cors, CorsSettings, is_any

GOOD = "http://good.example"
ALLOW = "Access-Control-Allow-"
CREDENTIALS = (ALLOW + "Credentials", "true")
METHODS = (ALLOW + "Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")


def one(origin):
    return True


CONFIGURED = [GOOD, [GOOD], {GOOD, "http://other.example"}, one]  # and not for every origin


# ---- every answer ----


@pytest.mark.parametrize("settings", [None, CorsSettings(credentials=True, expose_headers=["X-A"], max_age=5)])
def test_nothing_unless_origins_is_given(settings):
    cors = Cors(None, settings)
    assert not cors.configured
    assert cors.headers(GOOD) == cors.headers(None) == []
    assert cors.preflight(GOOD, "x-a") == (204, [])


@pytest.mark.parametrize("origins", CONFIGURED)
def test_the_allowed_origin_comes_back_exactly(origins):  # H141
    cors = Cors(origins, None)
    assert cors.configured
    assert cors.headers(GOOD) == [(ALLOW + "Origin", GOOD), ("Vary", "Origin")]
    assert cors.headers("HTTP://Good.Example:80")[0] == (ALLOW + "Origin", "HTTP://Good.Example:80")


@pytest.mark.parametrize("origins", CONFIGURED)
def test_other_answers_say_that_the_origin_matters(origins):  # H141 to H146, and requests without an origin
    assert Cors(origins, None).headers(None) == [("Vary", "Origin")]


@pytest.mark.parametrize("origins", ["*", ["*"], [GOOD, "*"]])
def test_any_origin(origins):
    cors = Cors(origins, None)
    assert cors.configured
    assert cors.headers(GOOD) == cors.headers("null") == cors.headers(None) == [(ALLOW + "Origin", "*")]


def test_as_the_reference_with_credentials():
    cors = Cors([GOOD], CorsSettings(credentials=True))
    assert cors.headers(GOOD) == [(ALLOW + "Origin", GOOD), ("Vary", "Origin"), CREDENTIALS]
    assert cors.headers(None) == [("Vary", "Origin"), CREDENTIALS]


@pytest.mark.parametrize("origins", ["*", ["*"], ("*", GOOD)])
def test_any_origin_never_with_credentials(origins):
    with pytest.raises(ValueError, match="list the origins that you trust"):
        Cors(origins, CorsSettings(credentials=True))


def test_exposed_headers():
    cors = Cors(GOOD, CorsSettings(expose_headers=["X-A", "X-B"]))
    exposed = ("Access-Control-Expose-Headers", "X-A,X-B")
    assert cors.headers(GOOD)[-1] == cors.headers(None)[-1] == cors.preflight(GOOD, None)[1][-1] == exposed


@pytest.mark.parametrize("origin", ["http://a\r\nSet-Cookie: x", "http://a\0", "http://é.example", "a b", "a\tb"])
def test_an_origin_that_is_no_header_value_does_not_come_back(origin):
    cors = Cors(one, None)
    assert cors.headers(origin) == [("Vary", "Origin")]
    assert not [name for name, _ in cors.preflight(origin, None)[1] if name == ALLOW + "Origin"]


def test_what_stands_for_any():
    assert not any(is_any(origins) for origins in [None, one, [], [GOOD], GOOD, "**", "http://*"])


# ---- preflight ----


def test_preflight_as_the_reference():
    assert Cors([GOOD], CorsSettings(credentials=True)).preflight(GOOD, "x-a") == (
        204,
        [
            (ALLOW + "Origin", GOOD),
            ("Vary", "Origin, Access-Control-Request-Headers"),
            CREDENTIALS,
            METHODS,
            (ALLOW + "Headers", "x-a"),
        ],
    )


def test_preflight_of_a_refused_origin():  # H145
    headers = [("Vary", "Origin, Access-Control-Request-Headers"), METHODS]
    assert Cors([GOOD], None).preflight(None, None) == (204, headers)


def test_preflight_for_any_origin():
    headers = [(ALLOW + "Origin", "*"), ("Vary", "Access-Control-Request-Headers"), METHODS]
    assert Cors("*", None).preflight(GOOD, None) == (204, headers)


def test_preflight_with_settings():
    settings = CorsSettings(methods=["GET", "POST"], headers=["X-A", "Authorization"], max_age=600)
    assert Cors([GOOD], settings).preflight(GOOD, "x-evil") == (
        204,
        [
            (ALLOW + "Origin", GOOD),
            ("Vary", "Origin"),
            (ALLOW + "Methods", "GET,POST"),
            (ALLOW + "Headers", "X-A,Authorization"),
            ("Access-Control-Max-Age", "600"),
        ],
    )


def test_no_headers_at_all_may_be_allowed():
    _, headers = Cors("*", CorsSettings(headers=[])).preflight(GOOD, "x-a")
    assert headers == [(ALLOW + "Origin", "*"), METHODS]


@pytest.mark.parametrize("names", ["x-a", "x-a,x-b", "x-a, x-b", "x-a ,\tX_b", "*"])
def test_requested_names_come_back(names):
    assert (ALLOW + "Headers", names) in Cors([GOOD], None).preflight(GOOD, names)[1]


@pytest.mark.parametrize(
    "names", ["", "x-a\r\nSet-Cookie: x", "x-a\n", "x a", "x:a", "x-é", ",", "x-a,", "a;b", '"a"', "a\0", "a\xa0", "ａ"]
)
def test_what_are_no_names_does_not_come_back(names):
    _, headers = Cors([GOOD], None).preflight(GOOD, names)
    assert [name for name, _ in headers] == [ALLOW + "Origin", "Vary", ALLOW + "Methods"]


# ---- settings ----


def test_lists_may_be_one_str():
    settings = CorsSettings(methods="GET, POST", headers="X-A,X-B", expose_headers="X-C")
    assert settings == CorsSettings(methods=["GET", "POST"], headers=["X-A", "X-B"], expose_headers=["X-C"])


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("credentials", None, TypeError),
        ("credentials", "include", TypeError),
        ("methods", None, TypeError),
        ("methods", [1], TypeError),
        ("methods", "", ValueError),
        ("methods", ["GET\r\n"], ValueError),
        ("headers", 5, TypeError),
        ("headers", ["X A"], ValueError),
        ("expose_headers", ["X:A"], ValueError),
        ("expose_headers", "a,,b", ValueError),
        ("max_age", 1.5, TypeError),
        ("max_age", True, TypeError),
        ("max_age", -1, ValueError),
    ],
)
def test_bad_settings(name, value, error):
    with pytest.raises(error, match=f"^{name} must be "):
        CorsSettings(**{name: value})
