"""run(): a server in a process of its own, until a signal comes."""

import asyncio
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fastsio import Server
from tests.wsclient import wire

ROOT = Path(__file__).parents[2]
TIMEOUT = 20.0
SCRIPT = """
import asyncio, logging, sys
from fastsio import Server
from fastsio.engine import running

io = Server({port})
io.on("connection", lambda socket: print("connected", flush=True))
io.event("disconnect")(lambda socket, reason: print("disconnect:", reason, flush=True))

@io.event
async def slow(socket):
    try:
        print("slow", flush=True)
        await asyncio.sleep(100)
    finally:
        print("slow is over", flush=True)

@io.event
async def save(socket, seconds):
    print("save", flush=True)
    await asyncio.sleep(seconds)
    print("saved", flush=True)

running.PATIENCE = {patience}
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
io.run({run})
print("returned", io.addresses, flush=True)
"""


class Running:
    """The process; addresses: as a Server's."""

    def __init__(self, process):
        self.process = process
        self.addresses = []

    async def line(self):
        return (await asyncio.wait_for(self.process.stdout.readline(), TIMEOUT)).decode().rstrip()

    async def ends(self):
        """The remaining output, and what went wrong."""
        out, err = await asyncio.wait_for(self.process.communicate(), TIMEOUT)
        return out.decode().splitlines(), err.decode()


@asynccontextmanager
async def running(port="", run="0", patience=0.1):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT.format(port=port, run=run, patience=patience)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        process._transport.close()


async def listening(found):
    """It has logged where it listens."""
    text, _, url = (await found.line()).partition(" http://")
    assert text == "listening on", await found.ends()
    host, _, port = url.partition(":")
    found.addresses = [(host, int(port))]
    return found.addresses[0]


async def is_free(address):
    """Nobody accepts there any more, and somebody else may."""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    other = Server()
    await other.listen(address[1])
    await other.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_closes_gracefully(number):
    async with running() as found:
        address = await listening(found)
        assert address[0] == "127.0.0.1"
        async with wire(found, join=True) as one, wire(found, join=True) as other:
            assert [await found.line() for _ in range(2)] == ["connected"] * 2
            one.emit("slow")
            assert await found.line() == "slow"
            found.process.send_signal(number)
            assert await one.closed() is not None
            assert await other.closed() is not None
        shutting_down = "disconnect: server shutting down"
        assert await found.ends() == ([shutting_down, shutting_down, "slow is over", "returned []"], "")
        assert found.process.returncode == 0
        await is_free(address)


async def test_coroutine_handlers_get_time_to_end_in():
    async with running(patience=TIMEOUT) as found:
        await listening(found)
        async with wire(found, join=True) as client:
            client.emit("save", 0.2)
            assert [await found.line() for _ in range(2)] == ["connected", "save"]
            found.process.send_signal(signal.SIGTERM)
            assert await client.closed() is not None
        assert await found.ends() == (["disconnect: server shutting down", "saved", "returned []"], "")


async def test_a_signal_when_nobody_is_there():
    async with running() as found:
        address = await listening(found)
        found.process.send_signal(signal.SIGTERM)
        assert await found.ends() == (["returned []"], "")
        assert found.process.returncode == 0
        await is_free(address)


def test_the_port_of_the_server_is_the_default():
    async def main(port):
        async with running(port=port, run="") as found:
            assert await listening(found) == ("127.0.0.1", port)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asyncio.run(main(port))


async def test_the_arguments_are_those_of_listen():
    async with running(run="0, '127.0.0.2', reuse_port=True") as found:
        host, port = await listening(found)
        assert host == "127.0.0.2"
        with socket.socket() as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            same.bind((host, port))


async def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with running(run=taken.getsockname()[1]) as found:
            out, err = await found.ends()
            assert out == []
            assert "Errno 98" in err or "Errno 48" in err
            assert found.process.returncode == 1


async def test_no_port():
    async with running(run="") as found:
        out, err = await found.ends()
        assert out == []
        assert "ValueError: no port to listen on: give one to listen() or run(), 0 for any free one" in err
        assert found.process.returncode == 1
