"""The report: results.json to RESULTS.md and results.png.

`python -m bench.report [FOLDER]` writes both anew from FOLDER/results.json (FOLDER: bench).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.chart import draw
from bench.goals import GOALS, TITLES
from bench.peers import BENCH, OURS
from bench.results import FILE, Results, Summary
from bench.workloads import FLOOR_TITLES, MICROSECONDS, WORKLOADS, Workload

REPORT = "RESULTS.md"
CHART = "results.png"


def write_report(results: Results, folder: Path) -> None:
    workloads = [workload for workload in WORKLOADS if workload.name in results.workloads()]
    has_chart = draw(results, workloads, folder / CHART)
    sections = [
        head(results, has_chart),
        ratios(results, workloads),
        goals(results),
        *(figures(results, workload) for workload in workloads),
        failures(results),
        machine(results),
        REPRODUCE,
    ]
    (folder / REPORT).write_text("\n\n".join(section for section in sections if section) + "\n")


def table(header: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def head(results: Results, has_chart: bool) -> str:
    quick = "**A smoke test: one short round with few clients. The figures mean nothing.**\n\n"
    settings = results.settings
    return (
        "# Benchmark results\n\n"
        + (quick if settings["quick"] else "")
        + f"{results.machine['date']}, {results.machine['processor']}, {results.machine['kernel']}. "
        + f"Rounds: {settings['rounds']}, figures are medians; measured time of a run: {settings['seconds']:g} s. "
        + "In each round every server runs every workload, one after the other, the server on one core and the load on "
        + "another."
        + (f"\n\n![server CPU by workload and server]({CHART})" if has_chart else "")
    )


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value: Summary | None, base: Summary | None) -> str:
    return f"{number(value.median / base.median)} ×" if value and base and base.median else "–"


def servers(results: Results) -> list[str]:
    return [name for name in TITLES if name not in FLOOR_TITLES and any(run.server == name for run in results.runs)]


def cell(results: Results, workload: Workload, server: str, base: str) -> str:
    value = results.summary(workload.name, server, workload.key)
    failed = len(results.failures(workload.name, server))
    if failed and value is None:
        return "failed"
    text = ratio(value, results.summary(workload.name, base, workload.key))
    return f"{text} ({failed} failed)" if failed else text


def ratios(results: Results, workloads: list[Workload]) -> str:
    """What the others take where fastsio takes 1; and what fastsio takes of the floor."""
    others = [name for name in servers(results) if name != OURS]
    rows = [
        [
            workload.title,
            *(cell(results, workload, other, OURS) for other in others),
            cell(results, workload, OURS, workload.floor) if workload.floor else "",
        ]
        for workload in workloads
    ]
    header = ["", *(TITLES[other] for other in others), "fastsio / floor"]
    return (
        "## Ratios\n\nWhat each server takes, as a multiple of what fastsio takes (server CPU, memory, or milliseconds "
        "of stall). Last column: fastsio as a multiple of the bare C program for the same work.\n\n"
        + table(header, rows)
    )


def goals(results: Results) -> str:
    answers = {True: "yes", False: "**no**", None: "–"}
    titles = {workload.name: workload.title for workload in WORKLOADS}
    rows = [
        [titles[goal.workload], goal.text(), goal.measured_text(results), answers[goal.reached(results)]]
        for goal in GOALS
        if goal.workload in results.workloads()
    ]
    return "## Goals\n\n" + table(["work", "goal", "measured", "reached"], rows) if rows else ""


def figures(results: Results, workload: Workload) -> str:
    """Every server's median with its range, and the same as ratios."""
    with_user = workload.key == MICROSECONDS
    header = ["server", "/ fastsio", *(["/ floor"] if workload.floor else []), workload.unit, "rounds"]
    header += ["of it in user mode"] if with_user else []
    names = [name for name in TITLES if results.of(workload.name, name)]
    rows = []
    for name in names:
        row = [TITLES[name], cell(results, workload, name, OURS)]
        row += [cell(results, workload, name, workload.floor)] if workload.floor else []
        row += ranged(results.summary(workload.name, name, workload.key))
        row += ranged(results.summary(workload.name, name, "user_us"))[:1] if with_user else []
        rows.append(row)
    return f"## {workload.title[0].upper()}{workload.title[1:]}\n\n" + table(header, rows)


def ranged(value: Summary | None) -> list[str]:
    if value is None:
        return ["failed", "0"]
    return [f"{number(value.median)} ({number(value.least)} .. {number(value.most)})", str(value.rounds)]


def failures(results: Results) -> str:
    """Each reason once, with the runs that ended so."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for run in results.runs:
        if run.failure:
            reasons.setdefault((run.server, run.failure), []).append(f"{run.workload} in round {run.round + 1}")
    lines = [f"- {TITLES[server]}: {reason} ({', '.join(runs)})" for (server, reason), runs in reasons.items()]
    return "## Failed runs\n\n" + "\n".join(lines) if lines else ""


def machine(results: Results) -> str:
    lines = [f"- {name}: {value}" for name, value in results.machine.items()]
    lines += [f"- {TITLES[name]}: {versions}" for name, versions in results.versions.items()]
    lines += [f"- left out: {TITLES[name]} ({reason})" for name, reason in results.missing.items()]
    return "## Machine and versions\n\n" + "\n".join(lines)


REPRODUCE = """## How to reproduce

`make bench` does all of it. By hand, with fastsio built:

```
make -C bench                                   # the load generator and the floors
npm ci --prefix bench                           # the JavaScript peers
python -m pip install -r bench/requirements.txt # the Python peer and the chart
python -m bench.run                             # --only broadcast, --servers fastsio,socket.io-uws, --quick
```

What is measured, and how, is in [README.md](README.md); every single run is in results.json."""


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BENCH
    write_report(Results.load(folder / FILE), folder)
