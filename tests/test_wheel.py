"""The wheel of `make wheel`: what is in it, and that it serves where there is no compiler and no npm."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from zipfile import ZipFile

import pytest
import socketio

from fastsio.engine.static import CLIENT_FILES
from tests.requirements import require

ROOT = Path(__file__).parents[1]
CLIENT = "fastsio/client-dist/"
VERSION = json.loads((ROOT / "tests/package.json").read_text())["devDependencies"]["socket.io-client"]
PYTHON = ROOT / ".venv/bin/python"  # make builds with it, for it

SERVER = """
import logging
import fastsio

logging.basicConfig(level=logging.INFO, format="%(message)s")
io = fastsio.Server()

@io.event
def add(socket, *numbers):
    return sum(numbers), fastsio.__file__

io.run(0)
"""

pytestmark = pytest.mark.timeout(420)


def run(*command: str | Path, **environment: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "PYTHONPATH")}
    done = subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=400, errors="replace"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel() -> Path:
    run(require("make"), "wheel")
    (wheel,) = (ROOT / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter in an environment that holds the wheel and what it depends on, installed without a compiler."""
    folder = tmp_path_factory.mktemp("environment")
    run(PYTHON, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", "--only-binary=:all:", wheel, PATH=str(folder))
    return folder / "bin/python"


@pytest.fixture
def port(python: Path, tmp_path: Path) -> Iterator[int]:
    """Of a server that runs from the installed wheel; it ends gracefully."""
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    with subprocess.Popen([python, "-I", program], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            line = server.stderr.readline()
            match = re.match(r"listening on http://127\.0\.0\.1:(\d+)", line)
            assert match, line + server.stderr.read()
            yield int(match[1])
        finally:
            server.terminate()
        assert server.wait(10) == 0


def test_contents(wheel: Path) -> None:
    assert sys.platform != "linux" or "manylinux" in wheel.name
    names = {name for name in ZipFile(wheel).namelist() if not re.search(r"\.dist-info/|/$", name)}
    names -= {name for name in names if name.startswith(CLIENT)}
    assert {Path(name).suffix for name in names} == {".py", ".pyi", ".so", ".typed"}
    sources = [file for suffix in ("py", "pyi") for file in (ROOT / "fastsio").rglob(f"*.{suffix}")]
    assert names >= {str(file.relative_to(ROOT)) for file in sources} | {"fastsio/py.typed"}
    compiled = {name.partition(".")[0] for name in names if name.endswith(".so")}
    assert compiled == {str(file.relative_to(ROOT).with_suffix("")) for file in ROOT.glob("fastsio/**/*.pyx")}


def test_the_browser_client(wheel: Path) -> None:
    require("npm")
    with ZipFile(wheel) as archive:
        found = {name.removeprefix(CLIENT): archive.read(name) for name in archive.namelist() if CLIENT in name}
    found.pop("", None)  # the folder itself
    maps = {f"{name}.map" for name in CLIENT_FILES}
    assert found.keys() == {*CLIENT_FILES, *maps, "package.json", "LICENSE"}
    assert json.loads(found["package.json"])["version"] == VERSION
    assert b"Permission is hereby granted" in found["LICENSE"]


def test_serves_the_browser_client(port: int) -> None:
    require("npm")
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/socket.io/socket.io.min.js", headers={"Accept-Encoding": "identity"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200
    assert answer.headers["ETag"] == f'"{VERSION}"'
    assert answer.headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert f"Socket.IO v{VERSION}".encode() in body[:100]


PLUGIN_TEST = """
from fastsio import Server

io = Server()


@io.event
def add(socket, *numbers):
    return sum(numbers)


async def test_add(sio_connect):
    client = await sio_connect(io)
    assert await client.emit_with_ack("add", 1, 2) == 3
"""


def test_the_fixture_for_pytest(python: Path, tmp_path: Path) -> None:
    """It is there without being asked for."""
    run(python, "-m", "pip", "install", "--quiet", "pytest", "pytest-asyncio", PATH=str(python.parent))
    program = tmp_path / "test_plugin.py"
    program.write_text(PLUGIN_TEST)
    run(python, "-m", "pytest", "--quiet", "-o", "asyncio_mode=auto", f"--rootdir={tmp_path}", program)


async def test_serves(port: int, python: Path) -> None:
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
        total, module = await client.call("add", (1, 2, 3), timeout=10)
    assert total == 6
    assert Path(module).is_relative_to(python.parents[1]), "not the installed one"
