"""The servers that are measured: how each is started, what is missing for it, and the versions it is made of.

Every server is one file in servers/, started with a port, and with `deflate` where it is to negotiate compression.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

BENCH = Path(__file__).parent
ROOT = BENCH.parent
SERVERS = BENCH / "servers"
MODULES = BENCH / "node_modules"
BUN = MODULES / "@oven/bun-linux-x64/bin/bun"

OURS = "fastsio"
UWS = "socket.io-uws"
WS = "socket.io-ws"
BUN_ENGINE = "socket.io-bun"
PYTHON_SOCKETIO = "python-socketio"


@dataclass(frozen=True)
class Peer:
    """A server. `missing` says what it lacks on this machine, or nothing; `versions` what it is made of."""

    name: str
    title: str
    command: tuple[str, ...]
    missing: Callable[[], str]
    versions: Callable[[], str]

    def start_command(self, port: int, arguments: Sequence[str] = ()) -> list[str]:
        return [*self.command, str(port), *arguments]


def environment() -> dict[str, str]:
    """That of this process, with the checkout's own fastsio in front of an installed one."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "NODE_ENV": "production"}


def output_of(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, cwd=ROOT).stdout.strip()


def npm_version(package: str) -> str:
    return str(json.loads((MODULES / package / "package.json").read_text())["version"])


def _node_missing(*packages: str) -> str:
    if shutil.which("node") is None:
        return "no node on the path"
    return _packages_missing(*packages)


def _packages_missing(*packages: str) -> str:
    absent = [package for package in packages if not (MODULES / package).exists()]
    return f"npm package {', '.join(absent)} not installed: npm ci --prefix bench" if absent else ""


def _bun_missing() -> str:
    absent = _packages_missing("socket.io", "@socket.io/bun-engine", "@oven/bun-linux-x64")
    if absent:
        return absent
    try:
        return "" if output_of(str(BUN), "--version") else "bun does not run on this processor"
    except OSError as error:
        return f"bun does not start: {error}"


def _python_missing() -> str:
    modules = {
        "socketio": "python-socketio",
        **{name: name for name in ("uvicorn", "websockets", "uvloop", "httptools")},
    }
    absent = [package for module, package in modules.items() if util.find_spec(module) is None]
    return f"{', '.join(absent)} not installed: pip install -r bench/requirements.txt" if absent else ""


def _distributions(*names: str) -> str:
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def _fastsio_versions() -> str:
    commit = output_of("git", "rev-parse", "--short=10", "HEAD")
    changed = " with changes" if output_of("git", "status", "--porcelain", "--", "csrc", "fastsio", "setup.py") else ""
    python = f"CPython {sys.version.split()[0]}"
    return f"{python}, commit {commit or 'unknown'}{changed}, {_distributions('uvloop', 'httptools', 'orjson')}"


def _ws_versions() -> str:
    nested = "engine.io/node_modules/ws"
    ws = npm_version(nested if (MODULES / nested).exists() else "ws")
    buffers = f", bufferutil {npm_version('bufferutil')}" if (MODULES / "bufferutil").exists() else ""
    return f"Node {output_of('node', '--version')}, {_socket_io()}, ws {ws}{buffers}"


def _uws_versions() -> str:
    package = "@trufflesuite/uws-js-unofficial"
    return f"Node {output_of('node', '--version')}, {_socket_io()}, {package} {npm_version(package)}"


def _bun_versions() -> str:
    package = "@socket.io/bun-engine"
    return f"Bun {output_of(str(BUN), '--version')}, {_socket_io()}, {package} {npm_version(package)}"


def _socket_io() -> str:
    return f"socket.io {npm_version('socket.io')}, engine.io {npm_version('engine.io')}"


def _python_versions() -> str:
    names = ("python-socketio", "python-engineio", "uvicorn", "websockets", "uvloop", "httptools")
    return f"CPython {sys.version.split()[0]}, {_distributions(*names)}"


PEERS = (
    Peer(OURS, "fastsio", (sys.executable, str(SERVERS / "fastsio_server.py")), lambda: "", _fastsio_versions),
    Peer(
        UWS,
        "socket.io on uWebSockets",
        ("node", str(SERVERS / "node_uws.cjs")),
        lambda: _node_missing("socket.io", "@trufflesuite/uws-js-unofficial"),
        _uws_versions,
    ),
    Peer(BUN_ENGINE, "socket.io on Bun", (str(BUN), str(SERVERS / "bun_server.cjs")), _bun_missing, _bun_versions),
    Peer(
        WS,
        "socket.io on ws",
        ("node", str(SERVERS / "node_ws.cjs")),
        lambda: _node_missing("socket.io"),
        _ws_versions,
    ),
    Peer(
        PYTHON_SOCKETIO,
        "python-socketio",
        (sys.executable, str(SERVERS / "python_socketio_server.py")),
        _python_missing,
        _python_versions,
    ),
)
