"""Long-polling: one GET and one POST at a time, and the order of what goes out; on a loop that stands still."""

import gc
import time

import pytest

from fastsio.engine import connection
from fastsio.engine.connection import Connection
from fastsio.engine.polling import Polling
from fastsio.engine.session import Session
from tests.e2e.rawws import text
from tests.engine.peer import TICK, Stage, frames_in, numbers
from tests.engine.poller import EIO4_POLLING, OK, PLAIN, UNKNOWN, Poller, gone, said
from tests.engine.requests import sent

ECHO = '421["echo","x"]'
ECHOED = '431["x"]'
BAD = (400, b"")
CLOSE = ["1"]


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.clear()


@pytest.fixture
def one(stage):
    return Poller(stage).join()


def begun(one, body, split=None):
    """A POST of which the head and the first bytes of the body have come; (its connection, the rest)."""
    data = one.posted(body)
    at = data.index(b"\r\n\r\n") + 4 + (split or 0)
    peer = one.stage.peer()
    peer.send(data[:at])
    return peer, data[at:]


# ---- GET ----


def test_the_opening(stage):
    peer = stage.peer()
    peer.send(sent(EIO4_POLLING, upgrade=False))
    (answer,) = peer.answers()
    (session,) = stage.io.engine.clients.values()
    assert answer.status == 200
    assert answer.headers == {
        "content-type": "text/plain; charset=UTF-8",
        "cache-control": "no-store",
        "content-length": str(len(answer.body)),
    }
    assert answer.body.decode() == (
        f'0{{"sid":"{session.id}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,'
        '"maxPayload":1000000}'
    )
    assert (session.transport.name, session.protocol, session.remote_address) == ("polling", 4, "192.0.2.1")


@pytest.mark.parametrize("options", [{"allow_upgrades": False}, {"transports": ["polling"]}])
def test_no_upgrade_is_offered_where_there_is_none(options):
    stage = Stage(**options)
    assert Poller(stage).opened["upgrades"] == []
    stage.clear()


def test_a_get_waits_until_there_is_something(stage, one):
    peer = one.get()
    assert peer.received() == b""
    stage.io.emit("n", 0)
    assert one.packets(peer) == ['42["n",0]']
    assert peer.received() == b""


def test_one_answer_for_all_of_a_round(stage, one):
    peer = one.get()
    for number in range(3):
        stage.io.emit("n", number)
    assert numbers(one.packets(peer)) == [0, 1, 2]


def test_what_came_while_no_get_waited_goes_out_together(stage, one):
    for number in range(3):
        stage.io.emit("n", number)
        stage.loop.settle()
    assert one.session.buffered_amount > 0
    assert numbers(one.poll()) == [0, 1, 2]
    assert one.session.buffered_amount == 0
    assert one.get().received() == b""


def test_binary_among_text(stage, one):
    stage.io.emit("b", b"\x00\xff", bytearray(b"y"))
    stage.io.emit("n", 0)
    head = '452-["b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    assert one.poll() == [head, b"\x00\xff", b"y", '42["n",0]']


def test_everybody_gets_the_same(stage, one):
    """However they are connected."""
    other, websocket = Poller(stage).join(), stage.peer().join()
    waiting = other.get()
    stage.io.emit("n", 1)
    assert one.poll() == other.packets(waiting) == websocket.texts() == ['42["n",1]']


def test_a_long_answer(stage, one):
    peer = one.get()
    stage.io.emit("big", "x" * 300_000)
    assert one.packets(peer) == ['42["big","' + "x" * 300_000 + '"]']


def test_requests_on_one_connection(stage, one):
    peer = one.get()
    for number in range(3):
        stage.io.emit("n", number)
        assert numbers(one.packets(peer)) == [number]
        one.post(one.payload(ECHO), on=peer)
        assert said(peer) == [OK]
        assert one.packets(one.get(on=peer)) == [ECHOED]
        one.get(on=peer)


def test_a_request_behind_a_get_that_waits_is_next(stage, one):
    peer = one.get()
    one.post(one.payload(ECHO), on=peer)
    assert peer.received() == b""
    stage.io.emit("n", 0)
    got, posted = peer.answers()
    assert one.decoded(got) == ['42["n",0]']
    assert (posted.status, posted.body) == OK


def test_a_get_has_no_deadline_of_its_own(stage, one, monkeypatch):
    """The session has one, and the connection from the answer on."""
    monkeypatch.setattr(connection, "HANDSHAKE_TIMEOUT", 0.05)
    peer = one.get()
    stage.wait(0.05 + 2 * TICK)
    assert not peer.transport.aborted
    stage.io.emit("n", 0)
    assert one.packets(peer) == ['42["n",0]']
    stage.wait(0.05 + 2 * TICK)
    assert peer.transport.aborted
    assert stage.told == []


