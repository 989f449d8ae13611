"""socket.drain() on a running loop: readers that stop, plain and TLS, polling, several sockets of one client."""

from __future__ import annotations

import asyncio
import json
import ssl
from socket import SO_RCVBUF, SOL_SOCKET

import aiohttp
import pytest

from fastsio import Disconnected, Server
from tests.api import test_backpressure
from tests.api.test_backpressure import KB, StalledReader
from tests.wsclient import serving, wire


async def test_a_producer_that_waits_keeps_its_backlog_small():
    async with serving(max_backlog=2000 * KB) as io:
        slow = await StalledReader(io).open()
        (socket,) = io.sockets.sockets.values()
        most = 0

        async def produce():
            nonlocal most
            for number in range(60):
                socket.emit("n", number, "x" * 500 * KB)
                most = max(most, socket.conn.buffered_amount)
                await socket.drain()
                assert socket.conn.buffered_amount == 0

        producing = asyncio.ensure_future(produce())
        await asyncio.sleep(0.05)
        assert not producing.done()
        assert [number for _, number, _ in await slow.events(60)] == list(range(60))
        await asyncio.wait_for(producing, 5)
        assert most < 600 * KB
        slow.socket.close()


certificate = test_backpressure.certificate


async def produce(socket, count):
    for number in range(count):
        socket.emit("n", number, "x" * 90 * KB)
        await socket.drain()


async def test_a_producer_waits_with_tls(certificate):
    trust = ssl.create_default_context()
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    io = Server()
    await io.listen(0, ssl=certificate)
    try:
        slow = StalledReader(io)
        slow.socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 64 * KB)  # it would hold many megabytes otherwise
        slow.socket = trust.wrap_socket(slow.socket, do_handshake_on_connect=False)
        await asyncio.to_thread(slow.socket.do_handshake)
        await slow.open()
        (socket,) = io.sockets.sockets.values()
        await asyncio.wait_for(socket.drain(), 5)
        producing = asyncio.ensure_future(produce(socket, 100))
        await asyncio.sleep(0.2)
        assert not producing.done()
        assert [number for _, number, _ in await slow.events(100)] == list(range(100))
        await asyncio.wait_for(producing, 5)
        assert socket.conn.buffered_amount == 0
        slow.socket.close()
    finally:
        await io.close()


async def test_several_wait_and_all_are_told():
    async with serving() as io, wire(io) as client:
        chat = io.of("/chat")
        for name in ("/", "/chat"):
            await client.join(name)
        sockets = [*io.sockets.sockets.values(), *chat.sockets.values()]
        io.emit("n")
        await asyncio.wait_for(asyncio.gather(*(socket.drain() for socket in sockets for _ in range(3))), 5)
        assert len(sockets) == 2
        assert await client.event() == ["n"]


async def test_the_reader_never_comes_back():
    async with serving() as io:
        slow = await StalledReader(io).open()
        (socket,) = io.sockets.sockets.values()
        socket.emit("big", "x" * 14_000 * KB)
        draining = asyncio.ensure_future(socket.drain())
        await asyncio.sleep(0.05)
        assert not draining.done(), socket.conn.buffered_amount
        slow.socket.close()
        with pytest.raises(Disconnected, match="before everything had been sent"):
            await asyncio.wait_for(draining, 5)
        with pytest.raises(Disconnected, match="closed"):
            await socket.drain()


async def test_cancelled():
    async with serving() as io:
        slow = await StalledReader(io).open()
        (socket,) = io.sockets.sockets.values()
        socket.emit("big", "x" * 14_000 * KB)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(socket.drain(), 0.05)
        draining = asyncio.ensure_future(socket.drain())
        assert [name for name, *_ in await slow.events(1)] == ["big"]
        await asyncio.wait_for(draining, 5)
        slow.socket.close()


async def test_polling():
    async with serving() as io, aiohttp.ClientSession() as http:
        host, port = io.addresses[0]
        url = f"http://{host}:{port}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as answer:
            url += "&sid=" + json.loads((await answer.text())[1:])["sid"]
        async with http.post(url, data="40") as answer:
            assert await answer.text() == "ok"
        (socket,) = io.sockets.sockets.values()
        draining = asyncio.ensure_future(socket.drain())  # its CONNECT
        await asyncio.sleep(0.02)
        assert not draining.done(), socket.conn.buffered_amount
        async with http.get(url) as answer:
            assert (await answer.text()).startswith("40")
        await asyncio.wait_for(draining, 5)
