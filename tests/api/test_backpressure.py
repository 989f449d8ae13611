"""Readers that do not keep up: bounded, in order, without the others noticing."""

import asyncio
import json
import socket as raw_socket
import ssl
import subprocess

import pytest

from tests.wsclient import serving, wire

KB = 1024


class StalledReader:
    """A websocket client on a bare socket, which reads only when it is told to."""

    def __init__(self, io):
        self.socket = raw_socket.create_connection(io.addresses[0], timeout=5)
        self.received = b""

    async def open(self):
        self.socket.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        self.socket.sendall(b"\x81\x82\x00\x00\x00\x0040")
        await self.until(b'40{"sid"')
        await asyncio.sleep(0.02)
        return self

    async def until(self, text):
        while text not in self.received:
            self.received += await asyncio.to_thread(self.socket.recv, 65536)

    async def events(self, count):
        """Reads until so many text frames have come after the CONNECT, and returns their events."""
        found = []
        at = self.received.index(b'40{"sid"') + len('40{"sid":"01234567890123456789"}')
        while len(found) < count:
            size, head = self.frame_size(at)
            while size is None or len(self.received) < at + head + size:
                data = await asyncio.to_thread(self.socket.recv, 1 << 20)
                assert data, "the server closed"
                self.received += data
                size, head = self.frame_size(at)
            payload = self.received[at + head : at + head + size]
            found.append(json.loads(payload[2:]))
            at += head + size
        return found

    def frame_size(self, at):
        data = self.received[at : at + 10]
        if len(data) < 10:
            return (None, 0) if len(data) < 2 or data[1] >= 126 else (data[1], 2)
        if data[1] < 126:
            return data[1], 2
        return (int.from_bytes(data[2:4]), 4) if data[1] == 126 else (int.from_bytes(data[2:10]), 10)


async def test_a_slow_reader_is_disconnected_at_max_backlog_and_nobody_else_notices():
    reasons = []
    async with serving(max_backlog=256 * KB) as io, wire(io, join=True) as client:
        slow = await StalledReader(io).open()
        (stalled,) = [s for s in io.sockets.sockets.values() if s.id != client.sid]
        stalled.on("disconnect", lambda reason, description: reasons.append((reason, description)))
        for number in range(600):
            io.emit("n", number, "x" * 32 * KB)
            if number % 10 == 0:
                await asyncio.sleep(0)
            assert stalled.conn.buffered_amount <= 300 * KB
        for number in range(600):
            assert (await client.event())[1] == number
        assert reasons == [("transport error", "max_backlog reached")]
        assert io.engine.counters["max_backlog reached"] == 1
        assert len(io.sockets.sockets) == 1
        slow.socket.close()


async def test_a_reader_that_comes_back_gets_everything_in_order():
    async with serving(max_backlog=64 * KB * KB) as io:
        slow = await StalledReader(io).open()
        (socket,) = io.sockets.sockets.values()
        for number in range(300):
            if number % 2:
                socket.emit("n", number, "x" * 64 * KB)
            else:
                io.emit("n", number, "x" * 64 * KB)
            if number % 7 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert socket.conn.buffered_amount > 0
        events = await slow.events(300)
        assert [number for _, number, _ in events] == list(range(300))
        assert {text for _, _, text in events} == {"x" * 64 * KB}
        slow.socket.close()


async def test_volatile_is_dropped_for_a_blocked_reader_only():
    async with serving() as io, wire(io, join=True) as client:
        slow = await StalledReader(io).open()
        io.emit("big", "x" * 900 * KB)
        io.emit("big", "x" * 7000 * KB)
        await asyncio.sleep(0.05)
        io.volatile.emit("volatile")
        io.emit("end")
        assert [(await client.event())[0] for _ in range(4)] == ["big", "big", "volatile", "end"]
        assert [name for name, *_ in await slow.events(3)] == ["big", "big", "end"]
        assert io._outbox.stats()["dropped"] == 1
        slow.socket.close()


async def test_one_message_above_the_limit_is_accepted_on_an_empty_queue():
    async with serving(max_backlog=64 * KB) as io, wire(io, join=True) as client:
        io.emit("big", "x" * 1000 * KB)
        assert len((await client.event())[1]) == 1000 * KB


async def test_a_burst_in_one_go_does_not_count_as_a_slow_reader():
    async with serving(max_backlog=64 * KB) as io, wire(io, join=True) as client:
        reading = asyncio.ensure_future(asyncio.gather(*(client.event() for _ in range(50))))
        for number in range(50):  # 400 KB: the kernel takes it
            io.emit("n", number, "x" * 8 * KB)
        assert [number for _, number, _ in await reading] == list(range(50))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_tls_order_under_back_pressure(certificate):
    from picows import ws_connect

    from fastsio import Server
    from tests.wsclient import WireClient

    io = Server()
    await io.listen(0, ssl=certificate)
    io.event("echo")(lambda socket, *args: args)
    trust = ssl.create_default_context()
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    host, port = io.addresses[0]
    transport, client = await ws_connect(
        WireClient, f"wss://{host}:{port}/socket.io/?EIO=4&transport=websocket", ssl_context=trust
    )
    await client.next()
    await client.join()
    (socket,) = io.sockets.sockets.values()
    assert socket.handshake.secure
    client.emit("echo", "x" * 500 * KB, b"".decode(), ack=1)
    assert (await client.ack(1))[0] == "x" * 500 * KB
    for number in range(100):
        io.emit("n", number, "x" * 50 * KB)
        socket.emit("m", number)
    for number in range(100):
        assert (await client.event())[:2] == ["n", number]
        assert (await client.event())[:2] == ["m", number]
    transport.disconnect(graceful=False)
    await io.close()
