"""Files and functions stay readable: files under 500 lines, functions up to 80, nine in ten under 40."""

from collections import defaultdict

import pytest

from tests.house.sources import LANGUAGES, ROOT, files, functions

LONGEST_FILE = 499
LONGEST_FUNCTION = 80
USUAL_FUNCTION = 39


def test_files() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in files(".py", ".pyx", ".pxd", ".pyi", ".c", ".h", ".js", ".css", ".html")
        if (lines := file.read_text().count("\n")) > LONGEST_FILE
    }
    assert not long, "one concern a file: split these"


def lengths(language: str) -> dict[str, int]:
    """Where -> how many lines, of every function in the language."""
    found: dict[str, int] = defaultdict(int)
    for file in files(*(suffix for suffix, name in LANGUAGES.items() if name == language)):
        for name, first, last in functions(file):
            found[f"{file.relative_to(ROOT)}:{first} {name}"] = last - first + 1
    assert len(found) > 50, f"the functions in {language} were not found"
    return found


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
def test_functions(language: str) -> None:
    found = lengths(language)
    assert not {where: lines for where, lines in found.items() if lines > LONGEST_FUNCTION}
    longer = {where: lines for where, lines in found.items() if lines > USUAL_FUNCTION}
    assert len(longer) <= len(found) / 10, f"more than one in ten above {USUAL_FUNCTION} lines: {longer}"
