"""What the scenarios need and what they bring about: options of the server, who cannot do them, and why sockets
disconnected. The same is expected of the reference, but for the differences listed here.
"""

from __future__ import annotations

from typing import Any

from tests.e2e.app import Reasons
from tests.e2e.runner import VARIANTS, scenario_names

LEFT = "client namespace disconnect"
THROWN_OUT = "server namespace disconnect"
OPTIONS: dict[str, dict[str, Any]] = {
    "heartbeat": {"ping_interval": 0.06, "ping_timeout": 2.0},
    "ping_timeout": {"ping_interval": 0.06, "ping_timeout": 0.3},
    "upgrades_not_allowed": {"allow_upgrades": False},
    "only_polling_allowed": {"transports": ["polling"]},
    "only_websocket_allowed": {"transports": ["websocket"]},
    "probe_is_silent": {"upgrade_timeout": 0.2},
}
# Scenario -> the generations of clients that cannot do it, and why.
NOT_APPLICABLE = {
    "auth_object": ("2", "2.x clients have no auth payload: query_of_a_namespace is theirs"),
    "auth_function": ("2", "2.x clients have no auth payload: query_of_a_namespace is theirs"),
    "ack_timeout_of_client": ("23", "timeout() came with 4.4, emitWithAck() with 4.6"),
    "payloads_split": ("23", "only 4.x clients put what is too large for one request into several"),
    "falls_back_to_polling": ("23", "tryAllTransports came with 4.8"),
    **{name: ("34", "of 2.x alone") for name in scenario_names("older")},
}
# Why sockets disconnected, where that is not (only) because the client left.
REASONS: dict[str, Reasons] = {
    "too_large_message": [("/", "transport error")],
    "too_large_binary": [("/", "transport error")],
    "client_closes_transport": [("/", "transport close")],
    "client_vanishes": [("/", "transport close")],
    "server_disconnects": [("/", LEFT), ("/chat", LEFT), ("/chat", THROWN_OUT)],
    "server_disconnects_with_events_under_way": [("/", LEFT), ("/chat", THROWN_OUT)],
    "server_closes_connection": [("/", THROWN_OUT), ("/chat", THROWN_OUT)],
    "reconnects": [("/", LEFT), *[("/", "forced close")] * 3, ("/chat", LEFT), *[("/chat", "forced close")] * 3],
    "buffers_while_away": [("/", LEFT), ("/", "forced close")],
    "buffered_while_the_server_closes": [("/", "forced close")],
    "shutdown": [("/", "server shutting down"), ("/chat", "server shutting down")],
    "ping_timeout": [("/", "ping timeout")],
    "rooms_left": [("/chat", LEFT), ("/chat", LEFT), ("/chat", THROWN_OUT), ("/other", LEFT)],
    "refused_without_data": [],
    "refused_in_main": [],
    "client_closes_while_upgrading": [("/", "transport close")] * 12,
    "server_disconnects_while_upgrading": [("/", THROWN_OUT)] * 12,
    "server_closes_while_upgrading": [("/", "forced close")] * 12,
    "mixed_room_of_a_namespace": [("/", "transport close")] * 4 + [("/chat", LEFT)] * 12,
}
# Over polling: the client says that it closes after its request was refused; a request that is cut off is an error.
POLLING_REASONS: dict[str, Reasons] = {
    "too_large_message": [("/", "transport close")],
    "too_large_binary": [("/", "transport close")],
    "client_vanishes": [("/", "transport error")],
}
# Where the reference differs on purpose: it closes the connection of a client whose events crossed its own
# disconnect(), if they came; here they are dropped.
CROSSED = "server_disconnects_with_events_under_way"
REFERENCE_CROSSED = {LEFT, "forced close", "forced server close"}
# And by mistake: after an upgrade it does not watch a client of 2.x any more.
REFERENCE_CANNOT = {("ping_timeout", "2-upgrade")}


def applicable(scenario: str, variant: str) -> bool:
    return scenario not in NOT_APPLICABLE or variant[0] not in NOT_APPLICABLE[scenario][0]


def applicable_variants(scenario: str, reference: bool = False) -> list[str]:
    """The variants that a scenario runs with."""
    excluded = REFERENCE_CANNOT if reference else set()
    return [name for name in VARIANTS if applicable(scenario, name) and (scenario, name) not in excluded]


def check_reasons(scenario: str, variant: str, reasons: Reasons) -> None:
    expected = REASONS.get(scenario)
    if variant.endswith(("-polling", "-fetch")):
        expected = POLLING_REASONS.get(scenario, expected)
    if variant[0] == "2":
        # Clients of 2.x are in "/" whether their application is or not, and leave it without a word.
        unasked = ("/", "transport close")
        reasons = [reason for reason in reasons if reason != unasked or (expected and unasked in expected)]
    if expected is not None:
        assert sorted(reasons) == expected, (scenario, variant)
    else:
        assert {reason for _, reason in reasons} <= {LEFT}, (scenario, variant)


def check_reasons_of_reference(scenario: str, variant: str, reasons: Reasons) -> None:
    if scenario == CROSSED:
        assert {reason for nsp, reason in reasons if nsp == "/"} <= REFERENCE_CROSSED
    else:
        check_reasons(scenario, variant, reasons)
