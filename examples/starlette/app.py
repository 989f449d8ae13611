"""Starlette and Socket.IO on one port of ours: lifespan, streaming, and a websocket that is Starlette's own.

python app.py, then `curl -N http://127.0.0.1:3000/stream`. PORT in the environment names another port.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from fastsio import Server, Socket

io = Server()


@io.event
def say(socket: Socket, text: str) -> None:
    """What one client says, everybody gets, the streams too."""
    io.emit("said", text)
    for stream in streams:
        stream.put_nowait(text)


# ---- Starlette's part ----

streams: set[asyncio.Queue[str]] = set()


async def stream(request: Request) -> StreamingResponse:
    """Server-sent events: what is said from now on."""

    async def events() -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        streams.add(queue)
        try:
            yield ": welcome\n\n"
            while True:
                yield f"data: {await queue.get()}\n\n"
        finally:
            streams.discard(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


async def clients(request: Request) -> JSONResponse:
    return JSONResponse({"clients": io.engine.clients_count, "since": request.state.since})


async def shout(websocket: WebSocket) -> None:
    """A websocket without Socket.IO."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, float]]:
    yield {"since": asyncio.get_running_loop().time()}


app = Starlette(
    routes=[Route("/stream", stream), Route("/clients", clients), WebSocketRoute("/shout", shout)],
    lifespan=lifespan,
)
io.attach(app)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    io.run(int(os.environ.get("PORT", "3000")))
