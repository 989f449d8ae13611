"""Server(app): the application and Socket.IO on one port and on the same connections."""

import asyncio
import json
import ssl
import subprocess

import aiohttp
import pytest
import uvicorn

from fastsio import Engine, Server
from fastsio.engine import connection as connection_module
from tests.hosting.fake import answer
from tests.hosting.port import TIMEOUT, http, sharing
from tests.requirements import require
from tests.wsclient import wire

POLL = "/socket.io/?EIO=4&transport=polling"
MB = 1024 * 1024


async def path(scope, receive, send):
    if scope["type"] == "http":
        await answer(send, scope["path"].encode())


async def body_size(scope, receive, send):
    """Reads all of the body; answers with its size."""
    if scope["type"] == "http":
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await answer(send, b"%d" % size)


async def test_the_application_and_polling_take_turns_on_one_connection():
    async with sharing(path) as io, http(io.addresses[0]) as client:
        io.event("echo")(lambda socket, *args: args)
        assert (await client.request("GET", "/one")).body == b"/one"
        opened = json.loads((await client.request("GET", POLL)).body[1:])
        session = f"{POLL}&sid={opened['sid']}"
        assert (await client.request("GET", "/two")).body == b"/two"
        assert (await client.request("POST", session, body=b"40")).body == b"ok"
        assert (await client.request("GET", session)).body.startswith(b'40{"sid":"')
        client.send("POST", session, body=b'420["echo",1]')
        client.send("GET", "/three")
        client.send("GET", session)
        assert [(await client.answer()).body for _ in range(3)] == [b"ok", b"/three", b"430[1]"]


async def test_answers_keep_their_order():
    """A slow answer of the application holds up what was asked for behind it."""
    begin = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await begin.wait()
            await answer(send, b"late")

    async with sharing(app) as io, http(io.addresses[0]) as client:
        client.send("GET", "/slow")
        client.send("GET", POLL)
        client.send("GET", "/again")
        await asyncio.sleep(0.05)
        assert io.engine.clients_count == 0
        begin.set()
        assert (await client.answer()).body == b"late"
        assert (await client.answer()).body.startswith(b"0{")
        assert (await client.answer()).body == b"late"


async def test_more_requests_than_are_read_ahead():
    async with sharing(path) as io, http(io.addresses[0]) as client:
        for block in range(6):
            for number in range(7):
                client.send("GET", f"/{block}/{number}")
            await asyncio.sleep(0)
        for block in range(6):
            for number in range(7):
                assert (await client.answer()).body == f"/{block}/{number}".encode()


async def test_websocket_of_the_application():
    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"] * 2})

    async with sharing(app) as io, aiohttp.ClientSession() as session:
        url = "http://{}:{}/ws".format(*io.addresses[0])
        async with session.ws_connect(url, protocols=["a", "b"]) as websocket:
            assert websocket.protocol == "a"
            for text in ("x", "y" * 100_000):
                await websocket.send_str(text)
                assert (await websocket.receive(TIMEOUT)).data == text * 2
            async with wire(io) as client:
                await client.join()


async def test_an_answer_above_max_backlog():
    """It is the application's, and bounded by how fast the peer reads alone."""

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(send, bytes(3 * MB))

    async with sharing(app, max_backlog=100_000) as io, http(io.addresses[0]) as client:
        for _ in range(2):
            assert len((await client.request("GET", "/")).body) == 3 * MB
        client.send("GET", "/")
        client.send("GET", POLL)
        await asyncio.sleep(0.05)
        assert len((await client.answer()).body) == 3 * MB
        assert (await client.answer()).body.startswith(b"0{")


async def test_streams_wait_for_the_peer():
    """An application that sends without end is held up by a peer that does not read."""
    sent = 0

    async def app(scope, receive, send):
        nonlocal sent
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while sent < 1000:
                await send({"type": "http.response.body", "body": bytes(64 * 1024), "more_body": True})
                sent += 1

    async with sharing(app) as io, http(io.addresses[0]) as client:
        client.send("GET", "/")
        await client.head()
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.1)
        assert 0 < sent * 64 * 1024 < 40 * MB
        client.writer.transport.abort()


async def test_a_slow_reader_gets_all_of_an_answer_that_closes(monkeypatch):
    monkeypatch.setattr(connection_module, "CLOSE_TIMEOUT", 0.2)

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(send, bytes(8 * MB))

    async with sharing(app) as io, http(io.addresses[0]) as client:
        client.send("GET", "/", "Connection: close")
        await asyncio.sleep(0.6)
        assert len((await client.answer()).body) == 8 * MB
        assert await client.ended() == b""


async def test_bodies_of_any_size():
    async with sharing(body_size, max_http_buffer_size=1000) as io, http(io.addresses[0]) as client:
        assert (await client.request("POST", "/", body=bytes(3 * MB))).body == b"%d" % (3 * MB)
        client.send("POST", "/", "Transfer-Encoding: chunked")
        client.writer.write(b"3e8\r\n" + bytes(1000) + b"\r\n")
        client.writer.write(b"1\r\nx\r\n0\r\n\r\n")
        assert (await client.answer()).body == b"1001"
        assert (await client.request("POST", POLL, body=bytes(1001))).status == 413


