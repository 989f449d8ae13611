"""What the engine answers on the wire: everything, once, and in order."""

import asyncio
import json

import pytest

from fastsio import ConnectError, Server
from fastsio.engine.static import StaticFile
from tests.engine.requests import GOOD, sent
from tests.wsclient import serving, wire


def plain(code, message, *headers):
    body = f'{{"code":{code},"message":"{message}"}}'
    return answer("400 Bad Request", body, "Content-Type: application/json", *headers)


def upgrade(text, *headers, status="400 Bad Request"):
    return answer(status, text, "Connection: close", "Content-type: text/html", *headers)


def answer(status, body, *headers):
    return f"HTTP/1.1 {status}", {*headers, f"Content-Length: {len(body)}"}, body


# The first ones as the reference answers, but for Date and its way to say how long the body is.
ANSWERS = {
    "golden: transport": (sent("EIO=4&transport=foo", upgrade=False), plain(0, "Transport unknown")),
    "golden: no transport": (sent("EIO=4", upgrade=False), plain(0, "Transport unknown")),
    "golden: sid": (sent(f"{GOOD}&sid=nope", upgrade=False), plain(1, "Session ID unknown")),
    "golden: method": (sent(method="POST", upgrade=False), plain(2, "Bad handshake method")),
    "golden: no upgrade": (sent(upgrade=False), plain(3, "Bad request")),
    "golden: upgrade, sid": (sent(f"{GOOD}&sid=nope"), upgrade("Session ID unknown")),
    "golden: upgrade, transport": (sent("EIO=4&transport=foo"), upgrade("Transport unknown")),
    "golden: upgrade, custom": (sent(GOOD + "&deny=1"), upgrade("custom msg")),
    "golden: upgrade, deny": (sent(GOOD + "&deny=2"), upgrade("Forbidden")),
    "golden: another path": (sent(path="/other", upgrade=False), answer("404 Not Found", "")),
    "golden: without slash": (sent(path="/socket.io", upgrade=False), answer("404 Not Found", "")),
    "H170 polling, upgrade": (sent("EIO=4&transport=polling"), upgrade("Bad request")),
    "H100 polling, sid": (sent("EIO=4&transport=polling&sid=nope", upgrade=False), plain(1, "Session ID unknown")),
    "H90 polling, method": (
        sent("EIO=4&transport=polling", method="POST", upgrade=False),
        plain(2, "Bad handshake method"),
    ),
    "1.0": (sent(upgrade=False, version="1.0"), plain(3, "Bad request", "Connection: close")),
    "close": (sent(upgrade=False, Connection="close"), plain(3, "Bad request", "Connection: close")),
    "H147 origin": (sent(Origin="http://evil.example"), upgrade("Forbidden", status="403 Forbidden")),
    "H153 version": (
        sent(Sec_WebSocket_Version="8"),
        upgrade("Unsupported websocket version", "Sec-WebSocket-Version: 13", status="426 Upgrade Required"),
    ),
    "H151 key": (sent(Sec_WebSocket_Key="x"), upgrade("Missing or invalid Sec-WebSocket-Key header")),
    "H155 upgrade, POST": (sent(method="POST"), upgrade("Bad handshake method")),
    "H171 upgrade, another path": (sent(path="/other"), answer("404 Not Found", "", "Connection: close")),
    "H68 dot segments": (sent(path="/socket.io/../app", upgrade=False), answer("404 Not Found", "")),
    "H162 not HTTP as we take it": (
        sent(Content_Length="5") + b"hello",
        answer("400 Bad Request", "an upgrade request has no body", "Connection: close"),
    ),
}


async def exchange(io, data, *, eof=False):
    """What the server answers to bytes, until it closes."""
    reader, writer = await asyncio.open_connection(*io.addresses[0])
    writer.write(data)
    if eof:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()


def deny(found):
    if found.query.get("deny") == "1":
        raise ConnectError("custom msg")
    return found.query.get("deny") != "2"


