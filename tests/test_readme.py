"""The README's Python code runs, block after block, in one namespace."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import uvloop

from fastsio import Server
from tests.wsclient import wire

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def serve_one_client(io: Server) -> None:
    """What `run` is replaced by: on a free port, until one client has come and gone."""
    await io.listen(0)
    try:
        async with wire(io, join=True):
            pass
    finally:
        await io.close()


def test_code_runs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    served = []

    def run(io: Server, *args: object, **listen: Any) -> None:
        uvloop.run(serve_one_client(io))
        served.append(io)

    monkeypatch.setattr(Server, "run", run)
    text = README.read_text()
    blocks = list(BLOCK.finditer(text))
    assert blocks, "the README shows no code"
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks:
        first = text[: block.start(1)].count("\n")
        exec(compile("\n" * first + block[1], str(README), "exec"), names)
    assert served, "no block of the README runs a server"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
