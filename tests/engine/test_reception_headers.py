"""Reception: events of the engine, and the headers of its answers: theirs, CORS, the cookie."""

import json
from http.cookies import SimpleCookie

import pytest

from fastsio.engine.static import StaticFile
from tests.e2e.rawws import CLOSE, TEXT, Frame, text
from tests.engine.asking import BOTH, ask, asked, plain, settle
from tests.engine.peer import Stage, frames_in
from tests.engine.poller import EIO4_POLLING, UNKNOWN, Poller, said
from tests.engine.requests import GOOD, sent

ORIGIN = "http://good.example"


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


# ---- events ----


async def test_headers_events(make):
    """Which may add headers, change those of middlewares, and take them away."""
    stage = make()
    seen = []

    @stage.io.engine.on("initial_headers")
    def initial(headers, request):
        seen.append(("initial", request.method))
        headers["X-Initial"] = "1"

    @stage.io.engine.on("headers")
    def every(headers, request):
        seen.append(("every", request.method))
        headers["X-Every"] = "1"
        headers["x-stamp"] = "changed"
        headers.popall("X-Away", None)

    stage.io.engine.use(lambda request: {"X-Stamp": "1", "X-Away": "1"})
    opening = await ask(stage, plain())
    assert {name: value for name, value in opening.headers.items() if name[:2] == "x-"} == {
        "x-initial": "1",
        "x-every": "1",
        "x-stamp": "changed",
    }
    query = f"{EIO4_POLLING}&sid={json.loads(opening.body[1:])['sid']}"
    for data in (plain(query, method="POST", Content_Length="2") + b"40", plain(query)):
        answer = await ask(stage, data)
        assert (answer.headers["x-every"], "x-initial" in answer.headers) == ("1", False)
    answer = await ask(stage, plain("EIO=4&transport=x"))
    assert (answer.headers["x-stamp"], "x-every" in answer.headers) == ("1", False)
    assert seen == [("initial", "GET"), ("every", "GET"), ("every", "POST"), ("every", "GET")]


@pytest.mark.parametrize("path", ["new", "upgrade"])
async def test_headers_events_of_websockets(make, path):
    stage = make()
    one = Poller(stage)
    stage.io.engine.on("initial_headers", lambda headers, request: headers.add("X-Initial", "1"))
    stage.io.engine.on("headers", lambda headers, request: headers.add("X-Every", "1"))
    peer = stage.peer()
    peer.send(sent(GOOD if path == "new" else f"{GOOD}&sid={one.sid}"))
    head, _, _ = peer.everything().partition(b"\r\n\r\n")
    assert b"\r\nX-Every: 1" in head
    assert (b"\r\nX-Initial: 1" in head) is (path == "new")


@pytest.mark.parametrize("event", ["initial_headers", "headers"])
@pytest.mark.parametrize("data", [plain(), sent()], ids=["polling", "websocket"])
async def test_headers_of_listeners_that_cannot_be_sent(make, event, data):
    """No session opens for a request that is answered with an error."""
    stage = make()
    stage.io.engine.on(event, lambda headers, request: headers.add("A", "b\r\nC: d"))
    answer = await ask(stage, data)
    assert answer.status == 500
    assert stage.io.engine.clients == {}


async def test_such_headers_of_a_session_s_requests(make):
    stage = make()
    one = Poller(stage).join()
    stage.io.engine.on("headers", lambda headers, request: headers.add("A", "b\r\nC: d"))
    assert (await ask(stage, one.posted(b"3"))).status == 500
    peer = one.get()
    stage.io.emit("n")
    await settle(stage)
    assert [status for status, _ in said(peer)] == [500]
    stage.io.engine.remove_all_listeners("headers")
    assert one.poll() == ['42["n"]']
    assert stage.told == []


async def test_connection_error(make):
    stage = make(origins=ORIGIN, allow_eio3=False)
    errors = []
    stage.io.engine.on("connection_error", errors.append)
    evil = {"Origin": "http://evil.example"}
    for data in (
        plain("EIO=4&transport=x"),
        plain(f"{EIO4_POLLING}&sid=nope"),
        plain(method="PUT"),
        plain(GOOD),
        plain(**evil),
        plain("EIO=3&transport=polling"),
        plain(path="/other"),
        plain(method="OPTIONS"),
        sent(Sec_WebSocket_Version="8"),
    ):
        await ask(stage, data)
    told = [(error.code, error.message) for error in errors]
    assert told == [
        (0, "Transport unknown"),
        (1, "Session ID unknown"),
        (2, "Bad handshake method"),
        (3, "Bad request"),
        (4, "Forbidden"),
        (5, "Unsupported protocol version"),
        (3, "Unsupported websocket version"),
    ]
    assert [error.context for error in errors[:2]] == [{"transport": "x"}, {"sid": "nope"}]
    assert errors[4].context == {"origin": "http://evil.example"}
    assert errors[2].request.method == "PUT"
    assert stage.counters["refused: Bad request"] == 2


