"""A raw Socket.IO client on picows, for tests that look at what goes over the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from fastsio import Server

TIMEOUT = 5.0


class WireClient(WSListener):
    """Sends and receives Engine.IO packets: str for text frames, bytes for binary ones."""

    transport: WSTransport

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.close_code: int | None = None
        self.opened: dict[str, Any] = {}
        self.sid = ""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_utf8_text()
            if text == "2":
                self.send("3")
            else:
                self.frames.put_nowait(text)
        elif frame.msg_type == WSMsgType.BINARY:
            self.frames.put_nowait(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self.close_code = int(frame.get_close_code())
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.frames.put_nowait(None)

    def send(self, *frames: str | bytes) -> None:
        for frame in frames:
            if isinstance(frame, str):
                self.transport.send(WSMsgType.TEXT, frame.encode())
            else:
                self.transport.send(WSMsgType.BINARY, frame)

    async def next(self) -> str | bytes | None:
        """The next frame; None when the connection is closed."""
        return await asyncio.wait_for(self.frames.get(), TIMEOUT)

    async def closed(self) -> int | None:
        """Waits for the end and returns the code of the server's close frame."""
        while await self.next() is not None:
            pass
        return self.close_code

    async def event(self, nsp: str = "/") -> list[Any]:
        """The next frame, which is an event of the namespace without attachments: [name, *arguments]."""
        frame = await self.next()
        head = "42" if nsp == "/" else f"42{nsp},"
        assert isinstance(frame, str), frame
        assert frame.startswith(head), frame
        return json.loads(frame[len(head) :].lstrip("0123456789"))

    def emit(self, *items: Any, nsp: str = "/", ack: int | None = None) -> None:
        head = "42" if nsp == "/" else f"42{nsp},"
        self.send(head + ("" if ack is None else str(ack)) + json.dumps(items))

    async def ack(self, id: int) -> list[Any]:
        """The next frame, which is the acknowledgement of this id in "/"."""
        frame = await self.next()
        assert isinstance(frame, str), frame
        assert frame.startswith(f"43{id}["), frame
        return json.loads(frame[2 + len(str(id)) :])

    async def join(self, nsp: str = "/", auth: object = None) -> str:
        """CONNECTs to a namespace and returns the socket's id."""
        self.send(f"40{nsp if nsp != '/' else ''}{',' if nsp != '/' else ''}{'' if auth is None else json.dumps(auth)}")
        frame = await self.next()
        assert isinstance(frame, str), frame
        assert frame.startswith("40"), frame
        return json.loads(frame[frame.index("{") :])["sid"]

    async def nothing(self, seconds: float = 0.03) -> None:
        """Asserts that no frame comes for a while."""
        await asyncio.sleep(seconds)
        assert self.frames.empty(), self.frames.get_nowait()


def url(io: Server, query: str = "EIO=4&transport=websocket") -> str:
    host, port = io.addresses[0]
    return f"ws://{host}:{port}/socket.io/?{query}"


@asynccontextmanager
async def wire(
    io: Server, *, query: str = "EIO=4&transport=websocket", join: bool = False
) -> AsyncIterator[WireClient]:
    """A client that is connected; the open packet is taken off, with `join` it is in "/" too."""
    transport, client = await ws_connect(WireClient, url(io, query))
    try:
        opened = await client.next()
        assert isinstance(opened, str)
        client.opened = json.loads(opened[1:])
        client.sid = await client.join() if join else ""
        yield client
    finally:
        transport.disconnect(graceful=False)


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Server]:
    """A server on a free port of its own."""
    io = Server(**options)
    await io.listen(0)
    try:
        yield io
    finally:
        await io.close()
