"""Builds probe.pyx for the tests that need it, once a run, and puts a loop beside it whose time is the test's."""

import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.csrc.compiling import CSRC, HERE, ROOT, sources_of
from tests.requirements import require

SETUP = """
import sys
from Cython.Build import cythonize
from setuptools import Extension, setup
root, pyx, include, *sources = sys.argv.pop().split("|")
probe = Extension("probe", [pyx, *sources], include_dirs=[include])
setup(ext_modules=cythonize([probe], include_path=[root], build_dir="c", language_level=3))
"""


@cache
def probe() -> ModuleType:
    """The compiled module."""
    require("cc")
    pytest.importorskip("Cython")
    with tempfile.TemporaryDirectory() as folder:
        sources = sorted(sources_of(CSRC / "outbox.c") | {CSRC / "outbox.c"})
        names = "|".join(map(str, [ROOT, HERE / "probe.pyx", CSRC, *sources]))
        command = [sys.executable, "-c", SETUP, "build_ext", "--inplace", names]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        path = Path(folder) / ("probe" + sysconfig.get_config_var("EXT_SUFFIX"))
        spec = importlib.util.spec_from_file_location("probe", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


class Handle:
    """What call_soon and call_later return."""

    def __init__(self, delay: float, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.delay = delay
        self.callback = callback
        self.args = args
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def run(self) -> None:
        if not self.cancelled:
            self.callback(*self.args)


class StillLoop:
    """An event loop in which nothing happens but what the test asks for."""

    def __init__(self) -> None:
        self.soon: list[Handle] = []
        self.timers: list[Handle] = []

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> Handle:
        self.soon.append(Handle(0.0, callback, args))
        return self.soon[-1]

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Handle:
        self.timers.append(Handle(delay, callback, args))
        return self.timers[-1]

    def turn(self) -> None:
        """One round: what was asked for up to now."""
        calls, self.soon = self.soon, []
        for handle in calls:
            handle.run()

    def settle(self) -> None:
        """Rounds until nobody asks for another one."""
        while self.soon:
            self.turn()

    def pending(self) -> list[Handle]:
        """The timers that are neither cancelled nor fired."""
        return [timer for timer in self.timers if not timer.cancelled]

    def fire(self) -> None:
        """Lets the timers that are pending now come."""
        fired, self.timers = self.pending(), []
        for timer in fired:
            timer.run()
