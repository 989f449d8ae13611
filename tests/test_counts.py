"""Instructions per operation stay within a budget: unlike times, they repeat on a busy machine.

tests/counts.py does the work under callgrind, which writes down its count at each of the marks. The kernel's share is
not in it. The least of the repetitions counts. A budget is what was measured and a margin; what makes an operation
cheaper lowers its budget, what makes it dearer has to say why.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.requirements import require

ROOT = Path(__file__).parents[1]
MEASURED = {
    "connect": 115_000,  # a handshake, and joining "/"
    "echo": 7_230,  # an event in, a handler in Python, an acknowledgement out
    "broadcast": 223,  # per delivery, one broadcast at a time
    "burst": 88,  # per delivery, 20 broadcasts at a time
    "emit": 13_340,  # a broadcast without a receiver
}  # by CPython 3.11 on x86-64
MARGIN = 1.15
MARGIN_ELSEWHERE = 1.4  # another version or compiler makes other instructions
IS_REFERENCE = sys.version_info[:2] == (3, 11) and os.uname().machine == "x86_64"

SWITCHES = ("FASTSIO_DEBUG", "FASTSIO_SANITIZE", "FASTSIO_TRACE")  # of setup.py

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="valgrind counts on Linux only"),
    pytest.mark.skipif(any(map(os.environ.get, SWITCHES)), reason="the budgets are those of the usual build"),
    pytest.mark.timeout(120),
]


def totals(folder: Path) -> list[int]:
    """Instructions between one mark and the next, in their order."""
    dumps = sorted(folder.glob("out.*"), key=lambda path: int(path.suffix[1:]))
    lines = [line for path in dumps for line in path.read_text().splitlines() if line.startswith("totals: ")]
    return [int(line.split()[1]) for line in lines]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Name of a part -> instructions per operation."""
    valgrind = require("valgrind")
    folder = tmp_path_factory.mktemp("callgrind")
    command = [valgrind, "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={folder / 'out'}"]
    command += [sys.executable, str(ROOT / "tests/counts.py")]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads(done.stdout)
    found = totals(folder)
    assert len(found) == 2 * len(parts), "each part has a mark before it and one after it"
    counts = defaultdict(list)
    for (name, operations), instructions in zip(parts, found[1::2], strict=True):
        counts[name].append(instructions / operations)
    return {name: min(values) for name, values in counts.items()}


@pytest.mark.parametrize("name", MEASURED)
def test_instructions(name: str, counted: dict[str, float]) -> None:
    assert set(counted) == set(MEASURED)
    budget = MEASURED[name] * (MARGIN if IS_REFERENCE else MARGIN_ELSEWHERE)
    # A third of what was measured: either the wrong thing was counted, or the budget is out of date.
    assert MEASURED[name] / 3 < counted[name] <= budget, f"{name}: {counted[name]:,.0f} instructions per operation"
