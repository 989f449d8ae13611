"""ASGIApp: websockets under any ASGI server."""

import asyncio
import json

import pytest

from fastsio import ASGIApp, Server
from fastsio.engine import asgi as module
from tests.hosting.asgi import GOOD, POLL, TIMEOUT, Call, closing, http, scope, websocket


class Site:
    """told: why sockets ended; received: what "keep" was called with."""

    def __init__(self, **options):
        self.io = Server(**options)
        self.app = ASGIApp(self.io)
        self.told, self.received = [], []
        self.io.event("echo")(lambda socket, *args: args)
        self.io.event("keep")(lambda socket, *args: self.received.append(args))
        self.io.event("disconnect")(lambda socket, reason, description: self.told.append((reason, description)))


@pytest.fixture
async def site():
    made = Site(max_http_buffer_size=1000)
    async with closing(made.app):
        yield made


async def accepted(call):
    """The headers with which it was accepted."""
    message = await call.next()
    assert message["type"] == "websocket.accept", message
    return message["headers"]


async def text(call):
    message = await call.next()
    assert message["type"] == "websocket.send", message
    return message["text"]


async def join(call):
    await accepted(call)
    assert (await text(call)).startswith('0{"sid":"')
    call.tell(type="websocket.receive", text="40")
    assert (await text(call)).startswith('40{"sid":"')


def say(call, data):
    if isinstance(data, str):
        call.tell(type="websocket.receive", text=data)
    else:
        call.tell(type="websocket.receive", text=None, bytes=data)


async def test_messages(site):
    async with websocket(site.app) as call:
        await join(call)
        say(call, '420["echo","é😀"]')
        assert await text(call) == '430["é😀"]'
        say(call, '451-1["echo",{"_placeholder":true,"num":0}]')
        say(call, b"\x00\xff")
        assert await text(call) == '461-1[{"_placeholder":true,"num":0}]'
        assert await call.next() == {"type": "websocket.send", "bytes": b"\x00\xff"}
    assert site.told == [("transport close", 1006)]
    assert site.app.engine.clients_count == 0


@pytest.mark.parametrize("size", [0, 1, 125 - 4, 126 - 4, 65_535 - 4, 65_536 - 4, 300_000])
async def test_sizes(site, size):
    async with websocket(site.app) as call:
        await join(call)
        for _ in range(2):
            site.io.emit("x" * size, b"y" * size)
        for _ in range(2):
            assert json.loads((await text(call)).partition("-")[2])[0] == "x" * size
            assert (await call.next())["bytes"] == b"y" * size


async def test_base64(site):
    async with websocket(site.app, GOOD + "&b64=1") as call:
        await join(call)
        site.io.emit("x", b"\xff")
        assert (await text(call)).startswith("451-")
        assert await text(call) == "b/w=="


async def test_protocol_3(site):
    async with websocket(site.app, "EIO=3&transport=websocket") as call:
        await accepted(call)
        assert (await text(call)).startswith('0{"sid":"')
        assert await text(call) == "40"
        say(call, "2")
        assert await text(call) == "3"
        site.io.emit("x", b"\xff")
        assert (await text(call)).startswith("451-")
        assert (await call.next())["bytes"] == b"\x04\xff"


async def test_headers_of_the_application(site):
    @site.app.engine.on("initial_headers")
    def more(headers, request):
        headers["X-Y"] = "z"

    async with websocket(site.app) as call:
        assert await accepted(call) == [(b"x-y", b"z")]


async def test_permessage_deflate_is_the_servers(site):
    """What it agrees on with the client is nothing of ours, although the header is in the scope."""
    made = Site(per_message_deflate={"threshold": 0})
    headers = [(b"host", b"a"), (b"sec-websocket-extensions", b"permessage-deflate")]
    async with closing(made.app), websocket(made.app, headers=headers) as call:
        await join(call)
        made.io.emit("x", "y" * 500)
        assert await text(call) == '42["x","' + "y" * 500 + '"]'


async def test_http_2_has_no_key(site):
    async with websocket(site.app, http_version="2", headers=[]) as call:
        await join(call)


# ---- refusals ----


