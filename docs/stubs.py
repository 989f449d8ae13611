"""A Sphinx extension: what autodoc does not know about these sources.

1. Signatures of compiled modules, which have none themselves, come from the .pyi beside them.
2. Classes that only the server makes are shown without a constructor.
3. An overload for an Event and one for a name are shown as one; inherited methods have their overloads too.
4. A plain attribute has its type from an annotation, its meaning from the class's docstring: "name: what it is".
5. In docstrings a `*` is no markup, "name: what it is" has a bold name, "Namespace.use" is a link, and "Source: ..."
   is a line of its own.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from inspect import Signature, getdoc, isdatadescriptor
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from docutils.nodes import Node
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

MADE_BY_THE_SERVER = {
    "Ack",
    "BroadcastOperator",
    "Client",
    "EngineSocket",
    "Handshake",
    "ParentNamespace",
    "RemoteSocket",
    "Request",
    "Socket",
    "SocketEmitter",
    "Threadsafe",
}
NAMES = r"(?:[a-z_]\w*|[A-Z]\w*(?:Error|Timeout)|Disconnected)"
TERM = re.compile(rf"(?:(?<=\A)|(?<=\n\n)|(?<=[.;][ \n]))({NAMES}(?:, {NAMES})*): ")
LINKED = ("Server", "Namespace", "Socket", "broadcast.BroadcastOperator", "Engine", "adapter.Adapter")
OWNERS = {path.rpartition(".")[2]: f"fastsio.{path}" for path in LINKED}
MEMBER = re.compile(rf"(?<![\w.`])({'|'.join(OWNERS)})\.([a-z]\w*)(?![\w`])")
OPTIONS = re.compile(r"fastsio\.options\.\w+")
CLASS = re.compile(r"(?<!~)\bfastsio\.[\w.]*[A-Z]\w*")
SOURCE = re.compile(r"\s*\bSource: ((?:.|\n(?!\n))*?)\.?\s*(?=\n\n|\Z)")


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("plain-attribute", PlainAttribute)
    app.connect("autodoc-before-process-signature", inherit_overloads)
    app.connect("autodoc-process-signature", signature_of)
    app.connect("autodoc-process-docstring", describe)
    return {"parallel_read_safe": True}


# ---- signatures ----


@cache
def stub(module: str) -> dict[str, str]:
    """Dotted name -> signature, or type, of all that the module's .pyi has."""
    spec = find_spec(module)
    path = Path(spec.origin).parent / f"{module.rpartition('.')[2]}.pyi" if spec and spec.origin else None
    if path is None or not path.exists():
        return {}
    found: dict[str, str] = {}
    walk(ast.parse(path.read_text()).body, "", found)
    return found


def walk(body: list[ast.stmt], prefix: str, found: dict[str, str]) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[prefix + node.name] = ""
            walk(node.body, f"{prefix}{node.name}.", found)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[prefix + node.name] = text(node, bool(prefix))
        elif isinstance(node, ast.AnnAssign):
            found[prefix + ast.unparse(node.target)] = ast.unparse(node.annotation)


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
    if what == "class" and name.rpartition(".")[2] in MADE_BY_THE_SERVER:
        return ("", None) if signature else None
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


# ---- overloads ----


@cache
def overloads_of(module: str) -> dict[str, list[Signature]]:
    """Dotted name -> overloads of all that the module has; the analyzer's own, in which changes are seen."""
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    for name, overloads in analyzer.overloads.items():
        analyzer.overloads[name] = merged(overloads)
    return analyzer.overloads


def merged(overloads: list[Signature]) -> list[Signature]:
    """Without those for an Event, which the others take too then."""
    named = [overload for overload in overloads if not any("Event[P]" in str(p) for p in overload.parameters.values())]
    if len(named) == len(overloads):
        return overloads
    return [widened(overload) for overload in named]


def widened(overload: Signature) -> Signature:
    """It takes an Event where it takes a name."""
    parameters = [
        p.replace(annotation="Event | str | int") if p.annotation == "str | int" else p
        for p in overload.parameters.values()
    ]
    return overload.replace(parameters=parameters)


def inherit_overloads(app: Any, obj: Any, bound_method: bool) -> None:
    """A method's overloads are known to every class that inherits it."""
    owner, _, name = getattr(obj, "__qualname__", "").rpartition(".")
    module = getattr(obj, "__module__", None) or ""
    if not owner or not module.startswith("fastsio.") or stub(module) or obj.__qualname__ not in overloads_of(module):
        return
    for heir in heirs(resolve_name(f"{module}:{owner}")):
        overloads_of(module).setdefault(f"{heir.__qualname__}.{name}", overloads_of(module)[obj.__qualname__])


def heirs(owner: type) -> list[type]:
    """All classes that derive from it."""
    return [heir for cls in owner.__subclasses__() for heir in (cls, *heirs(cls))]


# ---- docstrings ----


def describe(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Changes the lines where they are."""
    text = "\n".join(lines)
    source = SOURCE.search(text)
    text = without_markup(SOURCE.sub("", text))
    text = TERM.sub(r"**\1**: ", text)
    text = OPTIONS.sub(":doc:`options </reference/options>`", text)
    text = CLASS.sub(r":py:obj:`~\g<0>`", text)
    text = MEMBER.sub(lambda found: f":py:obj:`{found[0]} <{OWNERS[found[1]]}.{found[2]}>`", text)
    if source is not None:
        text += "\n\n.. container:: source\n\n   Source: " + " ".join(source[1].split())
    lines[:] = [*text.split("\n"), ""]


def without_markup(text: str) -> str:
    """A star is a star, but in code."""
    return re.sub(r"(`+[^`]*`+)|\*", lambda found: found[1] or r"\*", text)


# ---- plain attributes ----


class PlainAttribute(SphinxDirective):
    """`.. plain-attribute:: name` inside of a class; with what it means, where the sources do not say it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[Node]:
        context = self.env.ref_context
        owner = resolve_name(f"{context['py:module']}:{context['py:class']}")
        name = self.arguments[0]
        said = " ".join(self.content) or without_markup(meaning(owner, name))
        return self.parse_text_to_nodes(f".. py:attribute:: {name}\n   :type: {type_of(owner, name)}\n\n   {said}")


def type_of(owner: type, name: str) -> str:
    """By the annotation of the class or of its .pyi."""
    for cls in owner.__mro__:
        found = cls.__dict__.get("__annotations__", {}).get(name)
        found = found or stub(cls.__module__).get(f"{cls.__qualname__}.{name}")
        if found is not None:
            written = str(getattr(found, "__forward_arg__", found)).rpartition("-> ")[2]
            return re.sub(r"\bClient\b", "fastsio.client.Client", written)  # there is another
    raise LookupError(f"{owner.__name__}.{name} has no annotation")


def meaning(owner: type, name: str) -> str:
    """What its own docstring says, that of the class, or of one that it derives from."""
    own = getdoc(getattr(owner, name, None)) if isdatadescriptor(getattr(owner, name, None)) else None
    if own and not own.startswith("Alias for field"):
        return " ".join(own.split())
    for cls in owner.__mro__:
        said = re.search(rf"(?<!\w){name}(?:, \w+)*: (.*?)(?:;|\.(?:\s|$))", getdoc(cls) or "", re.S)
        if said is not None:
            text = " ".join(said[1].split())
            return text[0].upper() + text[1:] + "."
    raise LookupError(f"the docstring of {owner.__name__} says nothing of {name}")
