"""packet_create, and what ready_state says, on a loop that stands still."""

import pytest

from tests.e2e.rawws import close, text
from tests.engine.peer import TICK, Stage, blocked
from tests.engine.poller import EIO3_POLLING, Poller
from tests.engine.requests import GOOD

SHORT = 0.05


@pytest.fixture
def make():
    made = []

    def new(**options):
        made.append(Stage(**options))
        return made[-1]

    yield new
    for stage in made:
        stage.clear()


def session_of(stage):
    (session,) = stage.io.engine.clients.values()
    return session


def created(session):
    seen = []
    session.on("packet_create", seen.append)
    return seen


# ---- packet_create ----


def test_what_send_queues(make):
    stage = make()
    peer = stage.peer().join()
    seen = created(session_of(stage))
    session_of(stage).send("text")
    session_of(stage).send(b"\x00\xff")
    assert seen == [{"type": "message", "data": "text"}, {"type": "message", "data": b"\x00\xff"}]
    stage.io.emit("an event")  # encoded once for many
    assert [frame.payload for frame in peer.frames()] == [b"4text", b"\x00\xff", b'42["an event"]']
    assert len(seen) == 2


def test_the_heartbeat(make):
    stage = make(ping_interval=SHORT)
    peer = stage.peer().join()
    seen = created(session_of(stage))
    stage.wait(SHORT + 2 * TICK)
    assert peer.texts() == ["2"]
    assert seen == [{"type": "ping", "data": ""}]


def test_the_heartbeat_of_protocol_3(make):
    stage = make()
    peer = stage.peer()
    peer.upgrade(GOOD.replace("EIO=4", "EIO=3"))
    seen = created(session_of(stage))
    peer.send(text("2"))
    assert peer.texts() == ["3"]
    assert seen == [{"type": "pong", "data": ""}]


def test_a_listener_may_close(make):
    stage = make(ping_interval=SHORT)
    for how in ("send", "ping"):
        peer = stage.peer().join()
        session = session_of(stage)
        session.on("packet_create", lambda packet, session=session: session.close())
        if how == "send":
            session.send("never sent")
        else:
            stage.wait(SHORT + 2 * TICK)
        assert [frame.payload for frame in peer.frames()] == [b""]
        peer.send(close())
        stage.loop.settle()
    assert stage.told == [("forced close", None)] * 2


# ---- ready_state ----


def test_closing_while_the_rest_goes_out(make):
    stage = make()
    peer = blocked(stage)
    session = session_of(stage)
    assert session.ready_state == "open"
    session.close()
    assert session.ready_state == "closing"
    assert session.buffered_amount > 0
    peer.everything()
    assert session.ready_state == "closed"
    assert session.buffered_amount == 0


def test_closed_when_nothing_is_left(make):
    stage = make()
    stage.peer().join()
    session = session_of(stage)
    stage.io.emit("last")
    session.close()
    assert session.ready_state == "closed"


@pytest.mark.parametrize("secure", [False, True])
def test_discarded(make, secure):
    stage = make()
    peer = stage.peer(secure=secure)
    peer.transport.eager = secure
    peer.join()
    session = session_of(stage)
    peer.transport.eager = False
    stage.io.emit("lost", "x" * 300_000)
    session.close(discard=True)
    assert session.ready_state == "closed"


def test_closing_ends_with_the_connection(make):
    stage = make()
    peer = blocked(stage)
    session = session_of(stage)
    session.close()
    peer.transport.lose(ConnectionResetError())
    assert session.ready_state == "closed"


@pytest.mark.parametrize("query", ["EIO=4&transport=polling", EIO3_POLLING])
def test_polling_is_closing_until_the_next_get(make, query):
    stage = make()
    one = Poller(stage, query).join()
    session = one.session
    stage.io.emit("last")
    session.close()
    assert session.ready_state == "closing"
    assert one.poll() == ['42["last"]']
    assert session.ready_state == "closed"
    assert one.poll() == ["1"]