@pytest.mark.parametrize("discard", [False, True])
async def test_a_session_that_is_closed_as_it_opens(make, discard):
    stage = make()
    stage.io.engine.on("connection", lambda conn: conn.close(discard))
    opening = await ask(stage, plain())
    assert opening.body.startswith(b'0{"sid"')
    query = f"{EIO4_POLLING}&sid={json.loads(opening.body[1:])['sid']}"
    peer = stage.peer()
    peer.send(plain(query))
    assert said(peer) == [UNKNOWN if discard else (200, b"1")]
    peer = stage.peer()
    peer.send(sent(), text("40"))
    if not discard:
        _, _, frames = peer.everything().partition(b"\r\n\r\n")
        opened, end = frames_in(frames)
        assert (opened.opcode, end) == (TEXT, Frame(CLOSE, b""))
    assert stage.io.engine.clients == {}
    assert stage.io.sockets.sockets == {}


async def test_what_is_sent_as_a_session_opens(make):
    stage = make()
    stage.io.engine.on("connection", lambda conn: conn.send("hello"))
    assert Poller(stage).poll() == ["4hello"]
    peer = stage.peer()
    peer.upgrade()
    assert [got.payload for got in peer.first][1:] == [b"4hello"]


# ---- CORS ----


@BOTH
async def test_cors_of_every_answer(make, when):
    stage = make(origins=when(lambda origin: origin == ORIGIN))
    opened = await ask(stage, plain(Origin=ORIGIN))
    query = f"{EIO4_POLLING}&sid={json.loads(opened.body[1:])['sid']}"
    for data, status in [
        (plain(query, method="POST", Origin=ORIGIN, Content_Length="2") + b"40", 200),
        (plain(query, Origin=ORIGIN), 200),
        (plain("EIO=4&transport=x", Origin=ORIGIN), 400),
        (plain(f"{EIO4_POLLING}&sid=x", Origin=ORIGIN), 400),
        (plain(method="OPTIONS", Origin=ORIGIN), 204),
    ]:
        answer = await ask(stage, data)
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["vary"].startswith("Origin")
        assert ("access-control-allow-methods" in answer.headers) is (status == 204)


@BOTH
async def test_cors_of_an_origin_that_is_not_allowed(make, when):
    stage = make(origins=when(lambda origin: origin == ORIGIN))
    evil = {"Origin": "http://evil.example"}
    for data, status in [
        (plain(**evil), 403),
        (plain("EIO=4&transport=x", **evil), 400),
        (plain(method="OPTIONS", **evil), 204),
        (plain(), 200),
    ]:
        answer = await ask(stage, data)
        assert answer.status == status
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"].startswith("Origin")


async def test_cors_of_errors_of_http(make):
    """As far as can be said without asking a function."""
    stage = make(origins=[ORIGIN], max_http_buffer_size=10)
    data = plain(method="POST", Origin=ORIGIN, Content_Length="11")
    (answer,) = await asked(stage, data)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (413, ORIGIN)
    (answer,) = await asked(stage, plain(method="POST", Origin="http://evil.example", Content_Length="11"))
    assert answer.status == 413
    assert "access-control-allow-origin" not in answer.headers
    (answer,) = await asked(stage, plain(path="/x", method="POST", Origin=ORIGIN, Content_Length="11"))
    assert "access-control-allow-origin" not in answer.headers


async def test_no_cors(make):
    stage = make()
    for data, status in [(plain(), 200), (plain(method="OPTIONS"), 400), (plain(Origin=ORIGIN), 403)]:
        answer = await ask(stage, data)
        assert answer.status == status
        assert not {"vary", "access-control-allow-origin"}.intersection(answer.headers)


@BOTH
async def test_cors_of_files(make, when):
    stage = make(origins=when(lambda origin: origin == ORIGIN))
    stage.io.engine.files["/page"] = StaticFile("text/plain", b"page")
    answer = await ask(stage, plain(None, path="/page", Origin=ORIGIN))
    assert (answer.status, answer.body, answer.headers["access-control-allow-origin"]) == (200, b"page", ORIGIN)
    answer = await ask(stage, plain(None, path="/page", Origin="http://evil.example"))
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (200, False)
    answer = await ask(stage, plain(None, path="/page", method="OPTIONS", Origin=ORIGIN))
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, ORIGIN)


# ---- cookie ----


async def test_a_cookie_comes_with_the_opening_alone(make):
    stage = make(cookie={"name": "node"})
    opened = await ask(stage, plain())
    sid = json.loads(opened.body[1:])["sid"]
    assert SimpleCookie(opened.headers["set-cookie"])["node"].value == sid
    query = f"{EIO4_POLLING}&sid={sid}"
    for data in (plain(query, method="POST", Content_Length="2") + b"40", plain(query), plain("EIO=4&transport=x")):
        assert "set-cookie" not in (await ask(stage, data)).headers
    peer = stage.peer()
    assert b"set-cookie" not in peer.upgrade().lower()


@pytest.mark.parametrize("secure", [False, True])
async def test_a_cookie_is_secure_where_the_request_was(make, secure):
    stage = make(cookie=True)
    peer = stage.peer(secure=secure)
    peer.send(plain())
    (answer,) = peer.answers()
    assert ("Secure" in answer.headers["set-cookie"]) is secure
