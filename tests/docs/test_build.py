"""The pages are built without a warning: links, references and docstrings; and every public name has its place."""

import importlib.util
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.api.names import NAMES
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
    names = {f"{owner}.{name}" for owner, members in NAMES.items() for name in members.split()}
    assert names - entries(tmp_path / "objects.inv") == set(), "public names that the reference does not have"


def entries(inventory: Path) -> set[str]:
    """What has an entry of its own in the reference (the format of objects.inv: four lines, then zlib)."""
    packed = inventory.read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}
