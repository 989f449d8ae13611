"""Instructions: a websocket delivery costs no more with pollers in the room, and polling stays within its budget.

tests/bench/mixed_counts.py does the work under callgrind, as in tests/test_counts.py. What a websocket costs is the
difference of two rooms, with one websocket and with many, the pollers the same in both.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.bench.mixed_counts import WEBSOCKETS
from tests.requirements import require

ROOT = Path(__file__).parents[2]
MEASURED = {
    "polling_echo": 103_000,  # a POST with an event, a handler in Python, its answer, a GET that gets the acknowledgement
    "polling_handshake": 224_000,  # GET the open packet, POST the CONNECT, GET the answer to it
}  # by CPython 3.11 on x86-64
MARGIN = 1.15
MARGIN_ELSEWHERE = 1.4  # another version or compiler makes other instructions
NOISE = 1.02  # 0.98 to 1.01 seen
IS_REFERENCE = sys.version_info[:2] == (3, 11) and os.uname().machine == "x86_64"
SWITCHES = ("FASTSIO_DEBUG", "FASTSIO_SANITIZE", "FASTSIO_TRACE")  # of setup.py

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="valgrind counts on Linux only"),
    pytest.mark.skipif(any(map(os.environ.get, SWITCHES)), reason="the budgets are those of the usual build"),
    pytest.mark.timeout(180),
]


def totals(folder: Path) -> list[int]:
    """Instructions between one mark and the next, in their order."""
    dumps = sorted(folder.glob("out.*"), key=lambda path: int(path.suffix[1:]))
    lines = [line for path in dumps for line in path.read_text().splitlines() if line.startswith("totals: ")]
    return [int(line.split()[1]) for line in lines]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Name of a part -> instructions per operation, the least of the repetitions."""
    valgrind = require("valgrind")
    folder = tmp_path_factory.mktemp("callgrind")
    command = [valgrind, "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={folder / 'out'}"]
    command += [sys.executable, "-m", "tests.bench.mixed_counts"]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=160, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads(done.stdout)
    found = totals(folder)
    assert len(found) == 2 * len(parts), "each part has a mark before it and one after it"
    counts = defaultdict(list)
    for (name, operations), instructions in zip(parts, found[1::2], strict=True):
        counts[name].append(instructions / operations)
    return {name: min(values) for name, values in counts.items()}


@pytest.mark.parametrize("name", MEASURED)
def test_polling(name: str, counted: dict[str, float]) -> None:
    budget = MEASURED[name] * (MARGIN if IS_REFERENCE else MARGIN_ELSEWHERE)
    # A third of what was measured: either the wrong thing was counted, or the budget is out of date.
    assert MEASURED[name] / 3 < counted[name] <= budget, f"{name}: {counted[name]:,.0f} instructions per operation"


@pytest.mark.parametrize("kind", ["broadcast", "burst"])
def test_a_websocket_costs_the_same_with_pollers_in_the_room(kind: str, counted: dict[str, float]) -> None:
    alone, mixed = (
        (counted[f"{kind}_{room}_all"] - counted[f"{kind}_{room}_one"]) / WEBSOCKETS for room in ("alone", "mixed")
    )
    assert alone > 1
    assert mixed <= alone * NOISE, f"{mixed:.1f} instructions per websocket delivery, {alone:.1f} without pollers"
