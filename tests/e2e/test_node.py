"""The official JavaScript clients: every scenario of data.mjs and life.mjs with socket.io-client 4.8 and 3.1.

The reference server runs the same scenarios, and its sockets must have disconnected for the same reasons.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from fastsio import Server
from tests.e2e.app import HERE, Reasons, install
from tests.requirements import require_npm
from tests.wsclient import serving

VERSIONS = ("4", "3")
TIMEOUT = 45.0
LEFT = "client namespace disconnect"
OPTIONS: dict[str, dict[str, Any]] = {
    "heartbeat": {"ping_interval": 0.06, "ping_timeout": 2.0},
    "ping_timeout": {"ping_interval": 0.06, "ping_timeout": 0.1},
}
# Why sockets disconnected, where that is not (only) because the client left.
REASONS: dict[str, Reasons] = {
    "too_large_message": [("/", "transport error")],
    "too_large_binary": [("/", "transport error")],
    "client_closes_transport": [("/", "transport close")],
    "client_vanishes": [("/", "transport close")],
    "server_disconnects": [("/", LEFT), ("/chat", LEFT), ("/chat", "server namespace disconnect")],
    "server_disconnects_with_events_under_way": [("/", LEFT), ("/chat", "server namespace disconnect")],
    "server_closes_connection": [("/", "server namespace disconnect"), ("/chat", "server namespace disconnect")],
    "reconnects": [("/", LEFT), *[("/", "forced close")] * 3, ("/chat", LEFT), *[("/chat", "forced close")] * 3],
    "buffers_while_away": [("/", LEFT), ("/", "forced close")],
    "shutdown": [("/", "server shutting down"), ("/chat", "server shutting down")],
    "ping_timeout": [("/", "ping timeout")],
    "rooms_left": [*[("/", LEFT)] * 2, ("/", "server namespace disconnect"), ("/chat", LEFT)],
    "refused_without_data": [],
}
# Where the reference differs on purpose: it closes the connection of a client whose events crossed its own
# disconnect(); here they are dropped.
REFERENCE_REASONS = REASONS | {
    "server_disconnects_with_events_under_way": [("/", "forced close"), ("/chat", "server namespace disconnect")]
}


def scenario_names() -> list[str]:
    sources = [(HERE / name).read_text() for name in ("data.mjs", "life.mjs")]
    return [name for source in sources for name in re.findall(r"export async function (\w+)\(t\)", source)]


async def node(*args: str) -> str:
    """Runs scenarios.mjs and returns what it printed; fails with its message when it fails."""
    require_npm("socket.io")
    process = await asyncio.create_subprocess_exec(
        "node", "scenarios.mjs", *args, cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), TIMEOUT)
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.fail(f"scenarios.mjs {' '.join(args)} did not end")
    assert process.returncode == 0, err.decode()
    return out.decode()


async def all_gone(io: Server) -> None:
    async with asyncio.timeout(5):
        while io.engine.clients_count:
            await asyncio.sleep(0.01)


def check_reasons(expected: dict[str, Reasons], scenario: str, reasons: Reasons) -> None:
    if scenario in expected:
        assert sorted(reasons) == expected[scenario], scenario
    else:
        assert {reason for _, reason in reasons} <= {LEFT}, scenario


@pytest.mark.timeout(60)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scenario", scenario_names())
async def test_scenario(scenario, version, caplog):
    async with serving(**OPTIONS.get(scenario, {})) as io:
        reasons = install(io)
        host, port = io.addresses[0]
        await node(version, f"http://{host}:{port}", scenario)
        await all_gone(io)
        check_reasons(REASONS, scenario, reasons)
        assert not any(nsp.sockets for nsp in io.nsps.values())
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.timeout(90)
@pytest.mark.parametrize("version", VERSIONS)
async def test_reference(version):
    told = json.loads(await node(version, "reference", "all"))
    assert set(told) == set(scenario_names())
    for scenario, reasons in told.items():
        check_reasons(REFERENCE_REASONS, scenario, [(nsp, reason) for nsp, reason in reasons])
