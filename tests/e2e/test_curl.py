"""curl as a long-polling client."""

from __future__ import annotations

import asyncio
import json
import re
from typing import NamedTuple

import pytest

from fastsio import Server
from tests.requirements import require
from tests.wsclient import serving

POLLING = "EIO=4&transport=polling"
PLACE = '{"_placeholder":true,"num":0}'
TIMEOUT = 20.0
TOLD = ("-w", "\ntold %{json}\n")


class Answer(NamedTuple):
    """reused: whether it came on a connection that had carried another before."""

    status: int
    headers: dict[str, str]
    body: bytes
    connections: int

    @property
    def text(self) -> str:
        return self.body.decode()


class Curl:
    """One session. Each call is a process of curl's own; several requests of one call share its connections."""

    def __init__(self, io: Server, *options: str) -> None:
        host, port = io.addresses[0]
        self.base = f"http://{host}:{port}/socket.io/?{POLLING}"
        self.options = options
        self.sid = ""

    @property
    def url(self) -> str:
        return f"{self.base}&sid={self.sid}"

    async def run(self, *arguments: str, sent: bytes = b"") -> list[Answer]:
        """The answers, of every request of the call."""
        process = await asyncio.create_subprocess_exec(
            *(require("curl"), "-q", "-s", "-S", "-i", "--noproxy", "*", "--max-time", str(TIMEOUT)),
            *(*TOLD, *self.options, *arguments),
            stdin=asyncio.subprocess.PIPE if sent else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(sent or None)
        assert process.returncode == 0, err.decode()
        return [parsed(one) for one in re.findall(rb"(HTTP/1.*?)\ntold (\{[^\n]*\})\n", out, re.DOTALL)]

    async def get(self, *arguments: str) -> Answer:
        (answer,) = await self.run(*arguments, self.url)
        return answer

    async def post(self, payload: str, *arguments: str) -> Answer:
        (answer,) = await self.run(*arguments, "--data-binary", "@-", self.url, sent=payload.encode())
        return answer

    async def open(self) -> Answer:
        (answer,) = await self.run(self.base)
        self.sid = json.loads(answer.text[1:])["sid"]
        return answer

    async def join(self) -> Answer:
        await self.open()
        assert (await self.post("40")).text == "ok"
        return await self.get()


def parsed(one: tuple[bytes, bytes]) -> Answer:
    head, _, body = one[0].partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    told = json.loads(one[1])
    assert int(start.split(" ")[1]) == told["http_code"]
    return Answer(told["http_code"], headers, body, told["num_connects"])


def install(io: Server) -> None:
    io.event("echo")(lambda socket, *args: args)
    io.event("big")(lambda socket, size: socket.emit("big", "x" * size))
    io.event("bin")(lambda socket: socket.emit("bin", b"\x01\x02\x03"))


async def test_handshake_connect_emit_receive():
    async with serving() as io:
        install(io)
        curl = Curl(io)
        opened = await curl.open()
        assert opened.status == 200
        assert opened.headers["content-type"] == "text/plain; charset=UTF-8"
        assert opened.headers["cache-control"] == "no-store"
        assert list(io.engine.clients) == [curl.sid]
        assert (await curl.post("40")).text == "ok"
        assert re.fullmatch(r'40\{"sid":"[\w-]{20}"\}', (await curl.get()).text)
        assert (await curl.post('420["echo","é€😀"]')).text == "ok"
        assert (await curl.get()).text == '430["é€😀"]'


async def test_a_get_that_waits():
    async with serving() as io:
        curl = Curl(io)
        await curl.join()
        waiting = asyncio.create_task(curl.get())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        io.emit("news", 1)
        assert (await waiting).text == '42["news",1]'
        io.emit("news", 2)
        io.emit("news", 3)
        assert (await curl.get()).text == '42["news",2]\x1e42["news",3]'


async def test_binary_both_ways():
    async with serving() as io:
        install(io)
        curl = Curl(io)
        await curl.join()
        assert (await curl.post(f'451-0["echo",{PLACE}]\x1ebAP8Q')).text == "ok"
        assert (await curl.get()).text == f"461-0[{PLACE}]\x1ebAP8Q"
        assert (await curl.post('42["bin"]')).text == "ok"
        assert (await curl.get()).text == f'451-["bin",{PLACE}]\x1ebAQID'


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
async def test_compressed(encoding):
    """curl undoes the coding itself, and fails where it is not what the header says."""
    async with serving() as io:
        install(io)
        curl = Curl(io, "--compressed", *(["-H", f"Accept-Encoding: {encoding}"] if encoding else []))
        await curl.join()
        await curl.post('42["big",50000]')
        answer = await curl.get()
        assert answer.text == '42["big","' + "x" * 50_000 + '"]'
        assert answer.headers["content-encoding"] in ([encoding] if encoding else ["gzip", "deflate", "br"])
        assert int(answer.headers["content-length"]) < 5_000
        await curl.post('42["big",10]')
        assert "content-encoding" not in (await curl.get()).headers


async def test_http_1_0():
    """No keep-alive with HTTP/1.0, even where it is asked for (H44)."""
    async with serving() as io:
        install(io)
        curl = Curl(io, "--http1.0", "-H", "Connection: keep-alive")
        assert (await curl.open()).headers["connection"] == "close"
        assert (await curl.post("40")).headers["connection"] == "close"
        assert (await curl.get()).text.startswith('40{"sid"')
        answers = await curl.run("-d", "6", curl.url, "--next", "-s", "-i", *TOLD, "-d", "6", curl.url)
        assert [(answer.status, answer.connections) for answer in answers] == [(200, 1), (200, 1)]


async def test_expect_100_continue():
    """curl waits a minute for the interim answer."""
    async with serving() as io:
        install(io)
        curl = Curl(io)
        await curl.join()
        payload = '420["echo","' + "y" * 30_000 + '"]'
        answer = await curl.post(payload, "-H", "Expect: 100-continue", "--expect100-timeout", "60")
        assert (answer.status, answer.text) == (200, "ok")
        assert (await curl.get()).text == payload.replace("42", "43", 1).replace('"echo",', "")


async def test_one_connection_for_all():
    async with serving() as io:
        install(io)
        curl = Curl(io)
        await curl.join()
        again = ("--next", "-s", "-S", "-i", *TOLD)
        answers = await curl.run(
            *("-d", '42["bin"]', curl.url, *again, curl.url, *again, "-d", '420["echo",1]', curl.url, *again, curl.url),
            *(*again, curl.base, *again, f"{curl.base}&sid=nope", *again, "-X", "PUT", "-d", "x", curl.url),
        )
        assert [answer.connections for answer in answers] == [1, 0, 0, 0, 0, 0, 0]
        assert [answer.status for answer in answers[:6]] == [200, 200, 200, 200, 200, 400]
        assert [answer.text for answer in answers[:4]] == ["ok", f'451-["bin",{PLACE}]\x1ebAQID', "ok", "430[1]"]
        assert 400 <= answers[6].status <= 500


async def test_chunked():
    async with serving() as io:
        install(io)
        curl = Curl(io)
        await curl.join()
        payload = '420["echo","' + "é" * 100_000 + '"]'
        assert (await curl.post(payload, "-H", "Transfer-Encoding: chunked")).text == "ok"
        assert (await curl.get()).text == '430["' + "é" * 100_000 + '"]'


@pytest.mark.parametrize("field", ["X-A: b", "Expect: 100-continue", "Transfer-Encoding: chunked"])
async def test_too_large(field):
    """413, whether curl tells the length or not; the session goes on."""
    async with serving() as io:
        install(io)
        curl = Curl(io)
        await curl.join()
        assert (await curl.post("4" + "x" * 1_000_000, "-H", field)).status == 413
        assert (await curl.post('420["echo",1]')).text == "ok"
        assert (await curl.get()).text == "430[1]"


async def test_close():
    async with serving() as io:
        reasons: list[str] = []
        io.event("disconnect")(lambda socket, reason: reasons.append(reason))
        curl = Curl(io)
        await curl.join()
        waiting = asyncio.create_task(curl.get())
        await asyncio.sleep(0.1)
        assert (await curl.post("1")).text == "ok"
        assert (await waiting).text == "6"
        assert reasons == ["transport close"]
        gone = await curl.get()
        assert (gone.status, json.loads(gone.body)) == (400, {"code": 1, "message": "Session ID unknown"})
        assert io.engine.clients_count == 0
