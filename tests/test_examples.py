"""The examples, started as their README says; and the same application under other ASGI servers."""

import asyncio
import importlib.util
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import socketio

from tests.requirements import missing

EXAMPLES = Path(__file__).parents[1] / "examples"
TIMEOUT = 20.0
WAYS = [["polling"], ["websocket"], ["polling", "websocket"]]
RAW = ("-m", "uvicorn", "--http", "fastsio.uvicorn:HttpProtocol", "--port")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Process:
    """url: where it listens; log: what it wrote, up to now."""

    def __init__(self, process, url):
        self.process, self.url, self.log = process, url, ""
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        while line := await self.process.stdout.readline():
            self.log += line.decode()

    async def answers(self):
        """Returns when it accepts connections."""
        host, port = self.url.removeprefix("http://").split(":")
        async with asyncio.timeout(TIMEOUT):
            while True:
                assert self.process.returncode is None, self.log
                try:
                    _, writer = await asyncio.open_connection(host, int(port))
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def logged(self, pattern):
        async with asyncio.timeout(TIMEOUT):
            while not re.search(pattern, self.log):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def started(folder, *command, **environment):
    """A process in the folder of an example, stopped as with Ctrl-C; `PORT` stands for a free port."""
    if command[0] == "-m" and importlib.util.find_spec(command[1]) is None:
        missing(f"the package {command[1]}", "pip install it")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(part.replace("PORT", str(port)) for part in command),
        cwd=EXAMPLES / folder,
        env={
            **os.environ,
            "PYTHONPATH": str(EXAMPLES.parent),
            "PYTHONUNBUFFERED": "1",
            "PORT": str(port),
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    found = Process(process, f"http://127.0.0.1:{port}")
    try:
        await found.answers()
        yield found
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), TIMEOUT)
        assert "Traceback" not in found.log, found.log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await found.reader
        process._transport.close()


class Client:
    """python-socketio's; events are kept in their order."""

    def __init__(self):
        self.sio = socketio.AsyncClient(reconnection=False)
        self.events = asyncio.Queue()
        self.sio.on("*", lambda event, *args: self.events.put_nowait((event, *args)))

    async def call(self, *args):
        return await self.sio.call(*args, timeout=TIMEOUT)

    async def next(self):
        return await asyncio.wait_for(self.events.get(), TIMEOUT)


@asynccontextmanager
async def connected(server, transports):
    """A client, and aiohttp's for what is no Socket.IO."""
    made = Client()
    await made.sio.connect(server.url, transports=transports, wait_timeout=TIMEOUT)
    try:
        async with aiohttp.ClientSession(server.url) as http:
            yield made, http
    finally:
        await made.sio.disconnect()


async def fastapi_works(server, transports):
    async with connected(server, transports) as (client, http):
        assert await client.call("subscribe", "sports") == "sports"
        async with http.post("/rooms/sports/news", json={"text": "a goal"}) as answer:
            assert answer.status == 202
        assert await client.next() == ("news", {"text": "a goal"})
        async with http.get("/rooms/sports") as answer:
            assert await answer.json() == {"members": 1}
        async with http.post("/rooms/sports/news", json={}) as answer:
            assert answer.status == 422


async def django_works(server, transports):
    async with connected(server, transports) as (client, http):
        assert await client.call("hello", "Ada") == "hello Ada"
        async with http.post("/news", data={"text": "today"}) as answer:
            assert await answer.json() == {"told": 1}
        assert await client.next() == ("news", "today")
        async with http.get("/") as answer:
            assert "<title>django</title>" in await answer.text()


@pytest.mark.parametrize("transports", WAYS, ids="+".join)
async def test_plain(transports):
    async with started("plain", "app.py") as server, connected(server, transports) as (client, http):
        assert await client.call("echo", "hello") == "hello"
        async with http.get("/some/where") as answer:
            assert (answer.status, await answer.text()) == (404, "there is nothing here\n")
        assert await client.next() == ("visit", "/some/where")
        async with http.get("/") as answer:
            assert "socket.io.min.js" in await answer.text()
        await server.logged("fastsio: raw protocol, the application on the same port")


@pytest.mark.parametrize("transports", WAYS, ids="+".join)
async def test_starlette(transports):
    async with started("starlette", "app.py") as server, connected(server, transports) as (client, http):
        async with http.get("/stream") as stream:
            assert await stream.content.readline() == b": welcome\n"
            await client.sio.emit("say", "hello")
            assert await client.next() == ("said", "hello")
            await stream.content.readline()
            assert await stream.content.readline() == b"data: hello\n"
            async with http.get("/clients") as answer:
                found = await answer.json()
                assert found["clients"] == 1
                assert found["since"] > 0
        async with http.ws_connect("/shout") as websocket:
            await websocket.send_str("hello")
            assert (await websocket.receive(TIMEOUT)).data == "HELLO"


async def test_fastapi():
    async with started("fastapi", *RAW, "PORT", "app:app") as server:
        for transports in WAYS:
            await fastapi_works(server, transports)
        await server.logged("fastsio: raw protocol on uvicorn's port")


async def test_django():
    async with started("django", *RAW, "PORT", "app:application") as server:
        for transports in WAYS:
            await django_works(server, transports)


async def test_django_under_daphne():
    async with started("django", "-m", "daphne", "-b", "127.0.0.1", "-p", "PORT", "app:application") as server:
        for transports in WAYS:
            await django_works(server, transports)
        await server.logged("fastsio: as an ASGI application")


@pytest.mark.parametrize(
    "command",
    [
        ("uvicorn", "--port", "PORT"),
        ("uvicorn", "--ws", "fastsio.uvicorn:WebSocketProtocol", "--port", "PORT"),
        ("uvicorn", "--ws", "wsproto", "--http", "h11", "--port", "PORT"),
        ("hypercorn", "--bind", "127.0.0.1:PORT"),
        ("granian", "--interface", "asgi", "--port", "PORT"),
    ],
    ids=" ".join,
)
async def test_other_servers(command):
    async with started("fastapi", "-m", *command, "app:app") as server:
        for transports in WAYS:
            await fastapi_works(server, transports)
        await server.logged("fastsio: as an ASGI application")


async def test_workers():
    """Each worker has a server of its own; a websocket stays with one."""
    async with started("fastapi", *RAW, "PORT", "--workers", "2", "app:app") as server:
        await server.logged(r"(?s)startup complete.*startup complete")
        for _ in range(4):
            async with connected(server, ["websocket"]) as (client, _http):
                assert await client.call("subscribe", "sports") == "sports"


async def test_reload(tmp_path):
    """The new code serves after a change; who was connected is told that the server went."""
    code = (EXAMPLES / "fastapi" / "app.py").read_text()
    file = tmp_path / "app.py"
    file.write_text(code)
    async with started(tmp_path, *RAW, "PORT", "--reload", "--reload-dir", str(tmp_path), "app:app") as server:
        await server.logged("startup complete")
        async with connected(server, ["websocket"]) as (client, _http):
            assert await client.call("subscribe", "sports") == "sports"
            gone = asyncio.Event()
            client.sio.on("disconnect", lambda *reason: gone.set())
            file.write_text(code.replace("return room\n", "return room.upper()\n", 1))
            await asyncio.wait_for(gone.wait(), TIMEOUT)
        await server.logged(r"(?s)startup complete.*startup complete")
        async with connected(server, ["websocket"]) as (client, _http):
            assert await client.call("subscribe", "sports") == "SPORTS"
