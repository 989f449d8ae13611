"""mypy --strict finds in each file beside this one the errors that are written there, and no others."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.requirements import missing

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOUND = re.compile(r"^[^:]+:(\d+): error: (.*)$", re.MULTILINE)


@pytest.mark.parametrize("file", sorted(set(HERE.glob("*.py")) - {Path(__file__)}), ids=lambda file: file.name)
def test_errors(file: Path, tmp_path: Path) -> None:
    if find_spec("mypy") is None:
        missing("mypy", "install the extra test")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50)
    found = {int(line): message for line, message in FOUND.findall(done.stdout)}
    lines = enumerate(file.read_text().splitlines(), 1)
    expected = {number: text.partition("# E: ")[2] for number, text in lines if "# E: " in text}
    assert expected
    assert found.keys() == expected.keys(), done.stdout + done.stderr
    wrong = {line: found[line] for line, message in expected.items() if message not in found[line]}
    assert not wrong, done.stdout
