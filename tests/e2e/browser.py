"""A headless Chromium, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.requirements import require_any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0")
TIMEOUT = 30.0


class Page:
    """One of the browser's tabs. What it is asked is JavaScript."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.ids = count(1)
        self.target = ""
        self.session = ""

    def another(self) -> Page:
        """Another tab, not opened yet; ask only one at a time."""
        page = Page(self.ws)
        page.ids = self.ids
        return page

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        id = next(self.ids)
        session = {"sessionId": self.session} if self.session else {}
        await self.ws.send_str(json.dumps({"id": id, "method": method, "params": params, **session}))
        while True:
            answer = await self.ws.receive_json(timeout=TIMEOUT)
            if answer.get("id") == id:
                assert "error" not in answer, answer
                return answer["result"]

    async def open(self, url: str) -> None:
        target = await self.command("Target.createTarget", url=url)
        self.target = target["targetId"]
        attached = await self.command("Target.attachToTarget", targetId=self.target, flatten=True)
        self.session = attached["sessionId"]

    async def evaluate(self, expression: str) -> Any:
        answer = await self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def screenshot(self, path: Path) -> None:
        """Keeps what the tab looks like, as PNG."""
        await self.command("Target.activateTarget", targetId=self.target)
        answer = await self.command("Page.captureScreenshot", format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b64decode(answer["data"]))

    async def until(self, expression: str) -> Any:
        """Waits until it is truthy, and returns it."""
        try:
            async with asyncio.timeout(TIMEOUT):
                while not (value := await self.evaluate(expression)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never: {expression}; {await self.evaluate('document.body.innerText')}") from None
        return value


async def devtools(process: asyncio.subprocess.Process) -> str:
    """The address that Chromium names on its error output."""
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        if line.startswith("DevTools listening on "):
            return line.rpartition(" ")[2].strip()
    raise AssertionError("Chromium did not start")


@asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """A new browser with nothing in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(require_any(*NAMES), *OPTIONS, f"--user-data-dir={profile}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            url = await asyncio.wait_for(devtools(process), TIMEOUT)
            async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as ws:
                yield Page(ws)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait_for(process.communicate(), TIMEOUT)
