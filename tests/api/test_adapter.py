"""The adapter's interface: what a second one is asked, and what it may call."""

import inspect
import re
from collections.abc import Callable

import pytest

from fastsio import AckTimeout, Server
from fastsio.adapter import Adapter
from fastsio.testing import connect
from tests.api.recording import Recording, recording


def test_the_second_adapter_is_written_with_the_public_interface_alone():
    """Every public method is in it, those that the base alone knows how to do left out, and no private name."""
    public = {name for name, value in vars(Adapter).items() if inspect.isfunction(value) and not name.startswith("_")}
    base_alone = {"socket_rooms", "receive_server_side_emit"}
    assert public - base_alone == {name for name in vars(Recording) if name in public}
    assert not re.search(r"\._(?!_)", inspect.getsource(Recording))


async def test_what_it_is_asked(sio_connect):
    io = Server(adapter=recording)
    calls = io.sockets.adapter.calls
    client = await sio_connect(io)
    socket = io.sockets.sockets[client.id]
    assert [name for name, _ in calls] == ["init", "add_all"]
    assert calls[1] == ("add_all", (client.id, (client.id,)))
    calls.clear()
    await socket.join(["a", "b"])
    await socket.leave("b")
    io.to("a").except_("b").volatile.emit("news", 1)
    await client.receive("news")
    await io.sockets_join("c")
    await io.to("c").sockets_leave("c")
    assert await io.to("a").clients() == [client.id]
    assert [found.id for found in await io.fetch_sockets()] == [client.id]
    client.on("ask", lambda: 1)
    assert await io.to("a").timeout(1).emit_with_ack("ask") == [1]
    assert await io.server_side_emit_with_ack("load") == []
    await io.to("a").disconnect_sockets()
    assert await client.wait_disconnected() == "io server disconnect"
    assert [name for name, _ in calls] == [
        *("add_all", "delete", "broadcast", "add_sockets", "add_all", "del_sockets", "delete", "sockets"),
        *(
            "fetch_sockets",
            "server_count",
            "broadcast_with_ack",
            "server_side_emit",
            "disconnect_sockets",
            "delete_all",
        ),
    ]
    packet, options = calls[2][1]
    assert packet == (2, "/", ["news", 1], None)
    assert (options.rooms, options.excepts, options.volatile, options.sender) == (("a",), ("b",), True, None)


async def test_joins_of_others_are_waited_for():
    """Who awaits `sockets_join` gets sockets that are in the room, however long an adapter takes."""
    io = Server(adapter=recording)
    async with connect(io) as client:
        joined = io.sockets_join("a")
        assert await joined is None
        assert io.sockets.sockets[client.id].rooms == {client.id, "a"}
        await io.sockets_leave(["a", "b"])
        assert io.sockets.sockets[client.id].rooms == {client.id}


async def test_nobody_elsewhere_is_waited_for_when_they_are_not_asked():
    """The reference counts the servers here too, and waits until the timeout."""

    class OneOfTwo(Adapter):
        def server_count(self):
            return 2

    io = Server(adapter=OneOfTwo)
    async with connect(io) as client:
        client.on("ask", lambda: "answer")
        assert await io.local.timeout(5).emit_with_ack("ask") == ["answer"]
        with pytest.raises(AckTimeout) as caught:
            await io.timeout(0.05).emit_with_ack("ask")
        assert caught.value.responses == ["answer"]


# ---- events of other servers ----


@pytest.fixture
def io():
    return Server()


async def received(io, *args):
    """What the listeners answer to another server's event."""
    answers = []
    io.sockets.adapter.receive_server_side_emit(list(args), answers.append)
    return answers


async def test_listeners_are_called_and_answer(io):
    seen = []
    io.on("note", lambda *args: seen.append(args))
    io.sockets.adapter.receive_server_side_emit(["note", 1, {"a": 2}])
    assert seen == [(1, {"a": 2})]
    io.on("load", lambda factor: factor * 2)
    assert await received(io, "load", 4) == [8]


async def test_nobody_listens(io):
    assert await received(io, "load") == []


async def test_the_first_answer_counts(io):
    io.on("load", lambda: 1)
    io.on("load", lambda: 2)
    assert await received(io, "load") == [1]


async def test_a_coroutine_answers(io):
    async def load():
        return 3

    io.on("load", load)
    answers = await received(io, "load")
    async with connect(io):  # takes a while
        assert answers == [3]


async def test_a_listener_that_takes_the_acknowledgement(io):
    def load(factor: int, ack: Callable[..., None]) -> None:
        ack(factor)
        ack(5)

    io.on("load", load)
    assert await received(io, "load", 4) == [4]
    io.sockets.adapter.receive_server_side_emit(["load", 4])  # nobody asked


async def test_a_listener_that_raises(io, caplog):
    def bad():
        raise ZeroDivisionError

    io.on("load", bad)
    io.once("load", lambda: 2)
    assert await received(io, "load") == [2]
    assert await received(io, "load") == []
    assert len(caplog.records) == 2
