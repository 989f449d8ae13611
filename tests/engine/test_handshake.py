"""The handshake: the order of its checks, what each of them refuses, and what a request is for."""

import json

import pytest

from fastsio import ConnectError
from fastsio.engine.handshake import BAD_REQUEST, FORBIDDEN, MESSAGES, UNKNOWN_SID, Handshake, Refusal
from fastsio.options import resolve
from tests.engine.peer import Stage
from tests.engine.poller import EIO3_POLLING, Poller
from tests.engine.requests import GOOD, KEY, request

POLLING = "EIO=4&transport=polling"
UNKNOWN, _, METHOD, BAD, _, PROTOCOL = range(6)


class Sessions:
    """Some of each kind, whose ids are their names."""

    def __init__(self):
        self.stage = Stage()
        self.engine = self.stage.io.engine
        for name, query in [("polls", POLLING), ("polls3", EIO3_POLLING), ("ended", POLLING), ("upgrading", POLLING)]:
            self.open(name)
            Poller(self.stage, query)
        self.stage.peer().upgrade(f"{GOOD}&sid=upgrading")
        self.engine.clients["ended"].close()
        self.open("websocket")
        self.stage.peer().upgrade()

    def open(self, name):
        self.engine.generate_id = lambda request: name

    def checks(self, **options):
        return Handshake(resolve(**options), self.engine.clients, self.stage.core.lingering)


@pytest.fixture(scope="module")
def sessions():
    made = Sessions()
    yield made
    made.stage.clear()


def admitted(checks, found, protocol):
    """Takes the steps of a new session, with the application's functions not awaited."""
    steps = checks.admit(found, protocol)
    answer = None
    try:
        while True:
            answer = steps.send(answer)
    except StopIteration:
        return None


def refusal(checks, found):
    """None: it is not refused."""
    try:
        purpose = checks.check(found)
        return admitted(checks, found, purpose) if isinstance(purpose, int) else None
    except Refusal as error:
        return error


def plain(query=POLLING, **options):
    return request(query, upgrade=False, **options)


REFUSED = {
    "H74 no query": (UNKNOWN, plain(None)),
    "H80 no transport": (UNKNOWN, plain("EIO=4")),
    "H80 empty transport": (UNKNOWN, plain("EIO=4&transport=")),
    "H82 constructor": (UNKNOWN, plain("EIO=4&transport=constructor")),
    "H83 webtransport": (UNKNOWN, plain("EIO=4&transport=webtransport")),
    "H84 no upgrade": (BAD, plain(GOOD)),
    "H85 websocket in 1.0": (BAD, request(version="1.0")),
    "H87 EIO twice": (BAD, request("EIO=3&EIO=4&transport=websocket")),
    "H87 EIO twice the same": (BAD, request("EIO=4&EIO=4&transport=websocket")),
    "H88 transport twice": (BAD, request("EIO=4&transport=polling&transport=websocket")),
    "H88 transport twice, one escaped": (BAD, request("EIO=4&transport=websocket&tr%61nsport=websocket")),
    "H88 transport twice, unknown": (BAD, plain("EIO=4&transport=x&transport=x")),
    **{
        f"H90 {method}": (METHOD, plain(method=method))
        for method in ("PUT", "DELETE", "HEAD", "PATCH", "POST", "OPTIONS")
    },
    **{
        f"H100 {method} sid={sid}": (UNKNOWN_SID, plain(f"{POLLING}&sid={sid}", method=method))
        for method in ("GET", "POST")
        for sid in ("nosuchsid", "__proto__", "hasOwnProperty", "toString", "%00", "%zz", "poll", "pollsa")
    },
    "H113 sid: bad and good": (BAD, request(f"{GOOD}&sid=bad&sid=polls")),
    "H114 sid: good and bad": (BAD, request(f"{GOOD}&sid=polls&sid=bad")),
    "H155 POST": (METHOD, request(method="POST")),
    "H157 h2c": (BAD, request(Upgrade="h2c")),
    "H158 no Connection": (BAD, request(Connection=None)),
    "H169 unknown sid": (UNKNOWN_SID, request(f"{GOOD}&sid=nope")),
    "H170 polling with upgrade": (BAD, request(POLLING)),
    "H173 upgrade of a websocket": (BAD, request(f"{GOOD}&sid=websocket")),
    "H174 polling on a websocket": (BAD, plain(f"{POLLING}&sid=websocket")),
    "H174 a plain request for a websocket": (BAD, plain(f"{GOOD}&sid=websocket")),
    "a plain request for a websocket, of one that polls": (BAD, plain(f"{GOOD}&sid=polls")),
    "an upgrade to polling, of one that polls": (BAD, request(f"{POLLING}&sid=polls")),
    "an upgrade by POST": (BAD, request(f"{GOOD}&sid=polls", method="POST")),
    "a second upgrade": (BAD, request(f"{GOOD}&sid=upgrading")),
    **{
        f"{method} to one that polls": (BAD, plain(f"{POLLING}&sid=polls", method=method))
        for method in ("PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")
    },
    "protocol 3 to one of 4": (BAD, plain(f"{EIO3_POLLING}&sid=polls")),
    "no protocol to one of 4": (BAD, plain("transport=polling&sid=polls")),
    "protocol 4 to one of 3": (BAD, plain(f"{POLLING}&sid=polls3")),
    "protocol 3 upgrades one of 4": (BAD, request("EIO=3&transport=websocket&sid=polls")),
    "an upgrade of one that has ended": (UNKNOWN_SID, request(f"{GOOD}&sid=ended")),
    "PUT to one that has ended": (UNKNOWN_SID, plain(f"{POLLING}&sid=ended", method="PUT")),
    "the transport is judged before the sid": (UNKNOWN, request("EIO=4&transport=x&sid=x")),
    "the sid before the method": (UNKNOWN_SID, request(f"{GOOD}&sid=x", method="PUT")),
    "the method before the upgrade": (METHOD, plain(GOOD, method="POST")),
}


