"""How a connection ends: the closing handshake both ways, what cannot be understood, half closes, deadlines."""

import asyncio
import time

import pytest

from fastsio.engine import connection as module
from tests.e2e.rawws import BINARY, CLOSE, PING, TEXT, Frame, close, frame, head, text
from tests.engine.peer import TICK, Stage, blocked, frames_in, numbers
from tests.engine.requests import sent
from tests.wsclient import serving

ECHO = text('421["echo","x"]')
ECHOED = Frame(TEXT, b'431["x"]')
FOREVER = 1000.0


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.clear()


def disconnected(peer):
    """The close is over: the transport was closed, not aborted, and nothing is left."""
    peer.stage.loop.settle()
    return peer.transport.gone and not peer.transport.aborted and peer.stage.core.owners() == []


# ---- the close (RFC 6455 7.1) ----


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (close(), b""),
        (close(1000, b"bye"), b"\x03\xe8"),
        (close(1001), b"\x03\xe9"),
        (close(4999), b"\x13\x87"),
    ],
)
def test_theirs_first(stage, theirs, ours):
    peer = stage.peer().join()
    stage.io.emit("last")
    peer.send(theirs, ECHO)
    assert peer.frames() == [Frame(TEXT, b'42["last"]'), Frame(CLOSE, ours)]
    assert disconnected(peer)
    assert [reason for reason, _ in stage.told] == ["transport close"]


def test_ours_first(stage):
    seen = []
    stage.io.event("note")(lambda socket: seen.append(1))
    peer = stage.peer().join()
    (session,) = stage.io.engine.clients.values()
    stage.io.emit("last")
    session.close()
    assert stage.told == [("forced close", None)]
    assert peer.frames() == [Frame(TEXT, b'42["last"]'), Frame(CLOSE, b"")]
    assert not peer.transport.closing
    stage.io.emit("too late")
    peer.send(text('42["note"]'), frame(PING, b"late"), text("40"))
    assert peer.frames() == []
    assert not peer.transport.closing
    peer.send(close(1000))
    assert peer.frames() == []
    assert disconnected(peer)
    assert seen == []
    assert len(stage.told) == 1


def test_ours_and_then_the_end_of_theirs(stage):
    peer = stage.peer().join()
    next(iter(stage.io.engine.clients.values())).close()
    peer.received()
    peer.end()
    assert disconnected(peer)


def test_the_peers_close_among_the_frames_put_aside(stage):
    @stage.io.event
    def work(socket, number):
        if number == 40:
            time.sleep(0.003)

    peer = stage.peer().join()
    peer.send(*(text(f'42["work",{number}]') for number in range(200)), close(1000), b"\xff\xff")
    (session,) = stage.io.engine.clients.values()
    session.close()  # ours goes first
    assert peer.frames() == [Frame(CLOSE, b"")]
    assert disconnected(peer)


def test_the_close_waits_behind_what_the_transport_holds(stage):
    peer = blocked(stage)
    got = peer.received()
    stage.io.emit("last", 1)
    next(iter(stage.io.engine.clients.values())).close()
    assert peer.received() == b""
    got += peer.transport.drain()
    got += peer.received()
    got += peer.transport.drain()
    big, last, end = frames_in(got)
    assert numbers([big.payload.decode(), last.payload.decode()]) == [0, 1]
    assert end == Frame(CLOSE, b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(3, b""), 1002),
        (frame(TEXT, b"4", mask=None), 1002),
        (frame(TEXT, b"4\xff"), 1007),
        (head(BINARY, 1_000_001), 1009),
    ],
    ids=["opcode", "mask", "utf-8", "size"],
)
def test_what_breaks_the_protocol(stage, data, code):
    peer = stage.peer().join()
    stage.io.emit("last")
    peer.send(data, ECHO)
    assert peer.frames() == [Frame(TEXT, b'42["last"]'), Frame(CLOSE, code.to_bytes(2, "big"))]
    assert stage.told == [("transport error", f"websocket protocol error {code}")]
    assert stage.counters == {f"websocket error {code}": 1}
    # Ours is ended; theirs is read, but not listened to, until it ends.
    assert peer.transport.eof and not peer.transport.closing
    peer.send(ECHO, close(1000))
    assert not peer.transport.closing
    assert peer.frames() == []
    peer.end()
    assert disconnected(peer)


def test_discarded(stage):
    peer = stage.peer().join()
    next(iter(stage.io.engine.clients.values())).close(discard=True)
    assert peer.transport.aborted
    assert peer.frames() == []
    assert stage.told == [("forced close", None)]


@pytest.mark.parametrize(("error", "reason"), [(None, "transport close"), (ConnectionResetError(), "transport error")])
def test_gone_without_a_close_frame(stage, error, reason):
    peer = stage.peer().join()
    peer.transport.lose(error)
    assert stage.told == [(reason, error)]


