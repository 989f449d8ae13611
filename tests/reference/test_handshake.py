"""What a socket knows of how its client came: handshake, request, and the engine's hooks at that moment."""

import time
from email.utils import parsedate_to_datetime

import pytest

from tests.reference.node import Calls, url_of
from tests.wsclient import serving

TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "polling"])

# ---- handshake ----


@TRANSPORTS
async def test_headers(io, node, version, transport):
    headers = {"X-Token": "abc", "Cookie": "a=1"}
    client = await node.connect(io, version=version, transport=transport, extra_headers=headers)
    found = client.peer.handshake.headers
    assert (found["x-token"], found["X-TOKEN"], found["cookie"]) == ("abc", "abc", "a=1")
    assert f"http://{found['host']}" == url_of(io)
    assert client.peer.request.cookies == {"a": "1"}


@TRANSPORTS
async def test_query(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport, query={"key": "é &=", "n": 1})
    query = client.peer.handshake.query
    assert (query["key"], query["n"]) == ("é &=", "1")
    assert (query["EIO"], query["transport"]) == ("3" if version == 2 else "4", transport)
    assert {name: query[name] for name in client.peer.request.query} == client.peer.request.query


async def test_the_query_is_the_connections_in_every_namespace(io, node, version):
    io.of("/chat")
    main = await node.connect(io, version=version, query={"key": "1"})
    chat = await main.join("/chat")
    assert main.peer.handshake.query["key"] == chat.peer.handshake.query["key"] == "1"


async def test_queries_of_an_older_clients_namespaces(io, node):
    io.of("/chat")
    main = await node.connect(io, version=2, query={"key": "main", "own": "1"})
    chat = await main.join("/chat", query={"key": "chat"})
    assert main.peer.handshake.query["key"] == "main"
    assert chat.peer.handshake.query["own"] == "1"
    assert chat.peer.handshake.auth == {"key": "chat"}


async def test_auth(io, node, newer):
    client = await node.connect(io, version=newer, auth={"token": "abc", "n": [1, None]})
    assert client.peer.handshake.auth == {"token": "abc", "n": [1, None]}
    assert "token" not in client.peer.handshake.query


async def test_no_auth(io, node, version):
    assert (await node.connect(io, version=version)).peer.handshake.auth == {}


async def test_auth_of_each_namespace(io, node, newer):
    io.of("/chat")
    main = await node.connect(io, version=newer, auth={"token": "main"})
    chat = await main.join("/chat", auth={"token": "chat"})
    assert main.peer.handshake.auth == {"token": "main"}
    assert chat.peer.handshake.auth == {"token": "chat"}


async def test_auth_that_a_function_gives(io, node, newer):
    client = await node.connect(io, version=newer, auto_connect=False, wait=False)
    await client.eval("void (socket.auth = (done) => done({ token: args[0] }))", "abc")
    await client.open()
    await client.joined()
    assert client.peer.handshake.auth == {"token": "abc"}


@TRANSPORTS
async def test_url(io, node, version, transport):
    client = await node.connect(io, version=version, transport=transport, query={"key": "a b"})
    url = client.peer.handshake.url
    assert url.startswith("/socket.io/?")
    assert f"EIO={3 if version == 2 else 4}" in url and "key=a%20b" in url and f"transport={transport}" in url


async def test_time(io, node, version):
    before = time.time()
    handshake = (await node.connect(io, version=version)).peer.handshake
    assert before - 1 <= handshake.issued / 1000 <= time.time() + 1
    assert int(parsedate_to_datetime(handshake.time).timestamp()) == handshake.issued // 1000


async def test_where_it_came_from(io, node, version):
    peer = (await node.connect(io, version=version)).peer
    assert (peer.handshake.address, peer.conn.remote_address) == ("127.0.0.1", "127.0.0.1")
    assert (peer.handshake.secure, peer.handshake.xdomain) == (False, False)


@TRANSPORTS
async def test_from_a_page_elsewhere(node, version, transport):
    async with serving(origins=["http://elsewhere.com"]) as io:
        headers = {"Origin": "http://elsewhere.com"}
        client = await node.connect(io, version=version, transport=transport, extra_headers=headers)
        assert client.peer.handshake.xdomain is True


async def test_of_the_request_that_opened_it(io, node, version):
    """After an upgrade too."""
    client = await node.connect(io, version=version, transport=None)
    await client.eval(
        "new Promise((done) => engine.transport.name === 'websocket' ? done() : engine.on('upgrade', () => done()))"
    )
    await client.settle()
    assert client.peer.conn.transport.name == "websocket"
    assert client.peer.conn.upgraded is True
    assert client.peer.handshake.query["transport"] == "polling"


async def test_there_in_a_middleware(io, node, version):
    seen = Calls()
    io.use(lambda socket: seen(socket.handshake.query["key"], socket.client.conn.protocol, socket.connected))
    await node.connect(io, version=version, query={"key": "1"})
    assert seen.all() == [("1", 3 if version == 2 else 4, False)]


# ---- the engine's part ----


@TRANSPORTS
async def test_ids_of_ones_own(io, node, version, transport):
    io.engine.generate_id = lambda request: f"own-{request.query['key']}"
    client = await node.connect(io, version=version, transport=transport, query={"key": "1"})
    assert await client.eval("engine.id") == client.peer.conn.id == "own-1"
    assert list(io.engine.clients) == ["own-1"]
    if version == 2:
        assert client.id == "own-1"


async def test_ids_that_have_to_be_waited_for(io, node, version):
    async def generate_id(request):
        return "own"

    io.engine.generate_id = generate_id
    await node.connect(io, version=version)
    assert list(io.engine.clients) == ["own"]


async def test_headers_of_the_first_answer_and_of_all(io, node, version):
    seen = Calls()

    @io.engine.on("initial_headers")
    def initial(headers, request):
        seen("initial")
        headers["X-Initial"] = "1"

    @io.engine.on("headers")
    def each(headers, request):
        seen("headers")

    client = await node.connect(io, version=version, transport="polling")
    await client.settle()
    names = [name for (name,) in seen.all()]
    assert names.count("initial") == 1
    assert names.count("headers") > 1


async def test_the_engines_connection_event(io, node, version):
    seen = Calls()
    io.engine.on("connection", seen)
    client = await node.connect(io, version=version)
    assert seen.all() == [(client.peer.conn,)]


async def test_clients_count(io, node, version):
    clients = [await node.connect(io, version=version) for _ in range(3)]
    assert io.engine.clients_count == 3
    gone = Calls()
    clients[0].peer.conn.on("close", gone)
    await clients[0].disconnect()
    await gone.next()
    assert io.engine.clients_count == 2


async def test_an_initial_packet(node, version):
    async with serving(initial_packet='2["hello",1]') as io:
        client = await node.connect(io, version=version)
        assert await client.receive("hello") == [1]
