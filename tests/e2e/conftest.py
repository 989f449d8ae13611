"""The process that runs the Node scenarios is shared by all tests of a session."""

from collections.abc import Iterator

import pytest

from tests.e2e.runner import Runner
from tests.requirements import require_npm


@pytest.fixture(scope="session")
def _runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


@pytest.fixture
def runner(_runner: Runner) -> Runner:
    require_npm("socket.io")
    _runner.start()
    return _runner
