"""Reception: whatever the application's functions do, every request gets exactly one answer, and nothing is left.

The connections stand still; functions that are waited for run in the test's own event loop.
"""

import asyncio
import json

import pytest

from fastsio import ConnectError
from fastsio.engine import connection as module
from tests.engine.asking import BOTH, ask, later, plain, settle, sync
from tests.engine.peer import TICK, Stage
from tests.engine.poller import EIO4_POLLING, UNKNOWN, Poller, Upgrader, said
from tests.engine.requests import GOOD, sent

ORIGIN = "http://good.example"
SHORT = 0.05
LONG = 1000.0


@pytest.fixture
def make(monkeypatch):
    monkeypatch.setattr("fastsio.limits._logged", {})
    made = []

    def new(**options):
        made.append(Stage(**options))
        return made[-1]

    yield new
    for stage in made:
        stage.clear()


# ---- middlewares ----


def stamp(request):
    return {"X-Method": request.method}


@BOTH
async def test_their_headers_are_in_every_answer(make, when):
    stage = make(origins=ORIGIN)
    stage.io.engine.use(when(stamp))
    assert stage.io.engine.use(when(lambda request: [("X-More", "1")]))
    stage.io.engine.use(when(lambda request: None))
    opened = await ask(stage, plain())
    sid = json.loads(opened.body[1:])["sid"]
    query = f"{EIO4_POLLING}&sid={sid}"
    for data, status in [
        (plain(query, method="POST", Content_Length="2") + b"40", 200),
        (plain(query), 200),
        (plain(query, method="PUT"), 400),
        (plain("EIO=4&transport=x"), 400),
        (plain(Origin="http://evil.example"), 403),
        (sent(f"{GOOD}&sid=nope"), 400),
        (plain(query, method="OPTIONS"), 204),
    ]:
        answer = await ask(stage, data)
        assert answer.status == status
        assert answer.headers["x-more"] == "1"
        assert answer.headers["x-method"] == data.split()[0].decode()
    peer = stage.peer()
    peer.send(sent(f"{GOOD}&sid={sid}"))
    await settle(stage)
    assert b"\r\nX-More: 1\r\n" in peer.everything()


async def test_each_is_asked_after_the_one_before(make):
    stage = make()
    order = []
    for number in range(4):
        stage.io.engine.use((later if number % 2 else sync)(lambda request, number=number: order.append(number)))
    await ask(stage, plain())
    assert order == [0, 1, 2, 3]


def refuse(error):
    def middleware(request):
        raise error

    return middleware


@BOTH
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConnectError("no entry"), 4, "no entry"),
        (RuntimeError("a secret"), 3, "Bad request"),
        (StopIteration(), 3, "Bad request"),
    ],
)
async def test_refusing(make, caplog, when, error, code, message):
    stage = make()
    passed = []
    stage.io.engine.use(lambda request: {"X-Before": "1"})
    stage.io.engine.use(when(refuse(error)))
    stage.io.engine.use(passed.append)
    answer = await ask(stage, plain())
    assert answer.status == (403 if code == 4 else 400)
    assert json.loads(answer.body) == {"code": code, "message": message}
    assert answer.headers["x-before"] == "1"
    answer = await ask(stage, sent())
    assert (answer.status, answer.body.decode()) == (400, message)
    assert passed == []
    assert stage.io.engine.clients == {}
    assert len([record for record in caplog.records if record.exc_info]) == (0 if code == 4 else 1)


@pytest.mark.parametrize("result", [5, "text", [1], {"A": "b\r\nC: d"}, {"A": "€"}, [("A", "b\0")], {"A\n": "b"}])
@BOTH
async def test_what_cannot_be_sent_as_headers(make, caplog, when, result):
    stage = make()
    stage.io.engine.use(when(lambda request: result))
    for data in (plain(), sent()):
        assert (await ask(stage, data)).status == 400
    assert stage.io.engine.clients == {}
    assert len(caplog.records) == 1


def test_use_takes_functions(make):
    with pytest.raises(TypeError, match="a middleware must be callable, got str"):
        make().io.engine.use("x")


# ---- what else is the application's ----

FUNCTIONS = ["middleware", "origins", "allow_request", "generate_id", "initial_headers", "headers", "connection_error", "connection"]  # fmt: skip


