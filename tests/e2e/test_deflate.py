"""permessage-deflate over whole connections: what travels compressed, once for all; hostile frames; npm's clients."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from fastsio import Server
from tests.e2e.app import HERE
from tests.e2e.rawws import BINARY, CONTINUATION, PING, TEXT, RawWebSocket, binary, frame, rawws, text
from tests.requirements import require_npm
from tests.wsclient import serving

RSV1 = 4
OFFER = "permessage-deflate; client_max_window_bits"
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
LONG = "so long " * 1000
NODE_TIMEOUT = 45.0


def install(io: Server) -> None:
    io.event("echo")(lambda socket, *args: args)
    io.event("say")(lambda socket, *args: socket.emit("said", *args))
    io.event("say plainly")(lambda socket, *args: socket.compress(False).emit("said", *args))


@asynccontextmanager
async def serving_deflate(**options: Any) -> AsyncIterator[Server]:
    """A server that is known to deflate: what does not happen in a test is not for want of that."""
    async with serving(per_message_deflate=True, **options) as io:
        async with rawws(io, offers=OFFER) as ws:
            assert ws.extensions == AGREED
        yield io


def deflating(io: Server, **options: Any) -> Any:
    """A raw client in "/" that has agreed to permessage-deflate."""
    return rawws(io, join=True, offers=OFFER, **options)


def deflated(payload: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def compressed(opcode: int, payload: bytes) -> bytes:
    return frame(opcode, deflated(payload), rsv=RSV1)


def event(*items: Any) -> str:
    return "42" + json.dumps(items, separators=(",", ":"))


async def got(ws: RawWebSocket, *items: Any) -> int | None:
    """The next frame is this event; its size if it came compressed."""
    assert await ws.text() == event(*items)
    return ws.compressed_size


# ---- what is agreed on ----


@pytest.mark.parametrize(
    ("offers", "agreed"),
    [
        (None, ""),
        ("permessage-deflate", AGREED),
        (OFFER, AGREED),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED),
        ("permessage-deflate; server_max_window_bits=8", ""),
        ("permessage-deflate; server_max_window_bits=15", AGREED + "; server_max_window_bits=15"),
        ("permessage-deflate\r\nSec-WebSocket-Extensions: x-other", AGREED),
        (";" * 8000, ""),
        ("permessage-deflate; __proto__", ""),
    ],
)
async def test_the_answer(offers: str | None, agreed: str) -> None:
    async with serving_deflate() as io, rawws(io, join=True, offers=offers) as ws:
        assert ws.extensions == agreed
        io.emit("news", LONG)
        assert (await got(ws, "news", LONG) is not None) == bool(agreed)


async def test_it_is_off_by_default() -> None:
    assert await is_compressed(per_message_deflate=True)
    for off in ({}, {"per_message_deflate": False}):
        async with serving(**off) as io, deflating(io) as ws:
            assert ws.extensions == ""
            io.emit("news", LONG)
            assert await got(ws, "news", LONG) is None


async def is_compressed(**options: Any) -> bool:
    async with serving(**options) as io, deflating(io) as ws:
        io.emit("news", LONG)
        return await got(ws, "news", LONG) is not None


async def test_settings() -> None:
    assert await is_compressed(per_message_deflate={"threshold": 1024, "level": 9})
    assert not await is_compressed(per_message_deflate={"threshold": 10_000})
    with pytest.raises(TypeError, match="did you mean 'threshold'"):
        Server(per_message_deflate={"treshold": 1})
    with pytest.raises(ValueError, match="level must be between"):
        Server(per_message_deflate={"level": 10})


# ---- what travels compressed ----


async def test_messages_from_the_threshold_on() -> None:
    async with serving_deflate() as io, deflating(io) as ws:
        for size in (0, 1, 125, 1023, 1024, 1025, 70_000):
            filler = "x" * (size - len(event("n", "")))
            io.emit("n", filler)
            sent = await got(ws, "n", filler)
            assert (sent is not None) == (size >= 1024), size
            assert sent is None or sent < size / 10


async def test_attachments_by_their_own_size() -> None:
    async with serving_deflate() as io, deflating(io) as ws:
        io.emit("bin", bytes(5000), b"short")
        assert (await ws.text()).startswith("452-")
        assert ws.compressed_size is None
        assert await ws.next() == (BINARY, bytes(5000))
        assert ws.compressed_size is not None
        assert await ws.next() == (BINARY, b"short")
        assert ws.compressed_size is None


async def test_compress_false() -> None:
    async with serving_deflate() as io, deflating(io) as ws:
        socket = io.sockets.sockets[ws.sid]
        for target, expected in [
            (io.compress(False), False),
            (io.compress(True), True),
            (socket.compress(False), False),
            (socket, True),
            (io.to(ws.sid).compress(False), False),
            (io, True),
        ]:
            target.emit("n", LONG)
            assert (await got(ws, "n", LONG) is not None) == expected, target


async def test_a_broadcast_is_deflated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, ...]] = []
    real = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda *args: made.append(args) or real(*args))
    async with serving_deflate() as io, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(deflating(io)) for _ in range(20)]
        plain = [await stack.enter_async_context(rawws(io, join=True)) for _ in range(3)]
        for number in range(3):
            io.emit("n", number, LONG)
            sizes = {await got(ws, "n", number, LONG) for ws in clients}
            assert len(made) == number + 1
            assert len(sizes) == 1
            assert None not in sizes
        for ws in plain:
            assert [await got(ws, "n", number, LONG) for number in range(3)] == [None] * 3
        io.compress(False).emit("n", LONG)
        io.emit("n", "short")
        for ws in clients + plain:
            assert await got(ws, "n", LONG) is await got(ws, "n", "short") is None
        assert len(made) == 3, "nothing is deflated in vain"


async def test_nothing_is_deflated_for_plain_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving_deflate() as io, rawws(io, join=True) as ws:
        monkeypatch.setattr(zlib, "compressobj", None)
        io.emit("n", LONG)
        assert await got(ws, "n", LONG) is None


async def test_a_mixed_room_keeps_its_order() -> None:
    async with serving_deflate() as io, deflating(io) as ws, rawws(io, join=True) as plain:
        for client in (ws, plain):
            io.sockets.sockets[client.sid].join("room")
        sent = [LONG, "a", LONG + "2", "b", "c", LONG, "d"]
        for value in sent:  # in one round of the loop
            io.to("room").emit("n", value)
        for value in sent:
            assert (await got(ws, "n", value) is not None) == (len(value) > 1024)
            assert await got(plain, "n", value) is None


async def test_a_protocol_3_client_gets_its_type_byte_deflated() -> None:
    async with serving_deflate(allow_eio3=True) as io, rawws(io, "EIO=3&transport=websocket", offers=OFFER) as ws:
        assert await ws.text() == "40"
        io.emit("bin", bytes(5000))
        assert (await ws.text()).startswith("451-")
        assert await ws.next() == (BINARY, b"\x04" + bytes(5000))
        assert ws.compressed_size is not None


# ---- what clients send ----


async def test_compressed_messages_come_in() -> None:
    async with serving_deflate() as io, deflating(io) as ws:
        install(io)
        for number, value in enumerate(["short", LONG, "é€😀", LONG]):
            ws.send(compressed(TEXT, f'42{number}["echo","{value}"]'.encode()))
            assert json.loads((await ws.text())[3:]) == [value]
        ws.send(compressed(TEXT, b'451-["say",{"_placeholder":true,"num":0}]'), compressed(BINARY, bytes(5000)))
        assert (await ws.text()).startswith('451-["said"')
        assert await ws.next() == (BINARY, bytes(5000))
        ws.send(text('451-["say",{"_placeholder":true,"num":0}]'), binary(b"plain"))
        assert (await ws.text()).startswith('451-["said"')
        assert await ws.next() == (BINARY, b"plain")


async def test_a_compressed_message_in_fragments() -> None:
    async with serving_deflate() as io, deflating(io) as ws:
        install(io)
        whole = deflated(f'420["echo","{LONG}"]'.encode())
        ws.send(frame(TEXT, whole[:5], rsv=RSV1, fin=False), frame(PING, b"now"))
        ws.send(frame(CONTINUATION, whole[5:9], fin=False), frame(CONTINUATION, whole[9:]))
        assert await ws.next() == (10, b"now")
        assert await ws.text() == f'430["{LONG}"]'


MAX = 100_000
BOMB = compressed(TEXT, b'42["note","' + b"x" * 10_000_000 + b'"]')
HOSTILE = {
    "bomb": (BOMB, 1009),
    "binary bomb": (compressed(BINARY, bytes(10_000_000)), 1009),
    "a byte too long": (compressed(TEXT, b"x" * (MAX + 1)), 1009),
    "compressed ping": (frame(PING, b"x", rsv=RSV1), 1002),
    "compressed close": (frame(8, b"\x03\xe8", rsv=RSV1), 1002),
    "RSV1 on a continuation": (frame(TEXT, b"4", fin=False) + frame(CONTINUATION, b"x", rsv=RSV1), 1002),
    "RSV2": (frame(TEXT, b"4x", rsv=2), 1002),
    "invalid UTF-8": (compressed(TEXT, b'42["note","\xff"]'), 1007),
    "UTF-8 cut off": (compressed(TEXT, b'42["note"]\xc3'), 1007),
    "corrupt": (frame(TEXT, b"\xff\xff\xff", rsv=RSV1), 1007),
    "cut off": (frame(TEXT, deflated(LONG.encode())[:-9], rsv=RSV1), 1007),
    "many streams": (frame(BINARY, b"\x03\x00" * 40_000, rsv=RSV1), 1007),
}


@pytest.mark.parametrize(("sent", "code"), HOSTILE.values(), ids=HOSTILE)
async def test_hostile_frames_close_their_sender_alone(sent: bytes, code: int) -> None:
    notes: list[Any] = []
    async with serving_deflate(max_http_buffer_size=MAX) as io, deflating(io) as honest:
        install(io)
        io.event("note")(lambda socket, *args: notes.append(args))
        async with deflating(io) as ws:
            ws.send(sent, text('42["note","after"]'))
            assert await ws.rest(answer=False) == ([], code)
        honest.send(compressed(TEXT, f'420["echo","{LONG}"]'.encode()))
        assert await honest.text() == f'430["{LONG}"]'
        assert notes == []


async def test_rsv1_that_was_not_agreed_on() -> None:
    async with serving_deflate() as io, rawws(io, join=True) as ws:
        ws.send(compressed(TEXT, b'42["note"]'))
        assert await ws.rest(answer=False) == ([], 1002)


# ---- npm's clients ----


async def test_npm_clients() -> None:
    async with serving_deflate() as io:
        install(io)
        require_npm("ws")
        address = io.addresses[0]
        url = f"http://{address[0]}:{address[1]}"
        process = await asyncio.create_subprocess_exec(
            "node", "deflate.mjs", url, cwd=HERE, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, err = await asyncio.wait_for(process.communicate(), NODE_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0, err.decode()
