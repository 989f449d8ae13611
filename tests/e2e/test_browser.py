"""The official bundles of 2.x and 4.x in a headless browser, in every way that a browser connects: page.js talks to the
server, and all tabs hear what is broadcast. The last tabs' screenshots are kept in build/artefacts.
"""

from __future__ import annotations

import asyncio

import pytest

from fastsio import Server
from fastsio.engine.static import StaticFile
from tests.e2e.app import HERE, install
from tests.e2e.browser import Page, browser
from tests.e2e.running import all_gone, no_complaints
from tests.requirements import require_npm
from tests.wsclient import serving

ARTEFACTS = HERE.parents[1] / "build" / "artefacts"
# Client -> the ways in which a browser connects with it.
WAYS = {"2": ("polling", "jsonp", "websocket", "upgrade"), "4": ("polling", "websocket", "upgrade")}
BINARY = {"text": "é€😀", "bytes": bytes([0, 255, 4])}


def serve_page(io: Server) -> None:
    require_npm("socket.io-client")
    old = require_npm("socket.io-client-v2") / "dist" / "socket.io.js"
    for path, content_type, file in (
        ("/", "text/html", HERE / "page.html"),
        ("/page.js", "text/javascript", HERE / "page.js"),
        ("/client-2.js", "text/javascript", old),
    ):
        io.engine.files[path] = StaticFile(f"{content_type}; charset=utf-8", file.read_bytes())


async def check_page(page: Page) -> None:
    await page.until("window.finished || document.getElementById('failed')?.textContent")
    assert await page.evaluate("document.getElementById('failed').textContent") == ""


async def check_requests(page: Page, client: str) -> None:
    """Binary travels as such over polling with protocol 3 alone."""
    requests = await page.evaluate("requests")
    assert (requests["sentBinary"] > 0, requests["gotBinary"] > 0) == (client == "2", client == "2")


async def broadcast(io: Server, pages: list[Page]) -> None:
    """Text and binary in turns; every page hears each once, in order."""
    expected: list[str] = []
    for i in range(50):
        io.emit("heard", f"é€😀 {i}" if i % 2 else BINARY)
        expected.append(f"é€😀 {i}" if i % 2 else "é€😀 0,255,4")
        if i % 5 == 0:
            await asyncio.sleep(0.001)
    for page in pages:
        await page.until(f"heard.length >= {len(expected)}")
        assert await page.evaluate("heard") == expected


@pytest.mark.timeout(120)
@pytest.mark.parametrize("client", WAYS)
async def test_page(client: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as io, browser() as first:
        reasons = install(io)
        serve_page(io)
        host, port = io.addresses[0]
        pages = []
        for way in WAYS[client]:
            pages.append(page := first.another())
            await page.open(f"http://{host}:{port}/?client={client}&way={way}")
        for way, page in zip(WAYS[client], pages, strict=True):
            await check_page(page)
            if way == "polling":
                await check_requests(page, client)
            await page.screenshot(ARTEFACTS / f"client-{client}-{way}.png")
            print("screenshot:", ARTEFACTS / f"client-{client}-{way}.png")
        await broadcast(io, pages)
        for page in pages:
            await page.evaluate("void socket.disconnect()")
        await all_gone(io)
        assert set(reasons) == {("/", "client namespace disconnect")}
    no_complaints(caplog)
