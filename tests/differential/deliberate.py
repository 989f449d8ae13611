"""Every deliberate difference from the reference servers, with its reason.

In the transcript of the reference, `theirs` is replaced by `ours` in the cases that are named; the result must be
our transcript. It is an error when `theirs` is not in the transcript, so nothing here outlives its difference.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    why: str
    theirs: str
    ours: str
    cases: tuple[str, ...]
    against: str = "4"


DIFFERENCES: list[Difference] = []
