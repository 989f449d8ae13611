"""The table, played to the reference servers and to ours: the transcripts are the same but for what deliberate.py lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.differential.deliberate import DIFFERENCES
from tests.differential.difference import Difference
from tests.differential.faults import FAULTS
from tests.differential.runner import play
from tests.differential.servers import References, ours, references
from tests.differential.steps import Case
from tests.differential.tables import TABLE


@pytest.fixture(scope="module")
def started() -> Iterator[References]:
    with references() as running:
        yield running


def pairs() -> list[tuple[Case, str]]:
    return [(case, version) for case in TABLE for version in case.against]


def expected(transcript: str, name: str, version: str) -> str:
    """The reference's transcript with the deliberate differences of this case."""
    transcript += "\n"
    for difference in [*DIFFERENCES, *FAULTS]:
        if version not in difference.against:
            continue
        if name in difference.cases:
            assert difference.theirs in transcript, f"differs no longer: {difference.why}\n{transcript}"
        if difference.everywhere:
            transcript = transcript.replace(difference.theirs, difference.ours)
        elif name in difference.cases:
            transcript = difference.ours.join(transcript.rsplit(difference.theirs, 1))
    return transcript.removesuffix("\n")


@pytest.mark.parametrize(("case", "version"), pairs(), ids=lambda value: getattr(value, "name", value))
async def test_same(case: Case, version: str, started: References) -> None:
    reference = await play(case, started.target(version, case.variant))
    async with ours(case.variant, version) as target:
        transcript = await play(case, target)
    assert transcript.splitlines() == expected(reference, case.name, version).splitlines()


def test_the_table_is_large_and_its_names_differ() -> None:
    assert len(TABLE) >= 150
    assert [name for name, count in Counter(case.name for case in TABLE).items() if count > 1] == []


def stale(difference: Difference) -> set[str]:
    """Cases that are named and not there; the golden files' are not looked at."""
    known = {(case.name, version) for case, version in pairs()}
    versions = [version for version in difference.against if version in ("4", "2")]
    return {name for name in difference.cases for version in versions if (name, version) not in known}


def test_no_difference_is_listed_for_nothing() -> None:
    for difference in [*DIFFERENCES, *FAULTS]:
        assert difference.cases and difference.why and difference.theirs != difference.ours
        assert not stale(difference), difference
