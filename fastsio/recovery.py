"""Settings of connection state recovery, and why a connection may have ended to be recovered."""

from dataclasses import dataclass

from fastsio.checks import check_bool, check_number

# Reasons that leave the client wanting to come back. Source: Socket.IO 4.6.
RECOVERABLE = frozenset(
    [
        "transport error",
        "transport close",
        "forced close",
        "ping timeout",
        "server shutting down",
        "forced server close",
    ]
)


@dataclass(frozen=True)
class RecoverySettings:
    """The option `connection_state_recovery`; times in seconds, sizes in bytes."""

    max_disconnection_duration: float = 120.0  # how long a client may be away
    skip_middlewares: bool = True  # of the namespace, for a recovered client
    max_buffer: int = 64 * 1024 * 1024  # events kept for each namespace

    def __post_init__(self) -> None:
        check_number("max_disconnection_duration", self.max_disconnection_duration, (int, float), 0.001, 1e7)
        check_bool("skip_middlewares", self.skip_middlewares)
        check_number("max_buffer", self.max_buffer, (int,), 0, 2**48)
