"""The C tests: each test_*.c here, built with the sanitizers and run."""

from pathlib import Path

import pytest

from tests.csrc.compiling import build, run

PROGRAMS = sorted(Path(__file__).parent.glob("test_*.c"))


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_c(file: Path, tmp_path: Path) -> None:
    program = tmp_path / file.stem
    build(program, [file])
    run(program)
