"""The whole API on both adapters: the one in memory, and one that records and takes its time (recording.py)."""

from __future__ import annotations

import pytest

from fastsio.options import DEFAULTS
from tests.api.recording import recording


@pytest.fixture(autouse=True, params=["memory", "recording"])
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What servers without the option use."""
    if request.param == "recording":
        monkeypatch.setitem(DEFAULTS, "adapter", recording)
    return str(request.param)
