"""The fuzz targets: each fuzz_*.c here, built with the sanitizers, gets a fixed number of inputs from driver.c.

They are the same inputs everywhere. To really fuzz: `make fuzz`, that is `python -m tests.fuzz.run`.
"""

from pathlib import Path

import pytest

from tests.csrc.compiling import build, run

HERE = Path(__file__).parent
RUNS = 1000


@pytest.mark.parametrize("target", sorted(HERE.glob("fuzz_*.c")), ids=lambda target: target.stem)
def test_fuzz(target: Path, tmp_path: Path) -> None:
    program = tmp_path / target.stem
    build(program, [target, HERE / "driver.c"])
    run(program, str(RUNS), timeout=50)
