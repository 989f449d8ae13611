"""Deadlines on a loop that stands still: who is called, when at the earliest, and who is not called at all."""

import time

import pytest

from fastsio.engine.timers import Deadlines
from fastsio.outbox import Outbox
from tests.csrc.probing import StillLoop, probe

TICK = 0.02
LATE = 0.15  # more than what still counts as in time


class Clockwork:
    """Deadlines with a loop, and owners by name that note when they were called."""

    def __init__(self):
        self.loop = StillLoop()
        self.outbox = Outbox(self.loop, 1000)
        self.deadlines = Deadlines(self.outbox)
        self.called = []

    def owner(self, name, then=lambda: None):
        clockwork = self

        class Owner(probe().Probe):
            def deadline(self):
                clockwork.called.append(name)
                then()

        return Owner(self.outbox)

    def set(self, owner, seconds):
        owner.set_deadline(self.deadlines, seconds)

    def cancel(self, owner):
        owner.cancel_deadline(self.deadlines)

    def wait(self, seconds):
        """Time passes, the timers come and the loop goes on until nothing is left to do."""
        time.sleep(seconds)
        self.loop.fire()
        self.loop.settle()


@pytest.fixture
def clockwork():
    return Clockwork()


def test_the_clock_is_the_monotonic_one():
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    now = probe().now()
    assert before <= now <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def test_a_deadline_is_called_once(clockwork):
    clockwork.set(clockwork.owner("a"), 0.05)
    clockwork.wait(0.05 + 2 * TICK)
    assert clockwork.called == ["a"]
    assert clockwork.loop.pending() == []
    clockwork.wait(0.05)
    assert clockwork.called == ["a"]


def test_one_timer_for_the_next_deadline(clockwork):
    for seconds in (7.0, 5.0, 6.0):
        clockwork.set(clockwork.owner("a"), seconds)
    [timer] = clockwork.loop.pending()
    assert 5.0 - TICK < timer.delay < 5.0 + 2 * TICK


def test_nobody_is_called_early(clockwork):
    clockwork.set(clockwork.owner("a"), 5.0)
    clockwork.wait(0.05)
    assert clockwork.called == []
    [timer] = clockwork.loop.pending()
    assert timer.delay < 5.0


def test_never_before_its_time(clockwork):
    for _ in range(5):
        clockwork.called.clear()
        start = time.monotonic()
        clockwork.set(clockwork.owner("a"), 0.03)
        while not clockwork.called:
            clockwork.wait(0.001)
        assert time.monotonic() - start >= 0.03


def test_further_away_than_the_wheel_is_round(clockwork):
    clockwork.set(clockwork.owner("a"), 1000.0)
    clockwork.wait(0.05)
    assert clockwork.called == []
    assert len(clockwork.loop.pending()) == 1


def test_later_and_earlier(clockwork):
    later, earlier = clockwork.owner("later"), clockwork.owner("earlier")
    clockwork.set(later, 0.01)
    clockwork.set(later, 5.0)
    clockwork.set(earlier, 5.0)
    clockwork.set(earlier, 0.01)
    clockwork.wait(0.01 + 2 * TICK)
    assert clockwork.called == ["earlier"]
    assert len(clockwork.loop.pending()) == 1


def test_set_again_when_called(clockwork):
    owner = clockwork.owner("a", lambda: clockwork.set(owner, 0.01))
    clockwork.set(owner, 0.01)
    for _ in range(3):
        clockwork.wait(0.01 + 2 * TICK)
        assert len(clockwork.loop.pending()) == 1
    assert clockwork.called == ["a"] * 3


def test_more_at_once_than_are_taken_at_once(clockwork):
    owners = [clockwork.owner(number) for number in range(200)]
    for owner in owners:
        clockwork.set(owner, 0.01)
    clockwork.wait(0.01 + 2 * TICK)
    assert sorted(clockwork.called) == list(range(200))


# ---- cancelled ----


