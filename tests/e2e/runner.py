"""The Node process that runs scenarios (scenarios.mjs): one for a whole test session."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TIMEOUT = 45.0
# Generation of socket.io-client and kind of transport, as harness.mjs understands them.
VARIANTS = (
    *("4-polling", "4-fetch", "4-websocket", "4-upgrade", "4-fetch-upgrade"),
    *("3-polling", "3-websocket", "3-upgrade"),
    *("2-polling", "2-websocket", "2-upgrade"),
)
SECONDS = {"ping_interval", "ping_timeout", "upgrade_timeout", "connect_timeout"}
LINE_LIMIT = 1 << 20


class Runner:
    """Starts the process with the first scenario, and again should it have died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        if self.process is None or self.process.poll() is not None:
            self.close()
            command = ["node", "scenarios.mjs"]
            self.process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            assert self.process.stdout is not None
            with self.process.stdout as told:
                self.port = int(told.readline())

    def close(self) -> None:
        """Ends the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    async def run(
        self, scenario: str, variant: str, url: str | None = None, options: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Runs one scenario against `url`, or a reference server with these options; fails as the scenario does.

        What it returns is why the sockets of the reference server disconnected, sorted.
        """
        request = {"scenario": scenario, "variant": variant, "url": url, "options": camel_case(options or {})}
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=LINE_LIMIT)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            line = await asyncio.wait_for(reader.readline(), TIMEOUT)
        except TimeoutError:
            self.close()
            pytest.fail(f"{scenario} with {variant} did not end")
        finally:
            writer.close()
        assert line, "node died"
        answer = json.loads(line)
        if answer["error"]:
            pytest.fail(f"{scenario} with {variant}: {answer['error']}", pytrace=False)
        return sorted((nsp, reason) for nsp, reason in answer["reasons"])


def camel_case(options: dict[str, Any]) -> dict[str, Any]:
    """A Server's options as the reference calls them, times in milliseconds."""
    found = {}
    for name, value in options.items():
        first, *rest = name.split("_")
        found[first + "".join(map(str.capitalize, rest))] = value * 1000 if name in SECONDS else value
    return found


def scenario_names(*modules: str) -> list[str]:
    """The scenarios in these modules, in their order."""
    sources = [(HERE / f"{module}.mjs").read_text() for module in modules]
    return [name for source in sources for name in re.findall(r"export async function (\w+)\(t\)", source)]
