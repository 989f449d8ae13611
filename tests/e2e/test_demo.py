"""The chat of examples/: its server as `make demo` starts it, two clients, its page in a browser."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.browser import browser
from tests.requirements import missing
from tests.wsclient import wire

ROOT = Path(__file__).parents[2]
CHAT = ROOT / "examples" / "chat"
CLIENT = "/socket.io/socket.io.min.js"
TIMEOUT = 20.0


class Demo:
    """addresses: as a Server's."""

    def __init__(self, host, port):
        self.addresses = [(host, int(port))]
        self.url = f"http://{host}:{port}"


@asynccontextmanager
async def running():
    """The demo on a free port; at the end it is stopped as with Ctrl-C, and must have logged nothing else."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, CHAT / "server.py"),
        env={**os.environ, "PORT": "0", "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), TIMEOUT)).decode()
        assert line.startswith("listening on http://"), line + (await process.stderr.read()).decode()
        yield Demo(*line.strip().rpartition("/")[2].split(":"))
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.stderr.read(), TIMEOUT) == b""
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        process._transport.close()


class Guest:
    """Somebody in the chat; events are looked at by name, in their order."""

    def __init__(self, client):
        self.client = client
        self.acks = 0

    async def next(self, name):
        """The arguments of the next event of this name."""
        while (event := await self.client.event())[0] != name:
            pass
        return event[1:]

    async def ask(self, *items):
        """The answer to an event, whatever comes before it."""
        self.acks += 1
        self.client.emit(*items, ack=self.acks)
        while not (frame := await self.client.next()).startswith(f"43{self.acks}["):
            pass
        return frame

    async def people(self, *names):
        """Waits until exactly these are here."""
        async with asyncio.timeout(TIMEOUT):
            while await self.next("people") != [sorted(names)]:
                pass


@asynccontextmanager
async def guest(demo, name):
    async with wire(demo) as client:
        await client.join(auth={"name": name})
        yield Guest(client)


async def test_two_people_talk():
    async with running() as demo, guest(demo, "Ada") as ada:
        assert await ada.next("flooding") == [False]
        assert await ada.ask("enter", "Lobby") == '431["Lobby"]'
        async with guest(demo, "Bob") as bob:
            bob.client.emit("enter", " Lobby ")
            assert await ada.next("note") == ["Bob came in"]
            await ada.people("Ada", "Bob")
            await bob.people("Ada", "Bob")
            assert await bob.next("rooms") == [{"Lobby": 2}]
            ada.client.emit("say", " hello\n Bob é😀 ")
            assert await ada.next("message") == await bob.next("message") == ["Ada", "hello Bob é😀"]
            bob.client.emit("enter", "Music")
            assert await ada.next("note") == ["Bob left"]
            await ada.people("Ada")
            await bob.people("Bob")
            ada.client.emit("say", "alone")
            bob.client.emit("say", "here")
            assert await bob.next("message") == ["Bob", "here"]
            assert await ada.next("message") == ["Ada", "alone"]
        async with asyncio.timeout(TIMEOUT):
            while await ada.next("rooms") != [{"Lobby": 1}]:
                pass


async def test_nobody_comes_in_without_a_name():
    async with running() as demo, wire(demo) as client:
        for auth in ("{}", '{"name":" "}', '{"name":5}'):
            client.send("40" + auth)
            assert await client.next() == '44{"message":"say who you are"}'


async def test_the_broadcast():
    """Everybody gets every number, until somebody presses the button again."""
    async with running() as demo, guest(demo, "Ada") as ada, guest(demo, "Bob") as bob:
        ada.client.emit("flood", True)
        for person in (ada, bob):
            while await person.next("flooding") != [True]:
                pass
            assert [await person.next("number") for _ in range(1500)] == [[number] for number in range(1500)]
        assert await ada.ask("received", 1500) == "431[1500]"
        assert await bob.ask("received", 1400) == "431[2900]"
        bob.client.emit("flood", False)
        for person in (ada, bob):
            assert await person.next("flooding") == [False]
            assert await person.ask("received", 0)
        while not ada.client.frames.empty():
            assert "number" not in ada.client.frames.get_nowait()


async def test_the_page_is_served():
    async with running() as demo, aiohttp.ClientSession() as session:
        for path, name, media_type in (
            ("/", "index.html", "text/html; charset=utf-8"),
            ("/chat.js", "chat.js", "text/javascript; charset=utf-8"),
            ("/chat.css", "chat.css", "text/css; charset=utf-8"),
        ):
            async with session.get(demo.url + path) as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
                assert await answer.read() == (CHAT / name).read_bytes()
        async with session.get(demo.url + "/server.py") as answer:
            assert answer.status == 404


def bundle():
    """The client that `make demo` installs."""
    path = CHAT / "node_modules/socket.io-client/dist/socket.io.min.js"
    if not path.is_file():
        missing("the client of the chat's page", "npm ci --prefix examples/chat")
    return path


async def test_the_client_is_served():
    async with running() as demo, aiohttp.ClientSession() as session:
        path = bundle()
        async with session.get(demo.url + CLIENT) as answer:
            assert answer.status == 200
            assert await answer.read() == path.read_bytes()
            etag = answer.headers["ETag"]
        async with session.get(demo.url + CLIENT, headers={"If-None-Match": etag}) as answer:
            assert answer.status == 304


def text_of(id):
    return f"(document.getElementById({id!r})?.textContent ?? '')"


@pytest.mark.timeout(120)
async def test_the_page_in_a_browser():
    bundle()
    async with browser() as page, running() as demo, guest(demo, "Ada") as ada:
        await ada.ask("enter", "Lobby")
        await page.open(demo.url)
        await page.until(f"{text_of('status')}.startsWith('Connected as ')")
        await page.until(f"{text_of('room')} === 'Lobby'")
        name = await page.evaluate("document.getElementById('name').value")
        await ada.people("Ada", name)
        await page.until(f"{text_of('people')} === {('Ada' + name)!r}")

        ada.client.emit("say", "hello, page")
        await page.until(f"{text_of('messages')}.includes('Adahello, page')")
        await page.evaluate("document.querySelector('#say input').value = 'hello, Ada <b>'")
        await page.evaluate("document.getElementById('say').requestSubmit()")
        while (message := await ada.next("message"))[0] == "Ada":
            pass
        assert message == [name, "hello, Ada <b>"]
        await page.until(f"{text_of('messages')}.includes('hello, Ada <b>')")

        await page.evaluate("document.getElementById('flood').click()")
        assert await ada.next("number") == [0]
        await page.until(f"Number({text_of('mine')}.replace(/\\D/g, '')) > 100")
        await page.until(f"Number({text_of('total')}.replace(/\\D/g, '')) > 100")
        await page.evaluate("document.getElementById('flood').click()")
        await page.until("document.getElementById('flood').ariaPressed === 'false'")
