"""What `stats()` of an engine and of a server returns, and where an engine's numbers come from.

Everything is counted where it happens, in C, whether anybody asks or not; asking reads it. Three kinds, and the
keys say which: those that are so *now*; those *since the start*, which never fall while the server listens and
outlive the connections that they come from; and the largest value since the start. The start is the first
`listen()`, or the first one after a `close()`; without one everything is 0. Times are seconds.
"""

from __future__ import annotations

from typing import TypedDict

from fastsio.engine.core import Core
from fastsio.engine.timers import Deadlines
from fastsio.outbox import Outbox


class FlushStats(TypedDict):
    """Runs of the send loop, which serves every connection with something queued, for 2 ms at most."""

    #: Flushes since the start.
    count: int
    #: Connections and polling sessions that a flush served, on average since the start; 0.0 without a flush.
    mean: float
    #: The most that one flush served since the start.
    largest: int
    #: Flushes since the start that served 1, 2 or 3, 4 to 7, ...: item n counts those of 2**n to 2**(n + 1) - 1.
    sizes: list[int]


class LoopLagStats(TypedDict):
    """How late the event loop came with the timer of the deadlines: what blocks the loop shows here.

    It is looked at whenever that timer comes, at least once a heartbeat; without connections never.
    """

    #: Looks since the start.
    count: int
    #: At the last look.
    last: float
    #: On average since the start; 0.0 without a look.
    mean: float
    #: The largest since the start.
    largest: float


class EngineStats(TypedDict):
    """Of an Engine. Source: ours."""

    #: Connections that are open now: TCP, TLS and Unix; none under another server (ASGIApp).
    connections: int
    #: Connections accepted since the start.
    connections_total: int
    #: The most connections open at a time since the start.
    connections_peak: int
    #: Engine.IO sessions that are open now.
    sessions: int
    #: Sessions opened since the start.
    sessions_total: int
    #: The most sessions open at a time since the start.
    sessions_peak: int
    #: Engine.IO messages from clients since the start, an attachment counted as one. No heartbeats, no HTTP.
    messages_in: int
    #: Deliveries since the start: messages x receivers that were queued.
    messages_out: int
    #: Bytes read from connections since the start: HTTP, frames and all (with TLS: decrypted). Under another server
    #: (ASGIApp): of websockets alone, without the heads of frames.
    bytes_in: int
    #: Bytes given to the kernel or the TLS layer since the start: HTTP, frames and all (with TLS: not yet encrypted).
    #: Under another server (ASGIApp): of websockets alone.
    bytes_out: int
    #: Calls of send(2) since the start; what the event loop's transports write is not in it.
    sends: int
    #: What was refused, dropped or cut short since the start, by reason: "volatile" (messages not queued for clients
    #: that had others to read), "slow readers" (clients that reached max_backlog), and every counter of
    #: `engine.counters` by its name.
    drops: dict[str, int]
    #: How the send loop works.
    flushes: FlushStats
    #: How late the event loop is.
    loop_lag: LoopLagStats


class NamespaceStats(TypedDict):
    """Of a namespace."""

    #: Its connected sockets now.
    sockets: int
    #: Its rooms now, those of one socket's own id left out.
    rooms: int


class ServerStats(EngineStats):
    """Of a Server: its engine's and its namespaces'. Source: ours."""

    #: Connected sockets of all namespaces now.
    sockets: int
    #: Rooms of all namespaces now, those of one socket's own id left out.
    rooms: int
    #: The same by the namespace's name.
    namespaces: dict[str, NamespaceStats]


def engine_stats(core: Core | None) -> EngineStats:
    """core: None before the start."""
    if core is None:
        return _before_the_start()
    outbox = core.outbox.stats()
    return {
        "connections": core.connections,
        "connections_total": core.connections_total,
        "connections_peak": core.connections_peak,
        "sessions": core.sessions,
        "sessions_total": core.sessions_total,
        "sessions_peak": core.sessions_peak,
        "messages_in": core.messages_in,
        "messages_out": core.outbox.messages(),
        "bytes_in": core.bytes_in,
        "bytes_out": outbox["bytes"] + outbox["handed"],
        "sends": outbox["sends"],
        "drops": {"volatile": outbox["dropped"], "slow readers": outbox["overflows"], **core.counters},
        "flushes": _flushes(core.outbox, outbox),
        "loop_lag": _loop_lag(core.deadlines),
    }


def _flushes(outbox: Outbox, stats: dict[str, int]) -> FlushStats:
    count = stats["flushes"]
    return {
        "count": count,
        "mean": stats["flushed"] / count if count else 0.0,
        "largest": stats["largest"],
        "sizes": outbox.flush_sizes(),
    }


def _loop_lag(deadlines: Deadlines) -> LoopLagStats:
    count = deadlines.looks
    return {
        "count": count,
        "last": deadlines.lag_last / 1e9,
        "mean": deadlines.lag_total / count / 1e9 if count else 0.0,
        "largest": deadlines.lag_largest / 1e9,
    }


def _before_the_start() -> EngineStats:
    return {
        "connections": 0,
        "connections_total": 0,
        "connections_peak": 0,
        "sessions": 0,
        "sessions_total": 0,
        "sessions_peak": 0,
        "messages_in": 0,
        "messages_out": 0,
        "bytes_in": 0,
        "bytes_out": 0,
        "sends": 0,
        "drops": {"volatile": 0, "slow readers": 0},
        "flushes": {"count": 0, "mean": 0.0, "largest": 0, "sizes": []},
        "loop_lag": {"count": 0, "last": 0.0, "mean": 0.0, "largest": 0.0},
    }
