"""python-socketio on uvicorn with uvloop, httptools and websockets: python python_socketio_server.py PORT

Of uvicorn's two protocols on websockets this is the one that it takes by itself, and the faster.
"""

import socket as raw
import sys
from typing import Any

import socketio
import uvicorn
from stall import LongestGap

io = socketio.AsyncServer(async_mode="asgi")
longest_gap = LongestGap()


@io.event
async def echo(sid: str, *args: Any) -> tuple[Any, ...]:
    return args


@io.event
async def b(sid: str, seq: Any, payload: Any) -> None:
    await io.emit("b", (seq, payload))


@io.event
async def stall(sid: str) -> float:
    return longest_gap.take()


class ReadyServer(uvicorn.Server):
    """Says when it listens."""

    async def startup(self, sockets: list[raw.socket] | None = None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


# Engine.IO has its own heartbeat, so that of the websocket library is off.
config = uvicorn.Config(
    socketio.ASGIApp(io),
    host="127.0.0.1",
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    ws="websockets-sansio",
    ws_ping_interval=None,
    ws_per_message_deflate=False,
    backlog=4096,
    log_level="warning",
    access_log=False,
)
ReadyServer(config).run()
