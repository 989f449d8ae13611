"""Every python block of the pages runs, every function in it is called, and every script of a page too."""

import logging
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import uvloop

from fastsio import Server
from tests.docs.pages import READ, ROOT, RUN, blocks, compiled, pages, programs
from tests.docs.running import calls, listen_nearby, look_in, serve
from tests.docs.visits import BEFORE, VISITS
from tests.requirements import require

EVERY_PROGRAM = [(page, number) for page in pages() for number in range(len(programs(page)))]


def test_the_pages_are_found() -> None:
    assert {"README.md", "docs/index.md"} <= {page for page, _ in EVERY_PROGRAM}


@pytest.mark.parametrize("page", pages())
def test_every_block_has_a_known_language(page: str) -> None:
    """Code that no program has would not run."""
    languages = [language for _, language, _ in blocks(page) if not language.startswith("{")]
    assert set(languages) <= READ | RUN
    assert languages.count("python") == sum(len(program.python) for program in programs(page))
    text = (ROOT / page).read_text()
    assert text.count("```python") == languages.count("python"), "a block of Python inside another"
    assert "{code-block}" not in text and "{doctest}" not in text


def test_every_visit_has_a_program() -> None:
    assert set(VISITS) <= set(EVERY_PROGRAM)


@pytest.mark.parametrize(("page", "number"), EVERY_PROGRAM)
def test_program(
    page: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Server, "run", lambda io, *args, **listen: None)
    monkeypatch.setattr(Server, "_listen", listen_nearby)
    monkeypatch.chdir(tmp_path)
    visit, errors = VISITS.get((page, number), (look_in, ()))
    program = programs(page)[number]
    if (page, number) in BEFORE:
        command, *arguments = BEFORE[page, number].split()
        subprocess.run([require(command), *arguments], check=True, capture_output=True)
    if program.html is not None:
        Path("index.html").write_text(program.html)
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)  # dataclasses look there
    names = vars(module)
    names["program"] = program
    wanted = set()
    with calls(str(ROOT / page)) as called:
        for code, functions in compiled(page, program):
            exec(code, names)
            wanted |= functions
        uvloop.run(serve(names, visit))
    assert not wanted - called, "functions that nothing called: extend tests/docs/visits.py"
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == len(errors) and all(map(str.__contains__, logged, errors)), logged
