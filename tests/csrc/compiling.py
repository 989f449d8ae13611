"""Building the C tests: a file of tests with the csrc sources that it needs, under the sanitizers.

Which sources those are is read off the #include lines: who includes a header of csrc links the .c beside it.
"""

import re
import subprocess
from pathlib import Path

from tests.requirements import require

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CSRC = ROOT / "csrc"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
SANITIZERS = ["-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def sources_of(file: Path, found: set[Path] | None = None) -> set[Path]:
    """The .c files of csrc behind the headers that the file includes, and that those include."""
    found = set() if found is None else found
    for name in re.findall(r'#include "(\w+)\.h"', file.read_text()):
        for there in (HERE / f"{name}.h", CSRC / f"{name}.h", CSRC / f"{name}.c"):
            if there.exists() and there not in found:
                found.add(there)
                sources_of(there, found)
    return {path for path in found if path.suffix == ".c"}


def build(program: Path, files: list[Path], *flags: str, cc: str = "cc") -> None:
    """Compiles the files with what they need from csrc; warnings are errors."""
    sources = sorted(set().union(*map(sources_of, files)))
    command = [require(cc), *WARNINGS, *SANITIZERS, "-DFASTSIO_DEBUG", f"-I{CSRC}", f"-I{HERE}"]
    command += [*flags, "-o", str(program), *map(str, files), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def run(program: Path, *args: str, timeout: float = 120) -> None:
    command = [str(program), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, errors="replace")
    assert done.returncode == 0, f"{program.name} ended with {done.returncode}\n{done.stdout}{done.stderr}"
