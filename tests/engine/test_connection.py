"""One connection on a loop that stands still: the order of what goes out, back pressure, the close, deadlines."""

import base64
import json
import time

import pytest

from tests.e2e.rawws import BINARY, PING, PONG, TEXT, Frame, frame, text
from tests.engine.peer import Stage, blocked, frames_in, numbers
from tests.engine.requests import GOOD, sent

ECHO = text('421["echo","x"]')
ECHOED = Frame(TEXT, b'431["x"]')
FOREVER = 1000.0


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.clear()


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


def test_pipelined_requests_are_answered_one_in_a_round(stage):
    peer = stage.peer()
    peer.send(sent(path="/a", upgrade=False) * 3)
    assert len(stage.loop.soon) > 0
    assert peer.received().count(b"HTTP/1.1 404 ") == 3
    assert stage.counters == {"http 404": 3}


# ---- back pressure ----


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


def test_a_transport_that_holds_nothing_is_given_the_next_at_once(stage):
    """It never pauses, so it never says that it goes on."""
    peer = stage.peer(secure=True)
    peer.transport.eager = True
    peer.join()
    for number in range(3):
        stage.io.emit("n", number)
        assert numbers(peer.texts()) == [number]


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


@pytest.mark.parametrize("mode", ["b64=1", "b64=0", "b64=true"])  # anything at all, as in the reference
def test_b64(stage, mode):
    peer = stage.peer().join(f"{GOOD}&{mode}")
    data = bytes(range(256))
    encoded = b"b" + base64.b64encode(data)
    peer.send(text('451-1["echo",{"_placeholder":true,"num":0}]'), frame(TEXT, encoded))
    assert peer.frames() == [Frame(TEXT, b'461-1[{"_placeholder":true,"num":0}]'), Frame(TEXT, encoded)]


def test_binary_is_binary_for_everybody_else(stage):
    peer = stage.peer().join()
    peer.send(text('451-1["echo",{"_placeholder":true,"num":0}]'), frame(BINARY, b"\x00\xff"))
    assert peer.frames() == [Frame(TEXT, b'461-1[{"_placeholder":true,"num":0}]'), Frame(BINARY, b"\x00\xff")]
