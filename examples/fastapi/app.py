"""FastAPI and Socket.IO under uvicorn, with the Server injected where an endpoint needs it.

uvicorn --http fastsio.uvicorn:HttpProtocol app:app, then
curl -X POST http://127.0.0.1:8000/rooms/sports/news -H "Content-Type: application/json" -d '{"text": "a goal"}'
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from pydantic import BaseModel

from fastsio import ASGIApp, Server, Socket


def get_io(connection: HTTPConnection) -> Server:
    """The Server of this application; tests put another in its place by `api.dependency_overrides`."""
    io: Server = connection.app.state.io
    return io


Io = Annotated[Server, Depends(get_io)]


class News(BaseModel):
    text: str


# ---- Socket.IO's part ----

io = Server()


@io.event
def subscribe(socket: Socket, room: str) -> str:
    socket.join(room)
    return room


# ---- FastAPI's part ----


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    api.state.io = io
    yield


api = FastAPI(lifespan=lifespan)


@api.post("/rooms/{room}/news", status_code=202)
async def publish(room: str, news: News, io: Io) -> dict[str, str]:
    """Tells everybody in the room. Endpoints that emit are `async def`: others run in threads."""
    io.to(room).emit("news", news.model_dump())
    return {"room": room}


@api.get("/rooms/{room}")
async def members(room: str, io: Io) -> dict[str, int]:
    return {"members": len(io.sockets.adapter.sockets([room]))}


app = ASGIApp(io, api)
