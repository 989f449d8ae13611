"""Where we differ from the references and should not: to be mended, and then to be deleted here."""

from __future__ import annotations

from tests.differential.difference import Difference

FAULTS: list[Difference] = []
