"""Names of files: none from the standard library, and a compiled module is one .pyx, one .pxd, one .pyi."""

import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT, files

# Only ever imported by its full name, fastsio.engine.http, from which no script is run.
EXCEPTIONS = {"fastsio/engine/http"}


def names() -> set[str]:
    """Every module and package below fastsio, as a path without suffix."""
    modules = files(".py", ".pyx", folders=["fastsio"])
    found = {file.with_suffix("") if file.stem != "__init__" else file.parent for file in modules}
    return {str(path.relative_to(ROOT)) for path in found}


def test_no_standard_library_name() -> None:
    taken = {name for name in names() if name.rpartition("/")[2] in sys.stdlib_module_names}
    assert taken <= EXCEPTIONS


@pytest.mark.parametrize("file", files(".pyx", folders=["fastsio"]), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_compiled_module_has_its_interfaces(file: Path) -> None:
    assert file.with_suffix(".pxd").exists(), "the interface for Cython"
    assert file.with_suffix(".pyi").exists(), "the interface for Python"
    assert not file.with_suffix(".py").exists()


def test_every_stub_and_interface_has_a_module() -> None:
    for file in files(".pyi", ".pxd", folders=["fastsio"]):
        assert file.with_suffix(".pyx").exists() or is_pure_declaration(file), f"{file} describes nothing"


def is_pure_declaration(file: Path) -> bool:
    """A .pxd with nothing in it but a header of csrc, or inline functions, needs no module."""
    return file.suffix == ".pxd" and "cdef class" not in file.read_text()
