"""The server: where it listens, how it ends, who gets in, and what limits a connection."""

import asyncio
import json

import pytest

from fastsio import ConnectError, Server
from tests.reference.fetching import fetch
from tests.reference.node import Calls, until, url_of
from tests.wsclient import serving

TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "polling"])
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"

# ---- listening ----


async def test_a_port_that_the_constructor_takes(node, version):
    io = Server(0)
    await io.listen()
    try:
        await node.connect(io, version=version)
    finally:
        await io.close()


async def test_a_port_that_attach_takes(node, version):
    io = Server()
    assert io.attach(0) is io
    await io.listen()
    try:
        await node.connect(io, version=version)
    finally:
        await io.close()


async def test_no_port():
    with pytest.raises(ValueError, match="no port"):
        await Server().listen()


async def test_two_ports(io, node, version):
    await io.listen(0)
    clients = [await node.connect(f"http://{host}:{port}", version=version) for host, port in io.addresses]
    io.emit("news", 1)
    assert [await client.collect("news") for client in clients] == [[[1]], [[1]]]


async def test_two_servers(node, version):
    async with serving() as first, serving() as second:
        clients = [await node.connect(io, version=version) for io in (first, second)]
        first.emit("news", 1)
        assert [await client.collect("news") for client in clients] == [[[1]], []]


# ---- the end ----


@TRANSPORTS
async def test_close_ends_every_connection(node, version, transport):
    async with serving() as io:
        client = await node.connect(io, version=version, transport=transport)
        gone = Calls()
        client.peer.on("disconnect", gone)
        await io.close()
        assert gone.all()[0][0] == "server shutting down"
        assert await client.closed() in ("transport close", "transport error")
        assert io.engine.clients_count == 0


async def test_the_port_is_free_after_close(io, node, version):
    await node.connect(io, version=version)
    ((_, port),) = io.addresses
    await io.close()
    assert io.addresses == []
    async with serving() as other:
        await other.listen(port)
        await node.connect(f"http://127.0.0.1:{port}", version=version)


async def test_close_without_clients(io):
    await io.close()
    await io.close()
    await Server().close()


async def test_listening_again_after_close(io, node, version):
    io.of("/chat")
    first = await node.connect(io, "/chat", version=version)
    await io.close()
    await first.closed()
    await io.listen(0)
    second = await node.connect(io, "/chat", version=version)
    assert await io.of("/chat").clients() == [second.id]


async def test_clients_come_back_to_a_server_that_was_closed(io, node, version):
    client = await node.connect(io, version=version, reconnection=True)
    ((_, port),) = io.addresses
    first = client.id
    await io.close()
    await client.closed()
    await io.listen(port)
    await client.joined()
    assert client.id != first
    assert list(io.sockets.sockets) == [client.id]


async def test_a_client_that_was_sent_away_does_not_come_back(io, node, newer):
    client = await node.connect(io, version=newer, reconnection=True)
    client.peer.disconnect()
    assert await client.closed() == "io server disconnect"
    assert await client.eval("socket.active") is False


# ---- where it is ----


@TRANSPORTS
async def test_another_path(node, version, transport):
    async with serving(path="/my/own") as io:
        await node.connect(io, version=version, transport=transport, path="/my/own")
        client = await node.connect(io, version=version, transport=transport, wait=False)
        await client.refused()
        assert not client.connected


@pytest.mark.parametrize("path", ["/own", "/own/"])
async def test_a_path_with_and_without_a_slash_at_its_end(node, version, path):
    async with serving(path=path) as io:
        await node.connect(io, version=version, path="/own")
        await node.connect(io, version=version, path="/own/")


async def test_without_a_trailing_slash(node):
    async with serving(add_trailing_slash=False) as io:
        await node.connect(io, add_trailing_slash=False, path="/socket.io")
        await node.connect(io, add_trailing_slash=False, path="/socket.io", transport="polling")


