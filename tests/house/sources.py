"""The project's own source files, and the functions in them with their lengths."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ["csrc", "fastsio", "tests", "examples", "bench"]
ELSEWHERE = {"node_modules", "build", "__pycache__", "corpus"}
LANGUAGES = {".py": "Python", ".pyx": "Cython", ".c": "C"}

CYTHON_FUNCTION = re.compile(r"\s*(?:async def|def|cpdef|cdef)\s(?!class|extern|struct|enum)[^=#]*?(\w+)\(")
C_FUNCTION = re.compile(r"[a-zA-Z_][^;=]*?(\w+)\([^;]*\{$")


def files(*suffixes: str, folders: list[str] = FOLDERS) -> list[Path]:
    """Files with one of the suffixes in the project's folders."""
    found = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in suffixes]
    return sorted(file for file in found if not ELSEWHERE.intersection(file.relative_to(ROOT).parts))


def functions(file: Path) -> Iterator[tuple[str, int, int]]:
    """(name, first line, last line) of every function in a .py, .pyx or .c file."""
    text = file.read_text()
    if file.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield node.name, node.lineno, node.end_lineno
    elif file.suffix == ".pyx":
        yield from cython_functions(text.splitlines())
    else:
        yield from c_functions(text.splitlines())


def cython_functions(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Every function's body is what stands deeper than its first line, up to the last line of code."""
    for first, line in enumerate(lines):
        match = CYTHON_FUNCTION.match(line)
        if match is None:
            continue
        depth = len(line) - len(line.lstrip())
        last = first
        for number in range(first + 1, len(lines)):
            code = lines[number].strip()
            if code and len(lines[number]) - len(lines[number].lstrip()) <= depth and not code.startswith(")"):
                break
            if code:
                last = number
        if last > first:
            yield match[1], first + 1, last + 1


def c_functions(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """A function begins in the first column, its head may take several lines, and ends with a } there."""
    for first in range(len(lines)):
        head = ""
        for number in range(first, min(first + 6, len(lines))):
            head += " " + lines[number].strip()
            if lines[number].endswith(("{", ";", "}")):
                break
        match = C_FUNCTION.match(head.strip())
        if match and lines[first][:1].isalpha():
            last = next(number for number in range(first, len(lines)) if lines[number].startswith("}"))
            yield match[1], first + 1, last + 1