@pytest.mark.parametrize(("code", "found"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(sessions, code, found):
    error = refusal(sessions.checks(), found)
    assert (error.code, error.message) == (code, MESSAGES[code])
    assert error.answer(found)[0] == 400


@pytest.mark.parametrize(
    ("protocol", "found"),
    [
        (4, request()),
        (4, request("transport=websocket&t=x&EIO=4&b=%00&c=%ff%zz")),  # H76, H77
        (4, request("tr%61nsport=websock%65t&E%49O=%34")),
        (4, request(f"{GOOD}&sid=")),  # as the reference
        (4, request(Connection="keep-alive, Upgrade")),  # H159
        (4, request(Upgrade="websocket, foo")),  # H161
        (4, request(Sec_WebSocket_Extensions=";" * 10_000)),  # H165
        (4, request(Sec_WebSocket_Extensions="__proto__; x=y")),  # H166
        (4, request(Sec_WebSocket_Protocol="a" + " " * 5000 + ", b")),  # H167
        (4, plain()),
        (4, plain(f"{POLLING}&sid=")),
        (3, plain(EIO3_POLLING)),
        (3, plain("transport=polling")),
        (3, plain("EIO=5&transport=polling")),
        (3, request("EIO=3&transport=websocket")),
    ],
)
def test_new_sessions(sessions, protocol, found):
    checks = sessions.checks()
    assert checks.check(found) == protocol
    assert admitted(checks, found, protocol) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("name", "query"), [("polls", POLLING), ("polls3", EIO3_POLLING), ("upgrading", POLLING)])
def test_those_who_poll(sessions, name, query, method):
    """Also while an upgrade is under way."""
    found = sessions.checks().check(plain(f"{query}&sid={name}", method=method))
    assert found is sessions.engine.clients[name].transport


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_those_who_have_ended_and_were_not_told(sessions, method):
    found = sessions.checks().check(plain(f"{POLLING}&sid=ended", method=method))
    assert found is sessions.stage.core.lingering["ended"]


@pytest.mark.parametrize(("name", "protocol"), [("polls", 4), ("polls3", 3)])
def test_upgrades(sessions, name, protocol):
    found = sessions.checks().check(request(f"EIO={protocol}&transport=websocket&sid={name}"))
    assert found is sessions.engine.clients[name]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, 426),  # H153
        ({"Sec_WebSocket_Version": None}, 426),  # H154
        ({"Sec_WebSocket_Version": "13, 8"}, 426),
        ({"Sec_WebSocket_Key": None}, 400),  # H150
        ({"Sec_WebSocket_Key": KEY[:-1]}, 400),  # H151
    ],
)
@pytest.mark.parametrize("query", [GOOD, f"{GOOD}&sid=polls"])
def test_websocket_headers(sessions, query, headers, status):
    found = request(query, **headers)
    error = refusal(sessions.checks(), found)
    assert error.code == BAD_REQUEST
    got, more, body = error.answer(found)
    assert got == status
    assert more[1:] == ([("Sec-WebSocket-Version", "13")] if status == 426 else [])
    assert body.decode() == error.message != MESSAGES[BAD_REQUEST]


# ---- options ----


