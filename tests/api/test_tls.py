"""TLS: the official JavaScript client, the one for Python and a raw one, over wss."""

import asyncio
import json
import ssl
import subprocess
from contextlib import asynccontextmanager

import aiohttp
import pytest
import socketio
from picows import ws_connect

from fastsio import Server
from tests.e2e.app import HERE, install
from tests.e2e.rawws import CLOSE, TEXT, Frame, RawWebSocket, frame, text
from tests.requirements import require, require_npm
from tests.wsclient import WireClient

TIMEOUT = 20.0
KB = 1024
CERTIFICATE = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
SCRIPT = """
const { io } = require("%s");
const socket = io(process.argv[1], { transports: ["websocket"], rejectUnauthorized: false, reconnection: false });
const bytes = Buffer.from([0, 255, 128]);
const big = "é".repeat(200000);
socket.on("connect_error", (error) => { console.error(error); process.exit(1); });
socket.on("disconnect", (reason) => console.log(JSON.stringify(reason)));
socket.on("connect", () => {
  socket.emit("echo", 1, "é€😀", { bytes }, big, (...got) => {
    console.log(JSON.stringify([got[0], got[1], [...got[2].bytes], got[3] === big]));
    socket.emit("throw me out");
  });
});
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    require("openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(CERTIFICATE.split(), cwd=folder, check=True, capture_output=True)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


@pytest.fixture
def trust():
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


@asynccontextmanager
async def serving(context, **options):
    """A server, and what sockets were told at their end."""
    io = Server(**options)
    reasons = install(io)
    await io.listen(0, ssl=context)
    try:
        yield io, reasons
    finally:
        await io.close()


def url(io, scheme="https"):
    host, port = io.addresses[0]
    return f"{scheme}://{host}:{port}"


async def told(reasons):
    async with asyncio.timeout(TIMEOUT):
        while not reasons:
            await asyncio.sleep(0.005)
    return reasons


@asynccontextmanager
async def raw(io, trust):
    """A client in "/" that sends what it is told."""
    ws = RawWebSocket(*await asyncio.open_connection(*io.addresses[0], ssl=trust))
    await ws.handshake(io.addresses[0], "EIO=4&transport=websocket")
    await ws.text()
    ws.send(text("40"))
    assert (await ws.text()).startswith('40{"sid":"')
    yield ws
    ws.writer.transport.abort()


async def test_the_javascript_client(context):
    client = require_npm("socket.io-client")
    async with serving(context) as (io, reasons):
        process = await asyncio.create_subprocess_exec(
            *("node", "-e", SCRIPT % client, url(io)),
            cwd=HERE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), TIMEOUT)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, err.decode()
        got, reason = map(json.loads, out.splitlines())
        assert got == [1, "é€😀", [0, 255, 128], True]
        assert reason == "io server disconnect"
        assert reasons == [("/", "server namespace disconnect")]


async def test_the_python_client(context):
    async with serving(context) as (io, reasons):
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))
        client = socketio.AsyncClient(reconnection=False, http_session=session)
        await client.connect(url(io), transports=["websocket"], wait_timeout=TIMEOUT)
        (socket,) = io.sockets.sockets.values()
        assert socket.handshake.secure
        assert socket.handshake.address == "127.0.0.1"
        big = "x" * 500 * KB
        assert await client.call("echo", (1, b"\x00\xff", big), timeout=TIMEOUT) == (1, b"\x00\xff", big)
        await client.emit("throw me out")
        await asyncio.wait_for(client.wait(), TIMEOUT)
        assert reasons == [("/", "server namespace disconnect")]
        await session.close()


async def test_the_closing_handshake(context, trust):
    async with serving(context) as (io, reasons):
        async with raw(io, trust) as ws:
            io.emit("last")
            (session,) = io.engine.clients.values()
            session.close()
            assert await ws.rest() == ([Frame(TEXT, b'42["last"]')], None)
        assert reasons == [("/", "forced close")]
        async with raw(io, trust) as ws:
            ws.send(frame(CLOSE, b"\x03\xe9"))
            assert await ws.rest(answer=False) == ([], 1001)
        assert reasons[1:] == [("/", "transport close")]
        async with raw(io, trust) as ws:
            ws.send(frame(3, b""))
            assert await ws.rest() == ([], 1002)
        assert reasons[2:] == [("/", "transport error")]


async def test_a_client_that_vanishes(context, trust):
    async with serving(context) as (io, reasons):
        async with raw(io, trust):
            pass
        ((_, reason),) = await told(reasons)
        assert reason in ("transport close", "transport error")


async def test_a_flood_is_worked_on_in_order(context, trust):
    """In slices too: what is put aside is not overtaken."""
    seen = []
    async with serving(context) as (io, reasons), raw(io, trust) as ws:

        @io.event
        def work(socket, number):
            seen.append(number)
            sum(range(1_000))

        for start in range(0, 20_000, 100):
            ws.send(*(text(f'42["work",{number}]') for number in range(start, start + 100)))
        assert await ws.barrier() == []
        assert seen == list(range(20_000))


async def test_files_and_refusals(context, trust):
    async with serving(context) as (io, reasons):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
            async with session.get(url(io) + "/nope") as answer:
                assert answer.status == 404
            headers = {"Origin": "https://evil.example"}
            async with session.get(url(io) + "/socket.io/?EIO=4&transport=websocket", headers=headers) as answer:
                assert answer.status in (400, 403)
        assert io.engine.clients_count == 0


async def test_same_origin_is_that_of_https(context, trust):
    """A page that came over http is of another origin than this server."""
    async with serving(context) as (io, _):
        wss = url(io, "wss") + "/socket.io/?EIO=4&transport=websocket"
        transport, client = await ws_connect(WireClient, wss, ssl_context=trust, extra_headers={"Origin": url(io)})
        await client.next()
        transport.disconnect(graceful=False)
        with pytest.raises(Exception, match="403"):
            await ws_connect(WireClient, wss, ssl_context=trust, extra_headers={"Origin": url(io, "http")})


async def test_what_is_not_tls(context):
    async with serving(context) as (io, reasons):
        reader, writer = await asyncio.open_connection(*io.addresses[0])
        writer.write(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        await writer.wait_closed()
        assert io.engine.clients_count == 0