async def test_refused(site):
    async with websocket(site.app, "EIO=4&transport=nothing") as call:
        assert (await call.next())["type"] == "websocket.close"
        await call.end()


async def test_refused_with_an_answer(site):
    async with websocket(site.app, "EIO=4&transport=nothing", extensions={"websocket.http.response": {}}) as call:
        start, body = await call.next(), await call.next()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 400)
        assert body == {"type": "websocket.http.response.body", "body": b"Transport unknown"}
        await call.end()


async def test_the_client_goes_before_the_decision():
    decide = asyncio.Event()

    async def slow(request):
        await decide.wait()

    made = Site(allow_request=slow)
    async with closing(made.app):
        async with websocket(made.app) as call:
            await asyncio.sleep(0.01)
        assert call.from_app.empty()
        decide.set()
        await asyncio.sleep(0.01)
        assert made.app.engine.clients_count == 0


# ---- the end ----


async def test_the_server_closes(site):
    async with websocket(site.app) as call:
        await join(call)
        site.io.emit("last")
        (socket,) = site.io.sockets.sockets.values()
        socket.disconnect(True)
        assert await text(call) == '42["last"]'
        assert await text(call) == "41"
        assert await call.next() == {"type": "websocket.close", "code": 1000}
        assert not call.task.done()
    assert site.told == [("server namespace disconnect", None)]


async def test_a_client_that_does_not_answer_the_close(site, monkeypatch):
    monkeypatch.setattr("fastsio.asgi.CLOSE_TIMEOUT", 0.05)
    async with websocket(site.app) as call:
        await join(call)
        (session,) = site.app.engine.clients.values()
        session.close()
        assert (await call.next())["type"] == "websocket.close"
        await call.end()


async def test_the_client_closes(site):
    async with websocket(site.app) as call:
        await join(call)
        call.tell(type="websocket.disconnect", code=4001)
        await call.end()
    assert site.told == [("transport close", 4001)]


@pytest.mark.parametrize("data", ["4" + "x" * 1000, bytes(1001)])
async def test_a_message_above_the_limit(site, data):
    async with websocket(site.app) as call:
        await join(call)
        say(call, data)
        say(call, '42["keep"]')
        assert await call.next() == {"type": "websocket.close", "code": 1009}
    assert site.told == [("transport error", "websocket protocol error 1009")]
    assert site.received == []


async def test_the_server_of_the_client_fails(site):
    """send() raises: the client has gone."""
    async with websocket(site.app) as call:
        await join(call)

        async def broken(message):
            raise OSError("gone")

        call.taken.acquire = lambda: broken(None)
        site.io.emit("x")
        await call.end()
    assert site.told == [("transport close", 1006)]


async def test_the_server_cancels(site):
    call = Call(site.app, scope("websocket", query=GOOD), {"type": "websocket.connect"})
    await join(call)
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert site.told == [("transport close", 1006)]


async def test_lifespan_ends_it(site):
    life = Call(site.app, {"type": "lifespan"}, {"type": "lifespan.startup"})
    assert (await life.next())["type"] == "lifespan.startup.complete"
    async with websocket(site.app) as call:
        await join(call)
        life.tell(type="lifespan.shutdown")
        assert (await call.next())["type"] == "websocket.close"
        assert life.from_app.empty()  # it waits
        call.tell(type="websocket.disconnect", code=1000)
        await call.end()
    assert (await life.next())["type"] == "lifespan.shutdown.complete"
    await life.end()
    assert site.told == [("server shutting down", None)]


# ---- a client that does not read ----


async def test_a_slow_client_holds_up_its_queue():
    """What waits is in the outbox, with its bound; one handover at a time is in Python's hands."""
    made = Site(max_backlog=100_000)
    async with closing(made.app), websocket(made.app) as call:
        await join(call)
        call.taken = asyncio.Semaphore(0)
        made.io.emit("first", "x" * 1000)
        await asyncio.sleep(0.01)
        (session,) = made.app.engine.clients.values()
        for number in range(50):
            made.io.emit("number", number)
        made.io.volatile.emit("dropped")
        await asyncio.sleep(0.01)
        assert session.buffered_amount > 1000
        assert call.from_app.empty()
        call.taken.release()  # the one that waits
        call.taken = asyncio.Semaphore(1000)
        assert (await text(call)).startswith('42["first"')
        assert [await text(call) for _ in range(50)] == [f'42["number",{number}]' for number in range(50)]
        made.io.emit("again")
        assert await text(call) == '42["again"]'


