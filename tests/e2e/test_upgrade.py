"""From polling to websocket with socket.io-client 2.5, 3.1 and 4.8, and clients of all kinds in one room: the scenarios
of upgrade.mjs and mixed.mjs.

The reference server runs the same scenarios, and its sockets must have disconnected for the same reasons.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.expected import applicable
from tests.e2e.runner import Runner, scenario_names
from tests.e2e.running import check_scenario, check_scenarios_of_reference

UPGRADING = ("4-upgrade", "4-fetch-upgrade", "3-upgrade", "2-upgrade")
MIXED = "4-upgrade"  # those scenarios bring clients of every variant themselves


def variants(scenario: str) -> list[str]:
    return [variant for variant in UPGRADING if applicable(scenario, variant)]


@pytest.mark.parametrize("scenario", scenario_names("upgrade"))
async def test_upgrade(scenario: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """Every variant at the same time, on a server of its own."""
    async with asyncio.TaskGroup() as group:
        for variant in variants(scenario):
            group.create_task(check_scenario(runner, scenario, variant))
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.parametrize("scenario", scenario_names("mixed"))
async def test_mixed(scenario: str, runner: Runner) -> None:
    await check_scenario(runner, scenario, MIXED)


async def test_reference_upgrades(runner: Runner) -> None:
    scenarios = scenario_names("upgrade")
    await check_scenarios_of_reference(runner, [(name, variant) for name in scenarios for variant in variants(name)])


async def test_reference_with_mixed_clients(runner: Runner) -> None:
    await check_scenarios_of_reference(runner, [(name, MIXED) for name in scenario_names("mixed")])
