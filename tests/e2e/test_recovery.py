"""Connection state recovery with the official client, through a proxy that cuts its connections off."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from fastsio import Server
from tests.e2e.runner import HERE
from tests.requirements import require

TOTAL = 1000
CUTS = 10


class CuttingProxy:
    """Passes bytes on between a client and the server's port, until `cut`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: set[asyncio.StreamWriter] = set()

    async def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.streams |= {writer, to_writer}
        await asyncio.gather(self.pass_on(reader, to_writer), self.pass_on(to_reader, writer))

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.streams.discard(writer)
            writer.close()

    async def cut(self) -> None:
        """Resets every connection, of which there is one at least: what is on its way is lost."""
        while not self.streams:
            await asyncio.sleep(0)
        self.drop()

    def drop(self) -> None:
        for writer in list(self.streams):
            writer.transport.abort()


@asynccontextmanager
async def cutting(io: Server):
    proxy = CuttingProxy(io.addresses[0][1])
    server = await asyncio.start_server(proxy.on_client, "127.0.0.1", 0)
    try:
        yield proxy, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        proxy.drop()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_thousand_events_each_way_and_ten_cuts(transport: str) -> None:
    require("node")
    io = Server(connection_state_recovery=True)
    came: list[int] = []

    @io.event
    def up(socket, number):
        """Sent again when its acknowledgement was lost: `data` is recovered too, and tells."""
        if number > socket.data.get("last", -1):
            socket.data["last"] = number
            came.append(number)
        return number

    async def send() -> None:
        for number in range(TOTAL):
            io.to("numbers").emit("number", number)
            await asyncio.sleep(0.001)

    tasks = []

    @io.on("connection")
    def connected(socket):
        if not socket.recovered:
            socket.join("numbers")
            tasks.append(asyncio.create_task(send()))

    await io.listen(0)
    try:
        async with cutting(io) as (proxy, port):
            url = f"http://127.0.0.1:{port}"
            command = ["node", "recovery.mjs", url, transport, str(TOTAL)]
            client = await asyncio.create_subprocess_exec(*command, cwd=HERE, stdout=asyncio.subprocess.PIPE)
            try:
                told = asyncio.create_task(client.communicate())
                for _ in range(CUTS):
                    seen = len(came)
                    while len(came) < seen + 20 and not told.done():
                        await asyncio.sleep(0.01)
                    await proxy.cut()
                output, _ = await asyncio.wait_for(told, 40)
            finally:
                if client.returncode is None:
                    client.kill()
                    await client.wait()
        result = json.loads(output)
    finally:
        for task in tasks:
            task.cancel()
        await io.close()
    assert result["numbers"] == list(range(TOTAL)), "from the server: each once, in order"
    assert came == list(range(TOTAL)), "from the client: each once, in order"
    assert result["recovered"] == len(result["ids"]) - 1, "whenever it came back"
    assert result["recovered"] == CUTS if transport == "websocket" else result["recovered"] > 0  # or between requests
    assert len(set(result["ids"])) == 1
