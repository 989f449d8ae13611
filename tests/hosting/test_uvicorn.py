"""fastsio.uvicorn: uvicorn's server with our class for its connections, or for its websockets alone."""

import asyncio
import json
import logging
from contextlib import asynccontextmanager

import aiohttp
import pytest
import socketio
import uvicorn

import fastsio.uvicorn
from fastsio import ASGIApp, Server
from fastsio.uvicorn import HttpProtocol, WebSocketProtocol, find_asgi_app
from tests.e2e.rawws import BINARY, TEXT, binary, frame, rawws, text
from tests.hosting.fake import answer
from tests.hosting.port import TIMEOUT, http

POLL = "/socket.io/?EIO=4&transport=polling"
WAYS = {
    "--http": {"http": HttpProtocol},
    "--ws": {"ws": WebSocketProtocol},
    "both": {"http": HttpProtocol, "ws": WebSocketProtocol},
    "--ws, h11": {"ws": WebSocketProtocol, "http": "h11"},
}


async def other_app(scope, receive, send):
    """Answers with the path; echoes on websockets."""
    if scope["type"] == "http":
        await answer(send, scope["path"].encode())
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
    else:
        raise NotImplementedError


class Site:
    """io: the server in uvicorn; server: uvicorn's own; addresses: where it listens; told: why sockets ended."""

    def __init__(self, **config):
        self.io = Server()
        self.io.event("echo")(lambda socket, *args: args)
        self.told = []
        self.io.event("disconnect")(lambda socket, reason: self.told.append(reason))
        config = {"log_config": None, "host": "127.0.0.1", "port": 0, "timeout_graceful_shutdown": 3, **config}
        self.server = uvicorn.Server(uvicorn.Config(config.pop("app", ASGIApp(self.io, other_app)), **config))

    @property
    def addresses(self):
        return [self.server.servers[0].sockets[0].getsockname()]

    @property
    def url(self):
        return "http://{}:{}".format(*self.addresses[0])

    @property
    def connections(self):
        return self.server.server_state.connections

    async def stop(self):
        self.server.should_exit = True
        await asyncio.wait_for(self.task, TIMEOUT)


@asynccontextmanager
async def site(**config):
    made = Site(**config)
    made.task = asyncio.ensure_future(made.server.serve())
    try:
        async with asyncio.timeout(TIMEOUT):
            while not made.server.started:
                await asyncio.sleep(0.01)
        yield made
    finally:
        await made.stop()


@pytest.fixture(params=WAYS)
async def running(request):
    async with site(**WAYS[request.param]) as made:
        yield made


async def until(condition):
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.005)


async def test_websocket(running):
    async with rawws(running, join=True) as client:
        (connection,) = running.connections
        assert isinstance(connection, HttpProtocol)
        client.send(text('420["echo",1]'), text('451-1["echo",{"_placeholder":true,"num":0}]'), binary(b"\0\1"))
        assert await client.text() == "430[1]"
        assert await client.text() == '461-1[{"_placeholder":true,"num":0}]'
        assert await client.next() == (BINARY, b"\0\1")
    await until(lambda: not running.connections)
    await until(lambda: running.told == ["transport close"])


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]])
async def test_polling_and_the_upgrade(running, transports):
    client = socketio.AsyncClient()
    await client.connect(running.url, transports=transports)
    try:
        for number in range(20):
            assert await client.call("echo", number, timeout=TIMEOUT) == number
    finally:
        await client.disconnect()
    await until(lambda: running.told)


async def test_the_other_application(running):
    async with http(running.addresses[0]) as client:
        assert (await client.request("GET", "/one")).body == b"/one"
        assert (await client.request("GET", POLL)).body.startswith(b"0{")
        assert (await client.request("GET", "/two")).body == b"/two"
        assert len(running.connections) == 1
    async with aiohttp.ClientSession() as session, session.ws_connect(running.url + "/ws") as websocket:
        await websocket.send_str("hello")
        assert (await websocket.receive(TIMEOUT)).data == "hello"
        await until(lambda: len(running.connections) == 1)
    await until(lambda: not running.connections)


async def test_the_end_is_told(running):
    """uvicorn ends at once: sockets are told, a GET that waits is answered, connections close."""
    async with rawws(running, join=True) as client, http(running.addresses[0]) as polling:
        sid = json.loads((await polling.request("GET", POLL)).body[1:])["sid"]
        polling.send("GET", f"{POLL}&sid={sid}")
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(running.stop())
        frames, _ = await client.rest()
        assert frames == []
        assert (await polling.answer()).body == b"1"
        polling.writer.close()
        client.writer.close()
        await stopping
    assert running.told == ["server shutting down"]
    assert not running.connections


