"""The migrations on the pages: before and after, the same client is told the same."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.requirements import require_npm
from tests.test_examples import Process, free_port

MIGRATIONS = Path(__file__).parents[2] / "docs" / "migrations"
TIMEOUT = 30.0
SERVERS = {
    "fastsio": (sys.executable, "chat.py"),
    "socket.io": ("node", "chat.js"),
    "python-socketio": (sys.executable, "chat_python_socketio.py"),
}
TRANSCRIPT = """\
nobody: say who you are { field: 'name' }
Ada is with [ 'Ada' ]
Ben is with [ 'Ada', 'Ben' ]
Ada reads [ 'Ben came in' ]
both read [ [ 'Ben', 'hello 🍲' ], [ 'Ben', 'hello 🍲' ] ]
only Ada answers [ 'soup' ]
both answer [ 'soup', 'soup' ]
Ada reads [ 'Ben left' ]
online: 1
Ada reads [ 'closed' ]
Ada is with [ 'Ada' ]
"""


@pytest.mark.parametrize("server", SERVERS)
async def test_transcript(server: str) -> None:
    node_path = str(require_npm("socket.io-client").parent)
    require_npm("socket.io")
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "NODE_PATH": node_path, "PYTHONPATH": str(MIGRATIONS.parents[1])}
    process = await asyncio.create_subprocess_exec(
        *SERVERS[server],
        cwd=MIGRATIONS,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Process(process, f"http://127.0.0.1:{port}")
    try:
        await running.answers()
        assert await transcript(running.url, environment) == TRANSCRIPT, running.log
        assert "Traceback" not in running.log
    finally:
        process.kill()
        await process.wait()
        await running.reader
        process._transport.close()  # type: ignore[attr-defined]


async def transcript(url: str, environment: dict[str, str]) -> str:
    """What the client prints."""
    client = await asyncio.create_subprocess_exec(
        "node", "client.js", url, cwd=MIGRATIONS, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        printed, _ = await asyncio.wait_for(client.communicate(), TIMEOUT)
        return printed.decode()
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
        client._transport.close()  # type: ignore[attr-defined]
