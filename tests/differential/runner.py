"""Plays a case to one server and returns its transcript: a line for everything that came, and what became of
every session of the case: whether it takes another POST, and the reasons the server gave for its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.differential.steps import (
    EIO3,
    EIO4,
    Case,
    Drop,
    Ended,
    Receive,
    Send,
    Settle,
    Silence,
    Sleep,
    Step,
    head,
    url,
)
from tests.differential.wire import Ids, Wire, matters

PATIENCE = 5.0  # seconds for what must come
SILENCE = 0.15  # seconds in which nothing must come
Fate = Callable[[str, bool], Awaitable[str]]


class Target(NamedTuple):
    """fate(sid, ended): what became of a session; with `ended` it is waited for. told: see Wire."""

    address: tuple[str, int]
    fate: Fate
    path: str = "/socket.io/"
    told: Callable[[str], bool] = matters


class Player:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.ids = Ids()
        self.wires: dict[str, Wire] = {}
        self.lines: list[str] = []

    async def play(self, case: Case) -> str:
        try:
            for step in case.steps:
                await self.take(step)
            await self.tell_fates()
        finally:
            for wire in self.wires.values():
                await wire.close()
        return "\n".join(self.lines)

    async def wire(self, name: str) -> Wire:
        if name not in self.wires:
            self.wires[name] = await Wire.connect(self.target.address, self.ids, self.target.told)
        return self.wires[name]

    async def take(self, step: Step) -> None:
        if isinstance(step, Send):
            (await self.wire(step.on)).send(step.data)
        elif isinstance(step, Receive):
            await self.note(step.on, step.what, PATIENCE)
        elif isinstance(step, Silence):
            await self.note(step.on, step.what, SILENCE)
        elif isinstance(step, Settle):
            await self.settle()
        elif isinstance(step, Drop):
            await self.wires.pop(step.on).close(reset=step.reset)
        elif isinstance(step, Ended):
            await self.target.fate(self.ids.sessions[step.session - 1].decode(), True)
        elif isinstance(step, Sleep):
            await asyncio.sleep(step.seconds)

    async def note(self, on: str, what: str, patience: float) -> None:
        wire = await self.wire(on)
        try:
            line = await asyncio.wait_for(wire.receive(what), patience)
        except TimeoutError:
            line = "nothing"
        self.lines.append(f"{on}: {line}")

    async def settle(self) -> None:
        """Two round trips on another connection: the first may be in the same turn of the server's loop."""
        wire = await Wire.connect(self.target.address, self.ids, self.target.told)
        try:
            for _ in range(2):
                wire.send(head("GET", "/elsewhere"))
                await asyncio.wait_for(wire.receive("answer"), PATIENCE)
        finally:
            await wire.close()

    async def tell_fates(self) -> None:
        """What a harmless POST gets, then the reasons."""
        await self.settle()
        for number, id in enumerate(list(self.ids.sessions), 1):
            body, query = ("1:6", EIO3) if id in self.ids.third else ("6", EIO4)
            body = f"d={body}" if id in self.ids.forms else body
            wire = await Wire.connect(self.target.address, self.ids, self.target.told)
            try:
                fields = ("Content-Type: text/plain", f"Content-Length: {len(body)}")
                wire.send(head("POST", url(f"{query}&sid={id.decode()}", self.target.path), *fields) + body.encode())
                got = await asyncio.wait_for(wire.receive("answer"), PATIENCE)
            finally:
                await wire.close()
            known = got.rpartition(" ")[2] if got.startswith("200") else got[got.index("{") :] if "{" in got else got
            self.lines.append(f"session {number}: {known} {await self.target.fate(id.decode(), False)}")


async def play(case: Case, target: Target) -> str:
    return await Player(target).play(case)
