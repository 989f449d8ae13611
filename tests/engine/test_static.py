"""Files and the browser client's bundles: versions, codings, and who has them already."""

import gzip
import json
import zlib

import pytest

from fastsio.engine import static
from fastsio.engine.http import HttpParser
from fastsio.engine.static import CLIENT_FILES, StaticFile, client_files
from tests.engine.requests import request, sent
from tests.requirements import require_npm

BODY = b"var io = 1;\n" * 200
SCRIPT = "application/javascript; charset=utf-8"
CACHE = ("Cache-Control", "public, max-age=0")
ETAG = ("ETag", '"4.8.4"')
TYPE = ("Content-Type", SCRIPT)
VARY = ("Vary", "Accept-Encoding")


def asked(method="GET", **headers):
    return request(None, method=method, upgrade=False, **headers)


@pytest.fixture
def file():
    return StaticFile(SCRIPT, BODY, '"4.8.4"')


# ---- a file ----


def test_200_as_the_reference(file):
    assert file.reply(asked()) == (200, [CACHE, ETAG, TYPE, VARY], BODY)


def test_head_is_as_get(file):
    assert file.reply(asked("HEAD", Accept_Encoding="gzip")) == file.reply(asked(Accept_Encoding="gzip"))
    head = file.answer(asked("HEAD"))
    assert b"Content-Length: 2400\r\n" in head and head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods(file, method):
    assert file.reply(asked(method)) == (405, [("Allow", "GET, HEAD")], b"")


@pytest.mark.parametrize(("coding", "decompress"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)])
def test_codings(file, coding, decompress):
    status, headers, body = file.reply(asked(Accept_Encoding=coding))
    assert (status, headers) == (200, [CACHE, ETAG, TYPE, ("Content-Encoding", coding), VARY])
    assert len(body) < len(BODY) and decompress(body) == BODY


def test_a_coding_is_made_once(file):
    first = file.reply(asked(Accept_Encoding="gzip"))[2]
    assert file.reply(asked(Accept_Encoding="gzip;q=0.5, x"))[2] is first
    assert file.reply(asked(Accept_Encoding="deflate"))[2] != first
    assert file.reply(asked())[2] is BODY
    assert file == StaticFile(SCRIPT, BODY, '"4.8.4"'), "what was asked for is no part of it"


def test_clients_cannot_make_it_keep_more(file):
    for number in range(100):
        file.reply(asked(Accept_Encoding=f"x{number}, gzip;q=0.{number}"))
    assert len(file._forms) <= 2


def test_a_small_file_and_a_picture_stay_as_they_are():
    for file in (StaticFile("text/html", b"<p>", '"1"'), StaticFile("image/png", BODY, '"1"')):
        _, headers, body = file.reply(asked(Accept_Encoding="gzip"))
        assert body is file.body
        assert headers == [CACHE, ("ETag", '"1"'), ("Content-Type", file.content_type)]


KNOWN = ['"4.8.4"', 'W/"4.8.4"', '"4.8.3", "4.8.4"', '"4.8.3" ,\tW/"4.8.4"', "*", " * "]


@pytest.mark.parametrize("tags", KNOWN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_304(file, tags, method):
    assert file.reply(asked(method, If_None_Match=tags)) == (304, [CACHE, ETAG, VARY], b"")


def test_304_by_a_second_line(file):
    lines = b'If-None-Match: "a"\r\nIf-None-Match: "4.8.4"\r\n\r\n'
    (found,) = HttpParser(1000).feed(sent(None, upgrade=False)[:-2] + lines)
    assert file.reply(found)[0] == 304


@pytest.mark.parametrize("tags", ['"4.8.3"', "4.8.4", 'w/"4.8.4"', "", '"4.8.4', '"a", *', '"4.8.40"', '"W/4.8.4"'])
def test_no_304(file, tags):
    assert file.reply(asked(If_None_Match=tags))[0] == 200


def test_the_etag_of_any_other_file_is_of_its_bytes():
    one, same, other = (StaticFile("text/html", body) for body in (b"a", b"a", b"b"))
    assert one.etag == same.etag != other.etag
    assert one.etag.startswith('"') and one.etag.endswith('"') and len(one.etag) > 10


# ---- the bundles ----


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder that stands for fastsio/."""
    monkeypatch.setattr(static, "__file__", str(tmp_path / "fastsio/engine/static.py"))
    (tmp_path / "fastsio/engine").mkdir(parents=True)
    return tmp_path / "fastsio"


def put(folder, *names, version=None):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text(f"{folder} {name}")
    if version is not None:
        (folder / "package.json").write_text(json.dumps({"version": version}))


def test_bundles_of_a_wheel(package):
    put(package / "client-dist", *CLIENT_FILES, "socket.io.js.map", "LICENSE", version="4.9.0")
    put(package.parent / "node_modules/socket.io-client/dist", *CLIENT_FILES)
    found = client_files("/a")
    assert found.keys() == {f"/a/{name}" for name in [*CLIENT_FILES, "socket.io.js.map"]}
    assert {file.etag for file in found.values()} == {'"4.9.0"'}
    assert b"client-dist" in found["/a/socket.io.js"].body
    assert found["/a/socket.io.js"].content_type == SCRIPT
    assert found["/a/socket.io.js.map"].content_type == "application/json; charset=utf-8"


def test_bundles_without_a_version(package):
    put(package.parent / "tests/node_modules/socket.io-client/dist", *CLIENT_FILES)
    found = client_files("/a")
    assert len({file.etag for file in found.values()}) == 4


def test_no_bundles(package):
    assert client_files("/a") == {}


def test_bundles_from_npm():
    folder = require_npm("socket.io-client")
    version = json.loads((folder / "package.json").read_text())["version"]
    found = client_files("/socket.io")
    assert len(found) == 8
    assert {file.etag for file in found.values()} == {f'"{version}"'}
    assert f"v{version}".encode() in found["/socket.io/socket.io.js"].body[:100]
