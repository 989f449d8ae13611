"""Which coding a client gets, and that the body comes out of it again."""

import gzip
import sys
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.engine import compression
from fastsio.engine.compression import Compression, CompressionSettings, brotli, choose, codings, weight
from tests.requirements import missing

TEXT = "text/plain; charset=UTF-8"
BODY = b"to be or not to be, " * 100
VARY = ("Vary", "Accept-Encoding")

FAKE = SimpleNamespace(compress=lambda body, quality: b"br%d" % quality + zlib.compress(body))


@pytest.fixture
def with_br(monkeypatch):
    monkeypatch.setattr(compression, "CODINGS", codings(FAKE))


@pytest.fixture
def without_br(monkeypatch):
    monkeypatch.setattr(compression, "CODINGS", codings(None))


ON = Compression(CompressionSettings())


# ---- the choice ----

CHOICES = [
    (None, None),
    ("", None),
    (" ", None),
    ("gzip", "gzip"),
    ("GZip", "gzip"),
    ("x-gzip", "gzip"),
    ("deflate", "deflate"),
    ("deflate, gzip", "gzip"),
    ("deflate, gzip, br, zstd", "br"),
    ("gzip;q=0.5, deflate;q=0.8", "deflate"),
    ("gzip; q=0.5 ,\tdeflate ; Q=0.8", "deflate"),
    ("br;q=0.1, gzip;q=0.2", "gzip"),
    ("br;q=0, gzip;q=0.001", "gzip"),
    ("*", "br"),
    ("*;q=0.1", "br"),
    ("br;q=0, *", "gzip"),
    ("gzip;q=0.5, *;q=0", "gzip"),
    ("*;q=0", None),
    ("gzip;q=0", None),
    ("gzip;q=0.000", None),
    ("identity", None),
    ("identity, gzip", "gzip"),
    ("identity;q=1, gzip;q=0.5", None),
    ("identity;q=0.5, gzip;q=1.000", "gzip"),
    ("identity;q=0", None),
    ("zstd, compress", None),
    ("gzip, gzip;q=0", "gzip"),
    ("gzip;level=1", None),
    ("gzip;q=2, deflate", "deflate"),
    ("gzip;q=, deflate", "deflate"),
    (",,;,gzip,,", "gzip"),
]


@pytest.mark.parametrize(("accepted", "chosen"), CHOICES)
def test_the_choice(accepted, chosen, with_br):
    assert choose(accepted) == chosen


def test_the_choice_without_br(without_br):
    assert choose("br") is None
    assert choose("br, gzip, deflate") == choose("*") == "gzip"


WEIGHTS = {"": 1.0, "q=0": 0.0, "q=1": 1.0, "q=0.": 0.0, "q=1.000": 1.0, "q=0.123": 0.123, "Q=0.5": 0.5}
NO_WEIGHTS = ["q", "q=", "q=2", "q=1.001", "q=0.1234", "q=.5", "q=-0", "q=1e0", "q=nan", "q=inf", "q= 1", "q=0,5"]


@pytest.mark.parametrize(("text", "value"), WEIGHTS.items())
def test_weights(text, value):
    assert weight(text) == value


@pytest.mark.parametrize("text", [*NO_WEIGHTS, "q=0.٣", "q=1.1_", "q=0.1;x", "v=1", "q=11"])
def test_what_is_no_weight(text):
    assert weight(text) is None


@given(st.text(st.sampled_from("gzipdeflatbr*,;q=.01 \t\xff"), max_size=60) | st.text(max_size=40))
def test_any_header_gets_an_answer(text):
    assert choose(text) in {None, "br", "gzip", "deflate"}


# ---- bodies ----


def test_codings(with_br):
    assert gzip.decompress(ON.encode("gzip", BODY, TEXT).body) == BODY
    assert zlib.decompress(ON.encode("deflate", BODY, TEXT).body) == BODY
    assert ON.encode("br", BODY, TEXT).body == FAKE.compress(BODY, 5)


def test_real_brotli():
    library = brotli()
    if library is None:
        missing("brotli or brotlicffi", "pip install fastsio[brotli]")
    assert library.decompress(codings(library)["br"](BODY)) == BODY


@pytest.mark.parametrize("name", ["brotli", "brotlicffi"])
def test_either_library_will_do(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "brotlicffi", None)
    assert brotli() is None
    monkeypatch.setitem(sys.modules, name, FAKE)
    assert brotli() is FAKE


def test_gzip_does_not_tell_the_time():
    assert ON.encode("gzip", BODY, TEXT).body[4:8] == bytes(4)  # RFC 1952 2.3: MTIME


def test_headers():
    encoded = ON.encode("gzip", BODY, TEXT)
    assert (encoded.encoding, encoded.headers) == ("gzip", [("Content-Encoding", "gzip"), VARY])
    assert ON.encode(None, BODY, TEXT) == (None, BODY, [VARY])
    assert ON.encode("zstd", BODY, TEXT) == (None, BODY, [VARY])


def test_the_threshold():
    assert ON.encode("gzip", b"a" * 1023, TEXT) == (None, b"a" * 1023, [])
    assert ON.encode("gzip", b"a" * 1024, TEXT).encoding == "gzip"
    assert Compression(CompressionSettings(threshold=50)).encode("gzip", b"a" * 50, TEXT).encoding == "gzip"


def test_off():
    assert Compression(None).encode("gzip", BODY, TEXT) == (None, BODY, [])


@pytest.mark.parametrize("media_type", ["image/png", "image/x-icon", "video/mp4", "font/woff2", "application/zip"])
def test_what_is_compressed_already(media_type):
    assert ON.encode("gzip", BODY, media_type) == (None, BODY, [])


@pytest.mark.parametrize("media_type", ["image/svg+xml", "application/json", "application/octet-stream", "text/html"])
def test_what_is_not(media_type):
    assert ON.encode("gzip", BODY, media_type).encoding == "gzip"


def test_what_does_not_shrink_stays_as_it_is():
    body = bytes(range(256)) * 2
    assert Compression(CompressionSettings(threshold=0)).encode("gzip", body[:256], TEXT) == (None, body[:256], [VARY])


@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), (None, TypeError), (True, TypeError)])
def test_bad_settings(value, error):
    with pytest.raises(error, match="^threshold must be "):
        CompressionSettings(threshold=value)
