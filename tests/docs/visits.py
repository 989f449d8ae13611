"""What is done with the programs of the pages, so that everything in them is called and does what the page says.

A visit gets the program's names (`program` is the Program itself); errors: a part of each line that it logs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from fastsio import Server
from tests.docs.running import Visit, browse
from tests.wsclient import wire

Names = dict[str, Any]

#: (page, number of the program on it) -> the visit and the errors that it logs.
VISITS: dict[tuple[str, int], tuple[Visit, tuple[str, ...]]] = {}


def visit(page: str, number: int = 0, errors: tuple[str, ...] = ()) -> Callable[[Visit], Visit]:
    def decorate(function: Visit) -> Visit:
        VISITS[page, number] = function, errors
        return function

    return decorate


def doc(page: str, number: int = 0, errors: tuple[str, ...] = ()) -> Callable[[Visit], Visit]:
    """The same, for a page below docs/."""
    return visit(f"docs/{page}.md", number, errors)


async def fetched(io: Server, path: str) -> str:
    """The body of an answer."""
    host, port = io.addresses[0]
    async with aiohttp.ClientSession() as http, http.get(f"http://{host}:{port}{path}") as answer:
        assert answer.status == 200
        return await answer.text()


@visit("README.md", 0)
async def poll(names: Names) -> None:
    io = names["io"]
    async with wire(io) as client:
        await client.join(auth={"name": "Ada"})
        client.emit("enter", "lunch", ack=0)
        assert await client.ack(0) == [{}]
        client.emit("vote", "lunch", "soup", ack=1)
        assert await client.event() == ["votes", "lunch", {"soup": 1}]
        assert await client.ack(1) == [True]
    await browse(io, names["program"], ["lunch { soup: 2 }"])


@visit("README.md", 1)
async def application(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        assert await fetched(names["io"], "/hello") == '"everybody heard it"'
        assert await client.event() == ["hello"]


@doc("index")
async def front_page(names: Names) -> None:
    await browse(names["io"], names["program"], ["you are in lunch", "hello"])


# ---- getting started ----


@doc("getting-started", 0)
async def welcome(names: Names) -> None:
    await browse(names["io"], names["program"], ["1 online"])
    assert await fetched(names["io"], "/") == names["program"].html
    while names["io"].sockets.sockets:
        await asyncio.sleep(0.01)


@doc("getting-started", 2)
async def price(names: Names) -> None:
    await browse(names["io"], names["program"], ["callback: 300", "awaited: 600"])


@doc("getting-started", 3)
async def rooms(names: Names) -> None:
    printed = ["[ 'Ada' ]", "Ada reads: Ben came in", "[ 'Ada', 'Ben' ]", "Ada reads: Ben: hello"]
    await browse(names["io"], names["program"], printed)


# ---- rooms ----


@doc("tour/rooms", 0)
async def teams(names: Names) -> None:
    await browse(names["io"], names["program"], ["3 rooms", "goal for reds"])


@doc("tour/rooms", 1)
async def leaving(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        async with wire(names["io"], join=True) as other:
            other_id = next(id for id in names["io"].sockets.sockets if id != client.sid)
            other.send("41")
            assert await client.event() == ["left", other_id, "client namespace disconnect"]


@doc("tour/rooms", 2)
async def people(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        client.emit("enter", "red", ack=0)
        client.emit("people", "red", ack=1)
        client.emit("merge", "red", "blue", ack=2)
        client.emit("occupied", ack=3)
        answers = {await client.next() for _ in range(4)}
        assert answers >= {"430[]", "432[]", '433[["blue"]]'}
        client.emit("evict", "blue")
        assert await client.next() == "41"


# ---- broadcasting ----


@doc("tour/broadcasting", 0)
async def players(names: Names) -> None:
    printed = ["Ada: note somebody joined", "Ben: position 3 4", "Ada: shout yes!", "Ada: count 4", "Ben: count 4"]
    replay = "replay <Buffer 66 69 6c 6d>"
    await browse(names["io"], names["program"], [*printed, f"Ada: {replay}", f"Ben: {replay}"])


@doc("tour/broadcasting", 1)
async def export(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        client.emit("export", 250, ack=0)
        rows = [(await client.event())[1] for _ in range(250)]
        assert rows == list(range(250))
        assert await client.ack(0) == [250]


# ---- acknowledgements ----


@doc("tour/acks", 0)
async def asked(names: Names) -> None:
    await browse(names["io"], names["program"], ["3", "3 1", "done", "at last"])


@doc("tour/acks", 1)
async def asking(names: Names) -> None:
    printed = ["quick: you have the king", "quick picked king", "slow: too slow"]
    await browse(names["io"], names["program"], printed)


@doc("tour/acks", 2)
async def everybody(names: Names) -> None:
    printed = ["{ answers: [ 4 ], complete: true }", "{ answers: [ 4 ], complete: false }"]
    await browse(names["io"], names["program"], printed)