@pytest.mark.parametrize("transports", [["polling"], ["websocket"]])
def test_transports(sessions, transports):
    checks = sessions.checks(transports=transports)
    for name, found in [("websocket", request()), ("polling", plain())]:
        error = refusal(checks, found)
        assert (error and error.code) == (None if name in transports else UNKNOWN)
    if transports == ["polling"]:
        assert refusal(checks, request(f"{GOOD}&sid=polls")).code == UNKNOWN


def test_allow_upgrades(sessions):
    checks = sessions.checks(allow_upgrades=False)
    assert refusal(checks, request(f"{GOOD}&sid=polls")).code == BAD_REQUEST
    assert refusal(checks, request()) is None
    assert refusal(checks, plain()) is None


@pytest.mark.parametrize(
    "found", [plain(EIO3_POLLING), plain("transport=polling"), request("EIO=3&transport=websocket")]
)
def test_allow_eio3(sessions, found):
    assert refusal(sessions.checks(allow_eio3=False), found).code == PROTOCOL
    assert refusal(sessions.checks(allow_eio3=True), found) is None


def test_protocol_before_version(sessions):
    found = request("EIO=3&transport=websocket", Sec_WebSocket_Version="8")
    assert refusal(sessions.checks(allow_eio3=False), found).code == PROTOCOL


@pytest.mark.parametrize(
    ("path", "slash", "matches"),
    [
        ("/socket.io/", True, True),
        ("/socket.io/anything", True, True),  # H72
        ("/socket.io", True, False),
        ("/socket.io", False, True),
        ("/socket.io/", False, True),
        ("/socket.iox", False, False),
        ("/socket.iox/", True, False),
        ("/socket.io/../app", True, False),  # H68
        ("/socket.io/./", True, False),
        ("/socket.io/.x/..y/", True, True),
        ("/app/../socket.io/", True, False),
        ("//socket.io/", True, False),  # H69
        ("/socket%2eio/", True, False),  # H70
        ("/Socket.io/", True, False),
        ("/", True, False),
    ],
)
def test_path(path, slash, matches):
    assert Handshake(resolve(add_trailing_slash=slash), {}, {}).matches(path) is matches


@pytest.mark.parametrize("path", ["/", "/x/", "/x"])
def test_other_paths(path):
    checks = Handshake(resolve(path=path), {}, {})
    assert checks.matches(path.rstrip("/") + "/")
    assert checks.matches("/socket.io/") is (path == "/")


# ---- allow_request ----


def deny(found):
    if found.query.get("deny") == "1":
        raise ConnectError("custom msg")
    return found.query.get("deny") != "2"


def failing(found):
    raise RuntimeError("a secret")


@pytest.mark.parametrize(("query", "message"), [("deny=1", "custom msg"), ("deny=2", "Forbidden"), ("deny=0", None)])
def test_allow_request(sessions, query, message):
    found = plain(f"{POLLING}&{query}")
    error = refusal(sessions.checks(allow_request=deny), found)
    assert (error and error.message) == message
    if error:
        status, headers, body = error.answer(found)
        assert (status, headers) == (403, [("Content-Type", "application/json")])
        assert json.loads(body) == {"code": 4, "message": message}


def test_allow_request_must_say_so(sessions, caplog, monkeypatch):
    monkeypatch.setattr("fastsio.limits._logged", {})
    assert refusal(sessions.checks(allow_request=lambda found: None), plain()).code == FORBIDDEN
    error = refusal(sessions.checks(allow_request=failing), plain())
    assert (error.code, error.message) == (FORBIDDEN, "Forbidden")
    (record,) = caplog.records
    assert record.exc_info


def test_it_is_asked_before_the_protocol_and_only_for_new_sessions(sessions):
    checks = sessions.checks(allow_request=failing, allow_eio3=False)
    assert refusal(checks, plain(EIO3_POLLING)).code == FORBIDDEN
    assert refusal(checks, plain(f"{POLLING}&sid=polls")) is None
    assert refusal(checks, request(f"{GOOD}&sid=polls")) is None


# ---- what a refusal says ----


@pytest.mark.parametrize("message", ["é€😀", "\ud800", '"', "\r\nA: b"])
def test_any_message_can_be_sent(message):
    error = Refusal(FORBIDDEN, message)
    status, _, body = error.answer(plain())
    assert (status, json.loads(body)) == (403, {"code": 4, "message": message})
    status, _, body = error.answer(request())
    assert (status, body.decode()) == (400, message.replace("\ud800", "?"))


def test_a_refusal_keeps_what_was_wrong(sessions):
    error = refusal(sessions.checks(), plain("EIO=4&transport=x"))
    assert error.context == {"transport": "x"}
    error = refusal(sessions.checks(), plain(f"{POLLING}&sid=nope"))
    assert error.context == {"sid": "nope"}
