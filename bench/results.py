"""Results: what a benchmark found, run by run, kept as JSON, and the medians of it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FILE = "results.json"


@dataclass
class Run:
    """One measurement: the load generator's figures, or why there are none."""

    round: int
    workload: str
    server: str
    figures: dict[str, Any] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True)
class Summary:
    """Of one figure over the rounds that gave it."""

    median: float
    least: float
    most: float
    rounds: int


@dataclass
class Results:
    machine: dict[str, str]
    versions: dict[str, str]
    missing: dict[str, str]
    settings: dict[str, Any]
    runs: list[Run] = field(default_factory=list)

    def save(self, path: Path) -> None:
        head = {**asdict(self), "runs": []}
        runs = ",\n  ".join(json.dumps(asdict(run), ensure_ascii=False) for run in self.runs)
        text = json.dumps(head, indent=1, ensure_ascii=False)
        path.write_text(text.replace('"runs": []', f'"runs": [\n  {runs}\n ]') + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        fields = json.loads(path.read_text())
        fields["runs"] = [Run(**run) for run in fields["runs"]]
        return cls(**fields)

    def of(self, workload: str, server: str) -> list[Run]:
        return [run for run in self.runs if run.workload == workload and run.server == server]

    def summary(self, workload: str, server: str, key: str) -> Summary | None:
        values = [run.figures[key] for run in self.of(workload, server) if key in run.figures]
        return Summary(median(values), min(values), max(values), len(values)) if values else None

    def failures(self, workload: str, server: str) -> list[str]:
        return [run.failure for run in self.of(workload, server) if run.failure]

    def workloads(self) -> list[str]:
        return list(dict.fromkeys(run.workload for run in self.runs))
