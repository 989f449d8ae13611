"""Traffic recorded from the reference server, replayed: what the client sent is sent, what came must come."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from fastsio import ConnectError, Server
from tests.e2e.rawws import BINARY, TEXT, Frame, RawWebSocket, binary, normalised, rawws, text
from tests.wsclient import serving

RECORDED = Path(__file__).parent.parent / "golden" / "websocket.txt"
# Section -> why what we send differs on purpose.
DELIBERATE: dict[str, str] = {}


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


def install(io: Server) -> None:
    """What the recorded application did."""

    @io.use
    def admit(socket):
        if socket.handshake.auth.get("bad"):
            raise ConnectError("not authorized", data={"content": "Please retry later"})

    io.event("bin")(lambda socket: socket.emit("bin", b"\x01\x02\x03", "é€😀"))
    io.event("echo")(lambda socket, value: value)
    io.event("sdisc")(lambda socket: socket.disconnect() and None)
    io.event("sdisc1")(lambda socket: socket.disconnect(True) and None)
    io.of("/custom").on("connection", lambda socket: socket.emit("hello", socket.id))


async def send(ws: RawWebSocket, frame: Frame, bytewise: bool) -> None:
    data = text(frame.payload.decode()) if frame.opcode == TEXT else binary(frame.payload)
    if not bytewise or len(data) > 1_000:
        return ws.send(data)
    for i in range(len(data)):
        ws.send(data[i : i + 1])
        await asyncio.sleep(0)


async def replay(ws: RawWebSocket, lines: list[tuple[str, str]], bytewise: bool) -> None:
    for direction, what in lines:
        if direction == "C>S":
            await send(ws, packet(what), bytewise)
        elif direction == "S>C":
            assert normalised(await ws.next()) == normalised(packet(what))
        else:
            assert await ws.rest() == ([], None if what == "1005" else int(what))
            return
    assert await ws.barrier() == [], "more came than was recorded"


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name)
async def test_recorded(section, bytewise):
    assert section.name not in DELIBERATE
    async with serving() as io:
        install(io)
        (direction, opened), *lines = section.lines
        assert direction == "S>C"
        async with rawws(io, section.query) as ws:
            assert normalised(Frame(TEXT, ws.opened.encode())) == normalised(packet(opened))
            await replay(ws, lines, bytewise)


def test_the_recording_is_whole():
    assert len(sections()) == 19
    assert sum(len(section.lines) for section in sections()) > 90