def with_function(make, where, function):
    """A stage whose application has the function there."""
    options = {where: function} if where in ("origins", "allow_request") else {}
    stage = make(**options)
    engine = stage.io.engine
    if where == "middleware":
        engine.use(function)
    elif where == "generate_id":
        engine.generate_id = function
    elif where in ("initial_headers", "headers", "connection_error", "connection"):
        engine.on(where, lambda first, *rest: function(first))
    return stage


def failing(argument):
    raise RuntimeError("a secret")


async def cancelled(argument):
    raise asyncio.CancelledError


REQUESTS = {
    "opening": plain(Origin=ORIGIN),
    "websocket": sent(Origin=ORIGIN),
    "unknown transport": plain("EIO=4&transport=x", Origin=ORIGIN),
    "unknown session": plain(f"{EIO4_POLLING}&sid=x", Origin=ORIGIN),
    "unknown session, upgrade": sent(f"{GOOD}&sid=x", Origin=ORIGIN),
    "preflight": plain(method="OPTIONS", Origin=ORIGIN),
    "another path": plain(path="/other"),
    "no HTTP": b"x\r\n\r\n",
}


@pytest.mark.parametrize("function", [failing, later(failing), cancelled], ids=["sync", "async", "cancelled"])
@pytest.mark.parametrize("where", FUNCTIONS)
@pytest.mark.parametrize("data", REQUESTS.values(), ids=REQUESTS)
async def test_every_request_gets_one_answer(make, caplog, where, function, data):
    stage = with_function(make, where, function)
    peer = stage.peer()
    peer.send(data)
    await settle(stage)
    with_answer = peer.everything()
    assert with_answer.count(b"HTTP/1.1 ") == 1
    assert b"a secret" not in with_answer
    status = int(with_answer.split()[1])
    sessions = len(stage.io.engine.clients)
    assert sessions == (1 if status in (200, 101) else 0)
    if where in ("middleware", "origins", "allow_request", "generate_id") and b"GET /socket.io/" in data:
        assert sessions == 0


@pytest.mark.parametrize("function", [failing, later(failing), cancelled], ids=["sync", "async", "cancelled"])
@pytest.mark.parametrize("where", ["middleware", "headers"])
async def test_so_does_every_request_of_a_session(make, where, function):
    stage = make()
    one = Upgrader(stage)
    if where == "middleware":
        stage.io.engine.use(function)
    else:
        stage.io.engine.on("headers", lambda headers, request: function(headers))
    status = 400 if function is not cancelled else 500
    for data in (one.posted(one.payload("3")), plain(one.query, method="PUT"), sent(f"{GOOD}&sid=x")):
        answer = await ask(stage, data)
        assert answer.status == (
            200 if where == "headers" and b"POST" in data else 400 if where == "headers" else status
        )
    stage.io.emit("n")
    answer = await ask(stage, plain(one.query))
    assert answer.status == (200 if where == "headers" else status)
    assert one.sid in stage.io.engine.clients
    assert stage.told == []


@BOTH
async def test_ids(make, when):
    stage = make()
    stage.io.engine.generate_id = when(lambda request: "id-" + request.query["user"])
    for user in ("7", "8"):
        answer = await ask(stage, plain(f"{EIO4_POLLING}&user={user}"))
        assert json.loads(answer.body[1:])["sid"] == f"id-{user}"
    assert (await ask(stage, plain(f"{EIO4_POLLING}&user=7"))).status == 500
    assert (await ask(stage, sent(f"{GOOD}&user=7"))).status == 500
    assert list(stage.io.engine.clients) == ["id-7", "id-8"]


@BOTH
@pytest.mark.parametrize("id", ["", None, 5, b"x", ["x"]])
async def test_what_is_no_id(make, caplog, when, id):
    stage = make()
    stage.io.engine.generate_id = when(lambda request: id)
    for data in (plain(), sent()):
        assert (await ask(stage, data)).status == 500
    assert stage.io.engine.clients == {}
    assert stage.counters == {"http 500": 2, "http 404": 1}
    (record,) = caplog.records
    assert "generate_id must return a new, non-empty str" in str(record.exc_info[1])


async def test_two_who_are_given_the_same_id_at_once(make):
    stage = make()
    stage.io.engine.generate_id = later(lambda request: "same")
    peers = [stage.peer(), stage.peer()]
    for peer in peers:
        peer.send(plain())
    await settle(stage)
    assert sorted(status for peer in peers for status, _ in said(peer)) == [200, 500]


