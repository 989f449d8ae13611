"""Hot functions stay in C: the yellow of `cython -a`, which stands for calls into the interpreter, has a budget.

A line's score is Cython's own: 5 for a call of the C API, 2 for one of Cython's helpers, 1 for a macro. A function
costs the sum over its lines, its head and its `raise` lines left out. Who raises a budget shows a benchmark.
"""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.house.sources import ROOT, functions

BUDGETS = {
    "fastsio/engine/connection.pyx": {"decode": 0},
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
    spent = {
        function: sum(score.get(line, 0) for line in range(first + 1, last + 1))
        for function, first, last in functions(file)
    }
    over = {function: spent[function] for function, budget in BUDGETS[name].items() if spent[function] > budget}
    assert not over, f"more yellow than {BUDGETS[name]}"
