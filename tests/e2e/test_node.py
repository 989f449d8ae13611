"""The official JavaScript clients: the scenarios of data.mjs, life.mjs, polling.mjs and older.mjs with socket.io-client
2.5, 3.1 and 4.8, each over polling, over websocket and with the upgrade from one to the other.

The reference server runs the same scenarios, and its sockets must have disconnected for the same reasons.
"""

from __future__ import annotations

import pytest

from tests.e2e.expected import applicable_variants
from tests.e2e.runner import VARIANTS, Runner, scenario_names
from tests.e2e.running import check_scenario, check_scenario_of_reference, no_complaints, together

SCENARIOS = scenario_names("data", "life", "polling", "older")


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_scenario(scenario: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """With every variant, each on a server of its own."""
    await together(check_scenario(runner, scenario, variant) for variant in applicable_variants(scenario))
    no_complaints(caplog)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_reference(variant: str, runner: Runner) -> None:
    mine = [name for name in SCENARIOS if variant in applicable_variants(name, reference=True)]
    await together(check_scenario_of_reference(runner, scenario, variant) for scenario in mine)
