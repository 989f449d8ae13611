"""What a test needs from the machine: without it the test is skipped with one clear line, under CI it fails."""

import os
import shutil
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def missing(what: str, remedy: str) -> None:
    """Ends the test: `what` is not there, `remedy` brings it."""
    message = f"needs {what}: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require(program: str) -> str:
    """The path of a program on PATH."""
    path = shutil.which(program)
    if path is None:
        missing(program, "install it")
    assert path is not None
    return path


def require_any(*programs: str) -> str:
    """The path of the first of several programs that is there."""
    for program in programs:
        path = shutil.which(program)
        if path is not None:
            return path
    missing(" or ".join(programs), "install one")
    raise AssertionError


def require_npm(package: str) -> Path:
    """The folder of a package from tests/package.json."""
    require("node")
    folder = TESTS / "node_modules" / package
    if not folder.is_dir():
        missing(f"the npm package {package}", "npm ci --prefix tests")
    return folder
