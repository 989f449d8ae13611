"""The code on the pages of docs/ and in the README.

A ```python block with a line `from fastsio import ...` begins a program; blocks without continue the one before. A
program is not started by itself: `Server.run` does nothing, and __name__ is not "__main__". It runs in a folder with its
```html block as index.html. Its ```js blocks and the scripts of its ```html block run in Node with the official client
against it. Other languages are for reading.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|:{3,}|~{3,})(?P<language>[^\n]*)\n(?P<code>.*?)^ *(?P=fence)$", re.M | re.S
)
SCRIPT = re.compile(r"<script>\n(.*?)</script>", re.S)

READ = {"", "console", "text", "ini", "nginx", "dockerfile"}  # languages that nothing runs
RUN = {"python", "js", "html"}


@dataclass
class Program:
    """python: (first line on the page, code) of each block; scripts: JavaScript, in order."""

    python: list[tuple[int, str]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    html: str | None = None


def pages() -> list[str]:
    """Every page, by its path in the project."""
    return ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]


def blocks(page: str) -> Iterator[tuple[int, str, str]]:
    """(first line, language, code) of every fenced block."""
    text = (ROOT / page).read_text()
    for block in FENCE.finditer(text):
        yield text[: block.start("code")].count("\n"), block["language"].strip(), block["code"]


def programs(page: str) -> list[Program]:
    """The programs of a page, in order."""
    found: list[Program] = []
    for line, language, code in blocks(page):
        if language == "python":
            if not found or re.search(r"^(?:from fastsio import|import fastsio$)", code, re.M):
                found.append(Program())
            found[-1].python.append((line, code))
        elif language == "js" and found:
            found[-1].scripts.append(code)
        elif language == "html" and found:
            found[-1].html = code
            found[-1].scripts.extend(SCRIPT.findall(code))
    return found


def functions(tree: ast.Module) -> set[tuple[str, int]]:
    """(name, line) of every function that does something: those of an Event have `...` for a body."""
    return {
        (node.name, (node.decorator_list or [node])[0].lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_declaration(node)
    }


def is_declaration(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in node.body)


def compiled(page: str, program: Program) -> Iterator[tuple[CodeType, set[tuple[str, int]]]]:
    """Each block's code, with the page's line numbers, and the functions that have to be called."""
    for line, code in program.python:
        source = "\n" * line + code
        yield compile(source, str(ROOT / page), "exec"), functions(ast.parse(source))
