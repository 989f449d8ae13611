"""Requests to a stage, for tests in whose own event loop the application's functions are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.peer import Answer, Peer, Stage, answers_in
from tests.engine.poller import EIO4_POLLING
from tests.engine.requests import sent


def sync(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def later(function: Callable[..., Any]) -> Callable[..., Any]:
    """As a coroutine function."""

    async def call(argument: object) -> Any:
        await asyncio.sleep(0)
        return function(argument)

    return call


BOTH = pytest.mark.parametrize("when", [sync, later])


async def settle(stage: Stage) -> None:
    """Until the application's functions have come to their ends."""
    for _ in range(20):
        await asyncio.sleep(0)
        stage.loop.settle()


async def asked(stage: Stage, data: bytes, peer: Peer | None = None) -> list[Answer]:
    """The answers to a request, or to several in one go."""
    peer = peer or stage.peer()
    peer.send(data)
    await settle(stage)
    return answers_in(peer.everything())


async def ask(stage: Stage, data: bytes, peer: Peer | None = None) -> Answer:
    """The answer to one request. One whose connection stays is fit for the next."""
    peer = peer or stage.peer()
    (answer,) = await asked(stage, data, peer)
    if answer.headers.get("connection") != "close":
        peer.send(sent(None, path="/nope", upgrade=False))
        assert [got.status for got in peer.answers()] == [404]
    return answer


def plain(query: str | None = EIO4_POLLING, **options: Any) -> bytes:
    """The bytes of a request that asks for no websocket."""
    return sent(query, upgrade=False, **options)
