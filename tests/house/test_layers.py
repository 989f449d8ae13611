"""Who may import whom. Imports for type checkers alone are not counted: they bind nothing at run time."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, files

# layer -> its modules in fastsio, a package standing for all in it
LAYERS = {
    "API": [
        "__init__",
        "server",
        "settings",
        "asgi",
        "uvicorn",
        "namespace",
        "sockets",
        "handshake",
        "broadcast",
        "answers",
        "remote",
        "threadsafe",
        "parents",
        "client",
        "parsing",
        "adapter",
        "dispatch",
        "space",
        "testing",
    ],
    "engine": ["engine", "options"],
    "hosting": ["hosting"],
    "fan-out": ["outbox", "rooms", "message", "bitset"],
    "codecs": ["wire"],
    "ground": [
        "checks",
        "recovery",
        "errors",
        "limits",
        "tasks",
        "event",
        "events",
        "handlers",
        "catching",
        "typed",
        "packets",
        "parser",
    ],
}

# layer -> the layers that it may see beside itself
MAY_SEE = {
    "API": {"engine", "hosting", "fan-out", "codecs", "ground"},
    "engine": {"hosting", "fan-out", "codecs", "ground"},
    "hosting": set(),
    "fan-out": {"codecs", "ground"},
    "codecs": set(),
    "ground": set(),
}

NO_CODEC_IMPORTS = {"asyncio", "logging", "select", "socket", "ssl", "threading", "time", "uvloop"}

CYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+c?import\b|c?import\s+([\w.]+))", re.MULTILINE)


def imports(file: Path) -> set[str]:
    text = file.read_text()
    if file.suffix != ".py":
        return {match[1] or match[2] for match in CYTHON_IMPORT.finditer(text)}
    return set(python_imports(ast.parse(text)))


def python_imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield node.module or ""
    elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        for child in ast.iter_child_nodes(node):
            yield from python_imports(child)


def layer_of(module: str) -> str:
    """The layer of a module named as in an import: fastsio.engine.http."""
    first = (module.split(".") + ["__init__"])[1]
    found = [layer for layer, members in LAYERS.items() if first in members]
    assert found, f"{module} has no place yet in LAYERS"
    return found[0]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


SOURCES = files(".py", ".pyx", ".pxd", folders=["fastsio"])


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_downwards(file: Path) -> None:
    own = layer_of(module_of(file))
    seen = {name: layer_of(name) for name in imports(file) if name.partition(".")[0] == "fastsio"}
    assert not {name: layer for name, layer in seen.items() if layer != own and layer not in MAY_SEE[own]}


@pytest.mark.parametrize("file", files(".py", ".pyx", ".pxd", folders=["fastsio/wire"]), ids=lambda file: file.name)
def test_codecs_do_no_input_or_output(file: Path) -> None:
    assert not NO_CODEC_IMPORTS & {name.partition(".")[0] for name in imports(file)}


def test_one_pxd_declares_a_header() -> None:
    declared = Counter(
        header
        for file in files(".pyx", ".pxd", folders=["fastsio"])
        for header in re.findall(r'cdef extern from "(\w+\.h)"', file.read_text())
        if (ROOT / "csrc" / header).exists()
    )
    assert declared
    assert not {header: number for header, number in declared.items() if number > 1}


@pytest.mark.parametrize("file", files(".c", ".h", folders=["csrc"]), ids=lambda file: file.name)
def test_csrc_knows_nothing_of_python(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"#\s*include\s*[<\"](?:Python|pythread|cpython/)", text)
    own = re.findall(r'#\s*include\s*"([^"]+)"', text)
    assert all((ROOT / "csrc" / name).exists() for name in own), "only headers of csrc and of the system"
