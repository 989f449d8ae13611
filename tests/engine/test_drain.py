"""drain: those who wait until nothing is left for a client, and the event, on each transport and across an upgrade."""

import pytest

from fastsio.errors import Disconnected
from tests.e2e.rawws import close, text
from tests.engine.peer import Stage, blocked
from tests.engine.poller import EIO3_POLLING, EIO4_POLLING, Poller, Upgrader


class Future:
    """What a coroutine waits for; whoever drives the coroutine goes on with it when it is done."""

    def __init__(self):
        self.is_done = False
        self.error = None

    def done(self):
        return self.is_done

    def set_result(self, result):
        assert not self.is_done
        self.is_done = True

    def set_exception(self, error):
        self.set_result(None)
        self.error = error

    def __await__(self):
        yield self
        if self.error is not None:
            raise self.error


class Waiter:
    """A coroutine that waits for the drain. outcome: None while it waits, then "drained", or the error."""

    def __init__(self, stage, session):
        stage.loop.create_future = Future
        self.coroutine = session.drain()
        self.future = None
        self.result = None
        self.step()

    def step(self):
        try:
            self.future = self.coroutine.send(None)
        except StopIteration:
            self.result = "drained"
        except Disconnected as error:
            self.result = error

    @property
    def outcome(self):
        if self.result is None and self.future.done():
            self.step()
        return self.result


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.clear()


def session_of(stage):
    (session,) = stage.io.engine.clients.values()
    return session


def drains(session):
    """Notes how much is left at each event."""
    seen = []
    session.on("drain", lambda: seen.append(session.buffered_amount))
    return seen


@pytest.mark.parametrize("secure", [False, True])
def test_at_once_when_nothing_is_left(stage, secure):
    peer = stage.peer(secure=secure)
    peer.transport.eager = True
    peer.join()
    assert Waiter(stage, session_of(stage)).outcome == "drained"


def test_when_the_kernel_has_it(stage):
    peer = stage.peer().join()
    session = session_of(stage)
    seen = drains(session)
    stage.io.emit("one")
    waiters = [Waiter(stage, session) for _ in range(3)]
    stage.io.emit("two")
    assert [waiter.outcome for waiter in waiters] == [None] * 3
    assert peer.texts() == ['42["one"]', '42["two"]']
    assert [waiter.outcome for waiter in waiters] == ["drained"] * 3
    assert seen == [0]
    stage.io.emit("three")
    assert peer.texts() == ['42["three"]']
    assert seen == [0, 0]


def test_of_a_reader_that_stopped_and_comes_back(stage):
    peer = blocked(stage)
    session = session_of(stage)
    seen = drains(session)
    waiter = Waiter(stage, session)
    stage.io.emit("more")
    stage.loop.settle()
    peer.transport.drain(1000)
    stage.loop.settle()
    assert waiter.outcome is None
    assert seen == []
    peer.transport.drain()  # what was held; now the rest goes to the kernel
    assert waiter.outcome is None
    peer.everything()
    assert waiter.outcome == "drained"
    assert seen == [0]


@pytest.mark.parametrize("eager", [False, True])
def test_of_tls(stage, eager):
    peer = stage.peer(secure=True)
    peer.transport.eager = True
    peer.join()
    peer.transport.eager = eager
    session = session_of(stage)
    seen = drains(session)
    stage.io.emit("one")
    waiter = Waiter(stage, session)
    stage.loop.settle()
    assert waiter.outcome == ("drained" if eager else None)
    peer.everything()
    assert waiter.outcome == "drained"
    assert seen == [0]


@pytest.mark.parametrize("query", [EIO4_POLLING, EIO3_POLLING])
def test_of_polling(stage, query):
    one = Poller(stage, query).join()
    seen = drains(one.session)
    stage.io.emit("one")
    waiter = Waiter(stage, one.session)
    stage.loop.settle()
    assert waiter.outcome is None
    assert one.poll() == ['42["one"]']
    assert waiter.outcome == "drained"
    assert seen == [0]
    waiting = one.get()
    stage.io.emit("two")
    waiter = Waiter(stage, one.session)
    assert waiter.outcome is None
    assert one.packets(waiting) == ['42["two"]']
    assert waiter.outcome == "drained"
    assert seen == [0, 0]


@pytest.mark.parametrize("secure", [False, True])
def test_across_an_upgrade(stage, secure):
    one = Upgrader(stage)
    seen = drains(one.session)
    peer = one.probed(secure=secure)
    stage.io.emit("one")
    waiter = Waiter(stage, one.session)
    stage.loop.settle()
    assert waiter.outcome is None
    peer.send(text("5"))
    peer.everything()
    assert waiter.outcome == "drained"
    assert seen == [0]
    stage.io.emit("two")
    waiter = Waiter(stage, one.session)
    peer.everything()
    assert waiter.outcome == "drained"
    assert seen == [0, 0]


# ---- what ends a wait ----


def test_the_client_goes(stage):
    peer = blocked(stage)
    waiters = [Waiter(stage, session_of(stage)) for _ in range(2)]
    peer.transport.lose(ConnectionResetError())
    assert [str(waiter.outcome) for waiter in waiters] == [
        "the connection was closed before everything had been sent"
    ] * 2


def test_the_server_closes(stage):
    blocked(stage)
    session = session_of(stage)
    waiter = Waiter(stage, session)
    session.close()
    assert isinstance(waiter.outcome, Disconnected)
    assert isinstance(Waiter(stage, session).outcome, Disconnected)


def test_one_of_several_gives_up(stage):
    peer = stage.peer().join()
    session = session_of(stage)
    stage.io.emit("one")
    first, second = Waiter(stage, session), Waiter(stage, session)
    first.coroutine.close()
    peer.everything()
    assert not first.future.done()
    assert second.outcome == "drained"


# ---- the event ----


def test_nobody_is_told_who_does_not_listen_any_more(stage):
    peer = stage.peer().join()
    session = session_of(stage)
    seen = []

    def listener():
        seen.append(1)

    session.on("drain", listener)
    stage.io.emit("one")
    peer.everything()
    session.off("drain", listener)
    stage.io.emit("two")
    peer.everything()
    assert seen == [1]


def test_a_listener_may_close_or_send(stage):
    peer = stage.peer().join()
    session = session_of(stage)
    rest = ["1", "2"]
    session.on("drain", lambda: session.send(rest.pop()) if rest else session.close())
    stage.io.emit("one")
    frames = peer.frames()
    assert [frame.payload for frame in frames] == [b'42["one"]', b"42", b"41", b""]
    peer.send(close())
    assert stage.told == [("forced close", None)]


def test_not_told_after_the_end(stage):
    peer = blocked(stage)
    session = session_of(stage)
    seen = drains(session)
    session.close()
    peer.everything()
    assert seen == []
