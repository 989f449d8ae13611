"""What a type checker says about events with a signature. Never run: after "# E:" stands what mypy has to say."""

from fastsio import Event, Server, Socket
from fastsio.testing import Client

io = Server()
chat = io.of("/chat")


@Event
def news(title: str, count: int = 0) -> None:
    """Something happened."""


@Event.named("my other event")
def other(data: bytes, *rest: int) -> None:
    """Something else did."""


io.emit(news, "hello", 3)
io.emit(news, "hello")
io.emit(news, title="hello", count=3)
io.emit(other, b"", 1, 2)
io.emit("news", 1, 2, ack=print)
io.emit(7)
io.emit(news)  # E: No overload variant
io.emit(news, 3)  # E: No overload variant
io.emit(news, "hello", "three")  # E: No overload variant
io.emit(news, "hello", number=3)  # E: Unexpected keyword argument "number"
io.emit(other, "text")  # E: No overload variant
io.emit(other, b"", 1, "two")  # E: No overload variant
io.emit("news", number=3)  # E: No overload variant
io.emit(None)  # E: No overload variant

chat.emit(news, "hello")
chat.emit(news, 3)  # E: No overload variant
io.to("room").emit(news, "hello")
io.to("room").volatile.emit(news, 3)  # E: No overload variant


async def asking(socket: Socket) -> None:
    socket.emit(news, "hello")
    socket.emit(news, 3)  # E: No overload variant
    socket.broadcast.emit(news, 3)  # E: No overload variant
    socket.volatile.emit(news, 3)  # E: No overload variant
    socket.timeout(5).emit("news", ack=print)
    await socket.emit_with_ack(news, "hello")
    await socket.emit_with_ack(news, 3)  # E: No overload variant
    await socket.timeout(5).emit_with_ack(news, 3)  # E: No overload variant
    answers = await io.to("room").timeout(5).emit_with_ack(news, "hello")
    answers.append(1)
    await io.emit_with_ack(news, 3)  # E: No overload variant
    for found in await io.fetch_sockets():
        found.emit(news, "hello")
        found.emit(news, 3)  # E: No overload variant


async def testing(client: Client) -> None:
    client.emit(news, title="hello")
    client.emit(news, 3)  # E: No overload variant
    client.emit("news", 1, 2)
    client.emit("news", number=3)  # E: No overload variant
    await client.emit_with_ack(news, title="hello", timeout=5)


def other_type(title: int, count: int = 0) -> None: ...


def handled(socket: Socket) -> None:
    @socket.on(news)
    def good(title: str, count: int = 0) -> int:
        return count

    good("hello", 3).bit_length()

    @socket.on(news)
    async def good_later(title: str, count: int = 0) -> int:
        return count

    @socket.once(news)  # E: Argument 1 has incompatible type
    def wrong_type(title: int, count: int = 0) -> None: ...

    @socket.on(news)  # E: Argument 1 has incompatible type
    def no_default(title: str, count: int) -> None: ...

    @socket.on(news)  # E: Argument 1 has incompatible type
    def too_few() -> None: ...

    socket.on(news, good).on("news", wrong_type)
    socket.on(news, other_type)  # E: Cannot infer value of type parameter "P"
    socket.off(news, good).remove_all_listeners(news)

    @socket.on("news")
    def by_name(anything: object) -> None: ...


@io.event(news)
def common(socket: Socket, title: str, count: int = 0) -> None: ...


@chat.event(news)
async def common_later(socket: Socket, title: str, count: int = 0) -> str:
    return title


@chat.event(news)  # E: Argument 1 has incompatible type
def without_socket(title: str, count: int = 0) -> None: ...


@io.event(other)  # E: Argument 1 has incompatible type
def wrong_rest(socket: Socket, data: bytes, *rest: str) -> None: ...


@io.event
def named(socket: Socket, data: int) -> int:
    return data


@io.event("named")
def named_otherwise(socket: Socket, data: int) -> int:
    return data


named("socket", 1)  # E: incompatible type "str"; expected "Socket"
named_otherwise("socket", 1)  # E: incompatible type "str"; expected "Socket"
