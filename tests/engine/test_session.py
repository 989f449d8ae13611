"""Engine.IO 4 on an open websocket: packet types, the heartbeat and its deadlines, on a loop that stands still."""

import base64
import time

import pytest

from tests.e2e.rawws import BINARY, CLOSE, TEXT, Frame, binary, frame, text
from tests.engine.peer import TICK, Stage

PING = ["2"]
SHORT = 0.05
LATER = 0.25
LONG = 1000.0
CLOSED = [Frame(CLOSE, b"")]


class Heartbeat(Stage):
    """One peer in "/" whose heartbeat is `interval` and `timeout`."""

    def __init__(self, interval=SHORT, timeout=SHORT, **options):
        super().__init__(ping_interval=interval, ping_timeout=timeout, **options)
        self.one = self.peer().join()

    def pinged(self):
        """Waits until a ping must have come, which must be all that came."""
        self.wait(SHORT + 2 * TICK)
        assert self.one.texts() == PING

    def comes_late(self, data):
        """When a deadline in LATER is over already, but before the loop has looked at it."""
        time.sleep(LATER + 2 * TICK)
        self.one.send(data)
        self.wait(0)

    def silence(self):
        """As long again, and nothing comes and nothing ends."""
        self.wait(SHORT + 2 * TICK)
        assert self.one.frames() == []
        assert self.told == []


