"""Every public name is there, has a type and says what it means."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import get_type_hints

import pytest

from fastsio.options import DEFAULTS, Options
from tests.api.names import EVENTS, NAMES, OPTIONS

ROOT = Path(__file__).parents[2]
EVERY = [(owner, name) for owner, names in NAMES.items() for name in dict.fromkeys(names.split())]


@pytest.fixture(autouse=True)
def adapter():
    """Nothing runs here."""


def resolved(path):
    module, _, name = path.rpartition(".")
    return getattr(resolve_name(module), name)


def documentation(owner):
    return "\n".join(inspect.getdoc(base) or "" for base in owner.__mro__ if base is not object)


@pytest.mark.parametrize(("path", "name"), EVERY)
def test_documented(path, name):
    """A docstring of its own, or, for a plain attribute, a word in that of its class."""
    owner = resolved(path)
    member = inspect.getattr_static(owner, name, None)
    own = inspect.isroutine(member) or isinstance(member, classmethod | staticmethod)
    text = inspect.getdoc(getattr(owner, name)) if own else None
    if inspect.isdatadescriptor(member):
        text = inspect.getdoc(member)
    assert text or re.search(rf"\b{name}\b", documentation(owner)), f"{path}.{name} says nothing of itself"


@pytest.mark.parametrize("path", EVENTS)
def test_events_are_documented(path):
    text = documentation(resolved(path))
    assert [name for name in EVENTS[path].split() if not re.search(rf"`{name}\b", text)] == []


def test_hinted(tmp_path):
    """A type checker knows each name, and as something better than Any."""
    lines, at = [], {}
    for number, (path, names) in enumerate(NAMES.items()):
        module, _, owner = path.rpartition(".")
        lines.append(f"from {module} import {owner} as T{number}")
        lines.append(f"def f{number}(x: T{number}{'[[]]' if owner == 'Event' else ''}) -> None:")
        for name in dict.fromkeys(names.split()):
            lines.append(f"    reveal_type(x.{name})")
            at[len(lines)] = f"{path}.{name}"
    program = tmp_path / "names.py"
    program.write_text("\n".join(lines))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(program)]
    said = subprocess.run(command, cwd=ROOT, env={"MYPYPATH": str(ROOT)}, capture_output=True, text=True).stdout
    assert ": error:" not in said, said
    types = {at[int(line)]: text for line, text in re.findall(r':(\d+): note: Revealed type is "(.*)"', said)}
    assert types.keys() == set(at.values()), said
    data = {
        name for name in at.values() if re.search(r"\.(data|auth|RemoteSocket\.handshake)$", name)
    }  # another side's
    assert {name for name, text in types.items() if text == "Any"} <= data


def test_options():
    assert set(OPTIONS.split()) == DEFAULTS.keys() == get_type_hints(Options).keys()
