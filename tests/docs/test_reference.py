"""The reference has every class and function that is public, every event, and every option with its default."""

import re
from collections.abc import Iterator
from dataclasses import fields

import fastsio
import fastsio.adapter
from fastsio.options import DEFAULTS, GROUPS
from tests.api.names import EVENTS
from tests.docs.pages import ROOT

REFERENCE = ROOT / "docs" / "reference"
ROW = re.compile(r"^\| `(\w+)` \| `?([^|]*?)`? \|", re.M)
IN_WORDS = {("cors", "methods"), ("cors", "expose_headers")}  # their defaults are no values
OF_THE_SERVER = {"RecoveryAdapter"}  # chosen by an option, not by name


def test_every_public_name_is_there() -> None:
    text = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    names = {f"fastsio.{name}" for name in fastsio.__all__}
    elsewhere = OF_THE_SERVER | set(fastsio.__all__)
    names |= {f"fastsio.adapter.{name}" for name in fastsio.adapter.__all__ if name not in elsewhere}
    assert names - set(re.findall(r"auto(?:class|exception):: ([\w.]+)", text)) == set()


def test_every_event_is_there() -> None:
    text = (REFERENCE / "events-and-errors.md").read_text()
    names = {name for events in EVENTS.values() for name in events.split()}
    assert names - set(re.findall(r"`([\w-]+)\([^`]*\)`", text)) == set()


def tables() -> Iterator[tuple[str, dict[str, str]]]:
    """Heading -> option -> default, as the page has them."""
    parts = re.split(r"^#+ (\w+)$", (REFERENCE / "options.md").read_text(), flags=re.M)
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        yield heading, dict(ROW.findall(text))


def test_every_option_is_there_with_its_default() -> None:
    shown = dict(tables())["Options"]
    assert shown.keys() == DEFAULTS.keys()
    assert {name: eval(text) for name, text in shown.items()} == DEFAULTS


def test_every_key_is_there_with_its_default() -> None:
    shown = dict(tables())
    for group, settings in GROUPS.items():
        assert shown[group].keys() == {field.name for field in fields(settings)}
        for field in fields(settings):
            if (group, field.name) not in IN_WORDS:
                assert eval(shown[group][field.name]) == field.default, (group, field.name)


def test_the_drawing_names_what_the_sources_have() -> None:
    drawing = (ROOT / "docs" / "static" / "lines.svg").read_text()
    names = re.findall(r'class="code">(?:\w+\.)?(\w+)</text>', drawing)
    assert {"buffer_updated", "outbox_flush"} <= set(names)
    files = [file for folder in ("fastsio", "csrc") for file in (ROOT / folder).rglob("*")]
    code = "\n".join(file.read_text() for file in files if file.suffix in (".py", ".pyx", ".c"))
    defined = set(re.findall(r"^ *(?:class|def|cdef [\w *]+?|int|int64_t) \*?(\w+)[(:]", code, re.M))
    assert set(names) - defined == set()
