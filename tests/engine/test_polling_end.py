"""How a session that polls ends, and what limits it while nobody polls; on a loop that stands still."""

import asyncio

import pytest

from fastsio import Server
from fastsio.engine import polling as module
from tests.engine.peer import TICK, Stage, numbers
from tests.engine.poller import EIO3_POLLING, EIO4_POLLING, OK, UNKNOWN, Poller, gone, said
from tests.engine.requests import sent

ECHO = '421["echo","x"]'
CLOSE, NOOP = ["1"], ["6"]
SHORT = 0.05
LONG = 1000.0


@pytest.fixture
def make():
    made = []

    def new(**options):
        made.append(Stage(**options))
        return made[-1]

    yield new
    for stage in made:
        stage.clear()


@pytest.fixture
def stage(make):
    return make()


@pytest.fixture(params=[EIO4_POLLING, EIO3_POLLING], ids=["protocol 4", "protocol 3"])
def one(stage, request):
    return Poller(stage, request.param).join()


# ---- by the client ----


def test_the_client_closes_while_a_get_waits(stage, one):
    waiting = one.get()
    one.push("1", ECHO)
    assert one.packets(waiting) == NOOP
    assert stage.told == [("transport close", None)]
    assert gone(one)


def test_the_client_closes(stage, one):
    stage.io.emit("lost")
    one.push("1")
    assert stage.told == [("transport close", None)]
    assert gone(one)


def test_what_is_queued_goes_to_the_get_that_waits(stage, one):
    waiting = one.get()
    stage.io.emit("last")
    one.push("1")
    assert one.packets(waiting) == ['42["last"]']
    assert gone(one)


# ---- by the server ----


def test_the_server_closes_while_a_get_waits(stage, one):
    waiting = one.get()
    one.session.close()
    assert stage.told == [("forced close", None)]
    assert one.packets(waiting) == CLOSE
    assert gone(one)


def test_the_server_closes_while_a_get_waits_for_what_is_queued(stage, one):
    waiting = one.get()
    stage.io.emit("last")
    one.session.close()
    assert one.packets(waiting) == ['42["last"]']
    assert one.poll() == CLOSE
    assert gone(one)


@pytest.mark.parametrize("count", [0, 3])
def test_the_server_closes_while_no_get_waits(stage, one, count):
    """The client is told all the same: what is queued first."""
    for number in range(count):
        stage.io.emit("n", number)
    one.session.close()
    assert stage.told == [("forced close", None)]
    assert stage.io.engine.clients == {}
    got = []
    while CLOSE[0] not in got:
        got += one.poll()
    assert numbers(got[:-1]) == list(range(count))
    assert got[-1:] == CLOSE
    assert gone(one)


@pytest.mark.parametrize(("packet", "why"), [("42nonsense", "forced close"), ("42/x,[1]", "forced server close")])
def test_a_violation_is_told_like_a_close(stage, one, packet, why):
    one.push(packet)
    assert one.poll() == CLOSE
    assert [reason for reason, _ in stage.told] == [why]
    assert gone(one)


def test_nothing_comes_after_the_close(stage, one):
    one.session.close()
    one.push(ECHO)
    stage.io.emit("late")
    assert one.poll() == CLOSE


def test_two_gets_after_the_close(stage, one):
    one.session.close()
    assert one.poll() == CLOSE
    assert said(one.get()) == [UNKNOWN]
    assert len(stage.told) == 1


def test_one_who_never_comes_for_the_close(stage, one, monkeypatch):
    monkeypatch.setattr(module, "LINGER", SHORT)
    stage.io.emit("n")
    one.session.close()
    stage.wait(0)
    assert list(stage.core.lingering) == [one.sid]
    stage.wait(SHORT + 2 * TICK)
    assert stage.counters["closed before the last poll"] == 1
    assert gone(one)


def test_discarded(stage, one):
    stage.io.emit("n")
    one.session.close(discard=True)
    assert stage.told == [("forced close", None)]
    assert gone(one)


def test_discarded_while_a_get_waits(stage, one):
    waiting = one.get()
    one.session.close(discard=True)
    assert one.packets(waiting) == CLOSE
    assert gone(one)


def test_shutdown(stage, one):
    """What the engine does at its end: nobody is waited for."""
    waiting = one.get()
    other, lingering = Poller(stage).join(), Poller(stage).join()
    lingering.session.close()
    for session in list(stage.io.engine.clients.values()):
        session.end("server shutting down")
    assert one.packets(waiting) == CLOSE
    assert list(stage.core.lingering) == [lingering.sid]
    stage.core.lingering[lingering.sid].drop()
    assert gone(one) and gone(other) and gone(lingering)
    assert [reason for reason, _ in stage.told] == ["forced close", "server shutting down", "server shutting down"]


