"""Upgrades that come to nothing (rule 4 of session.pyx): wrong frames, dead candidates, dying sessions, POSTs meanwhile."""

import pytest

from tests.e2e.rawws import CLOSE, TEXT, Frame, binary, close, frame, text
from tests.engine.peer import TICK, Stage, numbers
from tests.engine.poller import EIO4_POLLING, OK, Upgrader, said
from tests.engine.requests import sent

ECHO = '421["echo","x"]'
ECHOED = '431["x"]'
END = ["1"]
SHORT = 0.05
LONG = 1000.0
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
