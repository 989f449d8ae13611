"""The application's own websockets, by each of uvicorn's implementations."""

import asyncio

import pytest

from tests.e2e.rawws import BINARY, CLOSE, TEXT, Frame, close, frame
from tests.engine.peer import frames_in
from tests.hosting.fake import head, hosted

HANDSHAKE = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

pytestmark = [
    pytest.mark.parametrize("ws", ["websockets-sansio", "websockets", "wsproto"]),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated"),
]


async def echo(scope, receive, send):
    assert scope["type"] == "websocket"
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def upgrade(connection, *behind):
    """Becomes a websocket, with more bytes right behind the request; returns the answer's head."""
    connection.host.request(head("GET", "/ws?a=b", *HANDSHAKE), upgrade=True)
    for data in behind:
        connection.host.data(data)
    await connection.until(lambda: b"\r\n\r\n" in connection.sent)
    start, _, rest = bytes(connection.sent).partition(b"\r\n\r\n")
    connection.sent[:] = rest
    return start


async def received(connection, count):
    """The next so many frames."""
    await connection.until(lambda: len(connection.sent) >= 2 and len(frames_in(bytes(connection.sent))) >= count)
    frames = frames_in(bytes(connection.sent))
    connection.sent.clear()
    return frames


async def test_echo(ws):
    async with hosted(echo, ws=ws) as connection:
        start = await upgrade(connection)
        assert start.startswith(b"HTTP/1.1 101")
        assert ACCEPT.lower() in start.lower()
        assert connection.host.busy
        connection.host.data(frame(TEXT, b"hello"))
        assert await received(connection, 1) == [Frame(TEXT, b"hello")]
        connection.host.data(frame(BINARY, bytes(300)))
        assert await received(connection, 1) == [Frame(BINARY, bytes(300))]
        connection.host.data(close(1000))
        assert [got.opcode for got in await received(connection, 1)] == [CLOSE]
        await connection.until(lambda: connection.closed)


async def test_frames_right_behind_the_request(ws):
    """No client may send before the answer (RFC 6455 4.1), but what uvicorn's own HTTP drops comes through here."""
    if ws == "wsproto":
        return  # refuses them by itself
    async with hosted(echo, ws=ws) as connection:
        whole = frame(TEXT, b"first") + frame(TEXT, b"second")
        await upgrade(connection, whole[:7], whole[7:])
        assert await received(connection, 2) == [Frame(TEXT, b"first"), Frame(TEXT, b"second")]
        connection.host.data(close())
        await connection.until(lambda: connection.closed)


async def test_refused(ws):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})

    async with hosted(app, ws=ws) as connection:
        assert (await upgrade(connection)).startswith(b"HTTP/1.1 403")
        await connection.until(lambda: connection.closed)


async def test_exception(ws):
    async def app(scope, receive, send):
        raise ArithmeticError("on purpose")

    async with hosted(app, ws=ws) as connection:
        assert (await upgrade(connection)).startswith(b"HTTP/1.1 500")
        await connection.until(lambda: connection.closed)


async def test_the_client_goes_away(ws):
    told = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        told.append(await receive())

    async with hosted(app, ws=ws) as connection:
        await upgrade(connection)
        assert not connection.host.on_eof(connection)
        connection.host.lost(None)
        await connection.until(lambda: told)
        assert told[0]["type"] == "websocket.disconnect"


async def test_shutdown(ws):
    told = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        told.append(await receive())

    async with hosted(app, ws=ws) as connection:
        await upgrade(connection)
        await asyncio.sleep(0.01)
        connection.host.shutdown()
        (last,) = await received(connection, 1)
        assert (last.opcode, last.payload[:2]) == (CLOSE, (1012).to_bytes(2, "big"))
        assert connection.closed
        connection.host.shutdown()  # again: nothing more
        connection.host.lost(None)
        await connection.until(lambda: told)


async def test_the_peer_reads_slowly(ws):
    sent = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        for number in range(3):
            await send({"type": "websocket.send", "text": str(number)})
            sent.append(number)
        await receive()

    async with hosted(app, ws=ws) as connection:
        await upgrade(connection)
        connection.host.pause_writing()
        connection.host.data(frame(TEXT, b"go"))
        await asyncio.sleep(0.01)
        assert len(sent) < 3
        connection.host.resume_writing()
        await connection.until(lambda: len(sent) == 3)