async def test_elsewhere_nothing_is_found(io):
    assert (await fetch(io, "/")).status == 404
    assert (await fetch(io, "/socket.iox/?EIO=4&transport=polling")).status == 404


# ---- who gets in ----


@TRANSPORTS
async def test_allow_request_refuses(node, version, transport):
    async with serving(allow_request=lambda request: False) as io:
        client = await node.connect(io, version=version, transport=transport, wait=False)
        await client.refused()
        assert io.engine.clients_count == 0


async def test_allow_request_refuses_with_a_message(node, newer):
    def allow(request):
        raise ConnectError("not today")

    async with serving(allow_request=allow) as io:
        client = await node.connect(io, version=newer, transport="polling", wait=False)
        assert (await client.refused()).status == 403
        answer = await fetch(io, HANDSHAKE)
        assert (answer.status, json.loads(answer.body)) == (403, {"code": 4, "message": "not today"})


@TRANSPORTS
async def test_allow_request_judges_by_the_request(node, version, transport):
    async def allow(request):
        await asyncio.sleep(0)
        return request.query.get("token") == "abc" and request.headers["x-own"] == "1"

    async with serving(allow_request=allow) as io:
        headers = {"X-Own": "1"}
        options = {"version": version, "transport": transport, "extra_headers": headers}
        await node.connect(io, query={"token": "abc"}, **options)
        refused = await node.connect(io, query={"token": "x"}, wait=False, **options)
        await refused.refused()


@TRANSPORTS
@pytest.mark.parametrize(
    "origins", ["*", "http://good.com", ["http://good.com"], lambda origin: origin == "http://good.com"]
)
async def test_an_origin_that_is_allowed(node, version, transport, origins):
    async with serving(origins=origins) as io:
        headers = {"Origin": "http://good.com"}
        await node.connect(io, version=version, transport=transport, extra_headers=headers)


@TRANSPORTS
@pytest.mark.parametrize("origins", [None, "http://good.com", ["http://good.com"], lambda origin: False])
async def test_an_origin_that_is_not(node, version, transport, origins):
    async with serving(origins=origins) as io:
        headers = {"Origin": "http://evil.com"}
        client = await node.connect(io, version=version, transport=transport, extra_headers=headers, wait=False)
        await client.refused()
        assert io.engine.clients_count == 0


@TRANSPORTS
async def test_the_servers_own_origin(io, node, version, transport):
    headers = {"Origin": url_of(io)}
    client = await node.connect(io, version=version, transport=transport, extra_headers=headers)
    assert client.peer.handshake.xdomain is False


async def test_what_cors_answers():
    async with serving(origins=["http://good.com"], cors={"credentials": True}) as io:
        good = await fetch(io, HANDSHAKE, origin="http://good.com")
        assert good.status == 200
        assert good.headers["access-control-allow-origin"] == "http://good.com"
        assert good.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in good.headers["vary"]
        evil = await fetch(io, HANDSHAKE, origin="http://evil.com")
        assert evil.status in (400, 403)
        assert "access-control-allow-origin" not in evil.headers


async def test_any_origin():
    async with serving(origins="*") as io:
        answer = await fetch(io, HANDSHAKE, origin="http://any.com")
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_preflight():
    async with serving(origins="http://good.com", cors={"methods": ["GET", "POST"], "headers": ["X-Own"]}) as io:
        asked = {"access_control_request_method": "POST", "access_control_request_headers": "x-own"}
        answer = await fetch(io, HANDSHAKE, "OPTIONS", origin="http://good.com", **asked)
        assert answer.status == 204
        assert answer.headers["access-control-allow-methods"].replace(" ", "") == "GET,POST"
        assert answer.headers["access-control-allow-headers"] == "X-Own"


async def test_older_clients_may_be_kept_out(node, newer):
    async with serving(allow_eio3=False) as io:
        refused = await node.connect(io, version=2, wait=False)
        await refused.refused()
        await node.connect(io, version=newer)


