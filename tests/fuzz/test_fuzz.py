"""The fuzz targets: each fuzz_*.c here, under the sanitizers.

As a test a target gets a fixed number of inputs from driver.c, the same ones everywhere. To really fuzz, with clang and
libFuzzer for some seconds a target (what it found interesting stays in build/fuzz/<target>):

    FASTSIO_FUZZ_SECONDS=600 python -m pytest tests/fuzz -k libfuzzer

More inputs without clang: FASTSIO_FUZZ_RUNS=100000 python -m pytest tests/fuzz -k driver
"""

import os
from pathlib import Path

import pytest

from tests.csrc.compiling import ROOT, build, run

HERE = Path(__file__).parent
TARGETS = sorted(HERE.glob("fuzz_*.c"))
RUNS = os.environ.get("FASTSIO_FUZZ_RUNS", "1000")
SECONDS = os.environ.get("FASTSIO_FUZZ_SECONDS", "0")

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.stem)


@each_target
@pytest.mark.timeout(0)
def test_driver(target: Path, tmp_path: Path) -> None:
    program = tmp_path / target.stem
    build(program, [target, HERE / "driver.c"])
    run(program, RUNS, timeout=60 + int(RUNS) / 10)


@pytest.mark.skipif(SECONDS == "0", reason="FASTSIO_FUZZ_SECONDS is not set")
@each_target
@pytest.mark.timeout(0)
def test_libfuzzer(target: Path, tmp_path: Path) -> None:
    program = tmp_path / target.stem
    build(program, [target], "-fsanitize=fuzzer", cc="clang")
    corpus = ROOT / "build/fuzz" / target.stem
    corpus.mkdir(parents=True, exist_ok=True)
    run(
        program,
        f"-max_total_time={SECONDS}",
        "-timeout=10",
        f"-artifact_prefix={corpus}-crash-",
        str(corpus),
        timeout=int(SECONDS) + 120,
    )
