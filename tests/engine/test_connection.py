"""One connection on a loop that stands still: the order of what goes out, back pressure, the close, deadlines."""

import base64
import json
import time

import pytest

from fastsio.engine import connection as module
from tests.e2e.rawws import BINARY, CLOSE, PING, PONG, TEXT, Frame, close, frame, head, text
from tests.engine.peer import TICK, Stage, frames_in
from tests.engine.requests import GOOD, sent

ECHO = text('421["echo","x"]')
ECHOED = Frame(TEXT, b'431["x"]')
FOREVER = 1000.0


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.clear()


def numbers(texts):
    """The numbers that events carry."""
    return [json.loads(got[2:])[1] for got in texts]


def disconnected(peer):
    """The close is over: the transport was closed, not aborted, and nothing is left."""
    peer.stage.loop.settle()
    return peer.transport.gone and not peer.transport.aborted and peer.stage.core.connections() == []


# ---- from HTTP to websocket ----


def test_the_head_of_the_answer_then_the_open_packet_then_messages(stage):
    stage.io.on("connection", lambda socket: socket.emit("hello"))
    peer = stage.peer()
    answer = peer.upgrade(GOOD, text("40"), ECHO)
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    opened, joined, *rest = [got.payload for got in peer.first]
    (session,) = stage.io.engine.clients.values()
    assert json.loads(opened[1:])["sid"] == session.id
    assert joined.startswith(b'40{"sid":"')
    assert rest == [b'42["hello"]', ECHOED.payload]


def test_what_is_behind_the_upgrade_request_is_decoded_when_it_is_whole(stage):
    """Wherever the bytes are cut: in the request, behind it, in a frame."""
    data = sent() + text("40") + ECHO
    for at in range(1, len(data)):
        peer = stage.peer()
        peer.send(data[:at])
        peer.send(data[at:])
        assert peer.received().endswith(ECHOED.payload), at


def test_byte_by_byte(stage):
    peer = stage.peer()
    for byte in sent() + text("40") + ECHO:
        peer.send(bytes([byte]))
    assert peer.received().endswith(ECHOED.payload)


def test_messages_of_others_wait_for_the_upgrade(stage):
    waiting, member = stage.peer(), stage.peer().join()
    stage.io.emit("news")
    assert member.texts() == ['42["news"]']
    assert waiting.received() == b""
    waiting.upgrade()
    stage.io.emit("news")
    assert waiting.received() == b""  # it is in no namespace
    waiting.send(text("40"))
    assert [got[:2] for got in waiting.texts()] == ["40"]


def test_peer(stage):
    peer = stage.peer()
    assert peer.connection.peer == "192.0.2.1"
    assert peer.connection.get_extra_info("peername") == ("192.0.2.1", 4242)
    peer.transport.lose(None)
    assert peer.connection.peer == ""
    assert peer.connection.get_extra_info("peername") is None


# ---- back pressure ----


def blocked(stage, **options):
    """A peer that does not read, for which the transport holds bytes."""
    peer = stage.peer(**options).join()
    stage.io.emit("big", 0, "x" * 300_000)
    stage.loop.settle()
    assert peer.transport.held and peer.transport.paused
    return peer


def test_what_the_kernel_does_not_take_is_the_transports(stage):
    peer = blocked(stage)
    held = peer.transport.get_write_buffer_size()
    got = peer.received()
    assert 0 < len(got) < 300_000
    assert len(got) + held == len('42["big",0,""]') + 300_000 + 10
    for number in range(1, 4):
        stage.io.emit("more", number)
        assert peer.received() == b""  # the transport goes first
    assert peer.transport.get_write_buffer_size() == held
    got += peer.transport.drain(1000)
    assert peer.received() == b""
    got += peer.transport.drain()
    got += peer.received()
    texts = [event.payload.decode() for event in frames_in(got)]
    assert numbers(texts) == [0, 1, 2, 3]


def test_reading_goes_on_while_writing_is_held_up(stage):
    seen = []
    stage.io.event("note")(lambda socket, value: seen.append(value))
    peer = blocked(stage)
    peer.send(text('42["note",1]'))
    assert seen == [1]


def test_tls_is_written_by_the_transport_alone(stage):
    peer = stage.peer(secure=True)
    assert peer.connection.secure
    peer.send(sent(), text("40"))
    assert peer.received() == b""
    first = peer.transport.drain()
    assert first.startswith(b"HTTP/1.1 101 ")
    for number in range(3):
        stage.io.emit("n", number)
        assert peer.received() == b""
    while peer.transport.held:
        first += peer.transport.drain()
        stage.loop.settle()
    opened, joined, *events = frames_in(first.partition(b"\r\n\r\n")[2])
    assert numbers([event.payload.decode() for event in events]) == [0, 1, 2]