@TRANSPORTS
async def test_transports_that_are_off(node, version, transport):
    async with serving(transports=[transport]) as io:
        await node.connect(io, version=version, transport=transport)
        other = {"websocket": "polling", "polling": "websocket"}[transport]
        await (await node.connect(io, version=version, transport=other, wait=False)).refused()


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("EIO=4&transport=tobi", 0, "Transport unknown"),
        ("EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"),
        ("EIO=3&transport=polling", 5, "Unsupported protocol version"),
    ],
)
async def test_requests_that_make_no_sense(query, code, message):
    errors = Calls()
    async with serving(allow_eio3=False) as io:
        io.engine.on("connection_error", errors)
        answer = await fetch(io, f"/socket.io/?{query}")
    found = json.loads(answer.body)
    assert (answer.status, found["code"]) == (400, code)
    assert found["message"] == message
    ((error,),) = errors.all()
    assert error.code == code
    assert error.request.query["transport"] in query


# ---- limits of a connection ----


async def test_who_joins_nothing_is_disconnected(node, newer):
    async with serving(connect_timeout=0.05) as io:
        io.of("/chat")
        client = await node.connect(io, version=newer, auto_connect=False, wait=False)
        await client.eval("new Promise((done) => { io.on('close', done); io.open(); })")
        await until(lambda: io.engine.clients_count == 0)


async def test_who_is_refused_everywhere_is_disconnected(node, newer):
    async with serving(connect_timeout=0.05) as io:
        client = await node.connect(io, "/nobody", version=newer, wait=False)
        await client.refused()
        await until(lambda: io.engine.clients_count == 0)


async def test_who_joins_a_namespace_stays(node, version):
    async with serving(connect_timeout=0.1) as io:
        io.of("/chat")
        client = await node.connect(io, "/chat", version=version)
        await asyncio.sleep(0.12)
        await client.settle()
        assert client.connected


@TRANSPORTS
async def test_a_message_that_is_too_long(node, version, transport):
    async with serving(max_http_buffer_size=1000) as io:
        client = await node.connect(io, version=version, transport=transport)
        seen, gone = Calls(), Calls()
        client.peer.on("big", seen)
        client.peer.on("disconnect", gone)
        await client.emit("big", "x" * 900)
        assert len((await seen.next())[0]) == 900
        await client.emit("big", "x" * 1100)
        assert (await gone.next())[0] in ("transport error", "transport close")
        assert seen.all() == []
        await client.closed()


async def test_pings(node, version):
    async with serving(ping_interval=0.01, ping_timeout=1.0) as io:
        client = await node.connect(io, version=version)
        await client.eval(
            "new Promise((done) => { let count = 0;"
            " engine.on('packet', ({ type }) => (type === 'ping' || type === 'pong') && ++count === 3 && done()); })"
        )
        await client.settle()
        assert client.connected


async def test_a_client_that_no_longer_pongs(node, newer):
    async with serving(ping_interval=0.02, ping_timeout=0.1) as io:
        client = await node.connect(io, version=newer)
        gone = Calls()
        client.peer.on("disconnect", gone)
        # Nor does it notice itself.
        await client.eval("void (engine.resetPingTimeout = engine._resetPingTimeout = () => {})")
        await client.eval("clearTimeout(engine.pingTimeoutTimer ?? engine._pingTimeoutTimer)")
        await client.eval("void (engine._sendPacket = engine.sendPacket = () => {})")
        assert (await gone.next())[0] == "ping timeout"


# ---- the cookie ----


async def test_no_cookie(io):
    assert "set-cookie" not in (await fetch(io, HANDSHAKE)).headers


async def test_a_cookie():
    async with serving(cookie={"name": "own", "http_only": False, "same_site": "Strict"}) as io:
        cookie = (await fetch(io, HANDSHAKE)).headers["set-cookie"]
        assert cookie.startswith(f"own={next(iter(io.engine.clients))}; Path=/")
        assert "SameSite=Strict" in cookie and "HttpOnly" not in cookie
