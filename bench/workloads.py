"""The workloads: what the load generator is told to do, which figure counts, and what the bare C floor of it is."""

from dataclasses import dataclass, replace

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

    def load_arguments(self, port: int, pid: int, seconds: float) -> list[str]:
        arguments = [self.mode, "--port", port, "--pid", pid, "--clients", self.clients, "--seconds", seconds]
        arguments += ["--size", PAYLOAD]
        if self.window:
            arguments += ["--window", self.window]
        if self.outstanding:
            arguments += ["--outstanding", self.outstanding]
        return [str(argument) for argument in arguments]

    def floor_send_arguments(self, seconds: float) -> list[str]:
        return ["--clients", str(self.clients), "--size", str(FRAME), "--seconds", str(seconds)]

    def small(self) -> "Workload":
        """For a smoke test: as many clients as a busy machine takes at once."""
        return replace(self, clients=min(self.clients, 200))


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
    Workload("stall", "longest stall of the event loop, 10,000 receivers", "stall", 10_000, "ms", key=LONGEST),
)  # fmt: skip
