"""ASGIApp: HTTP under any ASGI server, and the application beside it."""

import asyncio
import json
import logging

import pytest

import fastsio.asgi
from fastsio import ASGIApp, Engine, Server
from tests.hosting.asgi import POLL, TIMEOUT, Call, closing, http, scope

MB = 1024 * 1024


@pytest.fixture
async def app():
    io = Server(max_http_buffer_size=1000)
    io.event("echo")(lambda socket, *args: args)
    made = ASGIApp(io)
    made.io = io
    made.told = []
    io.event("disconnect")(lambda socket, reason, description: made.told.append((reason, description)))
    async with closing(made):
        yield made


async def opened(app):
    """The query of a new session."""
    status, headers, body = await http(app).answer()
    assert status == 200
    assert headers["content-length"] == str(len(body))
    return f"{POLL}&sid={json.loads(body[1:])['sid']}"


async def joined(app):
    query = await opened(app)
    assert await http(app, query, b"40", method="POST").answer() == (
        200,
        {"content-type": "text/html", "cache-control": "no-store", "content-length": "2"},
        b"ok",
    )
    assert (await http(app, query).answer())[2].startswith(b'40{"sid":"')
    return query


async def test_polling(app):
    query = await joined(app)
    waiting = http(app, query)
    await asyncio.sleep(0.01)
    assert waiting.from_app.empty()
    await http(app, query, b'421["echo",1]', method="POST").answer()
    assert (await waiting.answer())[2] == b"431[1]"


async def test_what_the_handshake_knows(app):
    seen = []
    app.io.on("connection", lambda socket: seen.append(socket.handshake))
    await joined(app)
    (handshake,) = seen
    assert handshake.address == "192.0.2.1"
    assert handshake.secure is False
    assert handshake.headers["Host"] == "a:3000"
    assert handshake.query["transport"] == "polling"


async def test_a_body_in_pieces(app):
    query = await joined(app)
    post = http(app, query, method="POST")
    for body, more in ((b'422["ec', True), (b"", True), (b'ho","pieces"]', False)):
        post.tell(type="http.request", body=body, more_body=more)
    assert (await post.answer())[2] == b"ok"
    assert (await http(app, query).answer())[2] == b'432["pieces"]'


async def test_a_body_of_known_length_in_pieces(app):
    query = await joined(app)
    headers = [(b"Host", b"a"), (b"Content-Length", b"4")]
    post = http(app, query, method="POST", headers=headers)
    post.tell(type="http.request", body=b"42", more_body=True)
    post.tell(type="http.request", body=b"[]", more_body=False)
    await post.answer()


@pytest.mark.parametrize("headers", [[(b"host", b"a")], [(b"host", b"a"), (b"content-length", b"1500")]])
async def test_a_body_above_the_limit(app, headers):
    """413, however its length is told; the session lives."""
    query = await joined(app)
    post = http(app, query, method="POST", headers=headers)
    for _ in range(3):
        post.tell(type="http.request", body=bytes(500), more_body=True)
    assert (await post.answer())[0] == 413
    await http(app, query, b'423["echo"]', method="POST").answer()
    assert (await http(app, query).answer())[2] == b"433[]"


async def test_a_body_that_does_not_come(app, monkeypatch):
    monkeypatch.setattr(fastsio.asgi, "BODY_TIMEOUT", 0.05)
    query = await joined(app)
    post = http(app, query, method="POST")
    post.tell(type="http.request", body=b"4", more_body=True)
    assert (await post.answer())[0] == 408


async def test_the_client_of_a_get_goes(app):
    query = await joined(app)
    waiting = http(app, query)
    await asyncio.sleep(0.01)
    waiting.tell(type="http.disconnect")
    await waiting.end()
    assert app.told == [("transport error", "poll connection closed prematurely")]


async def test_the_client_of_a_post_goes(app):
    query = await joined(app)
    post = http(app, query, method="POST")
    post.tell(type="http.request", body=b"4", more_body=True)
    await asyncio.sleep(0.01)
    post.tell(type="http.disconnect")
    await post.end()
    assert app.told == [("transport error", "data request connection closed prematurely")]


async def test_the_server_cancels(app):
    query = await joined(app)
    waiting = http(app, query)
    await asyncio.sleep(0.01)
    waiting.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task
    assert len(app.told) == 1


async def test_two_at_a_time(app):
    for method, body in (("GET", None), ("POST", b"4")):
        query = await joined(app)
        first = http(app, query, method=method)
        first.tell(type="http.request", body=body or b"", more_body=method == "POST")
        await asyncio.sleep(0.01)
        second = http(app, query, method=method)
        second.tell(type="http.request", body=body or b"", more_body=False)
        assert (await second.answer())[0] == 400
        first.tell(type="http.disconnect")
        await asyncio.wait_for(first.task, TIMEOUT)
    assert len(app.told) == 2


