"""The application's HTTP requests on a connection that keeps the rest to itself."""

import asyncio
import logging

from tests.hosting.fake import answer, head, hosted


async def path(scope, receive, send):
    assert scope["type"] == "http"
    await answer(send, scope["path"].encode())


async def echo(scope, receive, send):
    """The body, piece by piece."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})


async def test_one_request_after_the_other():
    async with hosted(path) as connection:
        for target in ("/one", "/two", "/three%20"):
            connection.get(target)
            assert connection.host.busy
            status, headers, body = await connection.answer()
            assert (status, body) == (200, target.replace("%20", " ").encode())
            assert headers["date"].endswith("GMT")
            assert "connection" not in headers
            assert not connection.host.busy
        assert not connection.closed


async def test_scope():
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await answer(send, b"")

    async with hosted(app, secure=True) as connection:
        connection.get("/a%62?c=d", "X-Y: z")
        await connection.answer()
    (scope,) = scopes
    assert scope["scheme"] == "https"
    assert scope["client"] == ("192.0.2.1", 4242)
    assert scope["server"] == ("192.0.2.2", 80)
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/ab", b"/a%62", b"c=d")
    assert scope["headers"] == [(b"host", b"a"), (b"x-y", b"z")]


async def test_streamed_answer():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"three", b""):
            await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})

    async with hosted(app) as connection:
        connection.get()
        _, headers, body = await connection.answer()
        assert headers["transfer-encoding"] == "chunked"
        assert body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_streamed_body():
    async with hosted(echo) as connection:
        connection.host.request(head("POST", "/", "Transfer-Encoding: chunked"))
        await connection.until(lambda: connection.sent)
        connection.host.data(b"3\r\none")
        await connection.until(lambda: b"one" in connection.sent)
        connection.host.data(b"\r\n5\r\nthr")
        await connection.until(lambda: b"thr" in connection.sent)
        assert not connection.done
        connection.host.data(b"ee\r\n0\r\n\r\n")
        _, _, body = await connection.answer()
        assert body.endswith(b"0\r\n\r\n")


async def test_body_of_known_length():
    async with hosted(echo) as connection:
        connection.host.request(head("POST", "/", "Content-Length: 5"))
        connection.host.data(b"he")
        connection.host.data(b"llo")
        _, _, body = await connection.answer()
        assert body == b"5\r\nhello\r\n0\r\n\r\n"


async def test_expect_continue_is_met_when_the_application_reads():
    begin = asyncio.Event()

    async def app(scope, receive, send):
        await begin.wait()
        await answer(send, (await receive())["body"])

    async with hosted(app) as connection:
        connection.host.request(head("POST", "/", "Content-Length: 2", "Expect: 100-continue"))
        await asyncio.sleep(0.01)
        assert not connection.sent
        begin.set()
        await connection.until(lambda: connection.sent)
        assert bytes(connection.sent) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sent.clear()
        connection.host.data(b"ok")
        assert (await connection.answer())[2] == b"ok"


async def test_the_rest_of_a_body_that_nobody_reads_is_skipped():
    async with hosted(path) as connection:
        connection.host.request(head("POST", "/early", "Content-Length: 6"))
        assert (await connection.answer())[2] == b"/early"
        connection.host.data(b"abc")
        connection.host.data(b"def")
        connection.get("/next")
        assert (await connection.answer())[2] == b"/next"


async def test_a_malformed_body():
    async with hosted(echo) as connection:
        connection.host.request(head("POST", "/", "Transfer-Encoding: chunked"))
        connection.host.malformed("a bad chunk")
        status, headers, body = await connection.answer()
        assert (status, headers["connection"], body) == (400, "close", b"a bad chunk")
        connection.host.malformed("a bad chunk")
    async with hosted(echo) as connection:
        connection.host.request(head("POST", "/", "Transfer-Encoding: chunked"))
        connection.host.data(b"1\r\nx\r\n")
        await connection.until(lambda: connection.sent)
        connection.host.malformed("a bad chunk")
        assert connection.closed and b" 400 " not in connection.sent


async def test_connection_close_of_the_client():
    async with hosted(path) as connection:
        connection.get("/", "Connection: close")
        _, headers, _ = await connection.answer()
        assert headers["connection"] == "close"
        assert connection.closed


async def test_connection_close_of_the_application():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Connection", b"close")]})
        await send({"type": "http.response.body"})

    async with hosted(app) as connection:
        connection.get()
        await connection.answer()
        assert connection.closed


async def test_exception_before_the_answer(caplog):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            raise ArithmeticError("on purpose")

    async with hosted(app) as connection:
        connection.get()
        status, _, body = await connection.answer()
        assert (status, body) == (500, b"Internal Server Error")
        assert connection.closed
    assert any("on purpose" in str(record.exc_info) for record in caplog.records)


async def test_exception_within_the_answer():
    async def app(scope, receive, send):
        await answer(send, b"half", more=True)
        raise ArithmeticError("on purpose")

    async with hosted(app) as connection:
        connection.get()
        await connection.until(lambda: connection.closed)
        assert b"half" in connection.sent and not connection.done


async def test_exception_after_the_answer_does_not_hit_the_next_request():
    late, next_one = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/next":
            await next_one.wait()
        await answer(send, b"")
        if scope["path"] == "/first":
            await late.wait()
            raise ArithmeticError("on purpose")

    async with hosted(app) as connection:
        connection.get("/first")
        await connection.answer()
        connection.get("/next")
        late.set()
        await asyncio.sleep(0.01)
        assert not connection.closed
        next_one.set()
        await connection.answer()
        assert not connection.closed


async def test_the_client_goes_away():
    told = []

    async def app(scope, receive, send):
        assert (await receive())["type"] == "http.request"
        told.append(await receive())

    async with hosted(app) as connection:
        connection.get()
        await asyncio.sleep(0.01)
        assert not connection.host.on_eof(connection)
        connection.host.lost(None)
        await connection.until(lambda: told)
        assert told == [{"type": "http.disconnect"}]
        assert not connection.sent


async def test_no_timer_of_uvicorn_closes_an_idle_connection():
    async with hosted(path) as connection:
        connection.get()
        await connection.answer()
        assert connection.host.protocol.timeout_keep_alive_task is None


async def test_the_peer_reads_slowly():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"two", b""):
            await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})

    async with hosted(app) as connection:
        connection.host.pause_writing()  # by what was sent before the request
        connection.get()
        await asyncio.sleep(0.01)
        assert not connection.sent
        connection.host.resume_writing()
        await connection.answer()
        connection.get()
        await connection.answer()


async def test_the_application_reads_slowly():
    begin = asyncio.Event()

    async def app(scope, receive, send):
        await begin.wait()
        await echo(scope, receive, send)

    async with hosted(app) as connection:
        connection.host.request(head("POST", "/", "Content-Length: 100000"))
        connection.host.data(bytes(70_000))
        assert not connection.reading
        begin.set()
        await connection.until(lambda: connection.reading)
        connection.host.data(bytes(30_000))
        await connection.answer()


async def test_shutdown_waits_for_the_answer():
    begin = asyncio.Event()

    async def app(scope, receive, send):
        await begin.wait()
        await answer(send, b"late")

    async with hosted(app) as connection:
        connection.get()
        await asyncio.sleep(0.01)
        connection.host.shutdown()
        assert not connection.closed
        begin.set()
        _, headers, body = await connection.answer()
        assert (headers["connection"], body) == ("close", b"late")
        assert connection.closed


async def test_a_declined_upgrade_closes():
    """What uvicorn takes for no upgrade is answered, but what follows such a request is not HTTP for us."""
    async with hosted(path) as connection:
        upgrade = ["Connection: Upgrade", "Upgrade: websocket, other"]
        connection.host.request(head("GET", "/", *upgrade), upgrade=True)
        assert (await connection.answer())[0] == 200
        assert connection.closed


async def test_access_log(caplog):
    with caplog.at_level(logging.INFO, logger="uvicorn.access"):
        async with hosted(path) as connection:
            connection.get("/seen?x")
            await connection.answer()
    assert '192.0.2.1:4242 - "GET /seen?x HTTP/1.1" 200' in caplog.messages
