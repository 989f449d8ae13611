"""The browser client that the server serves under its path."""

import json
from pathlib import Path

import pytest

from tests.reference.fetching import fetch
from tests.requirements import require_npm
from tests.wsclient import serving

BUNDLES = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"]


@pytest.fixture(autouse=True)
def client() -> Path:
    """The package that the bundles are of."""
    return require_npm("socket.io-client")


@pytest.mark.parametrize("name", BUNDLES)
async def test_bundles(io, client, name):
    answer = await fetch(io, f"/socket.io/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/javascript; charset=utf-8"
    assert answer.body == (client / "dist" / name).read_bytes()
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("name", BUNDLES)
async def test_source_maps(io, client, name):
    answer = await fetch(io, f"/socket.io/{name}.map")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert answer.body == (client / "dist" / f"{name}.map").read_bytes()


async def test_a_version_that_the_browser_has(io, client):
    version = json.loads((client / "package.json").read_text())["version"]
    etag = (await fetch(io, "/socket.io/socket.io.js")).headers["etag"]
    assert etag == f'"{version}"'
    for known in (etag, f"W/{etag}"):
        answer = await fetch(io, "/socket.io/socket.io.js", if_none_match=known)
        assert (answer.status, answer.body) == (304, b"")
    assert (await fetch(io, "/socket.io/socket.io.js", if_none_match='"other"')).status == 200


async def test_compressed(io):
    plain = await fetch(io, "/socket.io/socket.io.js")
    answer = await fetch(io, "/socket.io/socket.io.js", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < len(plain.body) / 2
    assert "content-encoding" not in plain.headers


async def test_with_a_query(io):
    assert (await fetch(io, "/socket.io/socket.io.js?v=1")).status == 200


async def test_under_another_path():
    async with serving(path="/own") as io:
        assert (await fetch(io, "/own/socket.io.js")).status == 200
        assert (await fetch(io, "/socket.io/socket.io.js")).status == 404


async def test_not_at_all():
    async with serving(serve_client=False) as io:
        assert (await fetch(io, "/socket.io/socket.io.js")).status in (400, 404)


async def test_no_other_files(io):
    for name in ("package.json", "socket.io.other.js", "../package.json", "..%2fpackage.json"):
        assert (await fetch(io, f"/socket.io/{name}")).status in (400, 404)


async def test_the_served_client_knows_its_version(io, client):
    version = json.loads((client / "package.json").read_text())["version"]
    body = (await fetch(io, "/socket.io/socket.io.js")).body
    assert f"Socket.IO v{version}".encode() in body[:200]
