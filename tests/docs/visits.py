"""What is done with the programs of the pages, so that everything in them is called and does what the page says.

A visit gets the program's names (`program` is the Program itself); errors: a part of each line that it logs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, redirect_stdout
from io import StringIO
from typing import Any

import aiohttp

from fastsio import Server
from fastsio.testing import connect
from tests.docs.running import Visit, browse
from tests.requirements import require_npm
from tests.wsclient import wire

Names = dict[str, Any]

CERTIFICATE = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
#: (page, number of the program on it) -> a command that makes files which it needs.
BEFORE = {("docs/tour/deployment.md", 1): CERTIFICATE}

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


async def until(condition: Callable[[], object]) -> None:
    """The program's test ends it when it never comes true."""
    while not condition():
        await asyncio.sleep(0.005)


@contextmanager
def prints() -> Iterator[Callable[[], list[str]]]:
    """The lines that the program prints meanwhile."""
    text = StringIO()
    with redirect_stdout(text):
        yield lambda: text.getvalue().splitlines()


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
    await until(lambda: not names["io"].sockets.sockets)


@visit("README.md", 2)
@doc("getting-started", 1)
async def other_origin(names: Names) -> None:
    host, port = names["io"].addresses[0]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        for origin, status in (("https://example.com", 200), ("https://example.org", 403), ("http://example.com", 403)):
            async with http.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}) as answer:
                assert answer.status == status


@doc("getting-started", 2)
async def price(names: Names) -> None:
    await browse(names["io"], names["program"], ["callback: 300", "awaited: 600"])


@doc("getting-started", 3)
async def rooms(names: Names) -> None:
    printed = ["[ 'Ada' ]", "Ada reads: Ben came in", "[ 'Ada', 'Ben' ]", "Ada reads: Ben: hello"]
    await browse(names["io"], names["program"], printed)
    await until(lambda: not names["io"].sockets.sockets)
    await names["test_enter"]()


# ---- handlers ----


@doc("tour/handlers", 0)
async def both_places(names: Names) -> None:
    printed = ["3 2", "many words", "2 5", "for the first time", "{ error: 'missing arguments' }"]
    await browse(names["io"], names["program"], printed)


@doc("tour/handlers", 1)
async def contexts(names: Names) -> None:
    await browse(names["io"], names["program"], ["deleted by Ada", "deleted by Ben"])
    assert names["user"].get() == "nobody"


@doc("tour/handlers", 2)
async def searches(names: Names) -> None:
    await browse(names["io"], names["program"], ["found python!", "stopped 2"])


# ---- rooms ----


@doc("tour/rooms", 0)
async def teams(names: Names) -> None:
    await browse(names["io"], names["program"], ["3 rooms", "goal for reds"])


@doc("tour/rooms", 1)
async def leaving(names: Names) -> None:
    async with wire(names["io"], join=True) as client, wire(names["io"], join=True) as other:
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
        client.emit("backlog", ack=1)
        assert await client.ack(1) == [0]


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


# ---- parsers ----


@doc("tour/parsers", 0)
async def reminding(names: Names) -> None:
    require_npm("socket.io-msgpack-parser")
    await browse(names["io"], names["program"], ["1970-01-02T00:00:00.000Z"])


@doc("tour/parsers", 1)
async def checked(names: Names) -> None:
    await browse(names["io"], names["program"], ["3"])


# ---- testing ----


@doc("tour/testing", 0)
async def tested(names: Names) -> None:
    for name, test in names.items():
        if name == "test_hello":
            async with AsyncExitStack() as stack:
                await test(lambda io, **options: stack.enter_async_context(connect(io, **options)))
        elif name.startswith("test_"):
            await test()


# ---- namespaces ----


@doc("tour/namespaces", 0)
async def orders(names: Names) -> None:
    printed = ["1 online", "soup is coming", "soup is ready", "Invalid namespace"]
    await browse(names["io"], names["program"], printed)


@doc("tour/namespaces", 1)
async def counter(names: Names) -> None:
    await browse(names["io"], names["program"], ["count 0", "count 5"])
    await until(lambda: not names["io"].of("/counter").sockets)


@doc("tour/namespaces", 2)
async def documents(names: Names) -> None:
    await browse(names["io"], names["program"], ["first: once upon a time", "/team-red go", "Invalid namespace"])


# ---- middlewares ----


@doc("tour/middlewares", 0)
async def tokens(names: Names) -> None:
    await browse(names["io"], names["program"], ["who are you? 401", "Ada"])


@doc("tour/middlewares", 1)
async def requests(names: Names) -> None:
    io, path = names["io"], "/socket.io/?EIO=4&transport=polling"
    host, port = io.addresses[0]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        async with http.get(path) as answer:
            assert (answer.status, answer.headers["Strict-Transport-Security"]) == (200, "max-age=31536000")
        async with http.get(path, headers={"User-Agent": "a bot"}) as answer:
            assert await answer.json(content_type=None) == {"code": 4, "message": "no bots"}
        names["BLOCKED"].add("127.0.0.1")
        async with http.get(path) as answer:
            assert await answer.json(content_type=None) == {"code": 4, "message": "Forbidden"}
        async with http.get(path, headers={"Origin": "https://example.org"}) as answer:
            assert answer.status == 403


