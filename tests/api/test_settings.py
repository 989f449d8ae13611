"""Options that are read, and set before the server listens."""

import pytest

from fastsio import Engine, MessagePackParser, Server
from fastsio.adapter import Adapter
from fastsio.testing import connect
from tests.api.recording import Recording
from tests.wsclient import serving

PARSER = MessagePackParser()
SETTINGS = {
    "path": ("/socket.io", "/ws"),
    "serve_client": (True, False),
    "origins": (None, ["https://example.com"]),
    "connect_timeout": (45.0, 3.5),
    "parser": (None, PARSER),
    "adapter": (Adapter, Recording),
}
WRONG = {
    "path": ("ws", ValueError),
    "serve_client": (1, TypeError),
    "origins": (5, TypeError),
    "connect_timeout": (-1.0, ValueError),
    "parser": ("json", TypeError),
    "adapter": (5, TypeError),
}


@pytest.fixture(autouse=True)
def adapter():
    """In memory: which it is, is what is tested."""


@pytest.mark.parametrize("name", SETTINGS)
def test_read_and_set(name):
    default, other = SETTINGS[name]
    io = Server()
    assert getattr(io, name)() == default
    assert getattr(io, name)(other) is io
    assert getattr(io, name)() == other
    assert getattr(Server(**{name: other}), name)() == other


@pytest.mark.parametrize("name", SETTINGS)
def test_one_leaves_the_others_as_they_are(name):
    io = Server(**{other: value for other, (_, value) in SETTINGS.items() if other != name})
    getattr(io, name)(SETTINGS[name][1])
    assert {other: getattr(io, other)() for other in SETTINGS} == {
        other: value for other, (_, value) in SETTINGS.items()
    }


@pytest.mark.parametrize("name", SETTINGS)
def test_a_bad_value_changes_nothing(name):
    default, _ = SETTINGS[name]
    wrong, error = WRONG[name]
    io = Server()
    with pytest.raises(error, match=name):
        getattr(io, name)(wrong)
    assert getattr(io, name)() == default


@pytest.mark.parametrize("name", SETTINGS)
async def test_while_the_server_listens(name):
    async with serving() as io:
        with pytest.raises(RuntimeError, match="listen"):
            getattr(io, name)(SETTINGS[name][1])
        assert getattr(io, name)() == SETTINGS[name][0]
    assert getattr(io, name)(SETTINGS[name][1]) is io


def test_none_and_star_are_values():
    io = Server(origins="*", adapter=Recording, parser=PARSER)
    assert io.origins(None).origins() is None
    assert io.origins("*:*").origins() in ("*", "*:*")
    assert io.adapter(None).adapter() is Adapter
    assert io.parser(None).parser() is None


async def test_they_are_in_effect():
    io = Server()
    io.of("/chat")
    io.path("/ws/").adapter(Recording).parser(PARSER)
    assert io.path() == "/ws"
    async with connect(io, "/chat") as client:
        assert type(io.of("/chat").adapter) is type(io.sockets.adapter) is Recording
        io.of("/chat").emit("news", b"x")
        assert await client.receive("news") == b"x"
        assert io.of("/chat").sockets[client.id].handshake.url.startswith("/ws/?")


@pytest.mark.parametrize(
    "options", [{"path": "/ws", "serve_client": False}, {"connect_timeout": 2.0, "adapter": Recording}]
)
def test_options_of_attach(options):
    io = Server()
    assert io.attach(0, **options) is io
    assert {name: getattr(io, name)() for name in options} == options
    with pytest.raises(TypeError, match="did you mean 'path'"):
        io.attach(0, pathh="/x")


def test_options_of_an_engines_attach():
    engine = Engine()
    assert engine.attach(0, path="/ws") is engine
    assert engine._options["path"] == "/ws"