def test_nothing_is_sent_to_a_recycled_slot(stage):
    """What one peer did not take never reaches the next one in its slot."""
    gone = blocked(stage)
    stage.io.emit("for the one before")
    gone.transport.lose(ConnectionResetError())
    new = stage.peer().join()
    assert new.connection is not gone.connection
    stage.io.emit("for the new one")
    assert new.texts() == ['42["for the new one"]']
    gone.connection.resume_writing()  # late news from a transport that is gone
    gone.connection.abort()
    assert new.texts() == []


# ---- one connection's share of the loop ----


def test_frames_put_aside_are_decoded_before_newer_ones(stage):
    seen = []

    @stage.io.event
    def work(socket, number):
        seen.append(number)
        if number % 50 == 40:
            time.sleep(0.003)  # more than a slice

    peer = stage.peer().join()
    peer.send(*(text(f'42["work",{number}]') for number in range(200)), text('42["work",200]')[:5])
    assert 40 < len(seen) < 150
    assert not peer.transport.reading
    rounds = 0
    while not peer.transport.reading:
        stage.loop.turn()
        rounds += 1
    assert rounds > 1
    assert seen == list(range(200))
    peer.send(text('42["work",200]')[5:], text('42["work",201]'))
    assert seen == list(range(202))


def test_a_connection_that_ends_while_frames_are_put_aside(stage):
    seen = []

    @stage.io.event
    def work(socket, number):
        seen.append(number)
        if number == 40:
            time.sleep(0.003)

    peer = stage.peer().join()
    peer.send(*(text(f'42["work",{number}]') for number in range(200)))
    before = len(seen)
    peer.transport.lose(ConnectionResetError())
    stage.loop.settle()
    assert len(seen) == before < 200
    assert [reason for reason, _ in stage.told] == ["transport error"]


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


# ---- pongs ----


def test_a_ping_is_answered_with_its_payload(stage):
    peer = stage.peer().join()
    for payload in (b"", b"a", b"x" * 125):
        peer.send(frame(PING, payload))
        assert peer.frames() == [Frame(PONG, payload)]


def test_pongs_in_one_go_are_bounded(stage):
    peer = stage.peer().join()
    for _ in range(2):
        peer.send(*(frame(PING, b"%d" % number) for number in range(100)))
        assert peer.frames() == [Frame(PONG, b"%d" % number) for number in range(64)]
    assert stage.counters == {"pong dropped": 72}


def test_one_pong_waits_for_a_peer_that_does_not_read(stage):
    peer = blocked(stage)
    for number in range(5):
        peer.send(frame(PING, b"%d" % number))
    assert stage.counters == {"pong dropped": 4}
    got = peer.received() + peer.transport.drain()
    assert frames_in(got + peer.received())[1:] == [Frame(PONG, b"0")]
    peer.send(frame(PING, b"again"))
    assert peer.frames() == [Frame(PONG, b"again")]


# ---- base64 ----


def test_b64(stage):
    peer = stage.peer()
    peer.upgrade(GOOD + "&b64=1")
    peer.first += frames_in(peer.transport.drain())
    peer.send(text("40"))
    stage.loop.settle()
    peer.transport.drain()
    data = bytes(range(256))
    encoded = b"b" + base64.b64encode(data)
    peer.send(text('451-1["echo",{"_placeholder":true,"num":0}]'), frame(TEXT, encoded))
    stage.loop.settle()
    expected = [Frame(TEXT, b'461-1[{"_placeholder":true,"num":0}]'), Frame(TEXT, encoded)]
    assert frames_in(peer.received() + peer.transport.drain()) == expected


def test_binary_is_binary_for_everybody_else(stage):
    peer = stage.peer().join()
    peer.send(text('451-1["echo",{"_placeholder":true,"num":0}]'), frame(BINARY, b"\x00\xff"))
    assert peer.frames() == [Frame(TEXT, b'461-1[{"_placeholder":true,"num":0}]'), Frame(BINARY, b"\x00\xff")]


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


def test_pipelined_requests_are_answered_one_in_a_round(stage):
    peer = stage.peer()
    peer.send(sent(path="/a", upgrade=False) * 3)
    assert len(stage.loop.soon) > 0
    assert peer.received().count(b"HTTP/1.1 404 ") == 3
    assert stage.counters == {"http 404": 3}


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
    monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0.05)
    peer = stage.peer().join()
    (session,) = stage.io.engine.clients.values()
    if data:
        peer.send(data)
    else:
        session.close()
    peer.send(ECHO)  # does not put it off
    stage.wait(0.01)
    assert not peer.transport.aborted
    stage.wait(0.05 + 2 * TICK)
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
