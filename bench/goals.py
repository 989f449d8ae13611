"""Goals: what fastsio wants to reach, each checked against the medians of one run."""

from dataclasses import dataclass

from bench.peers import OURS, PEERS, UWS, WS
from bench.results import Results
from bench.workloads import FLOOR_ECHO, FLOOR_SEND, FLOOR_TITLES, KILOBYTES, LONGEST, MICROSECONDS

TITLES = {**{peer.name: peer.title for peer in PEERS}, **FLOOR_TITLES}


@dataclass(frozen=True)
class Goal:
    """`key` of our run of `workload`, at most `limit` times that of `against`, or at most `limit` where it is alone.

    `below`: the limit itself does not reach the goal.
    """

    workload: str
    limit: float
    against: str = ""
    key: str = MICROSECONDS
    unit: str = ""
    below: bool = False

    def text(self) -> str:
        if not self.against:
            return f"≤ {self.limit:g} {self.unit}"
        other = TITLES[self.against]
        sign = "below" if self.below else "≤"
        if self.limit == 1:
            return f"{sign} {other}"
        factor = f"{self.limit:g}" if self.limit > 1 else f"1/{1 / self.limit:.0f}"
        return f"{sign} {factor} × {other}"

    def measured(self, results: Results) -> float | None:
        """None: not measured in this run."""
        ours = results.summary(self.workload, OURS, self.key)
        if ours is None or not self.against:
            return ours.median if ours else None
        other = results.summary(self.workload, self.against, self.key)
        return ours.median / other.median if other and other.median else None

    def measured_text(self, results: Results) -> str:
        value = self.measured(results)
        if value is None:
            return "not measured"
        if not self.against:
            return f"{value:.3g} {self.unit}"
        return f"{value:.2f} ×" if value >= 0.1 else f"1/{1 / value:.0f}" if value else "0"

    def reached(self, results: Results) -> bool | None:
        value = self.measured(results)
        if value is None:
            return None
        return value < self.limit if self.below else value <= self.limit


GOALS = (
    Goal("broadcast-1", 0.25, key="user_us", unit="µs of user CPU a delivery"),
    Goal("broadcast-1", 1.1, FLOOR_SEND),
    Goal("broadcast-1", 1, UWS, below=True),
    Goal("broadcast-64", 1 / 30, FLOOR_SEND),
    Goal("broadcast-64", 1 / 10, UWS),
    Goal("chat", 1 / 10, UWS),
    Goal("chat", 1 / 40, WS),
    Goal("echo-1", 1, UWS, below=True),
    Goal("echo-1", 1.5, FLOOR_ECHO),
    Goal("echo-16", 1, UWS, below=True),
    Goal("echo-16", 1.5, FLOOR_ECHO),
    Goal("handshake", 1 / 4, UWS),
    Goal("idle", 4, key=KILOBYTES, unit="KB"),
    Goal("polling-echo", 1 / 3, WS, below=True),
    Goal("polling-handshake", 1 / 3, WS, below=True),
    Goal("mixed", 1, key="ratio", unit="× the same without pollers"),
    Goal("deflated", 1 / 20, WS),
    Goal("stall", 5, key=LONGEST, unit="ms"),
)
