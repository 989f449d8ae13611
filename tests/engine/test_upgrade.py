"""From polling to websocket (rule 4 of session.pyx): each step, and whatever may come between two of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.engine.polling import Polling
from tests.e2e.rawws import BINARY, CLOSE, PING, TEXT, Frame, binary, frame, text
from tests.engine.peer import Stage, frames_in, numbers
from tests.engine.poller import EIO3_POLLING, EIO4_POLLING, Upgrader, said
from tests.engine.requests import sent

ECHO = '421["echo","x"]'
ECHOED = '431["x"]'
NOOP = ["6"]
CLOSED = Frame(CLOSE, b"")


@pytest.fixture
def make():
    made = []

    def new(query=EIO4_POLLING, **options):
        made.append(Stage(**options))
        return Upgrader(made[-1], query)

    yield new
    for stage in made:
        stage.clear()


@pytest.fixture
def one(make):
    return make()


@pytest.fixture
def stage(one):
    return one.stage


# ---- the steps ----


def test_the_steps(stage, one):
    slot, transports = one.session.slot_number, []
    one.session.on("upgrade", lambda transport: transports.append(transport.name))
    peer = one.candidate()
    assert peer.first == []
    assert not one.session.may_upgrade
    peer.send(text("2probe"))
    assert peer.texts() == ["3probe"]
    assert not one.session.upgraded
    peer.send(text("5"))
    assert peer.frames() == []
    session = one.session
    assert session.upgraded and session.transport is peer.connection and not session.may_upgrade
    assert (session.transport.name, session.slot_number) == ("websocket", slot)
    assert transports == ["websocket"]
    peer.send(text(ECHO))
    assert peer.texts() == [ECHOED]
    assert stage.told == []
    assert not [owner for owner in stage.core.owners() if isinstance(owner, Polling)]


def test_all_at_once(one):
    """Nobody has to wait for an answer, and messages may follow."""
    peer = one.candidate(text("2probe") + text("5") + text(ECHO))
    assert [got.payload for got in peer.first] == [b"3probe", ECHOED.encode()]


def test_a_probe_may_be_repeated(one):
    peer = one.probed()
    for _ in range(3):
        peer.send(text("2probe"))
        assert peer.texts() == ["3probe"]
    peer.send(text("5"))
    assert one.session.upgraded


def test_until_the_switch_messages_go_by_polling(stage, one):
    peer = one.candidate()
    for number, packet in enumerate(["", "2probe"]):
        peer.send(text(packet) if packet else b"")
        peer.received()
        stage.io.emit("n", number)
        assert numbers(one.poll()) == [number]
        one.push(ECHO)
        assert one.poll() == [ECHOED]
    assert peer.frames() == []


def test_rooms_do_not_notice(stage, one):
    (socket,) = stage.io.sockets.sockets.values()
    socket.join("room")
    stage.io.to("room").emit("n", 0)
    peer = one.upgraded()
    stage.io.to("room").emit("n", 1)
    assert numbers(peer.texts()) == [0, 1]
    stage.io.except_("room").emit("n", 2)
    assert peer.texts() == []


def test_after_the_switch_polling_is_refused(stage, one):
    peer = one.upgraded()
    for request in (one.get(), one.post(b"42[1]")):
        (answer,) = request.answers()
        assert (answer.status, answer.body) == (400, b'{"code":3,"message":"Bad request"}')
    again = stage.peer()
    again.send(sent(one.asking))
    assert said(again) == [(400, b"Bad request")]
    peer.send(text(ECHO))
    assert peer.texts() == [ECHOED]


def test_the_websocket_is_the_session_from_then_on(stage, one):
    peer = one.upgraded()
    one.session.close()
    assert peer.frames() == [CLOSED]
    assert stage.told == [("forced close", None)]


def test_the_end_of_the_websocket_is_the_session_s(stage, one):
    one.upgraded().transport.lose(None)
    assert stage.told == [("transport close", None)]


# ---- a GET that waits ----


def test_a_get_that_waits_is_answered_with_a_noop(stage, one):
    waiting = one.get()
    one.probed()
    assert waiting.received() == b""
    stage.wait(0)
    assert one.packets(waiting) == NOOP
    waiting = one.get()  # an eager client
    stage.wait(0)
    assert one.packets(waiting) == NOOP


def test_no_noop_without_a_probe(stage, one):
    waiting = one.get()
    one.candidate()
    stage.wait(0)
    assert waiting.received() == b""


def test_no_noop_where_none_waits(stage, one):
    peer = one.probed()
    for _ in range(3):
        stage.wait(0)
    peer.send(text("5"))
    stage.io.emit("n", 0)
    assert peer.texts() == ['42["n",0]']
    stage.wait(0)
    assert peer.texts() == []


def test_a_get_that_waits_at_the_switch(stage, one):
    """It is answered, and carries nothing that belongs to the websocket."""
    waiting = one.get()
    peer = one.probed()
    stage.io.emit("n", 0)
    peer.send(text("5"))
    assert one.packets(waiting) == NOOP
    assert numbers(peer.texts()) == [0]


# ---- order ----


def test_what_was_queued_goes_over_with_the_session(stage, one):
    stage.io.emit("n", 0)
    peer = one.probed()
    stage.io.emit("b", b"\x00\xff")
    stage.loop.settle()
    stage.io.emit("n", 1)
    peer.send(text("5"))
    stage.io.emit("n", 2)
    assert peer.frames() == [
        Frame(TEXT, b'42["n",0]'),
        Frame(TEXT, b'451-["b",{"_placeholder":true,"num":0}]'),
        Frame(BINARY, b"\x00\xff"),
        Frame(TEXT, b'42["n",1]'),
        Frame(TEXT, b'42["n",2]'),
    ]


class Script:
    """Does steps in any order that a client might, and keeps the numbers that it got."""

    def __init__(self, query, secure):
        self.stage = Stage()
        self.one = Upgrader(self.stage, query)
        self.secure = secure
        self.sent = 0
        self.got = []
        self.waiting = self.peer = None
        self.switched = False

    def emit(self):
        self.stage.io.emit("n", self.sent)
        self.sent += 1

    def settle(self):
        self.stage.loop.settle()

    def timers(self):
        self.stage.wait(0)

    def get(self):
        if self.waiting is None and not self.switched:
            self.waiting = self.one.get()

    def look(self):
        """At what has come, both ways."""
        if self.waiting is not None and (answers := self.waiting.answers()):
            self.got += numbers([packet for packet in self.one.decoded(answers[0]) if packet not in ("6", "1")])
            self.waiting = None
        if self.peer is not None:
            frames = frames_in(self.peer.everything())
            self.got += numbers([got.payload.decode() for got in frames if got.payload != b"3probe"])

    def ask(self):
        if self.peer is None:
            self.peer = self.one.candidate(text("2probe"), secure=self.secure)

    def switch(self):
        if self.peer is not None and not self.switched:
            self.switched = True
            self.peer.send(text("5"))


STEPS = ["emit", "emit", "settle", "timers", "get", "look", "ask", "switch"]


@given(
    steps=st.lists(st.sampled_from(STEPS), max_size=25),
    query=st.sampled_from([EIO4_POLLING, EIO3_POLLING]),
    secure=st.booleans(),
)
def test_nothing_is_lost_or_changes_places(steps, query, secure):
    script = Script(query, secure)
    for step in steps:
        getattr(script, step)()
    for step in ("look", "ask", "switch", "emit", "look", "look"):
        getattr(script, step)()
    assert script.got == list(range(script.sent))
    assert script.waiting is None
    assert script.stage.told == []
    script.stage.clear()


# ---- transports ----


def test_tls(stage, one):
    """Which has no descriptor of its own: all goes through the transport."""
    stage.io.emit("n", 0)
    peer = one.upgraded(secure=True)
    stage.io.emit("n", 1)
    assert peer.received() == b""
    assert peer.transport.held
    assert numbers([got.payload.decode() for got in frames_in(peer.everything())]) == [0, 1]
    peer.send(text(ECHO))
    assert frames_in(peer.everything()) == [Frame(TEXT, ECHOED.encode())]


@pytest.mark.parametrize("secure", [False, True])
def test_a_candidate_whose_transport_still_holds_bytes(stage, one, secure):
    """They go first."""
    peer = one.candidate(secure=secure)
    while not peer.transport.held:  # it answers faster than it is read
        peer.send(*(frame(PING, b"x" * 125) for _ in range(64)))
        stage.loop.settle()
    stage.io.emit("n", 0)
    peer.send(text("2probe"))
    peer.send(text("5"))
    stage.io.emit("n", 1)
    stage.loop.settle()
    assert one.session.upgraded
    assert one.session.buffered_amount > 0
    got = peer.received() + peer.transport.drain(10)
    assert b"3probe" not in got
    got += peer.everything()
    *pongs, answer, first, second = [found.payload for found in frames_in(got)]
    assert {*pongs} == {b"x" * 125}
    assert answer == b"3probe"
    assert numbers([first.decode(), second.decode()]) == [0, 1]
    assert one.session.buffered_amount == 0


@pytest.mark.parametrize("mode", ["", "&b64=1"])
def test_protocol_3(make, mode):
    """Binary as the websocket's own request wants it."""
    one = make(EIO3_POLLING + mode)
    one.stage.io.emit("b", b"\x00\xff")
    peer = one.upgraded()
    head = Frame(TEXT, b'451-["b",{"_placeholder":true,"num":0}]')
    assert peer.frames() == [head, Frame(BINARY, b"\x04\x00\xff")]
    peer.send(text('451-1["echo",{"_placeholder":true,"num":0}]'), binary(b"\x04\xff"))
    assert peer.frames() == [Frame(TEXT, b'461-1[{"_placeholder":true,"num":0}]'), Frame(BINARY, b"\x04\xff")]


def test_base64_on_the_websocket_alone(one):
    peer = one.stage.peer()
    peer.send(sent(one.asking + "&b64=1"), text("2probe"), text("5"))
    peer.everything()
    one.stage.io.emit("b", b"\x00\xff")
    assert peer.texts() == ['451-["b",{"_placeholder":true,"num":0}]', "bAP8="]


def test_volatile(stage, one):
    """For whoever can take it now."""
    peer = one.probed()
    stage.io.volatile.emit("dropped")
    peer.send(text("5"))
    stage.io.volatile.emit("n", 1)
    assert numbers(peer.texts()) == [1]