# ---- decisions that take their time ----


class Slow:
    """A function that is waited for."""

    def __init__(self):
        self.asked = []

    def __call__(self, argument):
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]

    def decide(self, number=0, result=True):
        self.asked[number].set_result(result)


async def test_a_decision_that_comes_too_late(make, monkeypatch):
    """The 503 was the answer."""
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", SHORT)
    slow = Slow()
    stage = make(allow_request=slow)
    peers = [stage.peer(), stage.peer()]
    peers[0].send(plain())
    peers[1].send(sent())
    stage.wait(SHORT + 2 * TICK)
    assert [said(peer) for peer in peers] == [[(503, b"no decision in time")]] * 2
    slow.decide(0)
    slow.decide(1)
    await settle(stage)
    assert [peer.everything() for peer in peers] == [b"", b""]
    assert stage.io.engine.clients == {}
    assert stage.counters == {"http 503": 2}


@pytest.mark.parametrize("first", [True, False])
async def test_a_late_decision_is_not_taken_for_the_next_request_s(make, monkeypatch, first):
    """On the same connection, which behind a proxy may be somebody else's."""
    slow = Slow()
    stage = make(allow_request=slow)
    stage.io.engine.generate_id = lambda request: request.query["user"]
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", SHORT)
    peer = stage.peer()
    peer.send(plain(f"{EIO4_POLLING}&user=first"))
    stage.wait(SHORT + 2 * TICK)
    assert said(peer) == [(503, b"no decision in time")]
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", LONG)
    peer.send(plain(f"{EIO4_POLLING}&user=second"))
    slow.decide(0, first)
    await settle(stage)
    assert said(peer) == []
    slow.decide(1)
    await settle(stage)
    ((status, body),) = said(peer)
    assert json.loads(body[1:])["sid"] == "second"
    assert list(stage.io.engine.clients) == ["second"]


@pytest.mark.parametrize("data", [plain(), sent()], ids=["polling", "websocket"])
async def test_a_client_that_is_gone_before_the_decision(make, data):
    slow = Slow()
    stage = make(allow_request=slow)
    peer = stage.peer()
    peer.send(data)
    peer.transport.lose(ConnectionResetError())
    slow.decide()
    await settle(stage)
    assert stage.io.engine.clients == {}
    assert stage.counters == {}


async def test_the_next_request_waits_for_the_decision(make):
    slow = Slow()
    stage = make(allow_request=slow)
    peer = stage.peer()
    peer.send(plain(), plain("EIO=4&transport=x"))
    await settle(stage)
    assert peer.everything() == b""
    assert not peer.transport.reading
    slow.decide()
    await settle(stage)
    assert [status for status, _ in said(peer)] == [200, 400]


async def test_a_session_that_ends_while_its_request_is_decided(make):
    slow = Slow()
    stage = make()
    one = Poller(stage).join()
    stage.io.engine.use(slow)
    peers = [one.get(), one.post(one.payload("3")), stage.peer()]
    peers[2].send(sent(f"{GOOD}&sid={one.sid}"))
    one.session.close(discard=True)
    for number in range(3):
        slow.decide(number, None)
    await settle(stage)
    assert [said(peer) for peer in peers] == [[UNKNOWN], [UNKNOWN], [(400, b"Session ID unknown")]]


async def test_two_upgrades_that_are_decided_at_once(make):
    slow = Slow()
    stage = make()
    one = Poller(stage).join()
    stage.io.engine.use(slow)
    peers = [stage.peer(), stage.peer()]
    for peer in peers:
        peer.send(sent(f"{GOOD}&sid={one.sid}"))
    for number in range(2):
        slow.decide(number, None)
    await settle(stage)
    assert peers[0].everything().startswith(b"HTTP/1.1 101 ")
    assert said(peers[1]) == [(400, b"Bad request")]


async def test_max_connections(make):
    stage = make(max_connections=3)
    stage.io.engine.use(lambda request: {"X-A": "1"})
    for expected in (200, 200, 200, 503):
        peer = stage.peer()
        peer.send(plain(Connection="close"))
        (answer,) = peer.answers()
        assert answer.status == expected
        assert answer.headers["x-a"] == "1"
        peer.end()
        stage.loop.settle()
    assert answer.headers["retry-after"] == "10"
    assert stage.counters == {"sessions above max_connections": 1}
