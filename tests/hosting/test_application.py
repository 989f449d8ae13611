"""The application's life around a server: lifespan, state, headers, tasks that do not end."""

import asyncio
import subprocess
import sys

import pytest
import uvicorn

from fastsio.hosting import application as module
from fastsio.hosting.application import Application, State
from tests.hosting.fake import FakeConnection, answer


class App:
    """told: the lifespan's messages; startup: what it answers to the first."""

    def __init__(self, startup="lifespan.startup.complete", message=""):
        self.startup, self.message = startup, message
        self.told = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            return await answer(send, scope["state"]["name"].encode())
        scope["state"]["name"] = "kept"
        while True:
            kind = (await receive())["type"]
            self.told.append(kind)
            if kind == "lifespan.shutdown":
                return await send({"type": "lifespan.shutdown.complete"})
            await send({"type": self.startup, "message": self.message})
            if self.message:
                return None


async def test_lifespan():
    app = App()
    application = Application(app)
    await application.startup()
    assert app.told == ["lifespan.startup"]
    connection = FakeConnection(application)
    connection.get()
    assert (await connection.answer())[2] == b"kept"
    connection.host.lost(None)
    await application.shutdown()
    assert app.told == ["lifespan.startup", "lifespan.shutdown"]


async def test_a_start_that_fails():
    application = Application(app := App("lifespan.startup.failed", "no database\n"))
    with pytest.raises(RuntimeError, match="the application did not start: no database$"):
        await application.startup()
    await application.shutdown()
    assert "lifespan.shutdown" not in app.told


async def test_an_application_without_lifespan():
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await answer(send, b"here")

    application = Application(app)
    await application.startup()
    connection = FakeConnection(application)
    connection.get()
    assert (await connection.answer())[2] == b"here"
    connection.host.lost(None)
    await application.shutdown()


async def test_configuration_of_uvicorn():
    async def app(scope, receive, send):
        await answer(send, scope["root_path"].encode())

    config = uvicorn.Config(app, lifespan="off", log_config=None, root_path="/below", headers=[("X-Y", "z")])
    application = Application(config)
    await application.startup()
    connection = FakeConnection(application)
    connection.get()
    _, headers, body = await connection.answer()
    assert (body, headers["x-y"], headers["server"]) == (b"/below", "z", "uvicorn")
    connection.host.lost(None)
    await application.shutdown()


async def test_tasks_that_do_not_end_are_cancelled(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    ended = []

    async def app(scope, receive, send):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(scope["type"])

    application = Application(uvicorn.Config(app, lifespan="off", log_config=None))
    await application.startup()
    connection = FakeConnection(application)
    connection.get()
    await asyncio.sleep(0.01)
    connection.host.lost(None)
    await application.shutdown()
    assert ended == ["http"]


async def test_the_date_moves_on(monkeypatch):
    config = uvicorn.Config(App(), log_config=None, server_header=False)
    config.load()
    state = State(config)
    monkeypatch.setattr(module.time, "time", lambda: 784111777.9)
    assert state.default_headers == [(b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")]
    monkeypatch.setattr(module.time, "time", lambda: 784111778.0)
    assert state.default_headers == [(b"date", b"Sun, 06 Nov 1994 08:49:38 GMT")]


def test_without_uvicorn():
    code = "import sys; sys.modules['uvicorn'] = None; import fastsio.hosting.application"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "ImportError: an application beside Socket.IO needs uvicorn: pip install fastsio[asgi]" in done.stderr
