"""RemoteSocket: a socket of another node, as fetch_sockets gives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, overload

from fastsio.adapter import BroadcastOptions
from fastsio.broadcast import BroadcastOperator, Rooms
from fastsio.event import Event
from fastsio.events import P
from fastsio.sockets import Socket

if TYPE_CHECKING:
    from fastsio.namespace import Namespace


class RemoteSocket:
    """A socket that is connected to another node: what it was like when it was fetched, and ways to reach it.

    id: the socket's; handshake: with the attributes of a Handshake, as far as the other node's adapter sent them, and
    headers as a plain dict; rooms: names, its own id among them; data: what the application put there.
    Source: Socket.IO 4.x.
    """

    __slots__ = ("_target", "data", "handshake", "id", "rooms")

    id: str
    handshake: Any
    rooms: set[str]
    data: Any

    def __init__(self, nsp: Namespace, details: Mapping[str, Any]) -> None:
        self.id = details["id"]
        self.handshake = SimpleNamespace(**details.get("handshake", {}))
        self.rooms = set(details.get("rooms", ()))
        self.data = details.get("data", {})
        self._target = BroadcastOperator(nsp, BroadcastOptions(rooms=(self.id,)))

    @overload
    def emit(self, event: Event[P], /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
    @overload
    def emit(self, event: str | int, /, *args: object, ack: Callable[..., Any] | None = None) -> bool: ...
    def emit(self, event: Any, /, *args: Any, ack: Any = None, **kwargs: Any) -> bool:
        """Sends an event to the client; see BroadcastOperator.emit."""
        return self._target.emit(event, *args, ack=ack, **kwargs)

    def timeout(self, seconds: float) -> BroadcastOperator:
        """A target of this client whose acknowledgement may take so many seconds."""
        return self._target.timeout(seconds)

    def join(self, rooms: Rooms) -> Awaitable[None]:
        """Makes it join the room or rooms."""
        return self._target.sockets_join(rooms)

    def leave(self, rooms: Rooms) -> Awaitable[None]:
        """Makes it leave the room or rooms."""
        return self._target.sockets_leave(rooms)

    def disconnect(self, close: bool = False) -> RemoteSocket:
        """Disconnects it; close: its connection too."""
        self._target.disconnect_sockets(close)
        return self

    def __repr__(self) -> str:
        return f"<RemoteSocket {self.id}>"


def wrapped(nsp: Namespace, found: Iterable[Any]) -> list[Socket | RemoteSocket]:
    """What an adapter's fetch_sockets gave, as users see it."""
    return [socket if isinstance(socket, Socket) else RemoteSocket(nsp, socket) for socket in found]
