"""Runs a program of a page: its servers listen on free ports while a visit talks to them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from types import FrameType
from typing import Any

from fastsio import Server
from tests.docs.pages import Program
from tests.requirements import require_npm
from tests.wsclient import wire

TIMEOUT = 20.0
Visit = Callable[[dict[str, Any]], Awaitable[None]]

# What a page of a browser has: the client, which connects to where the page came from, and a document that prints
# what is put into it.
HARNESS = """
const client = require(%(client)s);
const sockets = [];
process.stdin.resume().on("end", () => sockets.forEach((socket) => socket.disconnect())); // the page is closed
const io = (name, options) => {
  if (typeof name === "object") [name, options] = ["/", name];
  sockets.push(client(%(url)s + (name ?? "/"), { forceNew: true, ...options }));
  return sockets.at(-1);
};
const show = (element, name, value) => (name === "textContent" && console.log(value), (element[name] = value), true);
const made = () => new Proxy({ append() {}, addEventListener() {} }, { set: show });
(async (document) => {
%(code)s
})({ getElementById: made, createElement: made });
"""


@contextmanager
def calls(file: str) -> Iterator[set[tuple[str, int]]]:
    """(name, line) of the functions of a file that are called."""
    called: set[tuple[str, int]] = set()
    former = sys.gettrace()

    def trace(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code.co_filename == file:
            called.add((code.co_name, code.co_firstlineno))

    sys.settrace(trace)
    threading.settrace(trace)
    try:
        yield called
    finally:
        sys.settrace(former)
        threading.settrace(None)  # type: ignore[arg-type]


listen_anywhere = Server._listen


async def listen_nearby(io: Server, port: int | None, host: str, **listen: Any) -> None:
    """What `listen` does here: whatever port a page names, a free one of this machine alone."""
    await listen_anywhere(io, 0, "127.0.0.1", **listen)


async def serve(names: dict[str, Any], visit: Visit) -> None:
    """Every server of the program listens while it is visited."""
    async with AsyncExitStack() as stack:
        servers = {id(value): value for value in names.values() if isinstance(value, Server)}
        for io in servers.values():
            await io.listen(0)
            stack.push_async_callback(io.close)
        await asyncio.wait_for(visit(names), TIMEOUT)


async def look_in(names: dict[str, Any]) -> None:
    """The visit of programs without one of their own."""
    if isinstance(names.get("io"), Server):
        async with wire(names["io"], join=True):
            pass


async def browse(io: Server, program: Program, expected: list[str]) -> None:
    """Runs the program's scripts until they have printed these lines, in any order."""
    folder = require_npm("socket.io-client")
    host, port = io.addresses[0]
    code = "\n".join(f"{{\n{code}\n}}" for code in program.scripts)
    url = f"http://{host}:{port}"
    script = HARNESS % {"client": json.dumps(str(folder)), "url": json.dumps(url), "code": code}
    process = await asyncio.create_subprocess_exec(
        "node",
        "-e",
        script,
        env={**os.environ, "NODE_PATH": str(folder.parent)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    missing = list(expected)
    try:
        while missing:
            line = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode().rstrip("\n")
            assert line, f"the script ended without printing {missing}"
            assert line in missing, f"printed {line!r} instead of one of {missing}"
            missing.remove(line)
        process.stdin.close()
        await asyncio.wait_for(process.wait(), TIMEOUT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process._transport.close()  # type: ignore[attr-defined]
