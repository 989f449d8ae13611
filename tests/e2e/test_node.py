"""The official JavaScript clients: the scenarios of data.mjs and life.mjs with socket.io-client 2.5, 3.1 and 4.8,
each over polling, over websocket and with the upgrade from one to the other.

The reference server runs the same scenarios, and its sockets must have disconnected for the same reasons.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.app import Reasons, install
from tests.e2e.runner import VARIANTS, Runner, all_gone, scenario_names
from tests.wsclient import serving

LEFT = "client namespace disconnect"
THROWN_OUT = "server namespace disconnect"
OPTIONS: dict[str, dict[str, Any]] = {
    "heartbeat": {"ping_interval": 0.06, "ping_timeout": 2.0},
    "ping_timeout": {"ping_interval": 0.06, "ping_timeout": 0.3},
}
# Scenario -> the generations of clients that cannot do it, and why.
NOT_APPLICABLE = {
    "auth_object": ("2", "2.x clients have no auth payload: query_of_a_namespace is theirs"),
    "auth_function": ("2", "2.x clients have no auth payload: query_of_a_namespace is theirs"),
    "ack_timeout_of_client": ("23", "timeout() came with 4.4, emitWithAck() with 4.6"),
}
SCENARIOS = scenario_names("data", "life")
# Why sockets disconnected, where that is not (only) because the client left.
REASONS: dict[str, Reasons] = {
    "too_large_message": [("/", "transport error")],
    "too_large_binary": [("/", "transport error")],
    "client_closes_transport": [("/", "transport close")],
    "client_vanishes": [("/", "transport close")],
    "server_disconnects": [("/", LEFT), ("/chat", LEFT), ("/chat", THROWN_OUT)],
    "server_disconnects_with_events_under_way": [("/", LEFT), ("/chat", THROWN_OUT)],
    "server_closes_connection": [("/", THROWN_OUT), ("/chat", THROWN_OUT)],
    "reconnects": [("/", LEFT), *[("/", "forced close")] * 3, ("/chat", LEFT), *[("/chat", "forced close")] * 3],
    "buffers_while_away": [("/", LEFT), ("/", "forced close")],
    "shutdown": [("/", "server shutting down"), ("/chat", "server shutting down")],
    "ping_timeout": [("/", "ping timeout")],
    "rooms_left": [("/chat", LEFT), ("/chat", LEFT), ("/chat", THROWN_OUT), ("/other", LEFT)],
    "refused_without_data": [],
}
# Over polling: the client says that it closes after its request was refused; a request that is cut off is an error.
POLLING_REASONS: dict[str, Reasons] = {
    "too_large_message": [("/", "transport close")],
    "too_large_binary": [("/", "transport close")],
    "client_vanishes": [("/", "transport error")],
}
# Where the reference differs on purpose: it closes the connection of a client whose events crossed its own
# disconnect(), if they came; here they are dropped.
CROSSED = "server_disconnects_with_events_under_way"
REFERENCE_CROSSED = {LEFT, "forced close", "forced server close"}
# And by mistake: after an upgrade it does not watch a client of 2.x any more.
REFERENCE_CANNOT = {("ping_timeout", "2-upgrade")}


def applicable(scenario: str, variant: str) -> bool:
    return scenario not in NOT_APPLICABLE or variant[0] not in NOT_APPLICABLE[scenario][0]


def pairs() -> list[Any]:
    return [
        pytest.param(scenario, variant, id=f"{scenario}-{variant}")
        for scenario in SCENARIOS
        for variant in VARIANTS
        if applicable(scenario, variant)
    ]


def check_reasons(scenario: str, variant: str, reasons: Reasons) -> None:
    expected = REASONS.get(scenario)
    if variant.endswith(("-polling", "-fetch")):
        expected = POLLING_REASONS.get(scenario, expected)
    if variant[0] == "2":
        # Clients of 2.x are in "/" whether their application is or not, and leave it without a word.
        unasked = ("/", "transport close")
        reasons = [reason for reason in reasons if reason != unasked or (expected and unasked in expected)]
    if expected is not None:
        assert sorted(reasons) == expected, scenario
    else:
        assert {reason for _, reason in reasons} <= {LEFT}, scenario


@pytest.mark.parametrize(("scenario", "variant"), pairs())
async def test_scenario(scenario: str, variant: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(**OPTIONS.get(scenario, {})) as io:
        reasons = install(io)
        host, port = io.addresses[0]
        await runner.run(scenario, variant, f"http://{host}:{port}")
        await all_gone(io)
        check_reasons(scenario, variant, reasons)
        assert not any(nsp.sockets for nsp in io.nsps.values())
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.parametrize("variant", VARIANTS)
async def test_reference(variant: str, runner: Runner) -> None:
    few = asyncio.Semaphore(8)

    async def check(scenario: str) -> None:
        async with few:
            reasons = await runner.run(scenario, variant, options=OPTIONS.get(scenario))
        if scenario == CROSSED:
            assert {reason for nsp, reason in reasons if nsp == "/"} <= REFERENCE_CROSSED
        else:
            check_reasons(scenario, variant, reasons)

    async with asyncio.TaskGroup() as group:
        for scenario in SCENARIOS:
            if applicable(scenario, variant) and (scenario, variant) not in REFERENCE_CANNOT:
                group.create_task(check(scenario))
