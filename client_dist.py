"""The browser client in packages, for setup.py.

Wheels and source distributions carry the bundles of npm's socket.io-client in fastsio/client-dist, in the version that
tests/package.json names: from tests/node_modules, or else through npm, where there is one; in a source distribution
they are there already. A checkout is left as it is: fastsio finds them in tests/node_modules. Everything here works in
the current folder, which is the project's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from base64 import b64encode
from hashlib import sha512
from pathlib import Path
from tempfile import TemporaryDirectory

CLIENT = Path("fastsio/client-dist")  # in packages
TESTS = Path("tests")
NPM_CLIENT = "node_modules/socket.io-client"
NPM_SECONDS = 120


def put_client(root: Path, *, required: bool) -> None:
    """Puts the browser client into a package under root, in place of one that is there.

    required: SystemExit where it is not to be had; otherwise one line says so.
    """
    shutil.rmtree(root / CLIENT, ignore_errors=True)
    with TemporaryDirectory() as folder:
        try:
            files = client_files(Path(folder))
        except LookupError as error:
            if required:
                raise SystemExit(f"the browser client is missing: {error}") from None
            print(f"going on without the browser client: {error}", file=sys.stderr)
            return
        (root / CLIENT).mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, root / CLIENT / file.name)


def client_files(spare: Path) -> list[Path]:
    """The client's files: bundles, maps, package.json and LICENSE. spare: an empty folder. LookupError: none."""
    if CLIENT.is_dir():
        return list(CLIENT.iterdir())
    wanted = TESTS / "package.json"
    if not wanted.exists():
        raise LookupError("this source distribution was made without it")
    version = json.loads(wanted.read_text())["devDependencies"]["socket.io-client"]
    package = TESTS / NPM_CLIENT
    described = package / "package.json"
    if not described.exists() or json.loads(described.read_text())["version"] != version:
        package = from_npm(version, spare)
    return [package / "LICENSE", package / "package.json", *package.glob("dist/socket.io*.js*")]


def from_npm(version: str, folder: Path) -> Path:
    """Where npm's package is unpacked, below the folder. SystemExit: it is not that of tests/package-lock.json."""
    npm = shutil.which("npm")
    if npm is None:
        raise LookupError("npm is not installed")
    command = [npm, "pack", f"socket.io-client@{version}", "--pack-destination", str(folder), "--loglevel=error"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=NPM_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LookupError(f"npm pack: {error}") from None
    if done.returncode:
        raise LookupError(f"npm pack: {' '.join(done.stderr.split())[:200]}")
    (packed,) = folder.glob("*.tgz")
    known = json.loads((TESTS / "package-lock.json").read_text())["packages"][NPM_CLIENT]["integrity"]
    if known != integrity(packed):
        raise SystemExit(f"socket.io-client {version} from npm is not the one of tests/package-lock.json")
    with tarfile.open(packed) as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)
    return folder / "package"


def integrity(file: Path) -> str:
    """As package-lock.json says it."""
    return "sha512-" + b64encode(sha512(file.read_bytes()).digest()).decode()