@pytest.fixture
def heartbeat():
    made = []

    def make(*args, **options):
        made.append(Heartbeat(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.clear()


# ---- heartbeat ----


def test_a_ping_after_each_interval_while_there_are_pongs(heartbeat):
    stage = heartbeat(timeout=LONG)
    for _ in range(3):
        stage.pinged()
        stage.one.send(text("3"))
    assert stage.told == []


def test_no_ping_before_the_interval_is_over(heartbeat):
    stage = heartbeat(interval=LONG, timeout=SHORT)
    stage.silence()
    (timer,) = stage.loop.pending()
    assert timer.delay > 1


def test_one_ping_at_a_time(heartbeat):
    stage = heartbeat(timeout=LONG)
    stage.pinged()
    stage.silence()


def test_no_pong(heartbeat):
    stage = heartbeat()
    stage.pinged()
    stage.wait(SHORT + 2 * TICK)
    assert stage.told == [("ping timeout", None)]
    assert stage.one.frames() == CLOSED


def test_a_pong_ends_the_wait(heartbeat):
    """Only the wait: the next ping comes an interval later."""
    stage = heartbeat(timeout=SHORT)
    stage.pinged()
    stage.one.send(text("3"))
    stage.pinged()
    assert stage.told == []


MESSAGES = {"text": text('42["nobody listens"]'), "binary": binary(b"x")}


@pytest.mark.parametrize("kind", MESSAGES)
def test_another_message_extends_the_wait_once(heartbeat, kind):
    stage = heartbeat(timeout=LATER)
    if kind == "binary":  # announce it
        stage.one.send(text('451-["nobody listens",{"_placeholder":true,"num":0}]'))
    stage.pinged()
    stage.comes_late(MESSAGES[kind])
    assert stage.told == []
    stage.comes_late(text('42["nobody listens"]'))
    assert stage.told == [("ping timeout", None)]


def test_messages_do_not_stand_for_a_pong_forever(heartbeat):
    stage = heartbeat(timeout=0.1)
    stage.pinged()
    for _ in range(12):
        if not stage.told:
            stage.one.send(text('42["nobody listens"]'))
        stage.wait(0.03)
    assert stage.told == [("ping timeout", None)]


def test_each_ping_may_be_extended_anew(heartbeat):
    stage = heartbeat(timeout=LATER)
    for _ in range(2):
        stage.pinged()
        stage.comes_late(text('42["nobody listens"]'))
        assert stage.told == []
        stage.one.send(text("3"))


def test_pongs_that_nobody_asked_for(heartbeat):
    """They neither put the next ping off nor count for a later one."""
    stage = heartbeat(interval=LATER)
    stage.one.send(text("3") * 10)
    stage.comes_late(text("3"))
    assert stage.one.texts() == PING
    stage.wait(SHORT + 2 * TICK)
    assert stage.told == [("ping timeout", None)]


def test_nothing_is_pinged_after_the_end(heartbeat):
    stage = heartbeat()
    (session,) = stage.io.engine.clients.values()
    session.close()
    assert stage.one.frames() == CLOSED
    stage.wait(SHORT + 2 * TICK)
    assert stage.one.frames() == []
    assert stage.told == [("forced close", None)]


# ---- connect_timeout ----


@pytest.mark.parametrize("sent", [b"", text("40/nope,"), text("3"), text("40") + text("41")])
def test_one_that_joins_nothing(heartbeat, sent):
    """One that joined and left again has joined: it may stay."""
    stage = heartbeat(interval=LONG, connect_timeout=SHORT)
    idle = stage.peer()
    idle.upgrade()
    idle.send(sent)
    idle.received()
    stage.wait(SHORT + 2 * TICK)
    stays = sent.endswith(text("41"))
    assert idle.frames() == ([] if stays else CLOSED)
    assert stage.counters == ({} if stays else {"connect timeout": 1})
    assert stage.told == ([("client namespace disconnect", None)] if stays else [])


def test_it_begins_with_the_upgrade(heartbeat):
    stage = heartbeat(interval=LONG, connect_timeout=SHORT)
    idle = stage.peer()
    stage.wait(SHORT + 2 * TICK)
    idle.join()
    stage.wait(SHORT + 2 * TICK)
    assert idle.frames() == []
    assert stage.counters == {}


def test_none(heartbeat):
    stage = heartbeat(interval=LONG, connect_timeout=0)
    idle = stage.peer()
    idle.upgrade()
    stage.wait(SHORT + 2 * TICK)
    assert idle.frames() == []


def test_pings_come_while_nothing_is_joined(heartbeat):
    stage = heartbeat(timeout=LONG, connect_timeout=LONG)
    idle = stage.peer()
    idle.upgrade()
    stage.wait(SHORT + 2 * TICK)
    assert idle.texts() == PING


# ---- packet types ----


@pytest.mark.parametrize(
    ("data", "reason", "description"),
    [
        (text("2"), "transport error", "invalid heartbeat direction"),
        (text("2probe"), "transport error", "invalid heartbeat direction"),
        (text("9"), "parse error", "unknown packet type"),
        (text("x"), "parse error", "unknown packet type"),
        (text(""), "parse error", "unknown packet type"),
        (text("bnot base64"), "parse error", "invalid base64"),
        (text("bAA"), "parse error", "invalid base64"),
    ],
)
def test_what_ends_a_session(heartbeat, data, reason, description):
    stage = heartbeat(LONG, LONG)
    stage.one.send(data, text('421["echo"]'))
    assert stage.told == [(reason, description)]
    assert stage.one.frames() == CLOSED


@pytest.mark.parametrize("packet", ["0", "0{}", "1", "3", "3probe", "5", "6"])
def test_what_means_nothing(heartbeat, packet):
    stage = heartbeat(LONG, LONG)
    stage.one.send(text(packet), text('421["echo","x"]'))
    assert stage.one.texts() == ['431["x"]']


def test_base64_from_a_client(heartbeat):
    stage = heartbeat(LONG, LONG)
    head = '1-["echo",{"_placeholder":true,"num":0}]'
    for data in (b"", b"\x00\xff", bytes(range(256))):
        stage.one.send(text("45" + head.replace("-", "-7")), frame(TEXT, b"b" + base64.b64encode(data)))
        answer, attachment = stage.one.frames()
        assert answer.payload == b'461-7[{"_placeholder":true,"num":0}]'
        assert attachment == Frame(BINARY, data)


def test_what_a_session_tells(heartbeat):
    stage = heartbeat(LONG, LONG)
    (session,) = stage.io.engine.clients.values()
    assert (session.ready_state, session.protocol, session.upgraded) == ("open", 4, False)
    assert session.transport.name == "websocket"
    assert session.remote_address == "192.0.2.1"
    assert session.buffered_amount == 0
    stage.io.emit("n")
    assert session.buffered_amount == len('42["n"]') + 2
    assert session.slot_number >= 0
    session.close()
    session.close()
    assert (session.ready_state, session.transport, session.slot_number) == ("closed", None, -1)
    assert session.buffered_amount == 0
    assert len(stage.told) == 1


# ---- listeners of the engine socket ----


def test_packets_and_messages(heartbeat):
    """Before anything above the engine hears of them."""
    stage = heartbeat(LONG, LONG)
    (session,) = stage.io.engine.clients.values()
    heard = []
    session.on("packet", lambda packet: heard.append(packet))
    session.on("message", lambda data: heard.append(data))
    stage.io.event("note")(lambda socket, *args: heard.append(args))
    stage.one.send(text('42["note","é"]'), text("3"), text('451-["note",{"_placeholder":true,"num":0}]'), text("bAP8="))
    head = '51-["note",{"_placeholder":true,"num":0}]'
    assert heard == [
        {"type": "message", "data": '2["note","é"]'},
        '2["note","é"]',
        ("é",),
        {"type": "message", "data": head},
        head,
        {"type": "message", "data": b"\x00\xff"},
        b"\x00\xff",
        (b"\x00\xff",),
    ]


@pytest.mark.parametrize("data", [text('42["note"]'), binary(b"x"), text("bAP8=")])
def test_a_listener_that_closes(heartbeat, data):
    """What it was told of goes no further."""
    stage = heartbeat(LONG, LONG)
    (session,) = stage.io.engine.clients.values()
    noted = []
    stage.io.event("note")(lambda socket, *args: noted.append(args))
    session.on("message", lambda data: session.close())
    stage.one.send(data, data)
    assert (noted, stage.told) == ([], [("forced close", None)])
    assert stage.one.frames() == CLOSED


def test_a_listener_that_fails(heartbeat, caplog):
    stage = heartbeat(LONG, LONG)
    (session,) = stage.io.engine.clients.values()
    session.on("message", lambda data: 1 / 0)
    stage.one.send(text('421["echo","x"]'))
    assert stage.one.texts() == ['431["x"]']
    assert [record.getMessage() for record in caplog.records] == ["exception in a listener of an engine socket"]


def test_the_close_is_told_once(heartbeat):
    stage = heartbeat(LONG, LONG)
    (session,) = stage.io.engine.clients.values()
    heard = []
    session.on("close", lambda reason, description: heard.append((reason, description)))
    session.on("close", lambda reason: session.close())
    session.close()
    assert heard == stage.told == [("forced close", None)]


def test_send(heartbeat):
    stage = heartbeat(LONG, LONG)
    (session,) = stage.io.engine.clients.values()
    session.send("é")
    session.send(b"\x00")
    session.send(bytearray(b"\x01"))
    assert stage.one.frames() == [Frame(TEXT, "4é".encode()), Frame(BINARY, b"\x00"), Frame(BINARY, b"\x01")]
    session.close()
    session.send("late")
    assert stage.one.frames() == CLOSED


@pytest.mark.parametrize(("packet", "frame"), [("hello", Frame(TEXT, b"4hello")), (b"\x00", Frame(BINARY, b"\x00"))])
def test_initial_packet(packet, frame):
    stage = Stage(initial_packet=packet)
    peer = stage.peer()
    peer.upgrade()
    assert peer.first[1:] == [frame]
    stage.clear()
