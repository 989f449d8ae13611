"""Runs a scenario of the Node process against fastsio or the reference and checks what it left behind."""

from __future__ import annotations

import asyncio

from fastsio import Server
from tests.e2e.app import install
from tests.e2e.expected import OPTIONS, check_reasons, check_reasons_of_reference
from tests.e2e.runner import Runner
from tests.wsclient import serving

AT_ONCE = 6  # scenarios that the reference runs side by side


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


async def check_scenarios_of_reference(runner: Runner, pairs: list[tuple[str, str]]) -> None:
    """Runs the pairs of scenario and variant, each on a reference server of its own."""
    few = asyncio.Semaphore(AT_ONCE)

    async def check(scenario: str, variant: str) -> None:
        async with few:
            reasons = await runner.run(scenario, variant, options=OPTIONS.get(scenario))
        check_reasons_of_reference(scenario, variant, reasons)

    async with asyncio.TaskGroup() as group:
        for scenario, variant in pairs:
            group.create_task(check(scenario, variant))
