"""Runs the benchmark: ours and the peers alternately, every workload once a round, figures into results.json.

    python -m bench.run [--rounds 5] [--seconds 2] [--only WORKLOAD,...] [--servers NAME,...] [--quick] [--output DIR]

Nothing is left out in silence: what this machine lacks is named at the start, and a run that fails is kept as a
failure, shown in the report, and makes the exit status 1. The load generator has to be built: make -C bench.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import results
from bench.machine import describe
from bench.peers import BENCH, PEERS, Peer
from bench.process import Failure, allow_descriptors, cores, free_port, measured, pinned, serving
from bench.report import write_report
from bench.workloads import FLOOR_SEND, WORKLOADS, Workload

LOAD = BENCH / "build/load"
FLOOR_SEND_PROGRAM = BENCH / "build/floor-send"
FLOOR_ECHO_PROGRAM = BENCH / "build/floor-echo"
QUICK = BENCH / "build/quick"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measures fastsio beside its peers.")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="measured time of one run (2)")
    parser.add_argument("--only", default="", help="workloads, by name or beginning: " + names(WORKLOADS))
    parser.add_argument("--servers", default="", help="servers: " + names(PEERS))
    parser.add_argument("--quick", action="store_true", help="a smoke test: one short round with few clients")
    parser.add_argument("--output", type=Path, help=f"folder for the results (bench; {QUICK.name} for --quick)")
    options = parser.parse_args()
    options.workloads = selected(WORKLOADS, options.only)
    options.peers = selected(PEERS, options.servers)
    if not options.workloads or not options.peers:
        parser.error("no workload or no server of that name")
    if options.quick:
        options.rounds, options.seconds = 1, 0.3
        options.workloads = [workload.small() for workload in options.workloads]
    options.output = options.output or (QUICK if options.quick else BENCH)
    return options


def names(things: tuple[Any, ...]) -> str:
    return ", ".join(thing.name for thing in things)


def selected(things: tuple[Any, ...], selection: str) -> list[Any]:
    """Those of the names in `selection`, else those that begin so; all for an empty one."""
    chosen: set[str] = set()
    for part in filter(None, map(str.strip, selection.split(","))):
        exact = {thing.name for thing in things if thing.name == part}
        chosen |= exact or {thing.name for thing in things if thing.name.startswith(part)}
    return [thing for thing in things if not selection or thing.name in chosen]


def measure_peer(workload: Workload, peer: Peer, seconds: float) -> dict[str, Any]:
    figures = []
    for part in workload.parts():
        port = free_port()
        figures.append(measure_server(part, peer.start_command(port, part.server_arguments()), port, seconds))
    return checked(workload, workload.combined(figures))


def measure_server(workload: Workload, command: list[str], port: int, seconds: float) -> dict[str, Any]:
    with serving(command) as pid:
        load = [str(LOAD), *workload.load_arguments(port, pid, seconds)]
        result = measured(pinned(cores()[1], load), seconds)
    if result.get("verified") is not True:
        raise Failure("the load did not find every message right")
    return checked(workload, result)


def measure_floor(workload: Workload, seconds: float) -> dict[str, Any]:
    if workload.floor == FLOOR_SEND:
        # It pins its two processes itself, to the same two cores.
        return checked(workload, measured([str(FLOOR_SEND_PROGRAM), *workload.floor_send_arguments(seconds)], seconds))
    port = free_port()
    return measure_server(workload, [str(FLOOR_ECHO_PROGRAM), "--port", str(port)], port, seconds)


def checked(workload: Workload, result: dict[str, Any]) -> dict[str, Any]:
    value = result.get(workload.key)
    if not isinstance(value, (int, float)) or value < 0:
        raise Failure(f"the result has no {workload.key}: {result}")
    return result


def contestants(workload: Workload, peers: list[Peer], turn: int) -> Iterator[Peer | str]:
    """The servers and the floor, with another one first in each round."""
    everybody: list[Peer | str] = [peer for peer in peers if not workload.servers or peer.name in workload.servers]
    if workload.floor:
        everybody.append(workload.floor)
    start = turn % max(len(everybody), 1)
    yield from everybody[start:] + everybody[:start]


def run_one(workload: Workload, contestant: Peer | str, turn: int, seconds: float) -> results.Run:
    name = contestant if isinstance(contestant, str) else contestant.name
    try:
        if isinstance(contestant, str):
            figures = measure_floor(workload, seconds)
        else:
            figures = measure_peer(workload, contestant, seconds)
    except (Failure, OSError) as failure:
        print(f"  {workload.name:17} {name:16} FAILED: {failure}", flush=True)
        return results.Run(turn, workload.name, name, failure=str(failure))
    print(f"  {workload.name:17} {name:16} {figures[workload.key]:10.3f} {workload.unit}", flush=True)
    return results.Run(turn, workload.name, name, figures)


def split_missing(peers: list[Peer]) -> tuple[list[Peer], dict[str, str]]:
    reasons = {peer.name: peer.missing() for peer in peers}
    missing = {name: reason for name, reason in reasons.items() if reason}
    return [peer for peer in peers if peer.name not in missing], missing


def main() -> int:
    options = arguments()
    for program in (LOAD, FLOOR_SEND_PROGRAM, FLOOR_ECHO_PROGRAM):
        if not program.exists():
            print(f"{program} is not there: make -C bench", file=sys.stderr)
            return 2
    allow_descriptors()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # through the blocks that stop servers
    peers, missing = split_missing(options.peers)
    if missing:
        print("left out: " + "; ".join(f"{name} ({reason})" for name, reason in missing.items()))
    outcome = results.Results(
        machine=describe(),
        versions={peer.name: peer.versions() for peer in peers},
        missing=missing,
        settings={"rounds": options.rounds, "seconds": options.seconds, "quick": options.quick},
    )
    options.output.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}, {time.monotonic() - started:.0f} s", flush=True)
        for workload in options.workloads:
            for contestant in contestants(workload, peers, turn):
                outcome.runs.append(run_one(workload, contestant, turn, options.seconds))
        outcome.save(options.output / results.FILE)
    write_report(outcome, options.output)
    failures = [run for run in outcome.runs if run.failure]
    print(f"{len(outcome.runs)} runs, {len(failures)} failed; report in {options.output}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