def test_the_end_of_a_connection_between_requests_means_nothing(stage, one):
    peer = one.get()
    stage.io.emit("n", 0)
    one.packets(peer)
    peer.transport.lose(ConnectionResetError())
    assert stage.told == []
    one.push(ECHO)
    assert one.poll() == [ECHOED]


def test_two_gets(stage, one):
    first = one.get()
    second = one.get()
    assert one.packets(first) == CLOSE
    assert said(second) == [BAD]
    assert stage.told == [("transport error", "overlap from client")]
    assert gone(one)


def test_the_first_of_two_gets_gets_what_there_is(stage, one):
    stage.io.emit("n", 0)
    first, second = one.get(), one.get()
    assert one.packets(first) == ['42["n",0]']
    assert said(second) == [BAD]
    assert gone(one)


def test_a_get_that_is_aborted(stage, one):
    one.get().transport.lose(ConnectionResetError())
    assert stage.told == [("transport error", "poll connection closed prematurely")]
    assert gone(one)


def test_a_get_that_is_aborted_in_the_round_of_its_answer(stage, one):
    peer = one.get()
    stage.io.emit("n", 0)
    peer.transport.lose(ConnectionResetError())
    assert stage.told == [("transport error", "poll connection closed prematurely")]
    assert gone(one)


def test_a_client_of_a_get_that_sends_no_more(stage, one):
    peer = one.get()
    peer.end()
    assert peer.received() == b""
    assert peer.transport.gone
    assert stage.told == [("transport error", "poll connection closed prematurely")]


def test_a_get_and_the_end_at_once_are_answered(stage, one):
    stage.io.emit("n", 0)
    peer = one.get()
    peer.end()
    assert one.packets(peer) == ['42["n",0]']
    stage.loop.settle()
    assert peer.transport.gone
    assert stage.told == []


# ---- POST ----


def test_a_post_is_answered_when_its_packets_are_taken(stage, one):
    (answer,) = one.post(one.payload(ECHO, "42[1]", ECHO)).answers()
    assert (answer.status, answer.body) == OK
    assert answer.headers == {"content-type": "text/html", "cache-control": "no-store", "content-length": "2"}
    assert one.poll() == [ECHOED, ECHOED]


def test_a_post_while_a_get_waits(stage, one):
    waiting = one.get()
    one.push(ECHO)
    assert one.packets(waiting) == [ECHOED]


def test_binary_in(stage, one):
    one.push('451-1["echo",{"_placeholder":true,"num":0}]', "bAP8=")
    assert one.poll() == ['461-1[{"_placeholder":true,"num":0}]', b"\x00\xff"]


def test_a_body_in_pieces(stage, one):
    """Wherever it is cut."""
    data = one.posted(one.payload(ECHO))
    for at in range(1, len(data), 7):
        peer = stage.peer()
        peer.send(data[:at])
        peer.send(data[at:])
        assert said(peer) == [OK], at
        assert one.poll() == [ECHOED]


def test_a_chunked_body(stage, one):
    peer = stage.peer()
    peer.send(sent(one.query, method="POST", upgrade=False, Transfer_Encoding="chunked", Content_Type=PLAIN))
    for piece in (one.payload(ECHO)[:5], one.payload(ECHO)[5:], b""):
        peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    assert said(peer) == [OK]
    assert one.poll() == [ECHOED]


@pytest.mark.parametrize("started", [True, False])
def test_a_body_that_is_too_large_leaves_the_session_alone(started):
    stage = Stage(max_http_buffer_size=1000)
    one = Poller(stage).join()
    if started:  # so far nobody knows how long it gets
        peer = stage.peer()
        peer.send(sent(one.query, method="POST", upgrade=False, Transfer_Encoding="chunked") + b"3e9\r\nxx")
    else:
        peer = one.post(b"4" * 1001)
    (answer,) = peer.answers()
    assert answer.status == 413
    one.push(ECHO)
    assert one.poll() == [ECHOED]
    assert stage.told == []
    stage.clear()


def test_two_posts(stage, one):
    """The first is on its way; it gets its answer, but its packets come too late."""
    first, rest = begun(one, one.payload(ECHO))
    second = one.post(one.payload(ECHO))
    assert said(second) == [BAD]
    assert stage.told == [("transport error", "data request overlap from client")]
    first.send(rest)
    assert said(first) == [UNKNOWN]
    assert gone(one)


