"""Listening in every way there is, the limit on connections, options, and close()."""

import asyncio
import errno
import os
import socket
from contextlib import suppress

import pytest

from fastsio import Server
from fastsio.engine import connection, engine
from tests.e2e.rawws import CLOSE, END, Frame, RawWebSocket, rawws, text
from tests.wsclient import serving, wire

GOOD = "EIO=4&transport=websocket"


async def joined(reader, writer):
    """A client in "/" on an open connection."""
    ws = RawWebSocket(reader, writer)
    await ws.handshake(("a", 1), GOOD)
    await ws.text()
    ws.send(text("40"))
    assert (await ws.text()).startswith('40{"sid":"')
    return ws


async def gone(*clients):
    for ws in clients:
        ws.writer.close()
        await ws.writer.wait_closed()


# ---- listening ----


async def test_several_addresses_are_one_server(tmp_path):
    path = str(tmp_path / "s")
    async with serving() as io:
        await io.listen(0)
        await io.listen(unix_path=path)
        (_, first), (_, second), third = io.addresses
        assert first != second
        assert third == path
        clients = [
            await joined(*await asyncio.open_connection("127.0.0.1", first)),
            await joined(*await asyncio.open_connection("127.0.0.1", second)),
            await joined(*await asyncio.open_unix_connection(path)),
        ]
        io.emit("hello")
        assert [await ws.text() for ws in clients] == ['42["hello"]'] * 3
        addresses = [one.conn.remote_address for one in io.sockets.sockets.values()]
        assert addresses == ["127.0.0.1", "127.0.0.1", ""]
        assert repr(io) == f"<Server {io.addresses}, 3 clients>"
        await gone(*clients)


async def test_a_unix_path_again_after_close(tmp_path):
    path = str(tmp_path / "s")
    io = Server()
    for _ in range(2):
        await io.listen(unix_path=path)
        ws = await joined(*await asyncio.open_unix_connection(path))
        await asyncio.gather(io.close(), ws.rest())
        await gone(ws)
        with pytest.raises(OSError):
            await asyncio.open_unix_connection(path)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
async def test_a_bound_socket(family, tmp_path):
    bound = socket.socket(family)
    bound.bind(("127.0.0.1", 0) if family == socket.AF_INET else str(tmp_path / "s"))
    name = bound.getsockname()
    io = Server()
    await io.listen(sock=bound)
    assert io.addresses == [name]
    open_client = asyncio.open_unix_connection(name) if isinstance(name, str) else asyncio.open_connection(*name)
    ws = await joined(*await open_client)
    await asyncio.gather(io.close(), ws.rest())
    await gone(ws)
    bound.close()


async def test_ipv6():
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("needs IPv6")
    io = Server()
    await io.listen(0, "::1")
    ((host, port),) = io.addresses
    assert host == "::1"
    ws = await joined(*await asyncio.open_connection(host, port))
    await asyncio.gather(io.close(), ws.rest())
    await gone(ws)


async def test_the_port_of_the_server_is_the_default():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    io = Server(port)
    await io.listen()
    await io.listen(0)
    assert io.addresses[0] == ("127.0.0.1", port)
    assert io.addresses[1][1] != port
    await io.close()


async def test_reuse_port():
    one, other, third = Server(), Server(), Server()
    await one.listen(0, reuse_port=True)
    port = one.addresses[0][1]
    await other.listen(port, reuse_port=True)
    assert one.addresses == other.addresses
    with pytest.raises(OSError) as caught:
        await third.listen(port)
    assert caught.value.errno == errno.EADDRINUSE
    await one.close()
    async with wire(other, join=True):
        assert other.engine.clients_count == 1
    await other.close()
    await third.close()


async def test_a_server_that_could_not_listen_may_try_again():
    io = Server()
    with pytest.raises(ValueError, match=r"no port to listen on: give one to listen\(\) or run\(\), 0 for any free"):
        await io.listen()
    with pytest.raises(OSError):
        await io.listen(0, "192.0.2.1")  # nobody's address
    assert io.addresses == []
    await io.listen(0)
    async with wire(io, join=True):
        pass
    await io.close()


def test_one_event_loop_at_a_time():
    io = Server()
    first = asyncio.new_event_loop()
    first.run_until_complete(io.listen(0))

    async def another():
        with pytest.raises(RuntimeError, match="in another event loop already: close it there first"):
            await io.listen(0)

    asyncio.run(another())
    first.run_until_complete(io.close())
    first.close()

    async def afterwards():
        await io.listen(0)
        async with wire(io, join=True):
            assert io.engine.clients_count == 1
        await io.close()

    asyncio.run(afterwards())


# ---- the limit on connections ----


async def test_max_connections():
    async with serving(max_connections=2) as io:
        reader, idle = await asyncio.open_connection(*io.addresses[0])  # counts before it is a websocket
        async with rawws(io, join=True) as ws:
            for _ in range(3):
                surplus, writer = await asyncio.open_connection(*io.addresses[0])
                answer = (await surplus.read()).decode()
                assert answer.startswith("HTTP/1.1 503 Service Unavailable\r\n")
                assert "Connection: close\r\n" in answer
                assert "Retry-After: 10\r\n" in answer
                writer.close()
                await writer.wait_closed()
            assert io.engine.counters == {"connections above max_connections": 3}
            ws.send(text('420["nobody listens"]'))  # who was there does not notice
            assert await ws.barrier() == []
            idle.close()
            await idle.wait_closed()
            async with asyncio.timeout(5):
                while io.engine._connections > 1:
                    await asyncio.sleep(0.005)
            async with rawws(io, join=True):
                assert io.engine.clients_count == 2