def test_a_failing_send(stage):
    """The peer's end of the descriptor is closed, and the transport has not noticed yet."""
    peer = stage.peer().join()
    peer.sock.close()
    stage.io.emit("lost")
    stage.loop.settle()
    ((reason, description),) = stage.told
    assert reason == "transport error"
    assert isinstance(description, BrokenPipeError)
    assert peer.transport.aborted
    assert stage.counters == {"send error": 1}


# ---- HTTP ----


def test_the_answer_is_not_lost_behind_what_nobody_reads(stage):
    peer = stage.peer()
    peer.send(sent(path="/nope", upgrade=False, Connection="close"), b"more than was asked for")
    assert peer.received().startswith(b"HTTP/1.1 404 ")
    assert peer.transport.eof and peer.transport.reading and not peer.transport.closing
    peer.send(sent(path="/nope", upgrade=False))
    assert peer.received() == b""
    peer.end()
    assert disconnected(peer)


def test_tls_cannot_be_half_closed(stage):
    peer = stage.peer(secure=True)
    peer.send(sent(path="/nope", upgrade=False, Connection="close"))
    assert peer.transport.closing
    assert peer.transport.drain().startswith(b"HTTP/1.1 404 ")
    assert disconnected(peer)


def test_the_end_of_the_requests_is_the_end_of_the_connection(stage):
    peer = stage.peer()
    peer.send(sent(path="/nope", upgrade=False))
    assert peer.received().startswith(b"HTTP/1.1 404 ")
    assert peer.transport.reading
    peer.end()
    assert disconnected(peer)


# ---- deadlines ----


def test_handshake_timeout(stage, monkeypatch):
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", 0.05)
    for first in (b"", b"GET /", sent()[:-1], sent(path="/nope", upgrade=False)):
        peer = stage.peer()
        peer.send(first)
        stage.wait(0.05 + 2 * TICK)
        assert peer.transport.aborted
    assert stage.counters == {"handshake timeout": 4, "http 404": 1}


def test_an_answer_gives_time_for_the_next_request(stage, monkeypatch):
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", 0.05)
    peer = stage.peer()
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", FOREVER)
    peer.send(sent(path="/nope", upgrade=False))
    stage.wait(0.05 + 2 * TICK)
    assert not peer.transport.aborted


def test_a_websocket_has_no_handshake_timeout(stage, monkeypatch):
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", 0.05)
    peer = stage.peer().join()
    stage.wait(0.05 + 2 * TICK)
    assert not peer.transport.aborted
    peer.send(ECHO)
    assert peer.frames() == [ECHOED]


@pytest.mark.parametrize("data", [b"", frame(3, b"")], ids=["ours first", "failed"])
def test_close_timeout(stage, monkeypatch, data):
    monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0.2)
    peer = stage.peer().join()
    (session,) = stage.io.engine.clients.values()
    if data:
        peer.send(data)
    else:
        session.close()
    peer.send(ECHO)  # does not put it off
    stage.wait(0)
    assert not peer.transport.aborted
    stage.wait(0.2 + 2 * TICK)
    assert peer.transport.aborted
    assert len(stage.told) == 1
    assert "handshake timeout" not in stage.counters


def test_stall_timeout(stage, monkeypatch):
    monkeypatch.setattr(module, "STALL_TIMEOUT", 0.05)
    peer = blocked(stage)
    peer.send(ECHO)  # that it still writes does not help
    stage.wait(0.05 + 2 * TICK)
    assert stage.told == [("transport error", "the peer stopped reading")]
    assert stage.counters == {"write stalled": 1}
    assert peer.transport.aborted


def test_a_peer_that_reads_slowly_has_not_stalled(stage, monkeypatch):
    monkeypatch.setattr(module, "STALL_TIMEOUT", 0.05)
    peer = blocked(stage)
    for _ in range(3):
        peer.transport.drain(1000)
        stage.wait(0.05 + 2 * TICK)
        assert stage.told == []
    stage.wait(0.05 + 2 * TICK)
    assert len(stage.told) == 1


def test_a_stall_that_is_over_is_forgotten(stage, monkeypatch):
    monkeypatch.setattr(module, "STALL_TIMEOUT", 0.05)
    peer = blocked(stage)
    peer.received()
    peer.transport.drain()
    stage.wait(0.05 + 2 * TICK)
    monkeypatch.setattr(module, "STALL_TIMEOUT", FOREVER)
    stage.io.emit("big", 0, "x" * 300_000)
    stage.loop.settle()
    assert peer.transport.held
    stage.wait(0.05 + 2 * TICK)
    assert stage.told == []


async def test_the_end_is_read_after_an_answer_that_took_its_time(monkeypatch):
    """Reading was paused for as long as the application decided."""
    monkeypatch.setattr(module, "CLOSE_TIMEOUT", FOREVER)

    async def refuse(request):
        await asyncio.sleep(0)
        return False

    async with serving(allow_request=refuse) as io:
        reader, writer = await asyncio.open_connection(*io.addresses[0])
        writer.write(sent())
        assert (await reader.read()).endswith(b"Forbidden")
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(5):
            while io.engine._connections:
                await asyncio.sleep(0.005)
