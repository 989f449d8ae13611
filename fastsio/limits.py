"""Bounds on what a client can make us hold or log; those with an option are in options.py."""

from time import monotonic

MAX_PENDING_ACKS = 10_000  # acknowledgements awaited from one socket
MAX_NAMESPACES = 100  # joined or being joined by one connection; so many that it left are remembered
MAX_CHILD_NAMESPACES = 100_000  # made for clients by dynamic namespaces of one server
MAX_FRAGMENTS = 16_384  # of one websocket message
LOG_INTERVAL = 10.0  # seconds between two log lines of one kind

_logged: dict[str, float] = {}


def rate_limited(kind: str) -> bool:
    """Whether a line of this kind may be logged now: one in LOG_INTERVAL. `kind` is never a client's text."""
    now = monotonic()
    if now - _logged.get(kind, -LOG_INTERVAL) < LOG_INTERVAL:
        return False
    _logged[kind] = now
    return True
