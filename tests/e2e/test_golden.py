"""Traffic recorded from the reference server, replayed: what the client sent is sent, what came must come.

Websocket of both protocols; the sections on polling and on the upgrade, which the recorder told in words, have
their requests here, and what came is looked up in the recording. HTTP is in test_golden_http.py.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from fastsio import ConnectError, Server
from tests.differential.runner import play
from tests.differential.servers import ours
from tests.differential.steps import (
    EIO3,
    EIO4,
    answer,
    ask,
    case,
    close_frame,
    frames,
    get,
    joined,
    of,
    payload3,
    poll,
    post,
    send,
    waiting,
    websocket,
)
from tests.differential.test_differential import expected
from tests.e2e.rawws import BINARY, TEXT, Frame, RawWebSocket, binary, normalised, rawws, text
from tests.wsclient import serving

RECORDED = Path(__file__).parent.parent / "golden" / "websocket.txt"


class Section(NamedTuple):
    name: str
    query: str
    lines: list[tuple[str, str]]  # ("S>C" | "C>S" | "CLOSE", what)


def sections() -> list[Section]:
    """The recording. CLOSE 1006 is the recorder's own end, noted wherever it fell: not part of the traffic."""
    found: list[Section] = []
    for line in RECORDED.read_text().split("\n"):
        if match := re.fullmatch(r"## (.+?)  \?(.*)", line):
            found.append(Section(match[1], match[2], []))
        elif line.startswith("## "):
            break  # the sections in words
        elif match := re.fullmatch(r"  (S>C|C>S) (.*)", line):
            found[-1].lines.append((match[1], match[2]))
        elif (match := re.match(r"  CLOSE (\d+)", line)) and match[1] != "1006":
            found[-1].lines.append(("CLOSE", match[1]))
    return found


def packet(what: str) -> Frame:
    """A recorded packet, as a frame."""
    if match := re.fullmatch(r"<bin ([0-9a-f]*)>", what):
        return Frame(BINARY, bytes.fromhex(match[1]))
    if match := re.fullmatch(r"(\d)(.)\2* \.\.\.\((\d+) characters\)", what):
        return Frame(TEXT, (match[1] + match[2] * (int(match[3]) - 1)).encode())
    return Frame(TEXT, what.encode())


def without_ids(frame: Frame | None) -> Frame | None:
    """Engine.IO 3's too, which name the namespace."""
    got = normalised(frame)
    return got and Frame(got.opcode, re.sub(rb'#[\w-]{20}"', b'#<id>"', got.payload))


def install(io: Server) -> None:
    """What the recorded application did."""

    @io.use
    def admit(socket):
        if socket.handshake.auth.get("bad") or socket.handshake.query.get("bad"):
            raise ConnectError("not authorized", data={"content": "Please retry later"})

    io.event("bin")(lambda socket: socket.emit("bin", b"\x01\x02\x03", "é€😀"))
    io.event("echo")(lambda socket, value: value)
    io.event("sdisc")(lambda socket: socket.disconnect() and None)
    io.event("sdisc1")(lambda socket: socket.disconnect(True) and None)
    io.of("/custom").on("connection", lambda socket: socket.emit("hello", socket.id))


async def transmit(ws: RawWebSocket, frame: Frame, bytewise: bool) -> None:
    data = text(frame.payload.decode()) if frame.opcode == TEXT else binary(frame.payload)
    if not bytewise or len(data) > 1_000:
        return ws.send(data)
    for i in range(len(data)):
        ws.send(data[i : i + 1])
        await asyncio.sleep(0)