async def test_refusals(app):
    assert (await http(app, "EIO=4&transport=nothing").answer())[2] == b'{"code":0,"message":"Transport unknown"}'
    assert (await http(app, "EIO=4&transport=websocket").answer())[0] == 400
    status, headers, body = await http(app, POLL + "&sid=x", method="HEAD", body=b"").answer()
    assert (status, body) == (400, b"")
    assert int(headers["content-length"]) > 0
    odd = [(b"host", b"a"), (b"x", b"1\r\nhost: b")]
    assert (await http(app, headers=odd).answer())[0] == 400
    assert (await http(app, method="PATCHY", body=b"").answer())[0] == 501


async def test_no_line_break_comes_into_a_header(app):
    app.engine.use(lambda request: {"X": "1\r\nY: 2"})
    status, headers, _ = await http(app).answer()
    assert status == 400
    assert "x" not in headers


async def test_a_host_is_made_where_there_is_none(app):
    assert (await http(app, headers=[]).answer())[0] == 200
    assert (await http(app, headers=[], server=None).answer())[0] == 200
    assert (await http(app, headers=[], server=("/run/a.sock", None)).answer())[0] == 200


async def test_no_decision_in_time(monkeypatch):
    monkeypatch.setattr(fastsio.asgi, "DECISION_TIMEOUT", 0.05)

    async def never(request):
        await asyncio.sleep(60)

    async with closing(ASGIApp(Server(allow_request=never))) as app:
        assert (await http(app).answer())[0] == 503
        assert app.engine.clients_count == 0
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def test_a_decision_that_comes_later():
    async def later(request):
        await asyncio.sleep(0.02)
        return True

    async with closing(ASGIApp(Server(allow_request=later))) as app:
        await opened(app)


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/socket.io/", ""),
        ("/below/socket.io/", "/below"),
        ("/socket.io/", "/below"),
        ("/below/socket.io/", "/below/"),
    ],
)
async def test_mounted(app, path, root):
    assert (await http(app, path=path, root_path=root).answer())[0] == 200


async def test_the_whole_path_may_be_the_engines():
    async with closing(ASGIApp(Server(path="/below/socket.io"))) as app:
        assert (await http(app, path="/below/socket.io/", root_path="/below").answer())[0] == 200


@pytest.mark.parametrize("raw_path", [None, b"/socket.io/?EIO=3"])
async def test_paths_as_servers_tell_them(app, raw_path):
    assert (await http(app, raw_path=raw_path).answer())[0] == 200


async def test_an_engine_alone():
    async with closing(ASGIApp(Engine())) as app:
        assert (await http(app, path="/engine.io/").answer())[0] == 200


async def test_one_line_says_which_way(caplog):
    caplog.set_level(logging.INFO)
    async with closing(ASGIApp(Server())) as app:
        await opened(app)
        await opened(app)
    assert [line for line in caplog.messages if "fastsio" in line] == [
        "fastsio: as an ASGI application: with uvicorn, --http fastsio.uvicorn:HttpProtocol is faster"
    ]


# ---- the other application ----


async def test_no_other_application(app):
    assert (await http(app, path="/other").answer())[0] == 404
    call = Call(app, scope("websocket", "/other"), {"type": "websocket.connect"})
    assert (await call.next())["type"] == "websocket.close"
    await call.end()


async def test_the_other_application():
    async def other(scope, receive, send):
        await send({"type": scope["path"], "got": await receive()})

    async with closing(ASGIApp(Server(), other)) as app:
        for kind in ("http", "websocket"):
            call = Call(app, scope(kind, "/x"), {"type": "something"})
            assert await call.next() == {"type": "/x", "got": {"type": "something"}}
            await call.end()


async def lifespan(app):
    """What the application says to the whole of it."""
    call = Call(app, {"type": "lifespan", "asgi": {"version": "3.0"}}, {"type": "lifespan.startup"})
    said = [(await call.next())["type"]]
    query = await opened(app)
    waiting = http(app, query)
    await asyncio.sleep(0.01)
    call.tell(type="lifespan.shutdown")
    assert (await waiting.answer())[2] == b"1"
    said.append((await call.next())["type"])
    await call.end()
    return said


COMPLETE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_lifespan():
    assert await lifespan(ASGIApp(Server())) == COMPLETE


async def test_lifespan_of_the_other():
    told = []

    async def other(scope, receive, send):
        assert scope["type"] == "lifespan"
        for _ in range(2):
            told.append((await receive())["type"])
            await send({"type": told[-1] + ".complete"})

    assert await lifespan(ASGIApp(Server(), other)) == COMPLETE
    assert told == ["lifespan.startup", "lifespan.shutdown"]


async def test_lifespan_unknown_to_the_other():
    async def other(scope, receive, send):
        raise ValueError("only HTTP here")

    assert await lifespan(ASGIApp(Server(), other)) == COMPLETE


async def test_lifespan_that_fails():
    async def other(scope, receive, send):
        await receive()
        raise ArithmeticError("on purpose")

    async with closing(ASGIApp(Server(), other)) as app:
        call = Call(app, {"type": "lifespan"}, {"type": "lifespan.startup"})
        with pytest.raises(ArithmeticError):
            await call.task
