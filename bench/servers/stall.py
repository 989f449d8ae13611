"""Longest gap in an event loop, measured from inside it by a timer of one millisecond."""

import asyncio
import time

INTERVAL = 0.001


class LongestGap:
    """Costs nothing until `take` is called for the first time."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last = 0.0
        self._gap = 0.0

    def take(self) -> float:
        """Milliseconds by which the longest pause since the last call exceeded the timer's interval."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._last = time.perf_counter()
            self._loop.call_later(INTERVAL, self._tick)
        gap, self._gap = self._gap, 0.0
        return gap * 1000

    def _tick(self) -> None:
        now = time.perf_counter()
        self._gap = max(self._gap, now - self._last - INTERVAL)
        self._last = now
        assert self._loop is not None
        self._loop.call_later(INTERVAL, self._tick)
