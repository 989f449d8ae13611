"""The benchmark holds: the load generator's modes work, it notices every mistake of a server, and the runner reports.

Short runs with few clients: what they measure means nothing here, only that it was measured and found right.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.check import cost
from bench.machine import describe
from bench.peers import BENCH, OURS, ROOT, SERVERS, Peer
from bench.process import free_port, serving
from bench.report import write_report
from bench.results import Results, Run
from bench.run import FLOOR_ECHO_PROGRAM, LOAD, run_one
from bench.workloads import KILOBYTES, LONGEST, MICROSECONDS, WORKLOADS
from tests.requirements import require

FAULTY = Path(__file__).with_name("faulty.py")
OUR_SERVER = SERVERS / "fastsio_server.py"
SHORT = ["--seconds", "0.3", "--warmup", "0.05"]
MODES = {
    "connect": (["--clients", "5"], MICROSECONDS),
    "idle": (["--clients", "30"], KILOBYTES),
    "echo": (["--clients", "5", "--outstanding", "3"], MICROSECONDS),
    "broadcast": (["--clients", "5", "--window", "4"], MICROSECONDS),
    "chat": (["--clients", "5"], MICROSECONDS),
    "stall": (["--clients", "5"], LONGEST),
}
TRANSPORTS = {
    "polling echo": ["echo", "--clients", "5", "--pollers", "5"],
    "polling echo of several at a time": ["echo", "--clients", "3", "--pollers", "3", "--outstanding", "4"],
    "polling handshake": ["connect", "--clients", "5", "--pollers", "5"],
    "mixed room": ["broadcast", "--clients", "6", "--pollers", "2", "--window", "3"],
    "deflated": ["broadcast", "--clients", "5", "--json", "--size", "2048", "--deflate", "--window", "2"],
    "deflated, mixed": ["chat", "--clients", "4", "--size", "1500", "--deflate"],
}
CLOSED = "the server closed the connection", "send: ", "recv: "  # whichever the client sees first
MISTAKES = [
    ("echo", "double", "acknowledgement"),
    ("echo", "alter", "not an acknowledgement with its payload"),
    ("echo", "close", CLOSED),
    ("broadcast", "drop", "number 20 of sender 0 came, expected 19"),
    ("broadcast", "double", "number 19 of sender 0 came, expected 20"),
    ("broadcast", "reorder", "number 20 of sender 0 came, expected 19"),
    ("broadcast", "alter", "not a broadcast with its payload"),
    ("broadcast", "close", CLOSED),
    ("chat", "double", "came, expected"),
    ("chat", "alter", "not a broadcast with its payload"),
    ("stall", "alter", "not the broadcast of round 6"),
]

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the benchmark is for Linux: epoll, /proc"),
    pytest.mark.timeout(120),  # the first test builds, or waits for the runner; each program has its own limit
]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    for program in ("make", "cc", "taskset"):
        require(program)
    done = subprocess.run(["make", "-C", str(BENCH)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def our_server(built: None) -> Iterator[tuple[int, int]]:
    """(port, process id) of fastsio's server for the benchmark."""
    port = free_port()
    with serving([sys.executable, str(OUR_SERVER), str(port), "deflate"]) as pid:
        yield port, pid


def load(mode: str, port: int, pid: int) -> subprocess.CompletedProcess[str]:
    command = [str(LOAD), mode, "--port", str(port), "--pid", str(pid), *MODES[mode][0], *SHORT]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


def assert_measured(mode: str, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["verified"] is True
    assert result["mode"] == mode
    assert result["count"] > 0
    assert result[MODES[mode][1]] >= 0


# ---- the load generator ----


@pytest.mark.parametrize("mode", MODES)
def test_mode(mode: str, our_server: tuple[int, int]) -> None:
    assert_measured(mode, load(mode, *our_server))


def load_as(arguments: list[str], port: int, pid: int) -> subprocess.CompletedProcess[str]:
    command = [str(LOAD), *arguments, "--port", str(port), "--pid", str(pid), *SHORT]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("name", TRANSPORTS)
def test_transport(name: str, our_server: tuple[int, int]) -> None:
    done = load_as(TRANSPORTS[name], *our_server)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["verified"] is True
    assert result["count"] > 0
    assert ("deflated_to" in result) == ("--deflate" in TRANSPORTS[name])
    assert 0 < result.get("deflated_to", 0.5) < 1


def test_messages_that_are_not_deflated_are_noticed(our_server: tuple[int, int]) -> None:
    """They are below the threshold."""
    done = load_as(["broadcast", "--clients", "3", "--deflate"], *our_server)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not every broadcast came compressed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "noticed"),
    [(["--deflate"], "no permessage-deflate"), (["--pollers", "2"], CLOSED)],
)
def test_a_transport_that_is_not_served_is_noticed(arguments: list[str], noticed: str | tuple[str, ...]) -> None:
    port = free_port()
    with serving([sys.executable, str(FAULTY), "none", str(port)]) as pid:
        done = load_as(["echo", "--clients", "2", *arguments], port, pid)
    assert (done.returncode, done.stdout) == (1, "")
    assert any(text in done.stderr for text in ([noticed] if isinstance(noticed, str) else noticed)), done.stderr


