"""The official JavaScript clients: the scenarios of data.mjs, life.mjs, polling.mjs and older.mjs with socket.io-client
2.5, 3.1 and 4.8, each over polling, over websocket and with the upgrade from one to the other.

The reference server runs the same scenarios, and its sockets must have disconnected for the same reasons.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.expected import applicable_variants
from tests.e2e.runner import VARIANTS, Runner, scenario_names
from tests.e2e.running import check_scenario, check_scenarios_of_reference

SCENARIOS = scenario_names("data", "life", "polling", "older")


def pairs() -> list[Any]:
    return [
        pytest.param(scenario, variant, id=f"{scenario}-{variant}")
        for scenario in SCENARIOS
        for variant in applicable_variants(scenario)
    ]


@pytest.mark.parametrize(("scenario", "variant"), pairs())
async def test_scenario(scenario: str, variant: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    await check_scenario(runner, scenario, variant)
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.parametrize("variant", VARIANTS)
async def test_reference(variant: str, runner: Runner) -> None:
    mine = [(name, variant) for name in SCENARIOS if variant in applicable_variants(name, reference=True)]
    await check_scenarios_of_reference(runner, mine)
