"""Processes of one measurement: a server pinned to one core, the load to another, each ended by its own id.

Whatever goes wrong (no start, a wrong answer, an early end, no end) is raised as Failure with what the process said.
"""

import json
import os
import resource
import selectors
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from bench.peers import environment

START_SECONDS = 30
STOP_SECONDS = 5
LOAD_SECONDS = 180  # beside the measured time: opening 10,000 clients and what is in flight at the end


class Failure(Exception):
    """A measurement that gave no figure, and why."""


def cores() -> tuple[int, int]:
    """The server's and the load's; the same one where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def allow_descriptors() -> None:
    """Raises the soft limit to the hard one, for this process and what it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(core: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command]


def last_lines(text: str, count: int = 2) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-count:])


@contextmanager
def serving(command: list[str]) -> Iterator[int]:
    """The id of a server that listens; it is stopped at the end of the block. `taskset` becomes the server itself."""
    with tempfile.TemporaryFile("w+") as errors:
        server = subprocess.Popen(
            pinned(cores()[0], command), stdout=subprocess.PIPE, stderr=errors, text=True, env=environment()
        )
        try:
            _await_ready(server, errors)
            yield server.pid
            if server.poll() is not None:
                raise Failure(f"the server ended with {server.returncode}: {_said(errors) or 'it said nothing'}")
        finally:
            _stop(server)


def _await_ready(server: subprocess.Popen[str], errors: IO[str]) -> None:
    assert server.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        line = server.stdout.readline() if selector.select(START_SECONDS) else ""
    if not line.startswith("ready"):
        raise Failure(f"the server did not start: {_said(errors) or line.strip() or 'it said nothing'}")


def _said(errors: IO[str]) -> str:
    errors.seek(0)
    return last_lines(errors.read())


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    assert server.stdout is not None
    server.stdout.close()


def measured(command: list[str], seconds: float) -> dict[str, Any]:
    """What a program that measures found: the JSON object that it prints."""
    try:
        run = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds + LOAD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"no result after {seconds + LOAD_SECONDS:.0f} s") from None
    if run.returncode != 0:
        raise Failure(last_lines(run.stderr) or f"the load ended with {run.returncode}")
    try:
        result = json.loads(run.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise Failure(f"the load printed no JSON: {last_lines(run.stdout)!r}") from None
    if not isinstance(result, dict):
        raise Failure(f"the load printed {result!r}")
    return result