async def test_a_malformed_chunk():
    async with sharing(body_size) as io, http(io.addresses[0]) as client:
        client.send("POST", "/", "Transfer-Encoding: chunked")
        client.writer.write(b"1\r\nx\r\nzz\r\n")
        assert (await client.answer()).status == 400
        await client.ended()


async def test_a_slow_application_holds_up_its_body():
    begin = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await begin.wait()
            await body_size(scope, receive, send)

    async with sharing(app) as io, http(io.addresses[0]) as client:
        client.send("POST", "/", f"Content-Length: {20 * MB}")
        client.writer.write(bytes(20 * MB))
        await asyncio.sleep(0.2)
        assert client.writer.transport.get_write_buffer_size() > 8 * MB
        begin.set()
        assert (await client.answer()).body == b"%d" % (20 * MB)


async def test_the_client_goes_away():
    told = asyncio.Queue()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await receive()
            told.put_nowait(await receive())

    async with sharing(app) as io:
        for ends in (lambda writer: writer.close(), lambda writer: writer.write_eof()):
            async with http(io.addresses[0]) as client:
                client.send("GET", "/")
                await asyncio.sleep(0.05)
                ends(client.writer)
                assert await asyncio.wait_for(told.get(), TIMEOUT) == {"type": "http.disconnect"}


async def test_exception():
    async def app(scope, receive, send):
        raise ArithmeticError("on purpose")

    async with sharing(app) as io, http(io.addresses[0]) as client:
        assert (await client.request("GET", "/")).status == 500
        assert await client.ended() == b""


async def test_what_is_no_http_is_refused_before_the_application():
    async with sharing(path) as io, http(io.addresses[0]) as client:
        client.writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert (await client.answer()).status == 400


async def test_tls(tmp_path):
    require("openssl")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    theirs = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    theirs.check_hostname = False

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(send, scope["scheme"].encode() * MB)

    async with sharing(app, ssl=ours) as io, http(io.addresses[0], theirs) as client:
        assert (await client.request("GET", "/")).body == b"https" * MB
        assert (await client.request("GET", POLL)).body.startswith(b"0{")
        assert (await client.request("GET", "/", "Connection: close")).body == b"https" * MB


# ---- the life of both ----


class App:
    """told: the lifespan's messages."""

    def __init__(self):
        self.told = []
        self.begin = asyncio.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            await self.begin.wait()
            await answer(send, b"late")
        while scope["type"] == "lifespan":
            self.told.append((await receive())["type"])
            await send({"type": self.told[-1] + ".complete"})
            if self.told[-1] == "lifespan.shutdown":
                break


async def test_lifespan_and_two_ports():
    app = App()
    io = Server()
    assert io.attach(app) is io
    await io.listen(0)
    await io.listen(0)
    assert app.told == ["lifespan.startup"]
    app.begin.set()
    for address in io.addresses:
        async with http(address) as client:
            assert (await client.request("GET", "/")).body == b"late"
    await io.close()
    assert app.told == ["lifespan.startup", "lifespan.shutdown"]
    await io.listen(0)
    await io.close()
    assert app.told == ["lifespan.startup", "lifespan.shutdown"] * 2


async def test_close_waits_for_answers():
    app = App()
    async with sharing(app) as io, http(io.addresses[0]) as idle, http(io.addresses[0]) as client:
        await idle.request("GET", POLL)
        client.send("GET", "/")
        await asyncio.sleep(0.05)
        closing = asyncio.ensure_future(io.close())
        assert await idle.ended() == b""
        app.begin.set()
        got = await client.answer()
        assert (got.body, got.headers["connection"]) == (b"late", "close")
        assert await client.ended() == b""
        client.writer.close()
        await closing
    assert app.told == ["lifespan.startup", "lifespan.shutdown"]


async def test_a_start_that_fails():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    io = Server(app)
    with pytest.raises(RuntimeError, match="no database"):
        await io.listen(0)
    assert io.addresses == []
    await io.close()


async def test_configuration_of_uvicorn():
    config = uvicorn.Config(path, log_config=None, lifespan="off", root_path="/below")
    async with sharing(config) as io, http(io.addresses[0]) as client:
        got = await client.request("GET", "/x")
        assert (got.body, got.headers["server"]) == (b"/below/x", "uvicorn")


async def test_an_engine_alone():
    engine = Engine().attach(path)
    await engine.listen(0)
    async with http(engine.addresses[0]) as client:
        assert (await client.request("GET", "/x")).body == b"/x"
        assert (await client.request("GET", POLL.replace("socket", "engine"))).body.startswith(b"0{")
    await engine.close()


def test_a_port_is_remembered():
    assert Server(3000)._port == Server().attach(3000)._port == 3000