@pytest.mark.parametrize("mode", ["echo", "connect"])
def test_floor(mode: str) -> None:
    port = free_port()
    with serving([str(FLOOR_ECHO_PROGRAM), "--port", str(port)]) as pid:
        assert_measured(mode, load(mode, port, pid))


@pytest.mark.parametrize("mode", ["echo", "broadcast", "chat", "stall"])
def test_without_a_mistake_the_faulty_server_is_right(mode: str) -> None:
    port = free_port()
    with serving([sys.executable, str(FAULTY), "none", str(port)]) as pid:
        assert_measured(mode, load(mode, port, pid))


@pytest.mark.parametrize(("mode", "fault", "noticed"), MISTAKES)
def test_a_mistake_is_noticed(mode: str, fault: str, noticed: str | tuple[str, ...]) -> None:
    port = free_port()
    with serving([sys.executable, str(FAULTY), fault, str(port)]) as pid:
        done = load(mode, port, pid)
    assert done.returncode == 1
    assert done.stdout == ""
    assert any(text in done.stderr for text in ([noticed] if isinstance(noticed, str) else noticed)), done.stderr


def test_nobody_there() -> None:
    done = load("echo", free_port(), os.getpid())
    assert (done.returncode, done.stdout) == (1, "")
    assert "connect: " in done.stderr


# ---- the runner ----


@pytest.fixture(scope="module")
def quick_run(built: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what a quick run of all workloads leaves."""
    folder = tmp_path_factory.mktemp("quick")
    command = [sys.executable, "-m", "bench.run", "--quick", "--servers", OURS, "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_quick_run(quick_run: Path) -> None:
    results = Results.load(quick_run / "results.json")
    ran = {(run.workload, run.server) for run in results.runs}
    assert ran == {(workload.name, name) for workload in WORKLOADS for name in (OURS, workload.floor) if name}
    assert all(run.figures["verified"] is True for run in results.runs if run.server == OURS)
    report = (quick_run / "RESULTS.md").read_text()
    assert "smoke test" in report
    assert "failed" not in report.lower()
    assert all(workload.title[1:] in report for workload in WORKLOADS)


def test_mixed_room_is_the_difference_of_rooms() -> None:
    """Two microseconds a websocket in the room alone, three with pollers, ten a poller, fifty a broadcast."""
    workload = next(workload for workload in WORKLOADS if workload.name == "mixed")
    figures = []
    for part in workload.parts():
        each = 3 if part.pollers else 2
        whole = 50 + each * (part.clients - part.pollers) + 10 * part.pollers
        figures.append(
            {"clients": part.clients, **dict.fromkeys(("total_us", "user_us", "system_us"), whole / part.clients)}
        )
    found = workload.combined(figures)
    assert found["total_us"] == pytest.approx(3)
    assert found["without_pollers_total_us"] == pytest.approx(2)
    assert found["ratio"] == pytest.approx(1.5)


def test_check_compares_with_the_floor_of_the_same_round() -> None:
    workload = next(workload for workload in WORKLOADS if workload.name == "echo-1")
    runs = [
        Run(turn, "echo-1", name, {workload.key: value * (turn + 1)})
        for turn in range(3)
        for name, value in ((OURS, 6.0), (workload.floor, 4.0))
    ]
    assert cost(Results({}, {}, {}, {}, runs), workload) == pytest.approx(1.5)


def test_quick_run_draws(quick_run: Path) -> None:
    assert (quick_run / "results.png").read_bytes().startswith(b"\x89PNG")
    assert "(results.png)" in (quick_run / "RESULTS.md").read_text()


def test_a_mistake_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.report.draw", lambda *_: False)
    workload = next(workload for workload in WORKLOADS if workload.name == "echo-1")
    faulty = Peer(OURS, "faulty", (sys.executable, str(FAULTY), "alter"), lambda: "", lambda: "")
    run = run_one(workload, faulty, 0, 0.3)
    assert "not an acknowledgement with its payload" in run.failure
    assert run.figures == {}
    settings = {"rounds": 1, "seconds": 0.3, "quick": False}
    write_report(Results(describe(), {OURS: ""}, {}, settings, [run]), tmp_path)
    report = (tmp_path / "RESULTS.md").read_text()
    assert "## Failed runs" in report
    assert run.failure in report
