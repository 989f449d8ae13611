"""Fuzzing in earnest: `python -m tests.fuzz.run [SECONDS] [TARGET ...]`, by default 60 seconds for each of the targets.

With clang and its libFuzzer, whose corpora stay in build/fuzz/<target>; an input that breaks something is written to
build/fuzz/<target>-crash-*. Without clang by driver.c, with other inputs than in the tests and without a corpus.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.csrc.compiling import ROOT, build

HERE = Path(__file__).parent
BUILT = ROOT / "build/fuzz"
DRIVER_RUNS = 1000


def with_libfuzzer(target: Path, seconds: int) -> bool:
    """Whether nothing was found."""
    program = BUILT / f"{target.stem}.libfuzzer"
    corpus = BUILT / target.stem
    corpus.mkdir(exist_ok=True)
    build(program, [target], "-fsanitize=fuzzer", cc="clang")
    flags = [f"-max_total_time={seconds}", "-timeout=10", f"-artifact_prefix={corpus}-", "-print_final_stats=1"]
    return subprocess.run([program, *flags, corpus]).returncode == 0


def with_driver(target: Path, seconds: int) -> bool:
    """Whether nothing was found."""
    program = BUILT / f"{target.stem}.driver"
    build(program, [target, HERE / "driver.c"])
    deadline = time.monotonic() + seconds
    seed = 0
    while time.monotonic() < deadline:
        seed += 1
        if subprocess.run([program, str(DRIVER_RUNS), str(seed)]).returncode != 0:
            return False
    print(f"{target.stem}: {seed * DRIVER_RUNS} inputs")
    return True


def main(seconds: str = "60", *names: str) -> int:
    """The number of targets in which something was found."""
    fuzz = with_libfuzzer if shutil.which("clang") else with_driver
    BUILT.mkdir(parents=True, exist_ok=True)
    targets = [HERE / f"{name}.c" for name in names] or sorted(HERE.glob("fuzz_*.c"))
    broken = [target.stem for target in targets if not fuzz(target, int(seconds))]
    print(f"broken: {', '.join(broken)}" if broken else "nothing found")
    return len(broken)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
