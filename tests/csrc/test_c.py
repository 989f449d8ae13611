"""The C tests: each test_*.c here, built with the sanitizers and run."""

from pathlib import Path

import pytest

from tests.csrc.compiling import build, run

HERE = Path(__file__).parent
PROGRAMS = sorted(HERE.glob("test_*.c"))
ALLOCATORS = [f"-D{name}=tests_{name}" for name in ("malloc", "calloc", "realloc")]  # see no_memory.c


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_c(file: Path, tmp_path: Path) -> None:
    program = tmp_path / file.stem
    build(program, [file, HERE / "no_memory.c"], *ALLOCATORS)
    run(program)
