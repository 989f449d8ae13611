"""Hostile input over HTTP, beside an honest client on websocket and one whose GET waits: neither may notice.

The table is hostile_polling.py; what takes more than one answer on one connection has a test of its own below.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import pytest

from tests.differential.steps import EIO3, EIO4, TEXT_PLAIN, UPGRADE, head, of, payload3, url
from tests.differential.wire import Ids, Wire
from tests.e2e.hostile_polling import ECHO, MAX, OK, OPENED, ROWS, WS4, Row, error, get, post, query
from tests.e2e.rawws import TEXT, frame
from tests.e2e.test_hardening_wire import Scene, echoes, scene

TIMEOUT = 10.0


class Polled(NamedTuple):
    """scene: with its honest websocket; ids: the sessions that are there to be attacked."""

    scene: Scene
    ids: Ids

    async def wire(self) -> Wire:
        address = self.scene.io.addresses[0]
        assert not isinstance(address, str)
        return await Wire.connect(address, self.ids)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Wire]:
        wire = await self.wire()
        try:
            yield wire
        finally:
            await wire.close()

    async def ask(self, *requests: bytes) -> list[str]:
        """The answers to requests, one after the other on a connection of their own."""
        found = []
        async with self.connected() as wire:
            for data in requests:
                wire.send(data)
                found.append(await heard(wire))
        return found

    def lives(self, session: int = 1) -> bool:
        return self.ids.sessions[session - 1].decode() in self.scene.io.engine.clients

    async def ended(self, session: int = 1) -> None:
        async with asyncio.timeout(5):
            while self.lives(session):
                await asyncio.sleep(0.005)

    async def opened(self, session: int) -> None:
        """A session in "/" with nothing unfetched: the first is of Engine.IO 4, the second of Engine.IO 3."""
        open_, connect = (url(EIO4), [post(b"40")]) if session == 1 else (url(EIO3), [])
        await self.ask(get(open_))
        answers = await self.ask(*connect, get(url(query(session))))
        assert "40" in answers[-1], answers


async def heard(wire: Wire, what: str = "answer") -> str:
    return await asyncio.wait_for(wire.receive(what), TIMEOUT)


@asynccontextmanager
async def polled(sessions: int = 1) -> AsyncIterator[Polled]:
    """Beside `scene`, an honest client whose GET waits, and sessions to be attacked."""
    async with scene() as stage, AsyncExitStack() as stack:
        honest = Polled(stage, Ids())
        await honest.opened(1)
        wire = await stack.enter_async_context(honest.connected())
        wire.send(get(url(query())))
        found = Polled(stage, Ids())
        for session in range(1, sessions + 1):
            await found.opened(session)
        yield found
        (socket,) = [s for s in stage.io.sockets.sockets.values() if s.conn.id.encode() == honest.ids.sessions[0]]
        socket.emit("alive")
        assert await heard(wire) == OPENED + '42["alive"]', "the honest client's GET"
        for id in {*found.ids.sessions, *honest.ids.sessions}:
            if session := stage.io.engine.clients.get(id.decode()):
                session.close()


def begins(line: str, starts: str) -> bool:
    return any(line.startswith(start) for start in starts.split("|"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_row(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "fastsio")
    session = 2 if row.third else 1
    async with polled(session) as stage, stage.connected() as waiting, stage.connected() as wire:
        if not row.lives:
            waiting.send(get(url(query(session))))
            await asyncio.sleep(0.01)
        wire.send(row.sent)
        for starts in row.answers:
            line = await heard(wire)
            while line.startswith("100"):
                line = await heard(wire)
            assert begins(line, starts), line
        if row.closes:
            assert "[close]" in line, line
            assert await heard(wire, "end") == "end"
        elif "[close]" not in line:
            wire.send(get("/still-there"))
            assert (await heard(wire)).startswith("404 ")
        if row.lives:
            await the_session_lives(stage, session, row.fetched)
        else:
            assert await heard(waiting) == OPENED + str(row.fetched)
            await stage.ended(session)
            assert stage.scene.reasons == [row.reason]
        assert row.name.startswith("E22") or stage.scene.notes == []
    assert len([record for record in caplog.records if "evil" not in record.getMessage()]) <= 1
    assert not any(record.exc_info or record.levelname == "ERROR" for record in caplog.records)


async def the_session_lives(stage: Polled, session: int, fetched: str | None) -> None:
    """It has got what the row asked for, and answers."""
    if fetched is not None:
        assert await stage.ask(get(url(query(session)))) == [OPENED + fetched]
    packet = '429["echo","alive"]'
    body = (packet if session == 1 else payload3(packet)).encode()
    answers = await stage.ask(post(body, session=session), get(url(query(session))))
    alive = '439["alive"]'
    assert answers == [OK, OPENED + (alive if session == 1 else payload3(alive))]


def test_rows_have_names_of_their_own() -> None:
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []


# ---- more than one connection, or more than one step ----


async def test_h62_byte_by_byte():
    async with polled() as stage, stage.connected() as wire:
        data = stage.ids.filled(post(ECHO))
        for i in range(len(data)):
            wire.send(data[i : i + 1])
            await asyncio.sleep(0)
        assert await heard(wire) == OK
        await the_session_lives(stage, 1, '430["x"]')


async def test_h92_head_has_no_body():
    async with polled() as stage, stage.connected() as wire:
        for target, status in ((url(), "400"), (url(query()), None), (url(EIO4 + "&sid=nope"), "400")):
            wire.send(get(target, method="HEAD"))
            line = await heard(wire, "head")
            assert status is None or line.startswith(status)
        wire.send(get())
        assert (await heard(wire)).startswith(OPENED)
        await the_session_lives(stage, 1, None)


async def test_h112_a_sid_fully_encoded():
    async with polled() as stage:
        encoded = "".join(f"%{byte:02x}" for byte in stage.ids.sessions[0])
        assert await stage.ask(head("POST", url(f"{EIO4}&sid={encoded}"), TEXT_PLAIN, "Content-Length: 15") + ECHO) == [
            OK
        ]
        await the_session_lives(stage, 1, '430["x"]')


async def test_h116_two_gets():
    async with polled() as stage, stage.connected() as first, stage.connected() as second:
        first.send(get(url(query())))
        await asyncio.sleep(0.01)
        second.send(get(url(query())))
        assert (await heard(second)).startswith("400 ")
        assert await heard(first) == OPENED + "1"
        assert stage.scene.reasons == ["transport error"]
        assert not stage.lives()


async def test_h117_two_posts():
    async with polled() as stage, stage.connected() as first:
        first.send(head("POST", url(query()), TEXT_PLAIN, "Content-Length: 15") + b"42")
        await asyncio.sleep(0.01)
        (answer,) = await stage.ask(post(b"6"))
        assert answer.startswith("400 ")
        await stage.ended()
        assert stage.scene.reasons == ["transport error"]
        first.send(b"0" * 13)
        assert (await heard(first)).startswith(("400 ", "end"))


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("what", ["GET", "POST"])
async def test_h118_the_client_goes_away(what, reset):
    async with polled() as stage:
        wire = await stage.wire()
        wire.send(get(url(query())) if what == "GET" else post(ECHO)[:-3])
        await asyncio.sleep(0.01)
        await wire.close(reset=reset)
        await stage.ended()
        assert stage.scene.reasons == ["transport error"]


async def test_h120_the_session_survives_what_is_too_large():
    """However often; the answer comes from the length alone, before the body."""
    async with polled() as stage:
        for size in (MAX + 1, 2**31, 2**40):
            async with stage.connected() as wire:
                wire.send(head("POST", url(query()), TEXT_PLAIN, f"Content-Length: {size}"))
                assert (await heard(wire)).startswith("413 ")
                assert await heard(wire, "end") == "end"
        largest = b'42["note","' + b"x" * (MAX - 13) + b'"]'
        assert await stage.ask(post(largest)) == [OK]
        assert [len(text) for (text,) in stage.scene.notes] == [MAX - 13]
        stage.scene.notes.clear()
        await the_session_lives(stage, 1, None)


async def test_h141_a_post_in_pieces_from_another_origin():
    """It is refused, and the session does not take it for one of its own."""
    async with polled() as stage, stage.connected() as wire:
        wire.send(head("POST", url(query()), TEXT_PLAIN, "Origin: http://evil.example", "Content-Length: 15"))
        await asyncio.sleep(0.01)
        wire.send(ECHO)
        assert (await heard(wire)).startswith(error(4))
        await the_session_lives(stage, 1, None)


async def test_h133_requests_behind_a_get_that_waits():
    """Answered in order once the GET is; more than a few are too many."""
    async with polled() as stage, stage.connected() as wire:
        wire.send(get(url(query())) + get("/app") + get())
        assert await stage.ask(post(ECHO)) == [OK]
        assert await heard(wire) == OPENED + '430["x"]'
        assert (await heard(wire)).startswith("404 ")
        assert (await heard(wire)).startswith(OPENED + "0{")
        await the_session_lives(stage, 1, None)


async def test_h133_a_thousand_requests_behind_a_get_that_waits():
    async with polled() as stage, stage.connected() as wire:
        wire.send(get(url(query())) + get("/app") * 1000)
        await asyncio.sleep(0.05)
        if stage.lives():
            assert await stage.ask(post(ECHO)) == [OK]
        lines = []
        while not (line := await heard(wire)).startswith("end") and len(lines) < 1001:
            lines.append(line.split(" ")[0])
        assert len(lines) <= 1001
        assert set(lines[1:]) <= {"404", "503"}


async def test_h173_h174_a_session_on_websocket_is_not_taken_over():
    async with polled() as stage, stage.connected() as wire:
        wire.send(head("GET", url(WS4 + of(1)), *UPGRADE))
        assert (await heard(wire)).startswith("101 ")
        wire.send(frame(TEXT, b"2probe"))
        assert await heard(wire, "frame") == "text 3probe"
        wire.send(frame(TEXT, b"5") + frame(TEXT, ECHO))
        assert await heard(wire, "frame") == 'text 430["x"]'
        for data in (get(url(query())), post(ECHO), get(url(WS4 + of(1)))):
            (answer,) = await stage.ask(data)
            assert answer.startswith(error(3)), answer
        (answer,) = await stage.ask(get(url(WS4 + of(1)), *UPGRADE))
        assert answer.startswith("400 ")
        wire.send(frame(TEXT, ECHO))
        assert await heard(wire, "frame") == 'text 430["x"]'


async def test_h174_a_session_that_began_on_websocket():
    async with polled() as stage:
        sid = next(iter(stage.scene.io.engine.clients))
        assert sid in stage.scene.honest.opened
        for data in (get(url(f"{EIO4}&sid={sid}")), head("POST", url(f"{EIO4}&sid={sid}"), "Content-Length: 1") + b"1"):
            (answer,) = await stage.ask(data)
            assert answer.startswith(error(3)), answer
        (answer,) = await stage.ask(get(url(f"{WS4}&sid={sid}"), *UPGRADE))
        assert answer.startswith("400 ")


async def test_h177_half_closed_behind_a_request():
    async with polled() as stage:
        for data, starts in ((post(ECHO), OK), (get(url(query())), OPENED + "430")):
            async with stage.connected() as wire:
                wire.send(data)
                wire.writer.write_eof()
                assert (await heard(wire)).startswith(starts)
                assert await heard(wire, "end") == "end"
        await the_session_lives(stage, 1, None)


async def test_h36_a_header_is_not_given_back():
    """Nothing of the input is reflected in an error, whatever was sent (rule 14)."""
    async with polled() as stage, stage.connected() as wire:
        marks = ("X-Mark: <script>", "Cookie: io=<script>", "User-Agent: <script>", "Referer: <script>")
        for target in (url(EIO4 + "&sid=%3Cscript%3E"), url("EIO=4&transport=<script>"), "/<script>"):
            wire.send(get(target, *marks))
            assert "script" not in await heard(wire)


# ---- upgrades ----


async def probing(stage: Polled, wire: Wire, *sent: bytes) -> None:
    wire.send(head("GET", url(WS4 + of(1)), *UPGRADE) + b"".join(sent))
    assert (await heard(wire)).startswith("101 ")


async def test_e50_the_upgrade():
    async with polled() as stage, stage.connected() as wire:
        await probing(stage, wire, frame(TEXT, b"2probe"))
        assert await heard(wire, "frame") == "text 3probe"
        wire.send(frame(TEXT, b"5") + frame(TEXT, ECHO))
        assert await heard(wire, "frame") == 'text 430["x"]'
        (answer,) = await stage.ask(get(url(query())))
        assert answer.startswith(error(3))


WRONG_PROBES = {
    "E51 other data": frame(TEXT, b"2notprobe"),
    "E52 no data": frame(TEXT, b"2"),
    "E53 a message": frame(TEXT, ECHO),
    "E53 a message behind the probe": frame(TEXT, b"2probe") + frame(TEXT, ECHO),
    "E54 binary": frame(2, b"\x02probe"),
    "E54 binary behind the probe": frame(TEXT, b"2probe") + frame(2, b"5"),
    "E54 nothing": frame(TEXT, b""),
    "E56 a frame that is not masked": frame(TEXT, b"2probe", mask=None),
    "E56 too large": frame(TEXT, b"2probe") + frame(TEXT, b"4" + b"x" * MAX),
    "E57 it closes": frame(8, b"\x03\xe8"),
    "E57 it closes behind the probe": frame(TEXT, b"2probe") + frame(8, b"\x03\xe8"),
}


@pytest.mark.parametrize("name", WRONG_PROBES)
async def test_a_wrong_probe_ends_alone(name):
    async with polled() as stage, stage.connected() as wire:
        await probing(stage, wire, WRONG_PROBES[name])
        line = await heard(wire, "frame")
        if line == "text 3probe":
            line = await heard(wire, "frame")
        assert line.startswith("close"), line
        await the_session_lives(stage, 1, None)
        async with stage.connected() as again:
            await probing(stage, again, frame(TEXT, b"2probe"))
            assert await heard(again, "frame") == "text 3probe"
        assert stage.scene.notes == []


async def test_e55_the_probe_twice():
    async with polled() as stage, stage.connected() as wire:
        await probing(stage, wire, frame(TEXT, b"2probe") * 2)
        assert [await heard(wire, "frame") for _ in range(2)] == ["text 3probe"] * 2
        wire.send(frame(TEXT, b"5") + frame(TEXT, ECHO))
        assert await heard(wire, "frame") == 'text 430["x"]'


@pytest.mark.parametrize("reset", [False, True])
async def test_e57_the_probe_vanishes(reset):
    async with polled() as stage:
        wire = await stage.wire()
        await probing(stage, wire, frame(TEXT, b"2probe"))
        assert await heard(wire, "frame") == "text 3probe"
        await wire.close(reset=reset)
        await the_session_lives(stage, 1, None)


async def test_w43_a_second_upgrade_at_the_same_time():
    """The second websocket ends, the first and the session do not notice."""
    async with polled() as stage, stage.connected() as wire, stage.connected() as second:
        await probing(stage, wire, frame(TEXT, b"2probe"))
        assert await heard(wire, "frame") == "text 3probe"
        second.send(head("GET", url(WS4 + of(1)), *UPGRADE))
        assert (await heard(second)).startswith(("101 ", "400 "))
        wire.send(frame(TEXT, b"5") + frame(TEXT, ECHO))
        assert await heard(wire, "frame") == 'text 430["x"]'
        await echoes(stage.scene.honest)
