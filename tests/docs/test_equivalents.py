"""The tables of equivalents: they leave out nothing that the other side has, and name nothing that ours has not."""

import inspect
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

from fastsio.options import DEFAULTS, GROUPS
from tests.docs.pages import ROOT
from tests.requirements import require_npm

ROW = re.compile(r"^\| (.*?) ?\| (.*) \|$", re.M)
CODE = re.compile(r"`([^`]+)`")
PAGES = ["coming-from-node", "coming-from-python-socketio"]

#: What stands in the tables for an object of ours.
OURS = {
    "io": "fastsio.Server",
    "io.sockets": "fastsio.Namespace",
    "io.engine": "fastsio.Engine",
    "socket": "fastsio.Socket",
    "socket.handshake": "fastsio.handshake.Handshake",
    "socket.request": "fastsio.engine.request.Request",
    "socket.conn": "fastsio.engine.reception.EngineSocket",
    "conn": "fastsio.engine.reception.EngineSocket",
    "client": "fastsio.client.Client",
    "parent": "fastsio.parents.ParentNamespace",
}
NOT_FOR_USERS = {"constructor", "encoder", "is_asyncio_based", "lifespan", "not_found", "serve_static_file"}


def rows(page: str) -> list[tuple[str, str]]:
    return ROW.findall((ROOT / "docs" / f"{page}.md").read_text())


def left(page: str) -> set[str]:
    """The words of the code in the first column."""
    return {word for cell, _ in rows(page) for code in CODE.findall(cell) for word in re.findall(r"\w+", code)}


# ---- what the others have ----


def declared(file: Path, classes: tuple[str, ...]) -> set[str]:
    """The members of these classes and interfaces in a file of type declarations, those for users."""
    found = set()
    for name in classes:
        body = re.search(rf"(?:class|interface) {name}\b.*?\n}}", file.read_text(), re.S)
        assert body is not None, name
        found |= set(re.findall(r"^    (?:readonly |get |set )?([a-z]\w*)\??[:(<]", body[0], re.M))
    return found - NOT_FOR_USERS


def test_nothing_of_node_is_left_out() -> None:
    modules = require_npm("socket.io").parent
    socket_io, engine_io = modules / "socket.io" / "dist", modules / "engine.io" / "build"
    names = declared(socket_io / "index.d.ts", ("ServerOptions", "Server"))
    names |= declared(socket_io / "namespace.d.ts", ("NamespaceReservedEventsMap", "Namespace"))
    names |= declared(socket_io / "parent-namespace.d.ts", ("ParentNamespace",))
    names |= declared(socket_io / "broadcast-operator.d.ts", ("BroadcastOperator",))
    names |= declared(socket_io / "socket.d.ts", ("Socket",))
    names |= declared(socket_io / "client.d.ts", ("Client",))
    names |= declared(engine_io / "server.d.ts", ("AttachOptions", "ServerOptions")) | {"clientsCount", "use"}
    names |= declared(engine_io / "socket.d.ts", ("Socket",))
    assert len(names) > 80
    assert names - left("coming-from-node") == set()


def test_nothing_of_python_socketio_is_left_out() -> None:
    engineio, socketio = pytest.importorskip("engineio"), pytest.importorskip("socketio")
    names = set()
    for owner in (socketio.AsyncServer, socketio.AsyncNamespace, socketio.ASGIApp):
        names |= {name for name, member in inspect.getmembers(owner, callable) if not name.startswith("_")}
    for function in (socketio.AsyncServer, engineio.AsyncServer, socketio.ASGIApp, socketio.AsyncServer.emit):
        names |= set(inspect.signature(function).parameters) - {"self", "kwargs", "event", "data", "socketio_server"}
    assert len(names) > 50
    assert names - NOT_FOR_USERS - left("coming-from-python-socketio") == set()


# ---- what we have ----


def instance_names(path: str) -> set[str]:
    module, _, name = path.rpartition(".")
    owner = getattr(resolve_name(module), name)
    return set(dir(owner)) | {name for cls in owner.__mro__ for name in getattr(cls, "__annotations__", {})}


@pytest.mark.parametrize("page", PAGES)
def test_everything_of_ours_is_there(page: str) -> None:
    named = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, sorted(OURS, key=len, reverse=True)))})\.(\w+)")
    found = {pair for _, cell in rows(page) for code in CODE.findall(cell) for pair in named.findall(code)}
    found.discard(("socket", "io"))  # of @socket.io/...
    assert len(found) > 15
    assert {f"{owner}.{name}" for owner, name in found if name not in instance_names(OURS[owner])} == set()


def test_every_option_of_ours_is_in_the_table_for_node() -> None:
    table = (ROOT / "docs" / "coming-from-node.md").read_text().partition("### Options")[2].partition("### From")[0]
    keys = {key for settings in GROUPS.values() for key in inspect.signature(settings).parameters}
    words = {word for code in CODE.findall(table) for word in re.findall(r"\w+", code)}
    assert {*DEFAULTS, *keys} - words == set()
