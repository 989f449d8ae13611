"""The page about limits has every counter, under its name in the sources, and the numbers of the sources."""

import re

from fastsio import limits
from fastsio.engine.handshake import MESSAGES
from fastsio.engine.stats import engine_stats
from fastsio.options import DEFAULTS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "tour" / "limits.md").read_text()


def counted() -> set[str]:
    """The names in the sources; what is put together there stands here as `http`, `websocket error` and `refused`."""
    files = [file for file in (ROOT / "fastsio").rglob("*") if file.suffix in (".py", ".pyx")]
    text = "\n".join(file.read_text() for file in files)
    names = re.findall(r'(?:counters\[|_count\()f?"([^"]+)', text)
    names += re.findall(r'counters\["send error" if error else "([^"]+)"\]', text)
    return {re.sub(r":? [{%].*$| \d+$", "", name) for name in names} | set(engine_stats(None)["drops"])


def shown() -> set[str]:
    """All that stands as code on the page, the same way."""
    return {re.sub(r" \d+$|: .*$", "", name) for name in re.findall(r"`([^`\n]+)`", PAGE)}


def test_every_counter_is_on_the_page() -> None:
    assert {"protocol violation", "http", "websocket error", "refused", "volatile"} <= counted()
    assert counted() - shown() == set()


def test_every_refusal_is_on_the_page() -> None:
    assert [text for text in MESSAGES.values() if f"`refused: {text}`" not in PAGE] == []


def test_the_numbers_are_those_of_the_sources() -> None:
    for number in (limits.MAX_PENDING_ACKS, limits.MAX_NAMESPACES, limits.MAX_CHILD_NAMESPACES, limits.MAX_FRAGMENTS):
        assert f"| {number:,}" in PAGE
    assert f"`max_http_buffer_size`, {DEFAULTS['max_http_buffer_size']:,} bytes" in PAGE
    for option in ("connect_timeout", "upgrade_timeout", "ping_timeout", "ping_interval"):
        assert f"`{option}`, {DEFAULTS[option]:g} s" in PAGE
    assert f"`max_attachments`, {DEFAULTS['max_attachments']} " in PAGE
    assert f"`max_backlog`, {DEFAULTS['max_backlog'] >> 20} MiB" in PAGE
