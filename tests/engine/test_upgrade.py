"""From polling to websocket (rule 4 of session.pyx): each step, and whatever may come between two of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.engine.polling import Polling
from tests.e2e.rawws import BINARY, CLOSE, PING, TEXT, Frame, binary, close, frame, text
from tests.engine.peer import TICK, Stage, frames_in, numbers
from tests.engine.poller import EIO3_POLLING, EIO4_POLLING, OK, Poller
from tests.engine.requests import sent

ECHO = '421["echo","x"]'
ECHOED = '431["x"]'
NOOP, END = ["6"], ["1"]
SHORT = 0.05
LONG = 1000.0
CLOSED = Frame(CLOSE, b"")


class Upgrader(Poller):
    """A polling client that is in "/"; its candidates are peers of the stage."""

    def __init__(self, stage, query=EIO4_POLLING):
        super().__init__(stage, query)
        self.join()

    @property
    def asking(self):
        """The request of a candidate."""
        return f"EIO={self.query[4]}&transport=websocket&sid={self.sid}"

    def candidate(self, *more, secure=False):
        """One that was let in, with more bytes behind its request."""
        peer = self.stage.peer(secure=secure)
        peer.send(sent(self.asking), *more)
        head, _, frames = peer.everything().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        peer.first = frames_in(frames)
        return peer

    def probed(self, **options):
        """One whose probe was answered."""
        peer = self.candidate(text("2probe"), **options)
        assert peer.first == [Frame(TEXT, b"3probe")]
        return peer

    def upgraded(self, **options):
        peer = self.probed(**options)
        peer.send(text("5"))
        return peer

    def polls(self):
        """Whether all is as if there had never been a candidate."""
        waiting = self.get()
        self.push(ECHO)
        assert self.packets(waiting) == [ECHOED]
        session = self.session
        return session.may_upgrade and not session.upgraded and session.transport.name == "polling"


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


def said(peer):
    """Status and body of each answer."""
    return [(answer.status, answer.body) for answer in peer.answers()]


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


# ---- what a candidate must not do ----

WRONG = {
    "the switch without a probe": [text("5")],
    "another ping": [text("2")],
    "another probe": [text("2probf")],
    "a longer probe": [text("2probe ")],
    "a message": [text(ECHO)],
    "nothing": [text("")],
    "the probe in binary": [binary(b"2probe")],
    "a message instead of the switch": [text("2probe"), text(ECHO)],
    "more than the switch": [text("2probe"), text("5x")],
    "the switch in binary": [text("2probe"), binary(b"5")],
    "the end": [text("2probe"), text("1")],
}


@pytest.mark.parametrize("frames", WRONG.values(), ids=WRONG)
def test_what_ends_a_candidate(stage, one, frames):
    peer = one.candidate()
    peer.send(*frames, text("2probe"), text("5"), text(ECHO))
    got = [found for found in peer.frames() if found != Frame(TEXT, b"3probe")]
    assert got == [CLOSED]
    peer.send(close())
    stage.loop.settle()
    assert peer.transport.gone
    assert one.polls()
    assert stage.told == []
    assert one.upgraded().frames() == []  # another one may come
    assert one.session.upgraded


@pytest.mark.parametrize(("data", "code"), [(frame(3, b""), 1002), (frame(TEXT, b"\xff"), 1007)])
@pytest.mark.parametrize("probed", [False, True])
def test_a_candidate_that_breaks_the_protocol(stage, one, data, code, probed):
    peer = one.probed() if probed else one.candidate()
    peer.send(data)
    assert peer.frames() == [Frame(CLOSE, code.to_bytes(2, "big"))]
    assert stage.counters == {f"websocket error {code}": 1}
    assert one.polls()


@pytest.mark.parametrize("probed", [False, True])
def test_a_candidate_that_closes(stage, one, probed):
    peer = one.probed() if probed else one.candidate()
    peer.send(close(1001), text("5"))
    assert peer.frames() == [Frame(CLOSE, b"\x03\xe9")]
    stage.loop.settle()
    assert peer.transport.gone
    assert one.polls()


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
@pytest.mark.parametrize("probed", [False, True])
def test_a_candidate_that_is_gone(stage, one, probed, error):
    peer = one.probed() if probed else one.candidate()
    peer.transport.lose(error)
    stage.wait(0)
    assert one.polls()
    assert stage.told == []


def test_a_second_candidate(stage, one):
    """It is refused; the first goes on."""
    peer = one.probed()
    second = stage.peer()
    second.send(sent(one.asking))
    assert said(second) == [(400, b"Bad request")]
    peer.send(text("5"))
    assert one.session.transport is peer.connection


@pytest.mark.parametrize("probed", [False, True])
def test_upgrade_timeout(make, probed):
    one = make(upgrade_timeout=SHORT)
    peer = one.probed() if probed else one.candidate()
    one.stage.wait(SHORT + 2 * TICK)
    assert peer.frames() == [CLOSED]
    assert one.stage.counters == {"upgrade timeout": 1}
    peer.send(text("2probe") + text("5"))
    assert one.polls()


def test_no_upgrade_timeout_after_the_switch(make):
    one = make(upgrade_timeout=SHORT)
    peer = one.upgraded()
    one.stage.wait(SHORT + 2 * TICK)
    peer.send(text(ECHO))
    assert peer.texts() == [ECHOED]
    assert one.stage.counters == {}


# ---- the session meanwhile ----


@pytest.mark.parametrize("probed", [False, True])
def test_the_client_closes_by_polling(stage, one, probed):
    peer = one.probed() if probed else one.candidate()
    one.push("1")
    assert stage.told == [("transport close", None)]
    assert peer.frames() == [CLOSED]
    stage.wait(0)


@pytest.mark.parametrize("probed", [False, True])
def test_the_session_fails(stage, one, probed):
    peer = one.probed() if probed else one.candidate()
    waiting = one.get()
    one.push("9")
    assert one.packets(waiting) == END
    assert peer.frames() == [CLOSED]
    assert [reason for reason, _ in stage.told] == ["parse error"]


def test_the_server_closes_and_the_client_goes_on_by_polling(stage, one):
    """What is queued comes, then the end, then that of the candidate."""
    peer = one.probed()
    stage.io.emit("n", 0)
    one.session.close()
    assert peer.frames() == []
    assert numbers(one.poll()) == [0]
    assert one.poll() == END
    assert peer.frames() == [CLOSED]
    assert stage.told == [("forced close", None)]


def test_the_server_closes_and_the_client_switches(stage, one):
    """It gets what is queued by the websocket, and the end of it."""
    peer = one.probed()
    stage.io.emit("n", 0)
    one.session.close()
    peer.send(text("5"))
    assert peer.frames() == [Frame(TEXT, b'42["n",0]'), CLOSED]
    assert stage.told == [("forced close", None)]
    assert stage.core.lingering == {}


def test_the_server_discards(stage, one):
    peer = one.probed()
    one.session.close(discard=True)
    assert peer.frames() == [CLOSED]
    assert stage.told == [("forced close", None)]


def test_a_ping_timeout_while_probing(make):
    one = make(ping_interval=SHORT, ping_timeout=SHORT)
    peer = one.probed()
    one.stage.wait(SHORT + 2 * TICK)
    assert one.poll() == ["2"]
    one.stage.wait(SHORT + 2 * TICK)
    assert one.stage.told == [("ping timeout", None)]
    assert peer.frames() == [CLOSED]


def test_the_heartbeat_goes_over(make):
    """A ping that was sent by polling may be answered by the websocket, which gets the next."""
    one = make(ping_interval=SHORT, ping_timeout=LONG)
    one.stage.wait(SHORT + 2 * TICK)
    assert one.poll() == ["2"]
    peer = one.upgraded()
    for _ in range(2):
        peer.send(text("3"))
        one.stage.wait(SHORT + 2 * TICK)
        assert peer.texts() == ["2"]
    assert one.stage.told == []


def test_a_ping_that_was_never_fetched_goes_over(make):
    one = make(ping_interval=SHORT, ping_timeout=LONG)
    one.stage.wait(SHORT + 2 * TICK)
    assert one.upgraded().texts() == ["2"]


def test_a_backlog_while_probing(make):
    one = make(max_backlog=10_000)
    peer = one.probed()
    for _ in range(3):
        one.stage.io.emit("n", 0, "x" * 4000)
        one.stage.loop.settle()
    assert one.stage.told == [("transport error", "max_backlog reached")]
    assert peer.frames() == [CLOSED]


def test_a_candidate_that_does_not_read(make):
    """Its answers are bounded too; the session does not notice."""
    one = make(max_backlog=10_000)
    peer = one.candidate()
    for _ in range(2000):
        if peer.transport.gone or peer.transport.closing:
            break
        peer.send(text("2probe") * 10)
        one.stage.loop.settle()
    assert peer.transport.aborted
    assert one.stage.counters == {"max_backlog reached": 1}
    one.stage.loop.settle()
    assert one.polls()


# ---- a POST under way ----


def test_a_post_that_comes_whole_after_the_switch(stage, one):
    """It is refused, as any is by then; nothing else comes of it."""
    data = one.posted(one.payload(ECHO))
    post = stage.peer()
    post.send(data[:-3])
    peer = one.upgraded()
    post.send(data[-3:])
    assert said(post) == [(400, b'{"code":3,"message":"Bad request"}')]
    peer.send(text(ECHO))
    assert peer.texts() == [ECHOED]
    assert stage.told == []


def test_a_post_that_is_aborted_after_the_switch(stage, one):
    post = stage.peer()
    post.send(one.posted(one.payload(ECHO))[:-3])
    peer = one.upgraded()
    post.transport.lose(ConnectionResetError())
    peer.send(text(ECHO))
    assert peer.texts() == [ECHOED]
    assert stage.told == []


def test_a_post_that_is_worked_off_at_the_switch(stage, one):
    """Clients wait for its answer before they switch; from one that does not, nothing is taken out of order."""
    seen = []
    stage.io.event("n")(lambda socket, number: seen.append(number))
    count = 20_000
    payload = one.payload(*(f'42["n",{number}]' for number in range(count)))
    post = stage.peer()
    data = one.posted(payload)
    peer = one.probed()
    for at in range(0, len(data), 200_000):
        post.send(data[at : at + 200_000])
    worked = len(seen)
    assert 0 < worked < count
    peer.send(text("5"), text('42["n",-1]'))
    stage.loop.settle()
    assert said(post) == [OK]
    assert seen in ([*range(worked), -1], [*range(count), -1])
    assert stage.told == []
