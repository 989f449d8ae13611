"""Building the C tests: a file of tests with the csrc sources that it needs, under the sanitizers.

Which sources those are is read off the #include lines: who includes a header of csrc links the .c beside it.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CSRC = ROOT / "csrc"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
SANITIZERS = ["-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compiler(name: str) -> str:
    """The compiler's path; without one the test is skipped, or fails under CI."""
    path = shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs the C compiler {name}")
    return path


def sources_of(file: Path, found: set[str] | None = None) -> list[Path]:
    """The .c files of csrc behind the headers that the file includes, and that those include."""
    found = set() if found is None else found
    for name in re.findall(r'#include "(\w+)\.h"', file.read_text()):
        if name in found or not (CSRC / f"{name}.h").exists():
            continue
        found.add(name)
        sources_of(CSRC / f"{name}.h", found)
        if (CSRC / f"{name}.c").exists():
            sources_of(CSRC / f"{name}.c", found)
    return [CSRC / f"{name}.c" for name in sorted(found) if (CSRC / f"{name}.c").exists()]


def build(program: Path, files: list[Path], *flags: str, cc: str = "cc") -> None:
    """Compiles the files with what they need from csrc; warnings are errors."""
    sources = sorted({source for file in files for source in sources_of(file)})
    command = [compiler(cc), *WARNINGS, *SANITIZERS, "-DFASTSIO_DEBUG", f"-I{CSRC}", f"-I{ROOT / 'tests/csrc'}"]
    command += [*flags, "-o", str(program), *map(str, files), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def run(program: Path, *args: str, timeout: float = 120) -> None:
    command = [str(program), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, errors="replace")
    assert done.returncode == 0, f"{program.name} ended with {done.returncode}\n{done.stdout}{done.stderr}"
