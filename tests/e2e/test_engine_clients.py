"""An Engine alone with engine.io-client 3.5 (protocol 3) and 6.6 (protocol 4): the scenarios of engine.mjs over polling,
over websocket and with the upgrade. The reference, npm engine.io, runs them too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fastsio import Engine
from tests.e2e.runner import Runner, scenario_names
from tests.e2e.running import no_complaints, together

SCENARIOS = scenario_names("engine")
VARIANTS = (
    *("6-polling", "6-fetch", "6-websocket", "6-upgrade", "6-fetch-upgrade"),
    *("3-polling", "3-websocket", "3-upgrade"),
)
OPTIONS: dict[str, dict[str, Any]] = {
    "engine_heartbeat": {"ping_interval": 0.06},
    "engine_initial_packet": {"initial_packet": "welcome"},
}
# Why the server's sockets closed, where that is not because the client closed.
REASONS = {
    "engine_server_closes": "forced close",
    "engine_server_sends_and_closes": "forced close",
    "engine_server_discards": "forced close",
    "engine_shutdown": "server shutting down",
}
REFERENCE_REASONS = REASONS | {"engine_shutdown": "forced close"}  # it does not tell them apart


def install(engine: Engine) -> list[str]:
    """Sends every message back, but for the commands; returns the list of the reasons why sockets closed."""
    reasons: list[str] = []
    background: set[asyncio.Task[None]] = set()

    def answer(conn: Any, data: str | bytes) -> None:
        if data == "close":
            conn.close()
        elif data == "discard":
            conn.close(discard=True)
        elif data == "shut down":
            background.add(asyncio.ensure_future(engine.close()))
        elif data == "send three and close":
            for value in ("0", b"1", "2"):
                conn.send(value)
            conn.close()
        elif data == "who":
            conn.send(json.dumps(who(conn)))
        elif isinstance(data, str) and data.startswith("tell others "):
            for other in engine.clients.values():
                if other is not conn:
                    other.send(data.removeprefix("tell others "))
        else:
            conn.send(data)

    @engine.on("connection")
    def connected(conn: Any) -> None:
        conn.on("message", lambda data: answer(conn, data))
        conn.on("close", lambda reason: reasons.append(reason))

    return reasons


def who(conn: Any) -> dict[str, Any]:
    return {
        "id": conn.id,
        "protocol": conn.protocol,
        "transport": conn.transport.name,
        "upgraded": conn.upgraded,
        "name": conn.request.query["name"],
    }


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Engine]:
    engine = Engine(**options)
    await engine.listen(0)
    try:
        yield engine
    finally:
        await engine.close()


async def check(runner: Runner, scenario: str, variant: str) -> None:
    async with serving(**OPTIONS.get(scenario, {})) as engine:
        reasons = install(engine)
        host, port = engine.addresses[0]
        await runner.run(scenario, variant, f"http://{host}:{port}")
        async with asyncio.timeout(5):
            while engine.clients_count:
                await asyncio.sleep(0.01)
        assert set(reasons) == {REASONS.get(scenario, "transport close")}, variant


async def check_reference(runner: Runner, scenario: str, variant: str) -> None:
    reasons = await runner.run(scenario, variant, options=OPTIONS.get(scenario))
    assert {reason for _, reason in reasons} == {REFERENCE_REASONS.get(scenario, "transport close")}, variant


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_scenario(scenario: str, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """With every variant, each on an engine of its own."""
    await together(check(runner, scenario, variant) for variant in VARIANTS)
    no_complaints(caplog)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_reference(scenario: str, runner: Runner) -> None:
    await together(check_reference(runner, scenario, variant) for variant in VARIANTS)