async def test_a_client_above_max_backlog():
    made = Site(max_backlog=20_000)
    async with closing(made.app), websocket(made.app) as call:
        await join(call)
        call.taken = asyncio.Semaphore(0)
        made.io.emit("first")
        await asyncio.sleep(0.01)
        for _ in range(30):
            made.io.emit("x", "y" * 1000)
        await call.end()
        assert made.app.engine.counters["max_backlog reached"] == 1
    assert made.told == [("transport error", "max_backlog reached")]


async def test_a_client_that_takes_nothing_for_long(monkeypatch):
    monkeypatch.setattr(module, "STALL_TIMEOUT", 0.1)
    made = Site()
    async with closing(made.app), websocket(made.app) as call:
        await join(call)
        call.taken = asyncio.Semaphore(0)
        made.io.emit("first")
        await asyncio.wait_for(asyncio.shield(call.task), TIMEOUT)
    assert made.told == [("transport error", "the peer stopped reading")]


async def test_a_client_that_takes_one_now_and_then(monkeypatch):
    monkeypatch.setattr(module, "STALL_TIMEOUT", 0.2)
    made = Site()
    async with closing(made.app), websocket(made.app) as call:
        await join(call)
        call.taken = asyncio.Semaphore(0)
        for number in range(6):
            made.io.emit("number", number)
        for number in range(6):
            await asyncio.sleep(0.06)
            call.taken.release()
            assert await text(call) == f'42["number",{number}]'
    assert made.told == [("transport close", 1006)]


async def test_heartbeat():
    made = Site(ping_interval=0.05, ping_timeout=0.1)
    async with closing(made.app), websocket(made.app) as call:
        await join(call)
        for _ in range(3):
            assert await text(call) == "2"
            say(call, "3")
        assert await text(call) == "2"
        assert (await call.next())["type"] == "websocket.close"
    assert made.told == [("ping timeout", None)]


# ---- the upgrade ----


async def test_upgrade(site):
    status, _, body = await http(site.app).answer()
    query = f"{POLL}&sid={json.loads(body[1:])['sid']}"
    await http(site.app, query, b"40", method="POST").answer()
    await http(site.app, query).answer()
    async with websocket(site.app, query.replace("polling", "websocket")) as call:
        await accepted(call)
        waiting = http(site.app, query)
        say(call, "2probe")
        assert await text(call) == "3probe"
        assert (await waiting.answer())[2] == b"6"
        for number in range(5):
            site.io.emit("number", number)
        say(call, "5")
        site.io.emit("number", 5)
        assert [await text(call) for _ in range(6)] == [f'42["number",{number}]' for number in range(6)]
        say(call, '427["echo"]')
        assert await text(call) == "437[]"
    assert site.told == [("transport close", 1006)]


async def test_a_probe_that_says_something_else(site):
    status, _, body = await http(site.app).answer()
    query = f"{POLL}&sid={json.loads(body[1:])['sid']}"
    for wrong in ("4hello", b"4"):
        async with websocket(site.app, query.replace("polling", "websocket")) as call:
            await accepted(call)
            say(call, wrong)
            assert (await call.next())["type"] == "websocket.close"
    assert site.app.engine.clients_count == 1


async def test_a_probe_that_says_nothing():
    made = Site(upgrade_timeout=0.05)
    async with closing(made.app):
        status, _, body = await http(made.app).answer()
        query = f"{POLL}&sid={json.loads(body[1:])['sid']}"
        async with websocket(made.app, query.replace("polling", "websocket")) as call:
            await accepted(call)
            assert (await call.next())["type"] == "websocket.close"
        assert made.app.engine.counters["upgrade timeout"] == 1
        assert made.app.engine.clients_count == 1
