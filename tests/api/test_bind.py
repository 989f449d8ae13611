"""A server on an engine made elsewhere, of which it serves every session or some."""

import pytest

from fastsio import Engine, Server
from fastsio.testing import connect
from tests.wsclient import url, wire


def echoing(io):
    @io.event
    def echo(socket, *args):
        return args

    return io


async def echoes(client):
    return await client.emit_with_ack("echo", 1) == 1


async def test_every_session():
    engine, io = Engine(path="/ws"), echoing(Server(path="/other"))
    assert io.bind(engine) is io
    assert io.engine is engine
    assert io.path() == "/ws"
    async with connect(io) as client:
        assert await echoes(client)


async def test_binding_again_and_another():
    io = echoing(Server())
    first, second = Engine(), Engine()
    io.bind(first).bind(first).bind(second)
    assert io.engine is second
    other = echoing(Server()).bind(first)  # free again
    async with connect(io) as client, connect(other) as another:
        assert await echoes(client)
        assert await echoes(another)


async def test_either_listens_and_closes_for_both():
    for listens, closes in ((0, 0), (0, 1), (1, 0), (1, 1)):
        engine = Engine(path="/socket.io")
        io = Server().bind(engine)
        await (engine, io)[listens].listen(0)
        assert io.addresses == engine.addresses != []
        async with wire(io, join=True) as client:
            await (engine, io)[closes].close()
            assert await client.closed() is not None
        assert io.addresses == engine.addresses == []


async def test_an_engine_that_listens_already():
    engine = Engine()
    await engine.listen(0)
    io = echoing(Server()).bind(engine)
    async with connect(io) as client:
        assert await echoes(client)
    await engine.close()


def test_what_cannot_be_bound():
    io, engine = Server(), Engine()
    for wrong in (None, io, 3000, Engine):
        with pytest.raises(TypeError, match="takes an Engine"):
            io.bind(wrong)
    Server().bind(engine)
    with pytest.raises(ValueError, match="another Server's"):
        io.bind(engine)
    with pytest.raises(ValueError, match="another Server's"):
        io.bind(Server().engine)


async def test_while_the_server_listens():
    io = Server()
    await io.listen(0)
    with pytest.raises(RuntimeError, match="before the server listens"):
        io.bind(Engine())
    assert io.bind(io.engine) is io
    await io.close()


# ---- some of the sessions ----


async def test_some_sessions():
    """The others are the engine's own."""
    engine, io = Engine(path="/socket.io"), echoing(Server())

    @engine.on("connection")
    def connected(conn):
        if "io" in conn.request.query:
            assert io.onconnection(conn) is io
        else:
            conn.on("message", lambda data: conn.send(data))

    await engine.listen(0)
    query = "EIO=4&transport=websocket"
    async with wire(engine, query=query + "&io") as client, wire(engine, query=query) as plain:
        await client.join()
        client.emit("echo", 1, ack=2)
        assert await client.ack(2) == [1]
        plain.send("4hello")
        assert await plain.next() == "4hello"
        assert io.engine is engine
        assert len(io.sockets.sockets) == 1
        assert engine.clients_count == 2
    assert "socket.io" in url(engine)
    await engine.close()
    assert not io.sockets.sockets


async def test_who_joins_nothing_is_disconnected_there_too():
    engine, io = Engine(path="/socket.io"), Server(connect_timeout=0.05)
    engine.on("connection", io.onconnection)
    await engine.listen(0)
    async with wire(engine) as client, wire(engine, join=True) as other:
        await client.closed()
        assert len(io.sockets.sockets) == 1
        await other.nothing()
    await engine.close()


async def test_what_is_no_session_of_ours():
    engine, io, conns = Engine(path="/socket.io"), Server(), []
    engine.on("connection", conns.append)
    await engine.listen(0)
    async with wire(engine):
        (conn,) = conns
        for wrong in (None, engine, object()):
            with pytest.raises(TypeError, match="takes an engine socket"):
                io.onconnection(wrong)
        io.onconnection(conn)
        with pytest.raises(ValueError, match="has a"):
            io.onconnection(conn)
        with pytest.raises(ValueError, match="another"):
            Server().onconnection(conn)
    await engine.close()
    with pytest.raises(ValueError, match="closed"):
        io.onconnection(conn)
