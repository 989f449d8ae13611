"""The workloads: what the load generator is told to do, which figure counts, and what the bare C floor of it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.peers import OURS, WS

PAYLOAD = 64
FRAME = PAYLOAD + 18  # a broadcast on the wire: header, 42["b",12345,"..."]

FLOOR_SEND = "floor-send"
FLOOR_ECHO = "floor-echo"
FLOOR_TITLES = {FLOOR_SEND: "bare send loop in C", FLOOR_ECHO: "bare epoll echo in C"}

MICROSECONDS = "total_us"
KILOBYTES = "rss_kb_per_client"
LONGEST = "max_ms"


@dataclass(frozen=True)
class Workload:
    """`key` is the figure of the load generator's result that is compared; `unit` says of what it is."""

    name: str
    title: str
    mode: str
    clients: int
    unit: str
    key: str = MICROSECONDS
    floor: str = ""
    window: int = 0
    outstanding: int = 0
    pollers: int = 0  # of the clients, over HTTP polling
    size: int = PAYLOAD
    json: bool = False  # the payload is an array of records, not a string
    deflate: bool = False  # permessage-deflate on both sides
    servers: tuple[str, ...] = ()  # those that it is run on; (): all

    def load_arguments(self, port: int, pid: int, seconds: float) -> list[str]:
        arguments = [self.mode, "--port", port, "--pid", pid, "--clients", self.clients, "--seconds", seconds]
        arguments += ["--size", self.size, "--pollers", self.pollers]
        if self.window:
            arguments += ["--window", self.window]
        if self.outstanding:
            arguments += ["--outstanding", self.outstanding]
        arguments += [option for option, wanted in (("--json", self.json), ("--deflate", self.deflate)) if wanted]
        return [str(argument) for argument in arguments]

    def floor_send_arguments(self, seconds: float) -> list[str]:
        return ["--clients", str(self.clients), "--size", str(FRAME), "--seconds", str(seconds)]

    def server_arguments(self) -> list[str]:
        return ["deflate"] if self.deflate else []

    def parts(self) -> "list[Workload]":
        """What is run, one after the other, each on a new process of the server."""
        return [self]

    def combined(self, figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The figures of the parts as those of the whole."""
        return dict(figures[0])

    def small(self) -> "Workload":
        """For a smoke test: as many clients as a busy machine takes at once."""
        few = min(self.clients, 200)
        return replace(self, clients=few, pollers=self.pollers * few // self.clients)


class MixedRoom(Workload):
    """A broadcast in a room of websockets and pollers: what one websocket more costs there, and without pollers.

    Each cost is the difference of two rooms, with all the websockets and with only the sender's, the pollers the same
    in both. So the pollers' own HTTP is in neither, nor is what a broadcast costs before its first receiver.
    """

    def parts(self) -> list[Workload]:
        websockets = self.clients - self.pollers
        rooms = ((self.clients, 0), (websockets, 0), (1, 0), (websockets, self.pollers), (1, self.pollers))
        return [
            Workload(self.name, self.title, self.mode, alone + pollers, self.unit, window=self.window, pollers=pollers)
            for alone, pollers in rooms
        ]

    def combined(self, figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {"mode": "mixed", "clients": self.clients, "pollers": self.pollers, "verified": True}
        websockets = self.clients - self.pollers
        for kind in ("total_us", "user_us", "system_us"):
            # A broadcast is counted once for every client that gets it.
            full, fewer, sender, mixed, pollers = (each[kind] * each["clients"] for each in figures)
            found[kind] = (mixed - pollers) / (websockets - 1)
            found[f"without_pollers_{kind}"] = (full - sender) / (self.clients - 1)
            found[f"without_pollers_fewer_{kind}"] = (fewer - sender) / (websockets - 1)
            found[f"poller_{kind}"] = (pollers - sender) / self.pollers
        found["ratio"] = found[MICROSECONDS] / found[f"without_pollers_{MICROSECONDS}"]
        return found


DELIVERY = "µs of server CPU per delivery"
ROUND_TRIP = "µs of server CPU per acknowledged event"

WORKLOADS = (
    Workload("handshake", "handshake to CONNECTed, 20 at a time", "connect", 20, "µs of server CPU per client",
             floor=FLOOR_ECHO),
    Workload("idle", "memory, 10,000 idle clients", "idle", 10_000, "KB per client", key=KILOBYTES),
    Workload("echo-1", "echo with ack, 100 clients, 1 outstanding", "echo", 100, ROUND_TRIP, floor=FLOOR_ECHO,
             outstanding=1),
    Workload("echo-16", "echo with ack, 100 clients, 16 outstanding", "echo", 100, ROUND_TRIP, floor=FLOOR_ECHO,
             outstanding=16),
    Workload("broadcast-1", "broadcast to 1,000 clients, 1 in flight", "broadcast", 1000, DELIVERY,
             floor=FLOOR_SEND, window=1),
    Workload("broadcast-20", "broadcast to 1,000 clients, 20 in flight", "broadcast", 1000, DELIVERY,
             floor=FLOOR_SEND, window=20),
    Workload("broadcast-64", "broadcast to 1,000 clients, 64 in flight", "broadcast", 1000, DELIVERY,
             floor=FLOOR_SEND, window=64),
    Workload("chat", "chat, 100 clients all talking", "chat", 100, DELIVERY, floor=FLOOR_SEND),
    Workload("polling-echo", "echo with ack over polling, 100 clients, 1 outstanding", "echo", 100, ROUND_TRIP,
             outstanding=1, pollers=100),
    Workload("polling-handshake", "polling handshake to CONNECTed, 20 at a time", "connect", 20,
             "µs of server CPU per client", pollers=20),
    MixedRoom("mixed", "broadcast to 900 websockets and 100 pollers, 1 in flight", "broadcast", 1000,
              "µs of server CPU per websocket delivery", window=1, pollers=100, servers=(OURS, WS)),
    Workload("deflated", "deflated broadcast of 2 KB of JSON to 1,000 clients, 1 in flight", "broadcast", 1000,
             DELIVERY, window=1, size=2048, json=True, deflate=True, servers=(OURS, WS)),
    Workload("stall", "longest stall of the event loop, 10,000 receivers", "stall", 10_000, "ms", key=LONGEST),
)  # fmt: skip
