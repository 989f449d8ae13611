"""Hot functions stay in C: the yellow of `cython -a`, which stands for calls into the interpreter, has a budget.

A line's score is Cython's own: 5 for a call of the C API, 2 for one of Cython's helpers, 1 for a macro. A function
costs the sum over its lines, its head and its `raise` lines left out. Who raises a budget shows a benchmark.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.house.sources import ROOT, functions

BUDGETS = {
    # in
    "fastsio/engine/http.pyx": {
        "read_lines": 0,
        "target": 3,
        "header_line": 8,
        "header": 0,
        "read_chunks": 31,
        "keep": 10,
    },
    "fastsio/engine/request.pyx": {"only": 35, "is_name": 11, "decoded": 30, "find": 19},
    "fastsio/engine/connection.pyx": {"get_buffer": 2, "buffer_updated": 6, "decode": 5, "blocked": 0},
    "fastsio/engine/session.pyx": {"on_frame": 0, "on_binary_frame": 0, "on_other_packet": 0, "on_pong": 0},
    "fastsio/engine/timers.pyx": {"set": 5, "cancel": 0, "judge": 11},
    "fastsio/client.pyx": {"on_text": 9, "on_message": 56, "deliver": 0, "find": 15, "send": 8},
    "fastsio/dispatch.pyx": {"on_event": 3, "handle": 35, "run": 90, "answer": 22, "send": 13, "_emit": 5},
    "fastsio/space.pyx": {"encode": 6},
    "fastsio/handlers.pyx": {"call": 34, "lacks": 1},
    # out
    "fastsio/wire/payload.pyx": {"loads_span": 64, "dumps": 64},
    "fastsio/message.pyx": {"encode_packet": 44, "encode_raw": 0, "encode_text": 0, "encode_binary": 0},
    "fastsio/rooms.pyx": {"select": 74, "select_one": 18, "own_slot": 17},
    "fastsio/outbox.pyx": {
        "push": 0,
        "broadcast": 0,
        "send_to": 3,
        "after_push": 5,
        "_flush": 25,  # once a round, to go on after an owner raised
        "flush_until": 14,
        "flush_slot": 0,
        "block": 0,
        "unblock": 0,
        "set_dialect": 0,
        "rest_of": 3,
    },
}

LINE = re.compile(r'<pre class="cython line score-(\d+)"[^>]*>.*?<span class="">0*(\d+)</span>: (.*?)</pre>')


@cache
def directives() -> list[str]:
    """The compiler directives of setup.py, as options of `cython`."""
    for node in ast.walk(ast.parse((ROOT / "setup.py").read_text())):
        if isinstance(node, ast.keyword) and node.arg == "compiler_directives":
            assert isinstance(node.value, ast.Dict)
            pairs = zip(node.value.keys, node.value.values, strict=True)
            return [
                f"--directive={ast.literal_eval(key)}={value.value}"
                for key, value in pairs
                if key is not None and isinstance(value, ast.Constant)
            ]
    raise AssertionError("setup.py names no compiler_directives")


def scores(file: Path, folder: Path) -> dict[int, int]:
    """line -> score of a .pyx file."""
    output = folder / f"{file.stem}.c"
    command = [sys.executable, "-m", "cython", "--annotate", *directives(), "--output-file", str(output), str(file)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=50)
    lines = LINE.findall(output.with_suffix(".html").read_text())
    return {int(number): int(score) for score, number, code in lines if ">raise<" not in code}


@pytest.mark.parametrize("name", BUDGETS)
def test_hot_functions(name: str, tmp_path: Path) -> None:
    file = ROOT / name
    score = scores(file, tmp_path)
    assert sum(score.values()) > 0, "nothing was annotated"
    spent: dict[str, int] = defaultdict(int)
    for function, first, last in functions(file):
        spent[function] = max(spent[function], sum(score.get(line, 0) for line in range(first + 1, last + 1)))
    assert spent.keys() >= BUDGETS[name].keys(), "a function of the table is gone"
    over = {function: spent[function] for function, budget in BUDGETS[name].items() if spent[function] > budget}
    assert not over, f"more yellow than {BUDGETS[name]}"
