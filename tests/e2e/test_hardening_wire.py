"""Hostile input over websocket, beside an honest client who must not notice anything of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from fastsio import AckTimeout, ConnectError, Server
from tests.e2e.hostile import ALIVE, ATTACHMENT, ECHO, ECHOED, MAX, ROWS, Row
from tests.e2e.rawws import BINARY, TEXT, Frame, RawWebSocket, binary, frame, head, normalised, rawws, text
from tests.wsclient import serving


class Scene(NamedTuple):
    io: Server
    honest: RawWebSocket
    notes: list[Any]  # arguments of every "note" event
    reasons: list[str]
    connected: list[str]  # namespaces, one for every socket
    slow: asyncio.Event  # lets those into "/slow" who wait


def install(io: Server, notes: list[Any], reasons: list[str], connected: list[str], slow: asyncio.Event) -> None:
    io.event("error")(lambda socket, *args: ("error", *args))
    io.event(7)(lambda socket, *args: ("seven", *args))
    io.event("")(lambda socket: "empty")
    io.event("a\x01b")(lambda socket: "kept")

    @io.of("/deny").use
    def deny(socket):
        raise ConnectError("no", data={"why": "é"})

    @io.of("/slow").use
    async def wait(socket):
        await slow.wait()

    for name in ("/", "/chat", "/slow"):
        nsp = io.of(name)
        nsp.event("echo")(lambda socket, *args: args)
        nsp.event("note")(lambda socket, *args: notes.append(args))
        nsp.event("disconnect")(lambda socket, reason: reasons.append(reason))
        nsp.on("connection", lambda socket: connected.append(socket.nsp.name))


async def echoes(ws: RawWebSocket) -> None:
    ws.send(text('429["echo","alive"]'))
    assert await ws.text() == '439["alive"]'


@asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[Scene]:
    """A server with an honest client; at the end that client, and only that client, must still be there."""
    notes: list[Any] = []
    reasons: list[str] = []
    connected: list[str] = []
    slow = asyncio.Event()
    async with serving(**options) as io:
        install(io, notes, reasons, connected, slow)
        async with rawws(io, join=True) as honest:
            (honest_session,) = io.engine.clients
            yield Scene(io, honest, notes, reasons, connected, slow)
            slow.set()
            await gone(io, 1)
            await echoes(honest)
            assert list(io.engine.clients) == [honest_session]
            assert [socket.conn.id for socket in io.sockets.sockets.values()] == [honest_session]
            assert not any(nsp.sockets for name, nsp in io.nsps.items() if name != "/")


async def gone(io: Server, count: int) -> None:
    """Waits until only so many sessions are left."""
    async with asyncio.timeout(5):
        while io.engine.clients_count > count:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_row(row: Row, caplog):
    caplog.set_level("INFO", "fastsio")
    async with scene() as stage:
        async with rawws(stage.io, join=row.joined) as ws:
            ws.send(row.sent)
            if row.code == ALIVE:
                assert [normalised(reply) for reply in await ws.barrier()] == list(row.replies)
                await echoes(ws)
                assert stage.io.engine.clients_count == 2
            else:
                assert await ws.rest(answer=not row.we_close) == (list(row.replies), row.code)
        await echoes(stage.honest)
        assert stage.notes == []
    assert len(caplog.records) <= 1
    assert not any(record.exc_info or record.levelname == "ERROR" for record in caplog.records)


def test_rows_have_names_of_their_own():
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []


# ---- websocket ----


async def test_w36_the_count_of_fragments_starts_anew_with_each_message():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        for start in range(0, 17_000, 1_000):
            ws.send(*(text(f'42{i}["echo"]') for i in range(start, start + 1_000)))
            for i in range(start, start + 1_000):
                assert await ws.text() == f"43{i}[]"


async def test_w39_a_frame_byte_by_byte():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        data = frame(TEXT, ECHO)
        for i in range(len(data)):
            assert stage.io.engine.clients_count == 2
            ws.send(data[i : i + 1])
            await asyncio.sleep(0.001)
        assert await ws.next() == ECHOED


async def test_w42_reset_in_the_middle_of_a_frame():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        ws.send(text('42["note",1]'), head(TEXT, 1_000), b"mask and a part of the payload")
        async with asyncio.timeout(5):
            while not stage.notes:
                await asyncio.sleep(0.001)
        ws.reset()
        await gone(stage.io, 1)
        assert stage.reasons == ["transport error"]


async def test_w43_a_second_websocket_for_a_session_that_has_one():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        sid = json.loads(ws.opened[1:])["sid"]
        async with rawws(stage.io, f"EIO=4&transport=websocket&sid={sid}") as second:
            assert second.status == 400
        await echoes(ws)


async def test_the_limit_counts_exactly():
    """A message of the maximum passes, whole or in fragments; one byte more does not (W13, W14)."""
    largest = b'42["note","' + b"x" * (MAX - 13) + b'"]'
    assert len(largest) == MAX
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        ws.send(frame(TEXT, largest), frame(TEXT, largest[:-1], fin=False), frame(0, largest[-1:]))
        assert await ws.barrier() == []
        assert [len(text) for (text,) in stage.notes] == [MAX - 13] * 2
        ws.send(frame(TEXT, largest, fin=False), head(0, 1))
        assert await ws.rest() == ([], 1009)


# ---- Socket.IO ----


async def test_s10_connect_twice_while_the_middleware_is_at_it():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        ws.send(text("40/slow,") * 2)
        assert await ws.rest() == ([], None)
        stage.slow.set()
        await asyncio.sleep(0.01)
        assert stage.connected == ["/", "/"]


async def test_s11_a_middleware_that_ends_after_its_client():
    async with scene() as stage:
        async with rawws(stage.io, join=True) as ws:
            ws.send(text("40/slow,"))
            assert await ws.barrier() == []
            ws.reset()
            await gone(stage.io, 1)
        stage.slow.set()
        await asyncio.sleep(0.01)
        assert stage.connected == ["/", "/"]


async def test_s21_a_hundred_namespaces_on_one_connection():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        for i in range(100):
            stage.io.of(f"/n{i}")
        for i in range(99):
            ws.send(text(f"40/n{i},"))
            assert (await ws.text()).startswith(f'40/n{i},{{"sid":')
        await echoes(ws)
        ws.send(text("40/n99,"))
        assert await ws.rest() == ([], None)


async def test_s21_unknown_namespaces_leave_nothing_behind():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        for i in range(500):
            ws.send(text(f"40/dyn-{i},"))
            assert await ws.text() == f'44/dyn-{i},{{"message":"Invalid namespace"}}'
        assert len(stage.io.nsps) == 4
        await echoes(ws)


async def echoed(ws: RawWebSocket, value: str) -> Any:
    """The value, written in JSON, as it comes back."""
    ws.send(text(f'420["echo",{value}]'))
    answer = await ws.text()
    assert answer.startswith("430[")
    return json.loads(answer[3:])[0]


async def test_s43_s45_what_javascript_accepts():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        assert await echoed(ws, r'"half \ud83d, other \udc00"') == "half \ud83d, other \udc00"
        assert await echoed(ws, r'{"\ud83d": 1}') == {"\ud83d": 1}
        assert await echoed(ws, "9007199254740993") == 9007199254740993
        assert await echoed(ws, "18446744073709551616") == 2.0**64
        assert await echoed(ws, "-1e400") is None, "JSON has no infinity"
        await echoes(ws)


async def test_s49_s50_large_values():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        array = list(range(100_000))
        assert await echoed(ws, json.dumps(array)) == array
        keys = {f"k{i}": i for i in range(60_000)}
        assert await echoed(ws, json.dumps(keys, separators=(",", ":"))) == keys


async def test_s61_s62_s63_answers_that_nobody_waits_for():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        (socket,) = [s for s in stage.io.sockets.sockets.values() if s.conn.id in ws.opened]
        answers: list[Any] = []
        socket.emit("question", ack=lambda *args: answers.append(args))
        assert await ws.text() == '420["question"]'
        ws.send(text("40/chat,"), text("43/chat,0[1]"), text("430[2]"), text("430[3]"))
        await ws.barrier()
        assert answers == [(2,)]
        with pytest.raises(AckTimeout):
            await socket.timeout(0.01).emit_with_ack("question")
        assert await ws.text() == '421["question"]'
        ws.send(text("431[4]"))
        assert await ws.barrier() == []
        assert answers == [(2,)]
        await echoes(ws)


async def test_s95_an_acknowledgement_with_attachments():
    async with scene() as stage, rawws(stage.io, join=True) as ws:
        (socket,) = [s for s in stage.io.sockets.sockets.values() if s.conn.id in ws.opened]
        answers: list[Any] = []
        socket.emit("question", ack=lambda *args: answers.append(args))
        assert await ws.text() == '420["question"]'
        ws.send(text(f"461-0[{ATTACHMENT},1]"), binary(b"\x00\xff"))
        assert await ws.barrier() == []
        assert answers == [(b"\x00\xff", 1)]


async def test_s91_an_attachment_that_never_comes():
    notes: list[Any] = []
    reasons: list[str] = []
    async with serving(ping_interval=0.1, ping_timeout=0.1) as io:
        install(io, notes, reasons, [], asyncio.Event())
        async with rawws(io, join=True) as ws:
            ws.send(text(f'451-["note",{ATTACHMENT}]'))
            assert await ws.rest() == ([Frame(TEXT, b"2")], None)
        assert reasons == ["ping timeout"]
        assert notes == []


async def test_s92_ten_attachments_of_the_maximum():
    async with scene(max_http_buffer_size=100_000) as stage, rawws(stage.io, join=True) as ws:
        places = ",".join(f'{{"_placeholder":true,"num":{i}}}' for i in range(10))
        attachments = [bytes([i]) * 100_000 for i in range(10)]
        ws.send(text(f'4510-0["echo",{places}]'), *map(binary, attachments))
        assert await ws.text() == f"4610-0[{places}]"
        for attachment in attachments:
            assert await ws.next() == Frame(BINARY, attachment)


async def test_s96_ten_thousand_events_in_one_go():
    """Another client's event, sent at the same moment, does not wait for what one read brings of the flood."""
    async with scene() as stage, rawws(stage.io, join=True) as ws:

        @stage.io.event
        def work(socket):
            stage.notes.append(sum(range(2_000)))

        ws.send(text('42["work"]') * 10_000)
        stage.honest.send(text('42["note","honest"]'))
        assert await ws.barrier() == await stage.honest.barrier() == []
        assert len(stage.notes) == 10_001
        assert stage.notes.index(("honest",)) < 2_000