@doc("tour/middlewares", 2)
async def too_long(names: Names) -> None:
    io = names["io"]
    async with wire(io, join=True) as client, wire(io, join=True) as other:
        with prints() as lines:
            other.emit("say", "hello")
            assert await client.event() == ["said", "hello"]
        assert lines() == [f"{other.sid} sent say ['hello']", f"{client.sid} is sent said"]
        await browse(io, names["program"], ["refused: that is too long"])


# ---- payloads ----


@doc("tour/payloads", 0)
async def order(names: Names) -> None:
    await browse(names["io"], names["program"], ["2 x soup", "invalid arguments"])


@doc("tour/payloads", 1)
async def news(names: Names) -> None:
    async with wire(names["io"], join=True) as client, wire(names["io"], join=True) as other:
        assert await client.event() == ["news", "welcome"]
        other.emit("read it", "welcome")
        assert await client.event() == ["news", "welcome", 1]


# ---- the rest of the tour ----


@doc("tour/recovery")
async def tunnel(names: Names) -> None:
    await browse(names["io"], names["program"], ["recovered: false", "recovered: true"])


@doc("tour/counters", 0)
async def stats(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        client.emit("enter", "room")
        client.emit("stats", ack=0)
        assert json.loads((await client.ack(0))[0])["rooms"] == 1


@doc("tour/counters", 1)
async def metrics(names: Names) -> None:
    text = await fetched(names["io"], "/metrics")
    assert "fastsio_connections_total 1\n" in text
    assert 'fastsio_drops{reason="volatile"} 0\n' in text


@doc("tour/limits")
async def limits(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        client.send('451-0["upload",{"_placeholder":true,"num":0}]', bytes(90_000))
        assert await client.ack(0) == [90_000]
        client.send("4" + "x" * 200_000)
        assert await client.closed() == 1009


@doc("tour/adapters", 0)
async def bus(names: Names) -> None:
    io = names["io"]
    async with wire(io, join=True) as client, wire(names["second"], join=True) as other:
        client.emit("say", "lunch", "hello", ack=0)
        assert await client.event() == await other.event() == ["said", "hello"]
        assert await client.ack(0) == [2]
        assert {(socket.id, frozenset(socket.rooms)) for socket in await io.in_("lunch").fetch_sockets()} == {
            (client.sid, frozenset([client.sid, "lunch"])),
            (other.sid, frozenset([other.sid, "lunch"])),
        }
        assert io.sockets.adapter.server_count() == 2
        client.emit("load_elsewhere", ack=1)
        assert await client.ack(1) == [[1]]
        assert await other.event() == ["refreshed"]
        await client.nothing()


@doc("tour/adapters", 1)
async def told(names: Names) -> None:
    async with wire(names["io"], join=True) as client:
        with prints() as lines:
            client.emit("enter", "room")
            await until(lambda: lines() == ["first one in room"])
            client.send("41")
            await until(lambda: len(lines()) == 3)
            assert set(lines()[1:]) == {"nobody is left in room", f"nobody is left in {client.sid}"}


@doc("tour/threads")
async def threads(names: Names) -> None:
    await browse(names["io"], names["program"], ["result 499500", "computed 45"])


# ---- deployment ----


@doc("tour/deployment", 0)
async def own_loop(names: Names) -> None:
    main = asyncio.create_task(names["main"]())
    await until(lambda: len(names["io"].addresses) == 3)
    async with wire(names["io"], join=True) as client:
        client.emit("hello", "Ada", ack=0)
        assert await client.ack(0) == ["hello Ada"]
        main.cancel()
        await client.closed()
    await asyncio.wait([main])


@doc("tour/deployment", 1)
async def tls(names: Names) -> None:
    io = names["io"]
    await io.listen(0, ssl=names["context"])
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"https://localhost:{io.addresses[1][1]}/socket.io/?EIO=4&transport=polling", ssl=False) as answer,
    ):
        assert (await answer.text()).startswith("0{")


@doc("tour/deployment", 2)
async def beside(names: Names) -> None:
    host, port = names["io"].addresses[0]
    async with wire(names["io"], join=True) as client, aiohttp.ClientSession() as http:
        client.emit("hello", "Ada", ack=0)
        assert await client.ack(0) == ["hello Ada"]
        async with http.post(f"http://{host}:{port}/news?text=today") as answer:
            assert await answer.json() == 1
        assert await client.event() == ["news", "today"]


@doc("tour/deployment", 3)
async def under_uvicorn(names: Names) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/online", "raw_path": b"/online", "query_string": b""}
    await names["app"]({**scope, "headers": [], "http_version": "1.1", "scheme": "http"}, receive, send)
    assert sent[0]["status"] == 200
    assert sent[1]["body"] == b"0"


@doc("tour/deployment", 4)
async def websockets_alone(names: Names) -> None:
    io = names["io"]
    async with wire(io, join=True):
        host, port = io.addresses[0]
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://{host}:{port}/socket.io/?EIO=4&transport=polling") as answer,
        ):
            assert await answer.json(content_type=None) == {"code": 0, "message": "Transport unknown"}


@doc("tour/deployment", 5)
async def health(names: Names) -> None:
    assert await fetched(names["io"], "/health") == "ok"