async def test_a_port_of_our_own_beside():
    """It has no application: other paths are answered 404."""
    async with site(http=HttpProtocol) as running:
        async with http(running.addresses[0]) as client:
            assert (await client.request("GET", "/one")).body == b"/one"
        await running.io.listen(0)
        for method, body in (("GET", b""), ("POST", b"x")):
            async with http(running.io.addresses[0]) as client:
                assert (await client.request(method, "/one", body=body)).status == 404
                assert await client.ended() == b""


async def test_requests_are_counted():
    async with site(http=HttpProtocol) as running, http(running.addresses[0]) as client:
        await client.request("GET", "/one")
        await client.request("GET", POLL)
        assert running.server.server_state.total_requests == 2


async def test_limit_of_concurrency():
    """A connection counts once, whatever it carries."""
    async with (
        site(http=HttpProtocol, limit_concurrency=3) as running,
        http(running.addresses[0]) as one,
        http(running.addresses[0]) as two,
    ):
        assert (await one.request("GET", "/")).status == 200
        assert (await two.request("GET", "/")).status == 200
        async with http(running.addresses[0]) as three:
            assert (await three.request("GET", "/")).status == 503


async def test_an_answer_under_way_is_finished():
    begin = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await begin.wait()
            await answer(send, b"late")

    io = Server()
    async with site(http=HttpProtocol, app=ASGIApp(io, app)) as running, http(running.addresses[0]) as client:
        client.send("GET", "/")
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(running.stop())
        await asyncio.sleep(0.15)
        begin.set()
        got = await client.answer()
        assert (got.body, got.headers["connection"]) == (b"late", "close")
        client.writer.close()
        await stopping


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trusted", [True, False])
async def test_behind_a_proxy(way, trusted):
    """The client is who uvicorn takes for it, whichever way a request comes."""
    allowed = "127.0.0.1, 192.0.2.9" if trusted else "192.0.2.9"
    seen = []
    headers = ["X-Forwarded-For: 192.0.2.66, 192.0.2.7", "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"]
    async with site(forwarded_allow_ips=allowed, **WAYS[way]) as running:
        running.io.engine.use(lambda request: seen.append((request.address, request.secure)))
        async with http(running.addresses[0]) as client:
            await client.request("GET", POLL, *headers)
            await client.request("GET", POLL)
            upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
            client.send("GET", POLL.replace("polling", "websocket"), *headers, *upgrade, key)
            assert (await client.head())[0] == 101
    told, plain = (("192.0.2.7", True) if trusted else ("127.0.0.1", False)), ("127.0.0.1", False)
    assert seen == [told, plain, told]


async def test_middlewares_are_looked_through():
    async with site(http=HttpProtocol) as running:
        assert find_asgi_app(running.server.config.loaded_app).engine is running.io.engine


@pytest.mark.parametrize("way", [{"http": HttpProtocol}, {"ws": WebSocketProtocol}])
async def test_without_an_asgi_app(way, caplog, monkeypatch):
    monkeypatch.setattr(fastsio.uvicorn, "rate_limited", lambda kind: True)
    async with site(app=other_app, **way) as running, aiohttp.ClientSession() as session:
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await session.ws_connect(running.url + "/ws", timeout=aiohttp.ClientWSTimeout(ws_close=1))
        assert "finds no fastsio.ASGIApp" in caplog.text


async def test_one_line_says_which_way(caplog):
    caplog.set_level(logging.INFO)
    async with site(http=HttpProtocol) as running:
        for _ in range(2):
            async with rawws(running, join=True):
                pass
    lines = [line for line in caplog.messages if line.startswith("fastsio: ")]
    assert lines == ["fastsio: raw protocol on uvicorn's port"]


async def test_bytes_right_behind_an_upgrade():
    """Of a client that does not wait for the answer: all of them come through with --http."""
    async with site(http=HttpProtocol) as running:
        reader, writer = await asyncio.open_connection(*running.addresses[0])
        request = (
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        writer.write(request.encode() + frame(TEXT, b"40") + frame(TEXT, b'420["echo",7]'))
        await asyncio.wait_for(reader.readuntil(b"430[7]"), TIMEOUT)
        writer.transport.abort()


def test_names():
    assert fastsio.uvicorn.__all__ == ["HttpProtocol", "WebSocketProtocol"]
