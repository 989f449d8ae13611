"""python-socketio's client, which nobody here wrote: connect, emit, call, binary, namespaces, disconnect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import socketio

from fastsio import Server
from tests.e2e.app import install
from tests.wsclient import serving

TIMEOUT = 5.0


class Client:
    """An AsyncClient over websocket that keeps what it is sent, in order."""

    def __init__(self, io: Server, **options: Any) -> None:
        host, port = io.addresses[0]
        self.url = f"http://{host}:{port}"
        self.sio = socketio.AsyncClient(reconnection=False, **options)
        self.events: asyncio.Queue[tuple[str, str, Any]] = asyncio.Queue()
        self.sio.on("*", self.keep, namespace="*")
        self.sio.on("connect_error", self.keep_error, namespace="*")

    async def keep_error(self, namespace: str, error: Any) -> None:
        self.events.put_nowait((namespace, "connect_error", (error,)))

    async def keep(self, event: str, namespace: str, *args: Any) -> Any:
        self.events.put_nowait((namespace, event, args))
        return args if event == "question" else None

    async def connect(self, *namespaces: str, auth: Any = None) -> None:
        await self.sio.connect(
            self.url, transports=["websocket"], namespaces=list(namespaces) or ["/"], auth=auth, wait_timeout=TIMEOUT
        )

    async def next(self) -> tuple[str, str, Any]:
        return await asyncio.wait_for(self.events.get(), TIMEOUT)


@asynccontextmanager
async def client(io: Server, *namespaces: str, auth: Any = None) -> AsyncIterator[Client]:
    made = Client(io)
    try:
        if namespaces:
            await made.connect(*namespaces, auth=auth)
        yield made
    finally:
        await made.sio.disconnect()
        if made.sio.eio.http is not None:
            await made.sio.eio.http.close()
        await asyncio.sleep(0)


async def until_told(reasons: list[tuple[str, str]], count: int) -> None:
    async with asyncio.timeout(TIMEOUT):
        while len(reasons) < count:
            await asyncio.sleep(0.01)


async def test_events_both_ways():
    async with serving() as io:
        reasons = install(io)
        async with client(io, "/") as c:
            assert c.sio.get_sid("/") in io.sockets.sockets
            for value in ("é€😀", True, 1.5, [1, {"a": [None, True]}], {"": 0}):
                await c.sio.emit("say", value)
                assert await c.next() == ("/", "said", (value,))
            await c.sio.emit("say", ("two", "arguments"))
            assert await c.next() == ("/", "said", ("two", "arguments"))
        await until_told(reasons, 1)
        # This client closes the websocket before the DISCONNECT that it queued has left.
        assert reasons in ([("/", "client namespace disconnect")], [("/", "transport close")])


async def test_acknowledgements_both_ways():
    async with serving() as io:
        install(io)
        async with client(io, "/") as c:
            assert await c.sio.call("echo", {"a": 1}, timeout=TIMEOUT) == {"a": 1}
            assert await c.sio.call("echo", (1, "b"), timeout=TIMEOUT) == (1, "b")
            assert await c.sio.call("later", "x", timeout=TIMEOUT) == "x"
            answers = await asyncio.gather(*(c.sio.call("echo", i, timeout=TIMEOUT) for i in range(100)))
            assert answers == list(range(100))
            await c.sio.emit("ask me", "why")
            assert await c.next() == ("/", "question", ("why",))
            assert await c.next() == ("/", "answered", ("why",))


async def test_binary_both_ways():
    async with serving() as io:
        install(io)
        async with client(io, "/") as c:
            await c.sio.emit("reverse", {"b": bytes(range(256)), "list": [b"\x01\x02", "text"]})
            expected = {"b": bytes(range(256))[::-1], "list": [b"\x02\x01", "text"]}
            assert await c.next() == ("/", "reversed", (expected,))
            assert await c.sio.call("echo", [b"\x00\xff", {"b": b"x" * 70_000}], timeout=TIMEOUT) == [
                b"\x00\xff",
                {"b": b"x" * 70_000},
            ]
            answer = await c.sio.call("bytes", timeout=TIMEOUT)
            assert answer == (bytes(range(256)), {"list": [b"bytearray", b"memoryview"]}, "end")


async def test_namespaces_on_one_connection():
    async with serving() as io:
        install(io)
        async with client(io, "/", "/chat", "/other/ü") as c:
            assert io.engine.clients_count == 1
            for name in ("/", "/chat", "/other/ü"):
                assert await c.sio.call("where", namespace=name, timeout=TIMEOUT) == name
            await c.sio.emit("say", 1, namespace="/chat")
            assert await c.next() == ("/chat", "said", (1,))


async def test_auth_and_refusal():
    async with serving() as io:
        install(io)
        async with client(io, "/guarded", auth={"token": "secret"}) as c:
            shake = await c.sio.call("handshake", namespace="/guarded", timeout=TIMEOUT)
            assert shake == {"auth": {"token": "secret"}, "query": {}}
        async with client(io) as c:
            with pytest.raises(socketio.exceptions.ConnectionError):
                await c.connect("/guarded", auth={"token": "wrong"})
            namespace, event, (error,) = await c.next()
            assert (namespace, event) == ("/guarded", "connect_error")
            assert error == {"message": "not authorized", "data": {"content": "Please retry later"}}
            with pytest.raises(socketio.exceptions.ConnectionError):
                await c.connect("/nowhere")
            assert await c.next() == ("/nowhere", "connect_error", ({"message": "Invalid namespace"},))


async def test_server_disconnects():
    async with serving() as io:
        reasons = install(io)
        async with client(io, "/", "/chat") as c:
            await c.sio.emit("leave me", namespace="/chat")
            await until_told(reasons, 1)
            assert await c.sio.call("echo", 1, timeout=TIMEOUT) == 1
            await c.sio.emit("throw me out")
            await asyncio.wait_for(c.sio.wait(), TIMEOUT)
            assert not c.sio.connected
        assert reasons == [("/chat", "server namespace disconnect"), ("/", "server namespace disconnect")]


async def test_broadcasts_and_order():
    async with serving() as io:
        install(io)
        async with client(io, "/") as a, client(io, "/") as b:
            await a.sio.call("join", "red", timeout=TIMEOUT)
            for i in range(200):
                await b.sio.emit("shout", ({"to": ["red"]}, i))
            for i in range(200):
                assert await a.next() == ("/", "heard", (i,))
            await b.sio.emit("shout", ({"io": True, "except": ["red"]}, "to b alone"))
            assert await b.next() == ("/", "heard", ("to b alone",))
            assert a.events.empty()
