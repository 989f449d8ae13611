"""From polling to websocket with socket.io-client 2.5, 3.1 and 4.8, and clients of all kinds in one room: the scenarios
of upgrade.mjs and mixed.mjs.

The reference server runs the same scenarios, and its sockets must have disconnected for the same reasons.
"""

from __future__ import annotations

import pytest

from tests.e2e.expected import applicable
from tests.e2e.runner import Runner, scenario_names
from tests.e2e.running import check_scenario, check_scenario_of_reference, no_complaints, together

UPGRADING = ("4-upgrade", "4-fetch-upgrade", "3-upgrade", "2-upgrade")
MIXED = "4-upgrade"  # those scenarios bring clients of every variant themselves
UPGRADES = scenario_names("upgrade")


def variants(scenario: str) -> list[str]:
    return [variant for variant in UPGRADING if applicable(scenario, variant)]


@pytest.mark.parametrize("scenario", UPGRADES)
async def test_upgrade(scenario: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """With every variant, each on a server of its own."""
    await together(check_scenario(runner, scenario, variant) for variant in variants(scenario))
    no_complaints(caplog)


@pytest.mark.parametrize("scenario", scenario_names("mixed"))
async def test_mixed(scenario: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    await check_scenario(runner, scenario, MIXED)
    no_complaints(caplog)


async def test_reference_upgrades(runner: Runner) -> None:
    pairs = [(scenario, variant) for scenario in UPGRADES for variant in variants(scenario)]
    await together(check_scenario_of_reference(runner, *pair) for pair in pairs)


async def test_reference_with_mixed_clients(runner: Runner) -> None:
    await together(check_scenario_of_reference(runner, scenario, MIXED) for scenario in scenario_names("mixed"))
