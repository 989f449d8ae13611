"""What Server(**options) makes of transports, groups and the rest; test_server.py has the options of older date."""

from dataclasses import fields

import pytest

from fastsio import Server, options
from fastsio.engine.compression import CompressionSettings
from fastsio.engine.cookie import CookieSettings
from fastsio.engine.cors import CorsSettings
from fastsio.options import GROUPS, resolve
from fastsio.wire.deflate import DeflateSettings


def test_defaults():
    found = resolve()
    assert found["transports"] == ("polling", "websocket")
    assert found["allow_upgrades"] is found["allow_eio3"] is True
    assert found["upgrade_timeout"] == 10.0
    assert found["cors"] is found["cookie"] is found["per_message_deflate"] is found["initial_packet"] is None
    assert found["http_compression"] == CompressionSettings(threshold=1024)


def test_every_option_is_typed_and_has_a_default():
    assert options.Options.__annotations__.keys() == options.DEFAULTS.keys()


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("cors", options.CorsOptions),
        ("cookie", options.CookieOptions),
        ("http_compression", options.CompressionOptions),
        ("per_message_deflate", options.DeflateOptions),
    ],
)
def test_every_key_of_a_group_is_typed(name, typed):
    assert [field.name for field in fields(GROUPS[name])] == list(typed.__annotations__)


# ---- transports ----


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["websocket"], ("websocket",)),
        (("websocket", "polling"), ("websocket", "polling")),
        ({"polling"}, ("polling",)),
        (["polling", "polling"], ("polling",)),
    ],
)
def test_transports(given, found):
    assert resolve(transports=given)["transports"] == found


@pytest.mark.parametrize("given", ["websocket", None, 1, [1], b"websocket"])
def test_transports_of_a_wrong_type(given):
    with pytest.raises(TypeError, match="^transports must be a list of str"):
        Server(transports=given)


@pytest.mark.parametrize(("given", "got"), [(["webtransport"], "'webtransport'"), ([], "none of them")])
def test_transports_that_there_are_not(given, got):
    with pytest.raises(ValueError, match=f"^transports must be 'polling', 'websocket' or both, got {got}$"):
        Server(transports=given)


# ---- plain values ----


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("upgrade_timeout", 0, ValueError),
        ("upgrade_timeout", "10", TypeError),
        ("upgrade_timeout", None, TypeError),
        ("allow_upgrades", 1, TypeError),
        ("allow_eio3", None, TypeError),
        ("serve_client", "no", TypeError),
        ("add_trailing_slash", 0, TypeError),
        ("initial_packet", 4, TypeError),
        ("initial_packet", bytearray(b"hello"), TypeError),
        ("cors", "*", TypeError),
        ("cookie", "io", TypeError),
        ("http_compression", 1024, TypeError),
        ("per_message_deflate", [], TypeError),
    ],
)
def test_a_bad_value_names_its_option(option, value, error):
    with pytest.raises(error, match=f"^{option} must be "):
        Server(**{option: value})


@pytest.mark.parametrize("value", [None, "hello", b"hello"])
def test_initial_packet(value):
    assert resolve(initial_packet=value)["initial_packet"] == value


# ---- groups ----


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_off_on_or_a_dict(name):
    assert resolve(**{name: None})[name] is None
    assert resolve(**{name: False})[name] is None
    assert resolve(**{name: True})[name] is not None
    assert resolve(**{name: True})[name] == resolve(**{name: {}})[name]


def test_groups():
    assert resolve(origins=["a"], cors={"credentials": True})["cors"] == CorsSettings(credentials=True)
    assert resolve(cookie={"name": "sid"})["cookie"] == CookieSettings(name="sid")
    assert resolve(http_compression={"threshold": 0})["http_compression"] == CompressionSettings(0)
    assert resolve(per_message_deflate={"level": 1})["per_message_deflate"] == DeflateSettings(level=1)


@pytest.mark.parametrize(
    ("name", "key", "hint"),
    [
        ("cors", "credential", ": did you mean 'credentials'[?]"),
        ("cors", "origin", ": did you mean the option 'origins'[?]"),
        ("cookie", "httpOnly", ": did you mean 'http_only'[?]"),
        ("http_compression", "treshold", ": did you mean 'threshold'[?]"),
        ("per_message_deflate", "memLevel", ": did you mean 'mem_level'[?]"),
        ("cookie", "zzz", ""),
    ],
)
def test_an_unknown_key_names_the_nearest(name, key, hint):
    with pytest.raises(TypeError, match=f"^unknown key '{key}' in {name}{hint}$"):
        Server(**{name: {key: 1}})


@pytest.mark.parametrize(
    ("name", "key", "value", "error"),
    [
        ("cors", "max_age", -1, ValueError),
        ("cors", "credentials", "yes", TypeError),
        ("cookie", "name", "a b", ValueError),
        ("http_compression", "threshold", -1, ValueError),
        ("http_compression", "threshold", True, TypeError),
        ("per_message_deflate", "threshold", -1, ValueError),
        ("per_message_deflate", "level", 10, ValueError),
        ("per_message_deflate", "level", 0, ValueError),
        ("per_message_deflate", "mem_level", 0, ValueError),
        ("per_message_deflate", "mem_level", 8.0, TypeError),
    ],
)
def test_a_bad_value_in_a_group_names_both(name, key, value, error):
    with pytest.raises(error, match=f"^{name}: {key} must be "):
        Server(**{name: {key: value}})


@pytest.mark.parametrize("origins", ["*", ["http://a.example", "*"]])
def test_any_origin_with_credentials_is_refused(origins):
    with pytest.raises(ValueError, match="list the origins that you trust"):
        Server(origins=origins, cors={"credentials": True})
