"""Bytes never reach the wrong peer: clients come and go, most of them rudely, while messages for them are pending.

Slots and descriptors are recycled all the time, and the buffers of both sides are small, so that readers block and
unblock. Every client checks what it gets: its own messages only, all of them, and every broadcast from its first to
its last, in the order in which the server sent them.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from fastsio import Server, Socket
from tests.e2e.rawws import BINARY, CLOSE, END, TEXT, RawWebSocket, close, rawws, text

WORKERS = 25
LIVES = 16  # of each worker
BUFFER = 8_192  # bytes, of each socket
PADS = ["x" * size for size in (0, 10, 10, 100, 3_000, 20_000)]


class Witness:
    """Checks what one client receives."""

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.own = 0
        self.last: int | None = None

    def see(self, packet: str) -> None:
        assert packet.startswith('42["'), packet[:80]
        name, *args = json.loads(packet[2:])
        if name == "all":
            assert self.last is None or args[0] == self.last + 1
            self.last = args[0]
        else:
            assert (name, args[0], args[1]) == ("own", self.sid, self.own)
            assert self.last is None or args[2] == self.last
            self.own += 1


class Sender:
    """Sends to everybody and to each one alone, several messages in each round of the loop."""

    def __init__(self, io: Server) -> None:
        self.io = io
        self.peak = 0  # bytes queued for one client

    async def run(self, random: Random) -> None:
        number = 0
        own: Counter[Socket] = Counter()
        while True:
            for _ in range(random.randrange(1, 5)):
                self.io.emit("all", number, random.choice(PADS))
                for to in list(self.io.sockets.sockets.values()):
                    self.peak = max(self.peak, to.conn.buffered_amount)
                    if random.random() < 0.5:
                        to.emit("own", to.id, own[to], number)
                        own[to] += 1
                number += 1
            await asyncio.sleep(0.002)


@asynccontextmanager
async def sending(io: Server) -> AsyncIterator[Sender]:
    sender = Sender(io)
    task = asyncio.create_task(sender.run(Random(1)))
    try:
        yield sender
    finally:
        task.cancel()


@asynccontextmanager
async def small_buffers(max_backlog: int) -> AsyncIterator[Server]:
    """A server whose connections inherit a small send buffer."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    listening.bind(("127.0.0.1", 0))
    io = Server(max_backlog=max_backlog)
    await io.listen(sock=listening)
    try:
        yield io
    finally:
        await io.close()


async def watch(ws: RawWebSocket, witness: Witness, frames: int) -> bool:
    """Reads so many frames; False when the connection ended first."""
    for _ in range(frames):
        got = await ws.next()
        if got is END or got.opcode == CLOSE:
            return False
        assert got.opcode in (TEXT, BINARY)
        witness.see(got.payload.decode())
    return True


async def leave(ws: RawWebSocket, witness: Witness, how: str) -> None:
    if how == "reset":
        ws.reset()
    elif how == "deaf":  # does not read for a while: the server's queue for it grows
        await asyncio.sleep(0.1)
        ws.reset()
    elif how == "slow":
        await asyncio.sleep(0.1)
        await watch(ws, witness, 30)
    elif how == "polite":
        ws.send(text("41"), close(1000))
        while await watch(ws, witness, 1):
            pass
    # "rude": the descriptor is closed with bytes unread


async def live(io: Server, random: Random, ways: Counter[str]) -> None:
    how = random.choice(["reset", "deaf", "slow", "polite", "rude"])
    try:
        async with rawws(io, join=True, receive_buffer=BUFFER) as ws:
            witness = Witness(ws.sid)
            if await watch(ws, witness, random.randrange(40)):
                await leave(ws, witness, how)
    except (ConnectionResetError, asyncio.IncompleteReadError):
        how = "thrown out"  # as a slow reader, at the backlog's limit
    ways[how] += 1


async def work(io: Server, random: Random, ways: Counter[str]) -> None:
    for _ in range(LIVES):
        await live(io, random, ways)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("max_backlog", [16 * 1024 * 1024, 200_000], ids=["roomy", "tight"])
async def test_every_client_gets_only_its_own(max_backlog, caplog):
    slots: Counter[int] = Counter()
    ways: Counter[str] = Counter()
    async with small_buffers(max_backlog) as io:
        io.on("connection", lambda socket: slots.update([socket.conn.slot_number]))
        async with sending(io) as sender, asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(work(io, Random(number), ways))
        async with asyncio.timeout(10):
            while io.engine.clients_count:
                await asyncio.sleep(0.01)
        assert not io.sockets.sockets
        thrown_out = io.engine.counters.get("max_backlog reached", 0)
    assert ways.total() == slots.total() == WORKERS * LIVES
    assert max(slots.values()) > LIVES // 2, "slots were not recycled"
    assert sender.peak > 100_000, "no reader was slow"
    assert (thrown_out > 0) == (max_backlog < 1_000_000)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