async def replay(ws: RawWebSocket, section: Section, lines: list[tuple[str, str]], bytewise: bool) -> None:
    text = expected("\n".join(what for _, what in lines), section.name, "websocket.txt")
    for (direction, _), what in zip(lines, text.split("\n"), strict=True):
        if direction == "C>S":
            await transmit(ws, packet(what), bytewise)
        elif direction == "S>C":
            assert without_ids(await ws.next()) == without_ids(packet(what))
        else:
            assert await ws.rest() == ([], None if what == "1005" else int(what))
            return
    assert await ws.barrier() == [], "more came than was recorded"


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name)
async def test_recorded(section, bytewise):
    async with serving() as io:
        install(io)
        (direction, opened), *lines = section.lines
        assert direction == "S>C"
        async with rawws(io, section.query) as ws:
            assert without_ids(Frame(TEXT, ws.opened.encode())) == without_ids(packet(opened))
            await replay(ws, section, lines, bytewise)


def test_the_recording_is_whole():
    assert len(sections()) == 23
    assert sum(len(section.lines) for section in sections()) > 110
    assert set(told()) == {case.name for case in POLLING}


# ---- polling and the upgrade ----

BASE64 = EIO3 + "&b64=1"
POLLING = [
    case("EIO3 polling (binary allowed)", get(EIO3), poll(EIO3), post('9:42["bin"]', EIO3), poll(EIO3)),
    case(
        "EIO3 polling b64=1",
        *(get(BASE64), poll(BASE64), post('9:42["bin"]', BASE64), poll(EIO3)),
        *(post(payload3('420["echo","é€😀"]'), BASE64), poll(BASE64)),
    ),
    case(
        "EIO4 upgrade dance",
        *(get(), post("40"), poll(), websocket("EIO=4&transport=websocket" + of(1)), waiting(), send("2probe")),
        *(frames(1), answer("w"), send("5", '420["echo",1]'), frames(1), poll(), close_frame(None), frames(1)),
    ),
    case("EIO4 duplicate poll", joined(), waiting(), ask("GET", EIO4 + of(1)), answer("a"), answer("w")),
    case("EIO4 disconnect(true) polling", joined(), post('42["sdisc1"]'), poll(), poll()),
]


def told() -> dict[str, list[str]]:
    """Section -> what came, in the words of a transcript; the handshake and the first CONNECT are not in all."""
    found: dict[str, list[str]] = {}
    for section in RECORDED.read_text().split("\n## "):
        name, *lines = section.split("\n")
        if "  ?" in name or name.startswith("#"):
            continue
        found[name] = [came for line in lines if (came := came_in(line))]
    return found


def came_in(line: str) -> str | None:
    """What came, in a line of a section in words."""
    if match := re.search(r"(\d{3}) (null|\S+/\S+(?:; \S+)?) (?:(\".*\")|([0-9a-f]+))$", line):
        body = json.loads(match[3]) if match[3] else bytes.fromhex(match[4]).hex(" ")
        kind = "" if match[2] == "null" else f"[content-type: {match[2]}] "
        return f"{match[1]} {kind}{body if match[3] else f'<{body}>'}"
    if match := re.search(r"ws S>C (.*)", line):
        return f"text {match[1]}"
    if match := re.search(r"ws close (\d+)", line):
        return "close" if match[1] == "1005" else f"close {match[1]}"
    return None


def plain(line: str) -> str:
    """Without ids and what transcripts write otherwise."""
    line = line.partition(": ")[2] if re.match(r"\w+: ", line) else line
    line = re.sub(r'"[\w-]{20}"|"<s?id>"', '"<id>"', line.replace("\x1e", "^^"))
    return line.replace("[cache-control: no-store] ", "").strip()


@pytest.mark.parametrize("case", POLLING, ids=lambda case: case.name)
async def test_recorded_polling(case):
    async with ours("plain", "4") as target:
        lines = [plain(line) for line in (await play(case, target)).split("\n") if not line.startswith("session")]
    recorded = expected("\n".join(plain(came) for came in told()[case.name]), case.name, "websocket.txt")
    for came in recorded.split("\n"):
        assert came in lines
        lines.remove(came)
    assert not [line for line in lines if not re.match(r"101|200 .*(ok|0\{.*|40\{.*)$", line)]