async def test_a_server_that_closes_waits_for_nobody():
    """One GET waits, one session polls no more, one has ended without knowing."""
    io = Server()
    await io.listen(0)
    connections = []

    async def ask(query):
        connections.append(await asyncio.open_connection(*io.addresses[0]))
        reader, writer = connections[-1]
        writer.write(sent(query, upgrade=False))
        return reader

    for _ in range(3):
        reader = await ask(EIO4_POLLING)
        await reader.readuntil(b'"maxPayload":1000000}')
    first, _, last = list(io.engine.clients.values())
    waiting = await ask(f"{EIO4_POLLING}&sid={first.id}")
    last.close()
    while io.engine._connections < 4:
        await asyncio.sleep(0)
    for _ in range(10):  # rounds in which the GET is read
        await asyncio.sleep(0.001)
    async with asyncio.timeout(3):
        await io.close()
        head, _, body = (await waiting.read()).partition(b"\r\n\r\n")
    assert (head.split()[1], body) == (b"200", b"1")
    assert io.engine.clients == {}
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()


# ---- deadlines ----


def test_no_pong(make):
    stage = make(ping_interval=SHORT, ping_timeout=SHORT)
    one = Poller(stage).join()
    waiting = one.get()
    stage.wait(SHORT + 2 * TICK)
    assert one.packets(waiting) == ["2"]
    waiting = one.get()
    stage.wait(SHORT + 2 * TICK)
    assert one.packets(waiting) == CLOSE
    assert stage.told == [("ping timeout", None)]
    assert gone(one)


def test_a_ping_waits_for_the_next_get(make):
    stage = make(ping_interval=SHORT, ping_timeout=LONG)
    one = Poller(stage).join()
    for _ in range(3):
        stage.wait(SHORT + 2 * TICK)
        assert one.poll() == ["2"]
        one.push("3")


def test_one_that_polls_no_more(make):
    stage = make(ping_interval=SHORT, ping_timeout=SHORT)
    one = Poller(stage).join()
    stage.wait(SHORT + 2 * TICK)
    assert stage.told == []
    stage.wait(SHORT + 2 * TICK)
    assert stage.told == [("ping timeout", None)]
    assert gone(one)


def test_one_that_joins_nothing(make):
    stage = make(connect_timeout=SHORT)
    one = Poller(stage)
    stage.wait(SHORT + 2 * TICK)
    assert stage.counters == {"connect timeout": 1}
    assert one.poll() == CLOSE
    assert gone(one)
    stage.clear()


# ---- limits ----


def backlog(stage, size):
    stage.io.emit("n", 0, "x" * size)
    stage.loop.settle()


def test_a_backlog_while_nobody_polls(make):
    stage = make(max_backlog=10_000)
    one, other = Poller(stage).join(), stage.peer().join()
    for _ in range(2):
        backlog(stage, 4000)
    assert stage.told == []
    assert 8000 < one.session.buffered_amount < 9000
    backlog(stage, 4000)
    assert stage.told == [("transport error", "max_backlog reached")]
    assert stage.counters["max_backlog reached"] == 1
    assert gone(one)
    assert len(other.everything()) > 12_000  # nobody else notices


def test_one_message_above_the_limit(make):
    stage = make(max_backlog=10_000)
    one = Poller(stage).join()
    backlog(stage, 50_000)
    assert numbers(one.poll()) == [0]


def test_what_a_get_got_is_not_queued_any_more(make):
    stage = make(max_backlog=10_000)
    one = Poller(stage).join()
    for _ in range(3):
        backlog(stage, 9000)
        assert numbers(one.poll()) == [0]
        assert one.session.buffered_amount == 0
        backlog(stage, 9000)
        assert numbers(one.poll()) == [0]
    assert stage.told == []


def test_a_backlog_within_a_round_while_a_get_waits(make):
    """It is answered before it is too much."""
    stage = make(max_backlog=10_000)
    one = Poller(stage).join()
    waiting = one.get()
    for number in range(3):
        stage.io.emit("n", number, "x" * 4000)
    stage.io.emit("n", 3)
    assert numbers(one.packets(waiting) + one.poll()) == [0, 1, 2, 3]
    assert stage.told == []


def test_volatile(stage, one):
    """Only for those who can take it now: whose GET waits, and was not given anything yet."""
    stage.io.volatile.emit("dropped")
    stage.io.emit("n", 0)
    stage.io.volatile.emit("dropped")
    assert one.poll() == ['42["n",0]']
    stage.io.volatile.emit("dropped")
    waiting = one.get()
    stage.io.volatile.emit("n", 1)
    stage.io.volatile.emit("n", 2)
    assert numbers(one.packets(waiting)) == [1, 2]
    stage.io.volatile.emit("dropped")
    assert one.get().received() == b""


def test_volatile_for_one_socket(stage, one):
    (socket,) = stage.io.sockets.sockets.values()
    socket.volatile.emit("dropped")
    waiting = one.get()
    assert waiting.received() == b""
    socket.volatile.emit("n", 1)
    assert one.packets(waiting) == ['42["n",1]']


def test_max_connections_counts_sessions_too(make):
    """More sessions than connections: they need none of their own."""
    stage = make(max_connections=2)
    peer = stage.peer()
    for _ in range(2):
        peer.send(sent(EIO4_POLLING, upgrade=False))
        assert [answer.status for answer in peer.answers()] == [200]
    peer.send(sent(EIO4_POLLING, upgrade=False))
    (answer,) = peer.answers()
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert stage.counters == {"sessions above max_connections": 1}


def test_ok_is_what_it_says(one):
    assert said(one.post(one.payload("3" if one.session.protocol == 4 else "2"))) == [OK]
