"""A Sphinx extension: what autodoc does not know about these docstrings.

Signatures of compiled modules, which have none themselves, come from the .pyi beside them. In docstrings a `*` is no
markup.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-signature", signature_of)
    app.connect("autodoc-process-docstring", escape)
    return {"parallel_read_safe": True}


@cache
def stub(module: str) -> dict[str, str | None]:
    """Dotted name -> signature of all that the module's .pyi has; None: it has no parentheses."""
    spec = find_spec(module)
    path = Path(spec.origin).parent / f"{module.rpartition('.')[2]}.pyi" if spec and spec.origin else None
    if path is None or not path.exists():
        return {}
    found: dict[str, str | None] = {}
    walk(ast.parse(path.read_text()).body, "", found)
    return found


def walk(body: list[ast.stmt], prefix: str, found: dict[str, str | None]) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[prefix + node.name] = ""
            walk(node.body, f"{prefix}{node.name}.", found)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[prefix + node.name] = text(node, bool(prefix))


def text(node: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool) -> str:
    """(arguments) -> result, without self."""
    arguments = node.args
    if is_method and arguments.args and arguments.args[0].arg == "self":
        arguments.args = arguments.args[1:]
    result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return f"({ast.unparse(arguments)}){result}"


def signature_of(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str | None, result: str | None
) -> tuple[str, str | None] | None:
    """What autodoc asks for each object."""
    if signature or what not in ("class", "method", "function"):
        return None
    module = getattr(obj, "__module__", None) or getattr(getattr(obj, "__objclass__", None), "__module__", None)
    if not module:
        return None
    dotted = name.removeprefix(module + ".")
    found = stub(module).get(dotted) or stub(module).get(".".join(name.split(".")[-2:]))
    if not found:
        return None
    arguments, _, returned = found.partition(" -> ")
    return arguments, returned or None


def escape(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Changes the lines where they are."""
    lines[:] = [re.sub(r"(`+[^`]*`+)|\*", lambda found: found[1] or r"\*", line) for line in lines]
