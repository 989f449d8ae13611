"""An engine socket is an event emitter, wherever it is got from."""

from fastsio import Engine, Server, Socket
from fastsio.engine.reception import EngineSocket

io = Server()
engine = Engine()


def drained() -> None: ...


@io.event
def connect(socket: Socket) -> None:
    socket.conn.on("drain", drained)
    socket.client.conn.once("drain", drained)
    socket.conn.on("drain", 1)  # E: No overload variant of "on"
    for conn in io.engine.clients.values():
        conn.off("drain", drained)


@engine.on("connection")
def connected(conn: EngineSocket) -> None:
    io.onconnection(conn)
