"""What is done with the programs of the pages, so that everything in them is called and does what the page says.

A visit gets the program's names (`program` is the Program itself); errors: a part of each line that it logs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    import aiohttp

    host, port = names["io"].addresses[0]
    async with (
        wire(names["io"], join=True) as client,
        aiohttp.ClientSession() as http,
        http.get(f"http://{host}:{port}/hello") as answer,
    ):
        assert await answer.json() == "everybody heard it"
        assert await client.event() == ["hello"]


@doc("index")
async def front_page(names: Names) -> None:
    await browse(names["io"], names["program"], ["you are in lunch", "hello"])
