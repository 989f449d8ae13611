"""What an application can hang on the engine: middlewares, events, ids, the first packet; seen from plain HTTP."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from fastsio import ConnectError, Engine, Server
from tests.wsclient import wire

OPENING = "EIO=4&transport=polling"


class Http:
    """A client without a cookie jar. `answer` is (status, headers, text)."""

    def __init__(self, session: aiohttp.ClientSession, address: Any, path: str = "/socket.io") -> None:
        self.session, self.url = session, f"http://{address[0]}:{address[1]}{path}/"

    async def get(self, query: str = OPENING, **headers: str) -> tuple[int, Any, str]:
        async with self.session.get(f"{self.url}?{query}", headers=headers) as answer:
            return answer.status, answer.headers, await answer.text()

    async def post(self, query: str, body: str) -> tuple[int, Any, str]:
        async with self.session.post(f"{self.url}?{query}", data=body) as answer:
            return answer.status, answer.headers, await answer.text()

    async def open(self) -> str:
        status, _, text = await self.get()
        assert status == 200, text
        return f"{OPENING}&sid={json.loads(text[1:])['sid']}"


@asynccontextmanager
async def listening(io: Server) -> AsyncIterator[None]:
    await io.listen(0)
    try:
        yield
    finally:
        await io.close()


@asynccontextmanager
async def http(io: Server) -> AsyncIterator[Http]:
    async with listening(io), aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Http(session, io.addresses[0])


async def test_middlewares_see_every_request_in_order():
    io = Server()
    seen: list[tuple[int, str]] = []

    @io.engine.use
    def first(request):
        seen.append((1, request.method))

    @io.engine.use
    async def second(request):
        await asyncio.sleep(0)
        seen.append((2, request.method))
        return {"X-Second": request.query["transport"]}

    async with http(io) as client:
        query = await client.open()
        assert (await client.post(query, "40"))[1]["X-Second"] == "polling"
        assert (await client.get(query))[1]["X-Second"] == "polling"
        status, headers, _ = await client.get("EIO=4&transport=nothing")
        assert (status, headers["X-Second"]) == (400, "nothing")
    assert seen == [(n, method) for method in ("GET", "POST", "GET", "GET") for n in (1, 2)]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "answer"),
    [
        (ConnectError("go away"), 403, {"code": 4, "message": "go away"}),
        (RuntimeError("secret"), 400, {"code": 3, "message": "Bad request"}),
    ],
)
async def test_a_middleware_refuses(error, status, answer, is_async):
    io = Server()

    @io.engine.use
    def refuse(request):
        if is_async:
            return fail()
        raise error

    async def fail():
        raise error

    async with http(io) as client:
        got, _, text = await client.get()
        assert (got, json.loads(text)) == (status, answer)
        assert io.engine.clients_count == 0


@pytest.mark.parametrize("where", ["middleware", "headers", "initial_headers"])
async def test_a_header_that_cannot_be_sent_is_answered(where):
    io = Server()
    if where == "middleware":
        io.engine.use(lambda request: {"X-A": "b\r\nX-Evil: c"})
    else:
        io.engine.on(where, lambda headers, request: headers.add("X-A", "b\r\nX-Evil: c"))
    async with http(io) as client:
        status, headers, _ = await client.get()
        assert status == (400 if where == "middleware" else 500)
        assert "X-Evil" not in headers
        assert io.engine.clients_count == 0


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize("change", ["", "&sid=nobody", "&EIO=3", "&transport=websocket", "&transport=x", "&sid="])
async def test_with_and_without_somebody_who_is_asked(method, change):
    """Requests of a polling session take a shorter way where nobody is to be asked: they are answered the same."""
    answers = []
    for asked in (False, True):
        io = Server()
        if asked:
            io.engine.use(lambda request: None)
        async with http(io) as client:
            sid = (await client.open()).partition("&sid=")[2]
            query = {"EIO": "4", "transport": "polling", "sid": sid}
            query |= dict(pair.split("=") for pair in change[1:].split("&") if pair)
            url = f"{client.url}?{'&'.join('='.join(pair) for pair in query.items())}"
            if method == "GET" and not change:
                io.engine.clients[sid].send("there is something to get")
            async with client.session.request(method, url, data="42" if method == "POST" else None) as answer:
                answers.append((answer.status, sorted(answer.headers.items()), await answer.text()))
                answers[-1] += (io.engine.clients_count, io.engine.counters)
    without, with_ = (re.sub(r'"sid":"[^"]+"', "", str(answer)) for answer in answers)
    assert without == with_


async def test_headers_events():
    io = Server(cookie=True)
    io.engine.on("initial_headers", lambda headers, request: headers.add("X-First", request.method))
    io.engine.on("headers", lambda headers, request: headers.add("X-Every", request.method))
    async with http(io) as client:
        _, headers, text = await client.get()
        assert (headers["X-First"], headers["X-Every"]) == ("GET", "GET")
        assert headers["Set-Cookie"].startswith("io=")
        query = f"{OPENING}&sid={json.loads(text[1:])['sid']}"
        _, headers, _ = await client.post(query, "40")
        assert "X-First" not in headers
        assert "Set-Cookie" not in headers
        assert headers["X-Every"] == "POST"


async def test_connection_error_tells_what_was_wrong():
    io = Server()
    errors: list[Any] = []
    io.engine.on("connection_error", errors.append)
    async with http(io) as client:
        await client.get("EIO=4&transport=carrier-pigeon")
        await client.get(f"{OPENING}&sid=nobody")
    assert [(error.code, error.message) for error in errors] == [(0, "Transport unknown"), (1, "Session ID unknown")]
    assert errors[0].context == {"transport": "carrier-pigeon"}
    assert errors[1].context == {"sid": "nobody"}
    assert errors[1].request.query["sid"] == "nobody"


@pytest.mark.parametrize("is_async", [False, True])
async def test_generate_id(is_async):
    io = Server()
    io.engine.generate_id = lambda request: asyncio.sleep(0, "mine") if is_async else "mine"
    async with http(io) as client:
        assert json.loads((await client.get())[2][1:])["sid"] == "mine"
        assert (await client.get())[0] == 500  # there is one of that id
        assert list(io.engine.clients) == ["mine"]


@pytest.mark.parametrize(("packet", "text"), [("hello", "4hello"), (b"\1\2\3", "bAQID")])
async def test_initial_packet(packet, text):
    """Behind the open packet; to a polling client with its next GET, as in the reference."""
    async with http(Server(initial_packet=packet)) as client:
        query = await client.open()
        assert (await client.get(query))[2] == text


async def test_sessions_are_bounded_like_connections():
    io = Server(max_connections=3)
    async with http(io) as client:
        answers = [(await client.get())[0] for _ in range(4)]
        assert answers == [200, 200, 200, 503]
        assert io.engine.counters["sessions above max_connections"] == 1


async def test_engine_events_of_a_socket():
    io = Server()
    told: list[Any] = []

    @io.engine.on("connection")
    def opened(conn):
        told.append(("open", conn.ready_state, conn.protocol, conn.transport.name))
        conn.on("message", lambda data: told.append(data))
        conn.on("close", lambda reason: told.append(("close", reason, conn.ready_state)))

    async with listening(io), wire(io, join=True) as client:
        client.send("41")
        client.transport.disconnect(graceful=False)
        async with asyncio.timeout(5):
            while told[-1][0] != "close":
                await asyncio.sleep(0.01)
    assert told == [("open", "open", 4, "websocket"), "0", "1", ("close", "transport close", "closed")]


async def test_an_engine_alone():
    engine = Engine()

    @engine.on("connection")
    def opened(conn):
        conn.on("message", lambda data: conn.send(data))

    await engine.listen(0)
    try:
        async with aiohttp.ClientSession() as session:
            client = Http(session, engine.addresses[0], "/engine.io")
            query = await client.open()
            assert (await client.post(query, "4hello\x1ebAQID"))[2] == "ok"
            assert (await client.get(query))[2] == "4hello\x1ebAQID"
    finally:
        await engine.close()
