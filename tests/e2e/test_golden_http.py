"""HTTP traffic recorded from the reference server, replayed in its order: what curl sent is sent, what came must come.

The sections' headings are curl's arguments. A session that is used without having been opened in the recording is
opened first. Compared as in tests/differential, with the same list of deliberate differences.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.differential.runner import PATIENCE, SILENCE, Target
from tests.differential.servers import ours
from tests.differential.steps import EIO3, EIO4, head, url
from tests.differential.test_differential import expected
from tests.differential.wire import Ids, Wire
from tests.requirements import require_npm

GOLDEN = Path(__file__).parent.parent / "golden"
RECORDED = {"http.txt": "cors", "http-extra.txt": "cors"}  # file -> the variant of the server
# What http-extra.txt kept of the headers.
FEW = frozenset({"content-type", "cache-control"}).__contains__
ARGUMENT = re.compile(
    r"(?:^| )(-X|-H|-d|-I|--data-binary|--data-urlencode|--compressed|--http1\.1|--max-time|(?=http://127))"
)


class Section(NamedTuple):
    """answer: the bytes that were recorded; empty when nothing came."""

    name: str
    method: str
    target: str
    fields: list[str]
    body: bytes | None
    answer: bytes


def uncat(text: str) -> bytes:
    """What `cat -v` was given."""
    whole = re.sub(r"M-\^(.)", lambda m: chr(128 + (ord(m[1]) ^ 64)), text)
    whole = re.sub(r"M-(.)", lambda m: chr(128 + ord(m[1])), whole)
    return re.sub(r"\^([@-_])", lambda m: chr(ord(m[1]) ^ 64), whole).encode("latin-1")


def arguments(heading: str) -> list[tuple[str, str]]:
    """(option, value) of curl's arguments, the URL with the option ""."""
    _, *parts = ARGUMENT.split(heading)
    return [(option, value.strip()) for option, value in zip(parts[::2], parts[1::2], strict=True)]


def body_of(option: str, value: str) -> bytes:
    if value.startswith("@big.txt"):
        return b"4" * 1_000_001
    if option == "--data-urlencode":
        name, _, content = value.partition("=")
        return f"{name}={quote(content, safe='')}".encode()
    return value.encode()


def section(heading: str, answer: str) -> Section:
    method, fields, body, target = "GET", [], None, ""
    for option, value in arguments(heading):
        if option == "":
            target = value.partition("3401")[2]
        elif option in ("-X", "-I"):
            method = value or "HEAD"
        elif option == "-H":
            fields.append(value)
        elif option == "--compressed":
            fields.append("Accept-Encoding: deflate, gzip, br, zstd")
        elif option.startswith("-d") or option.startswith("--data"):
            method, body = "POST" if method == "GET" else method, body_of(option, value)
    if body is not None and not any(field.startswith("Content-Type") for field in fields):
        fields.append("Content-Type: application/x-www-form-urlencoded")
    return Section(short(method, target, fields, body), method, target, fields, body, raw_answer(answer, method))


def short(method: str, target: str, fields: list[str], body: bytes | None) -> str:
    """What the list of differences calls a request."""
    name = re.sub(r"sid=[\w-]{20}", "sid=<sid>", target.removeprefix("/socket.io/"))
    method = "websocket" if "Upgrade: websocket" in fields else method
    told = [field for field in fields if field.startswith(("Origin", "If-None-Match", "Accept-Encoding"))]
    size = [f"of {len(body)} bytes"] if body is not None and len(body) > 1000 else []
    return " ".join([method, name, *told, *size])


def raw_answer(answer: str, method: str) -> bytes:
    """The bytes of a recorded answer; the recorder had undone the chunks."""
    start, _, body = answer.strip("\n").partition("\n\n")
    if not start:
        return b""
    lines = [line for line in start.split("\n") if not line.startswith("Transfer-Encoding")]
    content = b"" if method == "HEAD" else uncat(body)
    if "101" not in lines[0] and not any(line.lower().startswith("content-length") for line in lines):
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def sections(name: str) -> list[Section]:
    parts = re.split(r"^### ", (GOLDEN / name).read_text(), flags=re.MULTILINE)[1:]
    parts = [re.sub(r"^sid .*\n", "", part, flags=re.MULTILINE) for part in parts]
    found: list[Section] = []
    for part in parts:
        one = section(*part.split("\n", 1))
        before = sum(other.name.partition(" (")[0] == one.name for other in found)
        found.append(one._replace(name=f"{one.name} ({before + 1})") if before else one)
    return found


