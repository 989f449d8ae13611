"""The servers that are compared: the variants of options, the references under Node, and ours."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from urllib.request import urlopen

from fastsio import ConnectError, Server
from tests.differential.runner import Target
from tests.differential.wire import matters
from tests.requirements import TESTS, require_npm
from tests.wsclient import serving

GOOD_ORIGIN = "http://good.example"


class Variant(NamedTuple):
    """The same options in the words of socket.io 4, of socket.io 2 and of ours."""

    four: dict[str, Any]
    ours: dict[str, Any]
    two: dict[str, Any] | None = None
    path: str = "/socket.io/"


CORS4 = {"cors": {"origin": [GOOD_ORIGIN], "credentials": True}}
CORS = {"origins": [GOOD_ORIGIN], "cors": {"credentials": True}}
FAST = {"pingInterval": 250, "pingTimeout": 250}
VARIANTS = {
    "plain": Variant({"allowEIO3": True}, {}, {"cookie": False}),
    "cors": Variant({"allowEIO3": True, "cookie": True, **CORS4}, {"cookie": True, **CORS}),
    "any origin": Variant({"cors": {"origin": "*"}}, {"origins": "*"}),
    "no EIO3": Variant({}, {"allow_eio3": False}),
    "polling only": Variant({"allowEIO3": True, "transports": ["polling"]}, {"transports": ["polling"]}),
    "websocket only": Variant({"allowEIO3": True, "transports": ["websocket"]}, {"transports": ["websocket"]}),
    "no upgrades": Variant({"allowEIO3": True, "allowUpgrades": False}, {"allow_upgrades": False}),
    "small": Variant({"allowEIO3": True, "maxHttpBufferSize": 100}, {"max_http_buffer_size": 100}),
    "fast": Variant(
        {"allowEIO3": True, **FAST}, {"ping_interval": 0.25, "ping_timeout": 0.25}, {"cookie": False, **FAST}
    ),
    "hasty": Variant(
        {"allowEIO3": True, "upgradeTimeout": 100, "connectTimeout": 200},
        {"upgrade_timeout": 0.1, "connect_timeout": 0.2},
    ),
    "path": Variant(
        {"allowEIO3": True, "path": "/my", "addTrailingSlash": False, "serveClient": False},
        {"path": "/my", "add_trailing_slash": False, "serve_client": False},
        path="/my",
    ),
}


def fields_of(version: str) -> Callable[[str], bool]:
    """Which header fields are compared; 2.x had CORS and caching of its own, and no client minds."""
    return matters if version == "4" else frozenset({"content-type", "content-encoding"}).__contains__


# ---- the references ----


class References:
    """A process with every variant of both references. fate: see reference_http.mjs."""

    def __init__(self, ports: dict[str, int], control: int) -> None:
        self.ports, self.control = ports, control

    def target(self, version: str, variant: str) -> Target:
        async def fate(sid: str, ended: bool) -> str:
            got = await asyncio.to_thread(self._fate, sid, ended)
            return shown_fate(got["engine"], [tuple(one) for one in got["sockets"]])

        address = ("127.0.0.1", self.ports[f"{version} {variant}"])
        return Target(address, fate, VARIANTS[variant].path, fields_of(version))

    def _fate(self, sid: str, ended: bool) -> Any:
        with urlopen(f"http://127.0.0.1:{self.control}/fate?sid={sid}{'&ended=1' if ended else ''}") as answer:
            return json.load(answer)


@contextmanager
def references() -> Iterator[References]:
    """Starts them. No descriptor of theirs stays open: a test may begin and end meanwhile."""
    require_npm("socket.io")
    require_npm("socket.io-v2")
    servers = {f"4 {name}": {"version": 4, "options": variant.four} for name, variant in VARIANTS.items()}
    for name, variant in VARIANTS.items():
        if variant.two is not None:
            servers[f"2 {name}"] = {"version": 2, "options": variant.two}
    command = ["node", "reference_http.mjs", json.dumps(servers)]
    process = subprocess.Popen(command, cwd=TESTS / "e2e", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        with process.stdout as told:
            line = told.readline()
        yield References(**json.loads(line))
    finally:
        process.kill()
        process.wait(10)


# ---- ours ----


@asynccontextmanager
async def ours(variant: str, version: str) -> AsyncIterator[Target]:
    """A server of ours with the application of reference_http.mjs. version: what it is compared with."""
    async with serving(allow_request=allow_request, **VARIANTS[variant].ours) as io:
        fates = Fates(io)
        install(io, fates)
        address = io.addresses[0]
        assert not isinstance(address, str)
        yield Target(address, fates.tell, VARIANTS[variant].path, fields_of(version))


def shown_fate(engine: str | None, sockets: list[tuple[str, str]]) -> str:
    """The reasons that the engine and the namespaces gave."""
    told = [] if engine is None else [f"engine: {engine}"]
    told += [f"{nsp}: {reason}" for nsp, reason in sorted(sockets)]
    return f"{'open' if engine is None else 'closed'} {told}"


class Fates:
    """What became of each session."""

    def __init__(self, io: Server) -> None:
        self.io = io
        self.engine: dict[str, str] = {}
        self.sockets: dict[str, list[tuple[str, str]]] = {}
        io.engine.on("connection", self.watch)

    def watch(self, conn: Any) -> None:
        conn.on("close", lambda reason: self.engine.__setitem__(conn.id, reason))

    async def tell(self, sid: str, ended: bool) -> str:
        if ended:
            for _ in range(300):
                if sid in self.engine:
                    break
                await asyncio.sleep(0.01)
        assert (sid in self.engine) == (sid not in self.io.engine.clients)
        return shown_fate(self.engine.get(sid), self.sockets.get(sid, []))

    def note(self, socket: Any, reason: str) -> None:
        self.sockets.setdefault(socket.conn.id, []).append((socket.nsp.name, reason))


def allow_request(request: Any) -> bool:
    deny = request.query.get("deny")
    if deny == "1":
        raise ConnectError("custom msg")
    return deny is None


def own(query: Any) -> dict[str, str]:
    rest = {name: value for name, value in query.items() if name not in ("EIO", "transport", "t", "sid", "b64", "j")}
    return dict(sorted(rest.items()))


def install(io: Server, fates: Fates) -> None:
    @io.use
    def admit(socket):
        if socket.handshake.auth.get("bad") or socket.handshake.query.get("bad"):
            raise ConnectError("not authorized", data={"content": "Please retry later"})

    @io.of("/deny").use
    def deny(socket):
        raise ConnectError("no")

    for name in ("/", "/custom", "/deny"):
        messages(io.of(name))
        life(io.of(name), fates)
    io.of("/custom").on("connection", lambda socket: socket.emit("hello", socket.id))


def messages(nsp: Any) -> None:
    nsp.event("echo")(lambda socket, *args: args)
    nsp.event("say")(lambda socket, *args: socket.emit("said", *args))
    nsp.event("say volatile")(lambda socket, *args: socket.volatile.emit("said", *args))
    nsp.event("bin")(lambda socket: socket.emit("bin", b"\x01\x02\x03", "é€😀"))
    nsp.event("big")(lambda socket, size: socket.emit("big", "x" * size))
    nsp.event("big plain")(lambda socket, size: socket.compress(False).emit("big", "x" * size))
    nsp.event("query")(lambda socket: socket.emit("query", own(socket.handshake.query)))
    nsp.event("transport")(lambda socket: socket.emit("transport", socket.conn.transport.name))
    nsp.event("ask")(
        lambda socket, value: socket.emit("question", value, ack=lambda *args: socket.emit("answered", *args))
    )


def life(nsp: Any, fates: Fates) -> None:
    def soon(socket, function, *args):
        asyncio.get_running_loop().call_later(0.02, function, *args)

    nsp.event("sdisc")(lambda socket: socket.disconnect() and None)
    nsp.event("sdisc1")(lambda socket: socket.disconnect(True) and None)
    nsp.event("sdisc1 soon")(lambda socket: soon(socket, socket.disconnect, True))
    nsp.event("close soon")(lambda socket: soon(socket, socket.conn.close))
    nsp.event("say soon")(lambda socket, *args: soon(socket, socket.emit, "said", *args))
    nsp.event("disconnect")(fates.note)
