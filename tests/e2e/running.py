"""Runs scenarios of the Node process against fastsio or the reference and checks what they left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

import pytest

from fastsio import Server
from tests.e2e.app import install
from tests.e2e.expected import OPTIONS, check_reasons, check_reasons_of_reference
from tests.e2e.runner import Runner
from tests.wsclient import serving

AT_ONCE = 6  # scenarios that run side by side


async def together(checks: Iterable[Coroutine[None, None, None]]) -> None:
    """Some at a time; all are finished, and every failure is told."""
    few = asyncio.Semaphore(AT_ONCE)

    async def one(check: Coroutine[None, None, None]) -> None:
        async with few:
            await check

    results = await asyncio.gather(*map(one, checks), return_exceptions=True)
    errors = [result for result in results if result is not None]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("several failed", errors)


def no_complaints(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing was logged as a warning or an error."""
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def check_scenario(runner: Runner, scenario: str, variant: str) -> None:
    """Runs it on a server of its own, on which nothing may be left in the end."""
    async with serving(**OPTIONS.get(scenario, {})) as io:
        reasons = install(io)
        host, port = io.addresses[0]
        await runner.run(scenario, variant, f"http://{host}:{port}")
        await all_gone(io)
        check_reasons(scenario, variant, reasons)
        assert not any(nsp.sockets for nsp in io.nsps.values())


async def all_gone(io: Server) -> None:
    """Waits until the server has no sessions any more."""
    async with asyncio.timeout(5):
        while io.engine.clients_count:
            await asyncio.sleep(0.01)


async def check_scenario_of_reference(runner: Runner, scenario: str, variant: str) -> None:
    """Runs it on a reference server of its own."""
    reasons = await runner.run(scenario, variant, options=OPTIONS.get(scenario))
    check_reasons_of_reference(scenario, variant, reasons)
