"""Engine.IO 3 on an open websocket: the client pings, binary has a type; on a loop that stands still."""

import json
import time

import pytest

from tests.e2e.rawws import BINARY, CLOSE, TEXT, Frame, binary, text
from tests.engine.peer import TICK, Stage, frames_in

QUERY = "EIO=3&transport=websocket"
SHORT = 0.1
LATER = 0.25
LONG = 1000.0
CLOSED = [Frame(CLOSE, b"")]
HEAD = '451-7["echo",{"_placeholder":true,"num":0}]'
ACKED = Frame(TEXT, b'461-7[{"_placeholder":true,"num":0}]')


class Heartbeat(Stage):
    """One peer in "/" that may be silent for `interval` and `timeout`."""

    def __init__(self, interval=SHORT, timeout=SHORT, query=QUERY, **options):
        super().__init__(ping_interval=interval, ping_timeout=timeout, **options)
        self.one = self.peer()
        self.one.upgrade(query)

    def comes_late(self, data):
        """When a look at the deadline is due already, but has not happened."""
        time.sleep(LATER - SHORT)
        self.one.send(data)
        self.wait(0)


@pytest.fixture
def heartbeat():
    made = []

    def make(*args, **options):
        made.append(Heartbeat(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.clear()


# ---- the opening ----


def test_it_is_in_the_first_namespace_without_asking(heartbeat):
    stage = heartbeat()
    opened, joined = [got.payload.decode() for got in stage.one.first]
    (session,) = stage.io.engine.clients.values()
    assert json.loads(opened[1:]) == {
        "sid": session.id,
        "upgrades": [],
        "pingInterval": 100,
        "pingTimeout": 100,
        "maxPayload": 1000000,
    }
    assert joined == "40"
    assert list(stage.io.sockets.sockets) == [session.id]  # the client takes it for its own id
    assert (session.protocol, session.transport.name) == (3, "websocket")


@pytest.mark.parametrize("query", ["transport=websocket", "EIO=5&transport=websocket", "EIO=&transport=websocket"])
def test_whatever_is_not_4_is_3(heartbeat, query):
    stage = heartbeat(query=query)
    assert [got.payload[:2] for got in stage.one.first][1:] == [b"40"]


def test_so_there_is_no_connect_timeout(heartbeat):
    stage = heartbeat(LONG, connect_timeout=SHORT)
    stage.wait(SHORT + 2 * TICK)
    assert stage.told == []
    assert stage.counters == {}


# ---- heartbeat ----


@pytest.mark.parametrize("ping", ["2", "2probe", "2" + "x" * 1000])
def test_pings_are_answered(heartbeat, ping):
    stage = heartbeat(LONG)
    stage.one.send(text(ping) * 3)
    assert stage.one.texts() == ["3"] * 3


def test_the_server_does_not_ping(heartbeat):
    stage = heartbeat(SHORT, LONG)
    stage.wait(SHORT + 2 * TICK)
    assert stage.one.frames() == []


def test_silence(heartbeat):
    stage = heartbeat()
    stage.wait(SHORT)
    assert stage.told == []
    stage.wait(SHORT + 2 * TICK)
    assert stage.told == [("ping timeout", None)]
    assert stage.one.frames() == CLOSED


BINARY_MESSAGES = [binary(b"\x04x"), text("b4eHg=")]


@pytest.mark.parametrize(
    "data",
    [text("2"), text('42["nobody listens"]'), text("6"), *BINARY_MESSAGES],
    ids=["ping", "message", "noop", "binary", "base64"],
)
def test_any_packet_puts_the_end_off(heartbeat, data):
    """As often as one comes."""
    stage = heartbeat()
    for _ in range(2):
        if data in BINARY_MESSAGES:  # announce it
            stage.one.send(text(HEAD))
        stage.comes_late(data)
        assert stage.told == []
    stage.wait(2 * SHORT + 2 * TICK)
    assert stage.told == [("ping timeout", None)]


# ---- packets ----


@pytest.mark.parametrize(
    ("data", "reason", "description"),
    [
        (text("3"), "transport error", "invalid heartbeat direction"),
        (text("3probe"), "transport error", "invalid heartbeat direction"),
        (text("9"), "parse error", "unknown packet type"),
        (text(""), "parse error", "unknown packet type"),
        (text("b"), "parse error", "unknown packet type"),
        (text("beHg="), "parse error", "unknown packet type"),
        (text("b4e"), "parse error", "invalid base64"),
        (text("b4e==="), "parse error", "invalid base64"),
        (binary(b""), "parse error", "unknown packet type"),
        (binary(b"\x03x"), "parse error", "unknown packet type"),
        (binary(b"4x"), "parse error", "unknown packet type"),
    ],
)
def test_what_ends_a_session(heartbeat, data, reason, description):
    stage = heartbeat(LONG)
    stage.one.send(data, text('421["echo"]'))
    assert stage.told == [(reason, description)]
    assert stage.one.frames() == CLOSED


@pytest.mark.parametrize("packet", ["0", "1", "5", "6"])
def test_what_means_nothing(heartbeat, packet):
    stage = heartbeat(LONG)
    stage.one.send(text(packet), text('421["echo","x"]'))
    assert stage.one.texts() == ['431["x"]']


@pytest.mark.parametrize("data", [b"", b"\x00\xff", bytes(range(256)) * 300])
def test_binary(heartbeat, data):
    stage = heartbeat(LONG)
    stage.one.send(text(HEAD), binary(b"\x04" + data))
    assert frames_in(stage.one.everything()) == [ACKED, Frame(BINARY, b"\x04" + data)]


def test_base64_of_a_client_that_takes_binary(heartbeat):
    stage = heartbeat(LONG)
    stage.one.send(text(HEAD), text("b4AP8="))
    assert stage.one.frames() == [ACKED, Frame(BINARY, b"\x04\x00\xff")]


def test_base64_of_a_client_that_takes_none(heartbeat):
    stage = heartbeat(LONG, query=QUERY + "&b64=1")
    stage.one.send(text(HEAD), text("b4AP8="))
    assert stage.one.frames() == [ACKED, Frame(TEXT, b"b4AP8=")]


def test_messages_of_the_engine(heartbeat):
    stage = heartbeat(LONG)
    (session,) = stage.io.engine.clients.values()
    heard = []
    session.on("message", heard.append)
    stage.one.send(text(HEAD), binary(b"\x04\xff"))
    assert heard == [HEAD[1:], b"\xff"]
    stage.one.frames()
    session.send(b"\x00")
    session.send("é")
    assert stage.one.frames() == [Frame(BINARY, b"\x04\x00"), Frame(TEXT, "4é".encode())]