# ---- close ----


async def test_close_with_connections_of_every_kind():
    reasons = []
    io = Server()
    await io.listen(0)
    for name in ("/", "/chat"):
        io.of(name).event("disconnect")(lambda socket, reason: reasons.append((socket.nsp.name, reason)))
    (address,) = io.addresses
    idle = await asyncio.open_connection(*address)
    half = await asyncio.open_connection(*address)
    half[1].write(b"GET / HTTP/1.1\r\nHo")
    async with wire(io) as nowhere, wire(io, join=True) as one, wire(io, join=True) as two:
        await two.join("/chat")
        io.emit("last")
        await io.close()
        reason = "server shutting down"
        assert sorted(reasons) == [("/", reason), ("/", reason), ("/chat", reason)]
        assert (io.addresses, io.engine.clients_count, io.sockets.sockets) == ([], 0, {})
        for client in (one, two):  # what was queued is sent; no DISCONNECT, so that they come back
            assert await client.next() == '42["last"]'
            assert await client.next() is None
            assert client.close_code is not None
        assert await nowhere.closed() is not None
    for reader, writer in (idle, half):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()
    again = Server()
    await again.listen(address[1])
    await again.close()


async def test_close_does_not_wait_forever_for_a_peer(monkeypatch):
    """It neither answers our close frame nor ends the connection."""
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT", 0.1)
    monkeypatch.setattr(engine, "CLOSE_TIMEOUT", 0.2)
    io = Server()
    await io.listen(0)
    async with rawws(io, join=True) as ws:
        await asyncio.wait_for(io.close(), 5)
        assert await ws.next() == Frame(CLOSE, b"")


async def test_close_does_not_wait_forever_for_a_reader(monkeypatch):
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT", 0.1)
    monkeypatch.setattr(engine, "CLOSE_TIMEOUT", 0.2)
    io = Server()
    await io.listen(0)
    async with rawws(io, join=True, receive_buffer=4096):
        io.emit("big", "x" * 8_000_000)
        await asyncio.wait_for(io.close(), 5)
        assert io.engine.clients_count == 0


async def test_close_is_harmless():
    io = Server()
    await io.close()
    await io.listen(0)
    await io.close()
    await io.close()


async def test_close_twice_at_once():
    io = Server()
    await io.listen(0)
    async with rawws(io, join=True) as ws:
        closing = asyncio.gather(io.close(), io.close())
        await ws.rest()
        await asyncio.wait_for(closing, 2)
    assert io.addresses == []


async def test_close_in_a_handler():
    async with serving() as io, rawws(io, join=True) as ws:

        @io.event
        async def stop(socket):
            await io.close()
            assert not socket.connected

        ws.send(text('42["stop"]'))
        assert await ws.rest() == ([], None)
        assert await ws.next() is END
        async with asyncio.timeout(5):
            while io.addresses or io.engine._connections:
                await asyncio.sleep(0.005)


async def test_nobody_is_let_in_by_a_middleware_that_ends_after_close():
    go = asyncio.Event()
    connected = []
    io = Server()
    await io.listen(0)

    @io.use
    async def wait(socket):
        await go.wait()

    io.on("connection", connected.append)
    async with rawws(io) as ws:
        ws.send(text("40"))
        await ws.barrier()
        await asyncio.gather(io.close(), ws.rest())
        go.set()
        await asyncio.sleep(0.01)
    assert connected == []
    assert io.sockets.sockets == {}


# ---- options ----


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("pingInterval", "ping_interval"),
        ("ping_timout", "ping_timeout"),
        ("max_http_buffersize", "max_http_buffer_size"),
        ("maxConnections", "max_connections"),
        ("cors_origins", "origins"),
        ("allowRequest", "allow_request"),
    ],
)
def test_an_unknown_option_names_the_nearest(given, meant):
    with pytest.raises(TypeError, match=f"^unknown option '{given}': did you mean '{meant}'[?]$"):
        Server(**{given: 1})


def test_an_unknown_option_near_to_nothing():
    with pytest.raises(TypeError, match="^unknown option 'zzz'$"):
        Server(zzz=1)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("ping_interval", 0, ValueError),
        ("ping_interval", "25", TypeError),
        ("ping_timeout", -1, ValueError),
        ("ping_timeout", float("nan"), ValueError),
        ("max_http_buffer_size", 0, ValueError),
        ("max_http_buffer_size", True, TypeError),
        ("max_backlog", None, TypeError),
        ("max_attachments", -1, ValueError),
        ("connect_timeout", -1, ValueError),
        ("path", "socket.io", ValueError),
        ("path", 1, ValueError),
    ],
)
def test_a_bad_value_names_its_option(option, value, error):
    with pytest.raises(error, match=f"^{option} must be "):
        Server(**{option: value})