def test_the_recordings_are_whole() -> None:
    assert [len(sections(name)) for name in RECORDED] == [44, 9]
    for one in (one for name in RECORDED for one in sections(name)):
        length = re.search(rb"Content-Length: (\d+)\r\n", one.answer)
        content = one.answer.partition(b"\r\n\r\n")[2]
        assert length is None or one.method == "HEAD" or int(length[1]) == len(content), one


class Replay:
    """ids: recorded session -> ours."""

    def __init__(self, target: Target, version: str) -> None:
        self.target, self.version = target, version
        self.ids: dict[str, str] = {}

    async def lines(self, one: Section) -> tuple[list[str], list[str]]:
        """What was recorded and what comes now."""
        match = re.search(r"sid=([\w-]{20})", one.target)
        recorded, now = Ids(), Ids()
        if match:
            if match[1] not in self.ids:
                self.ids[match[1]] = await self.open(one.target)
            recorded.sessions.append(match[1].encode())
            now.sessions.append(self.ids[match[1]].encode())
        before = await self.recorded(one, recorded)
        return before, await self.now(one, now, len(before))

    async def open(self, target: str) -> str:
        """A session like that which the request is for; JSONP ones were opened with index 0."""
        query = (EIO3 if "EIO=3" in target else EIO4) + ("&j=0" if "j=" in target else "")
        async with self.wire(ids := Ids()) as wire:
            wire.send(head("GET", url(query)))
            await asyncio.wait_for(wire.receive("answer"), PATIENCE)
        return ids.sessions[0].decode()

    async def recorded(self, one: Section, ids: Ids) -> list[str]:
        reader = asyncio.StreamReader()
        reader.feed_data(one.answer.replace(b"4.8.3", self.version.encode()))
        reader.feed_eof()
        wire = Wire(reader, None, ids, self.target.told)  # type: ignore[arg-type]  # nothing is written
        found = [await wire.receive("head" if one.method == "HEAD" else "answer")]
        while found[0].startswith("101") and not reader.at_eof():
            found.append(await wire.receive("frame"))
        return ["nothing"] if not one.answer else found

    async def now(self, one: Section, ids: Ids, count: int) -> list[str]:
        target = re.sub(r"sid=[\w-]{20}", "sid=<sid>", one.target) if ids.sessions else one.target
        fields = [field.replace("4.8.3", self.version) for field in one.fields]
        if one.body is not None:
            fields.append(f"Content-Length: {len(one.body)}")
        async with self.wire(ids) as wire:
            wire.send(head(one.method, target, *fields) + (one.body or b""))
            if not one.answer:
                return [await self.heard(wire, "answer", SILENCE)]
            found = [await self.heard(wire, "head" if one.method == "HEAD" else "answer", PATIENCE)]
            for _ in range(count - 1):
                found.append(await self.heard(wire, "frame", PATIENCE))
        return found

    async def heard(self, wire: Wire, what: str, patience: float) -> str:
        try:
            return await asyncio.wait_for(wire.receive(what), patience)
        except TimeoutError:
            return "nothing"

    @asynccontextmanager
    async def wire(self, ids: Ids) -> AsyncIterator[Wire]:
        wire = await Wire.connect(self.target.address, ids, self.target.told)
        try:
            yield wire
        finally:
            await wire.close()


@pytest.mark.parametrize("name", RECORDED)
async def test_recorded(name: str) -> None:
    version = json.loads((require_npm("socket.io-client") / "package.json").read_text())["version"]
    differing = []
    async with ours(RECORDED[name], "4") as target:
        replay = Replay(target._replace(told=FEW) if name == "http-extra.txt" else target, version)
        for one in sections(name):
            before, now = await replay.lines(one)
            if now != (wanted := expected("\n".join(before), one.name, name).split("\n")):
                differing.append(
                    "\n".join([one.name, *(f"  recorded {w}" for w in wanted), *(f"  now      {n}" for n in now)])
                )
    assert not differing, "\n" + "\n".join(differing)
