"""Async tests run on uvloop, hypothesis without a clock, and no test may leave anything behind.

Counted around every test: open file descriptors. Around every async test: tasks still running in its loop.
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop
from hypothesis import HealthCheck, settings

from fastsio import limits
from fastsio.testing.plugin import sio_connect as sio_connect  # a fixture

DESCRIPTORS = Path("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd")
PATIENCE = 1.0  # seconds in which what a test has let go of may still end

# A busy machine makes no test fail.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# The first uvloop of a process opens a pipe for signals, which stays: it must not count as a test's leak.
uvloop.new_event_loop().close()


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, object]:
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if pytest_asyncio.is_async_test(item):
            # In this order: the loop holds descriptors of its own until it is closed.
            item.fixturenames[:0] = ["_no_descriptor_left", "_no_task_left"]  # type: ignore[attr-defined]


def open_descriptors() -> dict[int, str]:
    """number -> what it is, of every open file descriptor."""
    found = {}
    for name in os.listdir(DESCRIPTORS):
        try:
            found[int(name)] = os.readlink(DESCRIPTORS / name)
        except OSError:
            continue  # the one that listed them
    return found


@pytest.fixture(autouse=True)
def _log_is_new() -> None:
    """What one test logged does not keep the next one's lines back."""
    limits._logged.clear()


@pytest.fixture(autouse=True)
def _no_descriptor_left() -> Iterator[None]:
    before = open_descriptors()
    yield
    left = {number: what for number, what in open_descriptors().items() if before.get(number) != what}
    if left:
        gc.collect()  # those that only a reference cycle holds open are no leak of ours to report
        left = {number: what for number, what in open_descriptors().items() if left.get(number) == what}
    assert not left, f"file descriptors left open: {left}"


@pytest.fixture
async def _no_task_left() -> AsyncIterator[None]:
    yield
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"tasks left running: {tasks}")
        await asyncio.sleep(0.01)