def test_two_posts_that_have_only_begun(stage, one):
    first, _ = begun(one, one.payload(ECHO), 5)
    second, _ = begun(one, one.payload(ECHO), 5)
    assert said(second) == [BAD]
    assert stage.told == [("transport error", "data request overlap from client")]
    assert said(first) == []
    assert gone(one)


def test_a_post_that_is_aborted(stage, one):
    peer, _ = begun(one, one.payload(ECHO), 5)
    peer.transport.lose(None)
    assert stage.told == [("transport error", "data request connection closed prematurely")]
    assert gone(one)


def test_a_post_that_breaks_http(stage, one):
    peer = stage.peer()
    peer.send(sent(one.query, method="POST", upgrade=False, Transfer_Encoding="chunked") + b"2\r\n42\r\n")
    peer.send(b"nonsense\r\n")
    (answer,) = peer.answers()
    assert answer.status == 400
    assert stage.told == [("transport error", "data request connection closed prematurely")]
    assert gone(one)


def test_a_body_that_does_not_come(stage, one, monkeypatch):
    monkeypatch.setattr(connection, "BODY_TIMEOUT", 0.05)
    peer, _ = begun(one, one.payload(ECHO), 5)
    stage.wait(0.05 + 2 * TICK)
    assert peer.transport.aborted
    assert stage.told == [("transport error", "data request connection closed prematurely")]


def test_the_waiting_get_is_told_that_a_post_went_wrong(stage, one):
    waiting = one.get()
    peer, _ = begun(one, one.payload(ECHO))
    peer.transport.lose(ConnectionResetError())
    assert one.packets(waiting) == CLOSE


# ---- one session's share of the loop ----


def working(stage):
    """The numbers that `work` events brought; the one of 40 takes more than a slice."""
    seen = []

    @stage.io.event
    def work(socket, number):
        seen.append(number)
        if number == 40:
            time.sleep(0.003)

    return seen


def worked(one, count=200):
    return one.payload(*(f'42["work",{number}]' for number in range(count)))


def test_a_long_post_is_worked_off_while_others_go_on(stage, one):
    count = 100_000
    seen = []
    stage.io.event("n")(lambda socket: seen.append(1))
    other = stage.peer().join()
    peer = stage.peer()
    data = one.posted(one.payload(*['42["n"]'] * count))
    for at in range(0, len(data), 200_000):
        peer.send(data[at : at + 200_000])
    turns = [len(seen)]
    while len(seen) < count:
        other.send(text(ECHO))
        stage.loop.turn()
        turns.append(len(seen))
        assert turns[-1] > turns[-2]
    assert len(turns) > 5
    assert [got.payload.decode() for got in frames_in(other.everything())] == [ECHOED] * (len(turns) - 1)
    assert said(peer) == [OK]


def test_a_post_beside_one_that_is_worked_off(stage, one):
    seen = working(stage)
    first = one.post(worked(one))
    assert 40 < len(seen) < 150
    assert said(one.post(one.payload(ECHO))) == [BAD]
    stage.loop.settle()
    assert len(seen) < 150
    assert said(first) == [OK]
    assert gone(one)


def test_a_post_that_is_aborted_while_it_is_worked_off(stage, one):
    seen = working(stage)
    one.post(worked(one)).transport.lose(ConnectionResetError())
    stage.loop.settle()
    assert len(seen) < 150
    assert stage.told == [("transport error", "data request connection closed prematurely")]
    assert gone(one)


def test_a_session_that_is_closed_while_its_post_is_worked_off(stage, one):
    seen = working(stage)
    peer = one.post(worked(one))
    one.session.close()
    assert said(peer) == [OK]
    assert len(seen) < 150
    assert one.poll() == CLOSE


def test_a_session_that_is_closed_by_its_own_packets(stage, one):
    seen = []

    @stage.io.event
    def n(socket, number):
        seen.append(number)
        socket.disconnect(True)

    one.push('42["n",0]', '42["n",1]')
    assert seen == [0]
    assert stage.told == [("server namespace disconnect", None)]


def test_nothing_is_kept_of_sessions_that_are_gone(stage):
    def alive():
        gc.collect()
        return [found for found in gc.get_objects() if isinstance(found, (Polling, Session, Connection))]

    before = len(alive())
    for end in (lambda one: one.push("1"), lambda one: one.session.close(True), lambda one: (one.get(), one.get())):
        one = Poller(stage).join()
        end(one)
        assert gone(one)
    for peer in stage.peers:
        peer.transport.lose(None)
        peer.sock.close()
    stage.peers.clear()
    del one, peer
    stage.loop.settle()
    stage.loop.timers.clear()
    assert len(alive()) == before
