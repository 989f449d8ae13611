"""Is anything lost? Measures fastsio and the floors anew and compares with the results that are stored.

    python -m bench.check [--rounds 3] [--seconds 1] [--only WORKLOAD,...] [--tolerance 1.25]

What is compared is the ratio to the floor, both of one run, where the workload has a floor, else the figure itself.
Exit status 1: some workload takes more than `tolerance` times what it took then. A finding, not a result: whether it
is so, a full run on a quiet machine says, or the old commit beside the new one.
"""

import argparse
import sys
from statistics import median

from bench import results
from bench.machine import describe
from bench.peers import BENCH, OURS, PEERS
from bench.process import allow_descriptors
from bench.run import run_one, selected
from bench.workloads import WORKLOADS, Workload


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.check", description="Compares with the stored results.")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="measured time of one run (1)")
    parser.add_argument("--only", default="", help="workloads, by name or beginning")
    parser.add_argument("--tolerance", type=float, default=1.25, help="what still counts as the same (1.25)")
    return parser.parse_args()


def cost(found: results.Results, workload: Workload) -> float | None:
    """The median over the rounds; of the ratios to the floor, each within its round, if there is one."""
    ours = {run.round: run.figures[workload.key] for run in found.of(workload.name, OURS) if run.figures}
    if workload.floor:
        floors = {
            run.round: run.figures[workload.key] for run in found.of(workload.name, workload.floor) if run.figures
        }
        ours = {turn: value / floors[turn] for turn, value in ours.items() if floors.get(turn)}
    return median(ours.values()) if ours else None


def measured(workloads: list[Workload], rounds: int, seconds: float) -> results.Results:
    peer = next(peer for peer in PEERS if peer.name == OURS)
    outcome = results.Results(describe(), {}, {}, {})
    for turn in range(rounds):
        for workload in workloads:
            both = [peer, workload.floor] if workload.floor else [peer]
            outcome.runs += [run_one(workload, each, turn, seconds) for each in (both if turn % 2 else both[::-1])]
    return outcome


def main() -> int:
    options = arguments()
    stored = results.Results.load(BENCH / results.FILE)
    workloads = [each for each in selected(WORKLOADS, options.only) if cost(stored, each) is not None]
    allow_descriptors()
    anew = measured(workloads, options.rounds, options.seconds)
    lost = 0
    for workload in workloads:
        before, after = cost(stored, workload), cost(anew, workload)
        is_lost = after is None or (before is not None and after > before * options.tolerance)
        lost += is_lost
        unit = "× the floor" if workload.floor else workload.unit
        print(f"{workload.name:17} {before:8.3g} then, {after or 0:8.3g} now, {unit}{'  LOST' if is_lost else ''}")
    print(f"{len(workloads)} workloads, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