def test_cancelled_is_not_called(clockwork):
    owner = clockwork.owner("a")
    clockwork.set(owner, 0.01)
    clockwork.cancel(owner)
    clockwork.cancel(clockwork.owner("never set"))
    clockwork.wait(0.01 + 2 * TICK)
    assert clockwork.called == []
    assert clockwork.loop.pending() == []


def pair(clockwork, first_does):
    """Two owners that are due at once; the one that is called first does something to the other."""
    owners = []

    def act():
        if len(clockwork.called) == 1:
            first_does(owners[clockwork.called == ["a"]])

    owners += [clockwork.owner("a", act), clockwork.owner("b", act)]
    for owner in owners:
        clockwork.set(owner, 0.01)
    clockwork.wait(0.01 + 2 * TICK)


def test_cancelled_by_another_that_is_due(clockwork):
    pair(clockwork, clockwork.cancel)
    assert len(clockwork.called) == 1


def test_put_off_by_another_that_is_due(clockwork):
    pair(clockwork, lambda other: clockwork.set(other, 5.0))
    assert len(clockwork.called) == 1
    [timer] = clockwork.loop.pending()
    assert timer.delay > 4.0


def close(clockwork, owner):
    clockwork.cancel(owner)
    owner.close()


def test_closed_by_another_that_is_due(clockwork):
    pair(clockwork, lambda other: close(clockwork, other))
    assert len(clockwork.called) == 1


def test_a_recycled_slot_inherits_nothing(clockwork):
    def recycle(other):
        number = other.number
        close(clockwork, other)
        assert clockwork.owner("new").number == number

    pair(clockwork, recycle)
    assert len(clockwork.called) == 1
    assert "new" not in clockwork.called


def test_one_that_raises_costs_nobody_else_his_deadline(clockwork):
    def fail(other):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pair(clockwork, fail)
    clockwork.wait(2 * TICK)
    assert sorted(clockwork.called) == ["a", "b"]


# ---- a loop that was late ----


def test_a_late_loop_reads_first(clockwork):
    """Two rounds: in the first the loop reads what is readable, and that may put the deadline off."""
    slow, dead = clockwork.owner("slow"), clockwork.owner("dead")
    clockwork.set(slow, 0.01)
    clockwork.set(dead, 0.01)
    time.sleep(0.01 + LATE)
    clockwork.loop.fire()
    assert clockwork.called == []
    clockwork.loop.turn()
    assert clockwork.called == []
    clockwork.set(slow, 5.0)
    clockwork.loop.turn()
    assert clockwork.called == ["dead"]
    assert len(clockwork.loop.pending()) == 1


def test_in_time_nothing_is_put_off():
    for _ in range(50):
        clockwork = Clockwork()
        start = time.monotonic()
        clockwork.set(clockwork.owner("a"), 0.01)
        time.sleep(0.01 + 2 * TICK)
        clockwork.loop.fire()
        if time.monotonic() - start < 0.1:  # the machine let us be in time
            assert clockwork.called == ["a"]
            return
    raise AssertionError("never in time")


def test_set_while_a_late_look_waits(clockwork):
    """There is one timer afterwards, however many deadlines were set in between."""
    clockwork.set(clockwork.owner("late"), 0.01)
    time.sleep(0.01 + LATE)
    clockwork.loop.fire()
    clockwork.set(clockwork.owner("a"), 5.0)
    clockwork.set(clockwork.owner("b"), 3.0)
    clockwork.loop.settle()
    assert clockwork.called == ["late"]
    [timer] = clockwork.loop.pending()
    assert 2.0 < timer.delay < 3.0 + 2 * TICK


# ---- stopped ----


def test_stop(clockwork):
    clockwork.set(clockwork.owner("a"), 0.01)
    clockwork.deadlines.stop()
    clockwork.deadlines.stop()
    assert clockwork.loop.pending() == []


def test_stop_while_a_late_look_waits(clockwork):
    clockwork.set(clockwork.owner("a"), 0.01)
    time.sleep(0.01 + LATE)
    clockwork.loop.fire()
    clockwork.deadlines.stop()
    clockwork.loop.settle()
    assert clockwork.called == []
    assert clockwork.loop.pending() == []
