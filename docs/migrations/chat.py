import os

from fastsio import AckTimeout, ConnectError, Namespace, Server, Socket

io = Server(
    origins=["https://example.com"],
    cors={"credentials": True},
    ping_timeout=10.0,
)


@io.use
def who_is_it(socket: Socket) -> None:
    name = socket.handshake.auth.get("name")
    if not name:
        raise ConnectError("say who you are", data={"field": "name"})
    socket.data["name"] = name


@io.event
async def enter(socket: Socket, room: str) -> list[str]:
    socket.join(room)
    socket.to(room).emit("note", f"{socket.data['name']} came in")
    people = await io.in_(room).fetch_sockets()
    return sorted(person.data["name"] for person in people)


@io.event
def say(socket: Socket, room: str, text: str) -> None:
    io.to(room).emit("said", socket.data["name"], text)


@io.event
async def poll(socket: Socket, room: str, question: str) -> list[object]:
    try:
        return await io.to(room).timeout(0.3).emit_with_ack("question", question)
    except AckTimeout as error:
        return error.responses


@io.event
def disconnecting(socket: Socket, reason: str) -> None:
    socket.to(socket.rooms).emit("note", f"{socket.data['name']} left")


class Admin(Namespace):
    def on_online(self, socket: Socket) -> int:
        return len(io.sockets.sockets)


admin = io.register(Admin("/admin"))


@admin.event("close room")
def close_room(socket: Socket, room: str) -> None:
    io.in_(room).emit("note", "closed")
    io.in_(room).sockets_leave(room)


io.run(int(os.environ.get("PORT", "3000")))