@pytest.mark.parametrize(("data", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_answers(data, expected):
    async with serving(allow_request=deny) as io:
        if "Connection: close" in expected[1]:
            got = await exchange(io, data)
        else:  # and the connection lives on
            end = sent(path="/end", upgrade=False, Connection="close")
            got, _, _ = (await exchange(io, data + end)).rpartition(b"HTTP/1.1 404")
        head, _, body = got.decode().partition("\r\n\r\n")
        status, *headers = head.split("\r\n")
        assert (status, set(headers), body) == expected
        assert len(headers) == len(set(headers))
        assert io.engine.clients_count == 0
        assert sum(io.engine.counters.values()) in (1, 2)


@pytest.mark.parametrize("version", ["EIO=3&", "EIO=5&", ""])
async def test_protocol_3_where_it_is_not_allowed(version):  # H86
    async with serving(allow_eio3=False) as io:
        got = await exchange(io, sent(version + "transport=websocket"))
        assert got.endswith(b"\r\n\r\nUnsupported protocol version")
        got = await exchange(io, sent(version + "transport=polling", upgrade=False, Connection="close"))
        assert got.endswith(b'{"code":5,"message":"Unsupported protocol version"}')
        assert io.engine.clients_count == 0
        assert io.engine.counters == {"refused: Unsupported protocol version": 2}


async def test_head_is_answered_without_a_body():  # H92
    async with serving() as io:
        got = await exchange(io, sent(method="HEAD", upgrade=False, Connection="close"))
        assert got.startswith(b"HTTP/1.1 400 ")
        assert b"Content-Length: 43\r\n" in got
        assert got.endswith(b"\r\n\r\n")


async def test_101():
    async with serving() as io:
        reader, writer = await asyncio.open_connection(*io.addresses[0])
        writer.write(sent())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head == (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        frame = await reader.readexactly(2)
        packet = await reader.readexactly(frame[1])
        assert packet[:1] == b"0"
        (sid,) = io.engine.clients
        assert json.loads(packet[1:])["sid"] == sid
        writer.close()
        await writer.wait_closed()


async def test_pipelined_requests_are_answered_in_order():
    async with serving() as io:
        io.engine.files["/page"] = StaticFile("text/plain", b"page")
        bad = sent("EIO=4", upgrade=False)
        last = sent(path="/page", upgrade=False, Connection="close")
        got = await exchange(io, sent(path="/page", upgrade=False) + bad + last)
        assert [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400", b"200"]
        got = await exchange(io, bad + b"garbage\r\n\r\n")  # H64
        assert [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]] == [b"400", b"400"]
        got = await exchange(io, bad * 20)
        assert [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]] == [b"400"] * 8 + [b"503"]


async def test_files():
    async with serving() as io:
        io.engine.files["/"] = StaticFile("text/html", b"<p>")
        assert (await exchange(io, sent(None, path="/", upgrade=False, Connection="close"))).endswith(b"\r\n\r\n<p>")
        assert (await exchange(io, sent(None, path="/"))).startswith(b"HTTP/1.1 404 ")  # no websocket there


async def test_a_request_and_the_end_of_the_connection():  # H177
    async with serving() as io:
        assert (await exchange(io, sent(None, path="/", upgrade=False), eof=True)).startswith(b"HTTP/1.1 404 ")


# ---- what the application decides ----


def good(origin):
    return origin == "http://good.example"


def failing(argument):
    raise RuntimeError("a secret")


def later(function):
    async def decide(argument):
        await asyncio.sleep(0)
        return function(argument)

    return decide


@pytest.mark.parametrize("when", [lambda function: function, later], ids=["sync", "async"])
async def test_functions_of_the_application(when, caplog):
    async with serving(allow_request=when(deny), origins=when(good)) as io:
        for data, expected in [
            (sent(GOOD + "&deny=1"), b"custom msg"),
            (sent(GOOD + "&deny=2"), b"Forbidden"),
            (sent(Origin="http://evil.example"), b"Forbidden"),
        ]:
            assert (await exchange(io, data)).endswith(b"\r\n\r\n" + expected)
        async with wire(io, join=True):
            (session,) = io.engine.clients.values()
            assert len(session.id) == 20


@pytest.mark.parametrize("when", [lambda function: function, later], ids=["sync", "async"])
async def test_nothing_leaks_of_what_they_raise(when, caplog, monkeypatch):
    monkeypatch.setattr("fastsio.limits._logged", {})
    async with serving(allow_request=when(failing)) as io:
        for _ in range(3):
            assert (await exchange(io, sent())).endswith(b"\r\n\r\nForbidden")
    async with serving(origins=when(failing)) as io:
        assert (await exchange(io, sent(Origin="http://a"))).endswith(b"\r\n\r\nForbidden")
    async with serving() as io:
        io.engine.generate_id = when(failing)
        assert (await exchange(io, sent())).startswith(b"HTTP/1.1 500 ")
        io.engine.generate_id = when(lambda found: "")
        assert (await exchange(io, sent())).startswith(b"HTTP/1.1 500 ")
        assert io.engine.counters == {"http 500": 2}
        assert io.engine.clients_count == 0
    assert len([record for record in caplog.records if record.exc_info]) == 3


async def test_ids_of_the_application():
    async with serving() as io:
        io.engine.generate_id = later(lambda found: "id-" + found.query["user"])
        async with wire(io, query=GOOD + "&user=7") as client:
            assert client.opened["sid"] == "id-7"
            assert (await exchange(io, sent(GOOD + "&user=7"))).startswith(b"HTTP/1.1 500 ")
            assert list(io.engine.clients) == ["id-7"]


class Slow:
    """An allow_request that is waited for."""

    def __init__(self):
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, found):
        self.asked.set()
        await self.go.wait()
        return True


async def test_a_decision_that_comes_too_late(monkeypatch):
    monkeypatch.setattr("fastsio.engine.connection.HANDSHAKE_TIMEOUT", 0.05)
    slow = Slow()
    async with serving(allow_request=slow) as io:
        answer = await exchange(io, sent())
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert answer.count(b"HTTP/1.1") == 1
        slow.go.set()
        await asyncio.sleep(0.02)
        assert io.engine.clients_count == 0
        assert io.engine.counters == {"http 503": 1}


async def test_a_client_that_is_gone_before_the_decision():
    slow = Slow()
    async with serving(allow_request=slow) as io:
        _, writer = await asyncio.open_connection(*io.addresses[0])
        writer.write(sent())
        await slow.asked.wait()
        writer.transport.abort()
        await asyncio.sleep(0.01)
        slow.go.set()
        async with asyncio.timeout(5):
            while io.engine._connections:
                await asyncio.sleep(0.001)
        assert io.engine.clients_count == 0
        assert io.engine.counters == {}


async def test_the_server_closes_before_the_decision():
    slow = Slow()
    io = Server(allow_request=slow)
    await io.listen(0)
    answering = asyncio.create_task(exchange(io, sent()))
    await slow.asked.wait()
    await io.close()
    slow.go.set()
    assert not (await answering).startswith(b"HTTP/1.1 101 ")
    assert io.engine.clients_count == 0
