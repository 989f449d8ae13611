"""Where packages take the browser client from; the project here is an empty folder with what a test puts into it."""

import json
import tarfile
from pathlib import Path

import pytest

from client_dist import CLIENT, NPM_CLIENT, integrity, put_client

FILES = {"LICENSE", "package.json", "socket.io.js", "socket.io.js.map", "socket.io.esm.min.js"}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    wanted = {"devDependencies": {"socket.io-client": "4.8.4"}}
    (folder / "tests/package.json").write_text(json.dumps(wanted))
    return folder


def package(folder: Path, version: str) -> Path:
    """What npm would unpack."""
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": version}))
    for name in ["LICENSE", "README.md", *(f"dist/{name}" for name in FILES if name.startswith("socket"))]:
        (folder / name).write_text(f"{name} of {version}")
    return folder


def npm(folder: Path, script: str) -> None:
    """A program of that name, the only one on PATH."""
    (folder / "bin").mkdir()
    (folder / "bin/npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin/npm").chmod(0o755)


def packed(folder: Path, known: str | None = None) -> None:
    """An npm that serves a package, and a lock file that knows it, or what it is told."""
    archive = folder / "made.tgz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(package(folder / "npm/package", "4.8.4"), "package")
    npm(folder, f'[ "$1 $2 $3" = "pack socket.io-client@4.8.4 --pack-destination" ] && /bin/cp {archive} "$4/s.tgz"')
    lock = {"packages": {NPM_CLIENT: {"integrity": known or integrity(archive)}}}
    Path("tests/package-lock.json").write_text(json.dumps(lock))


def carried(root: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (root / CLIENT).iterdir()}


def test_from_node_modules(project, tmp_path):
    package(project / "tests" / NPM_CLIENT, "4.8.4")
    put_client(tmp_path / "made", required=True)
    found = carried(tmp_path / "made")
    assert found.keys() == FILES
    assert found["socket.io.js"] == "dist/socket.io.js of 4.8.4"
    assert not (project / CLIENT).exists(), "the checkout is left as it is"


@pytest.mark.parametrize("other", [None, "4.7.0"])
def test_from_npm(other, project, tmp_path):
    if other is not None:
        package(project / "tests" / NPM_CLIENT, other)
    packed(tmp_path)
    put_client(tmp_path / "made", required=True)
    found = carried(tmp_path / "made")
    assert found.keys() == FILES
    assert json.loads(found["package.json"]) == {"version": "4.8.4"}


def test_not_the_package_of_the_lock_file(tmp_path):
    packed(tmp_path, known="sha512-AAAA")
    with pytest.raises(SystemExit, match="is not the one of tests/package-lock.json"):
        put_client(tmp_path / "made", required=False)
    assert not (tmp_path / "made").exists()


def test_from_a_source_distribution(project, tmp_path):
    (project / "tests/package.json").unlink()
    (project / CLIENT).mkdir(parents=True)
    for name in FILES:
        (project / CLIENT / name).write_text(name)
    put_client(tmp_path / "made", required=True)
    assert carried(tmp_path / "made") == {name: name for name in FILES}


def test_an_older_one_goes(project, tmp_path):
    package(project / "tests" / NPM_CLIENT, "4.8.4")
    (tmp_path / "made" / CLIENT).mkdir(parents=True)
    (tmp_path / "made" / CLIENT / "old.js").touch()
    put_client(tmp_path / "made", required=False)
    assert carried(tmp_path / "made").keys() == FILES


# ---- nowhere ----


def stripped(project, tmp_path):
    (project / "tests/package.json").unlink()


def failing(project, tmp_path):
    npm(tmp_path, 'echo "npm error code ETARGET" >&2; echo "npm error notarget" >&2; exit 1')


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (None, "npm is not installed"),
        (failing, "npm pack: npm error code ETARGET npm error notarget"),
        (stripped, "this source distribution was made without it"),
    ],
)
def test_without(prepare, why, project, tmp_path, capfd):
    if prepare is not None:
        prepare(project, tmp_path)
    put_client(tmp_path / "made", required=False)
    assert capfd.readouterr() == ("", f"going on without the browser client: {why}\n")
    assert not (tmp_path / "made").exists()
    with pytest.raises(SystemExit, match=f"^the browser client is missing: {why}$"):
        put_client(tmp_path / "made", required=True)
