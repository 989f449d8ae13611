"""The pages are built without a warning: links, references and docstrings."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import missing

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_build(tmp_path: Path) -> None:
    for package in ("sphinx", "furo", "myst_parser", "sphinx_copybutton"):
        if importlib.util.find_spec(package) is None:
            missing(f"the package {package}", "pip install fastsio[docs]")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "--builder", "html", "docs", tmp_path]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "reference" / "index.html").exists()
