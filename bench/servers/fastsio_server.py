"""fastsio: python fastsio_server.py PORT [deflate]"""

import asyncio
import sys
from typing import Any

import uvloop
from stall import LongestGap

from fastsio import Server

io = Server(serve_client=False, per_message_deflate="deflate" in sys.argv[2:])
longest_gap = LongestGap()


@io.event
def echo(socket: Any, *args: object) -> tuple[object, ...]:
    return args


@io.event
def b(socket: Any, seq: object, payload: object) -> None:
    io.emit("b", seq, payload)


@io.event
def stall(socket: Any) -> float:
    return longest_gap.take()


async def main() -> None:
    await io.listen(int(sys.argv[1]))
    print("ready", flush=True)
    await asyncio.Event().wait()


uvloop.run(main())
