"""The in-memory adapter: one process, rooms as sets of slots. The base of every other adapter.

An adapter keeps the rooms of one namespace and reaches the sockets in them. Another
one derives from Adapter, does what crosses processes and calls the methods here for
the sockets of its own process. Its methods may return an awaitable where these return
None or a value: whoever called them awaits it then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from logging import getLogger
from typing import TYPE_CHECKING, Any

from fastsio.adapter.options import BroadcastOptions
from fastsio.adapter.views import RoomsView, SidsView
from fastsio.answers import OneAnswer
from fastsio.errors import AckTimeout
from fastsio.events import Emitter
from fastsio.handlers import Listeners
from fastsio.limits import MAX_PENDING_ACKS
from fastsio.message import Message
from fastsio.packets import Packet
from fastsio.rooms import RoomChange, Rooms
from fastsio.tasks import together, unattended

if TYPE_CHECKING:
    from fastsio.namespace import Namespace
    from fastsio.sockets import Socket

log = getLogger("fastsio")

CREATED, DELETED = RoomChange.ROOM_CREATED, RoomChange.ROOM_DELETED
Answered = Callable[..., object]  # (error or None, *answer), once for each client


class Adapter(Emitter):
    """Keeps the rooms of one namespace, in memory. nsp: that namespace.

    Events: `create-room(room)`, `join-room(room, id)`, `leave-room(room, id)`, `delete-room(room)`.
    Source: Socket.IO 4.x (socket.io-adapter).
    """

    nsp: Namespace

    def __init__(self, nsp: Namespace) -> None:
        self.nsp = nsp
        self._rooms = Rooms()
        self._listeners = Listeners()
        self._watched = False  # whether anybody ever listened to the events
        self._wants_own = type(self).add_all is not Adapter.add_all  # who overrides it is told of own ids too

    # ---- life ----

    def init(self) -> Awaitable[None] | None:
        """The server starts listening, or the namespace was made while it does."""
        return None

    def close(self) -> Awaitable[None] | None:
        """The server was closed, or the namespace is no longer needed."""
        return None

    def server_count(self) -> int | Awaitable[int]:
        """How many servers share the namespace; 1 in memory."""
        return 1

    # ---- rooms ----

    @property
    def rooms(self) -> Mapping[str, set[str]]:
        """Room -> ids of the sockets in it, of this process; read-only, always as it is now."""
        return RoomsView(self._rooms)

    @property
    def sids(self) -> Mapping[str, set[str]]:
        """Id -> rooms of that socket, of this process; read-only, always as it is now."""
        return SidsView(self._rooms)

    def _attach(self, id: str, slot: int) -> None:
        """A socket connected, in this slot of the outbox: it is in the room of its own id."""
        change = self._rooms.add_socket(id, slot)
        if self._watched:
            self._tell_joined(id, id, change)
        if self._wants_own:
            unattended(self.add_all(id, (id,)))

    def _detach(self, id: str) -> None:
        """The socket's slot is given back now, however long another adapter's delete_all takes."""
        if id in self._rooms.ids:
            Adapter.delete_all(self, id)

    def add_all(self, id: str, rooms: Iterable[str]) -> Awaitable[None] | None:
        """Adds the socket to the rooms; nothing happens when it is gone. Called with its own id when it connects."""
        slot = self._rooms.ids.get(id)
        if slot is not None:
            for room in rooms:
                change = self._rooms.join(slot, room)
                if change and self._watched:
                    self._tell_joined(id, room, change)
        return None

    def delete(self, id: str, room: str) -> Awaitable[None] | None:
        """Takes the socket out of the room."""
        slot = self._rooms.ids.get(id)
        if slot is not None:
            change = self._rooms.leave(slot, room)
            if change and self._watched:
                self._tell_left(id, room, bool(change & DELETED))
        return None

    def delete_all(self, id: str) -> Awaitable[None] | None:
        """The socket is gone."""
        slot = self._rooms.ids.get(id)
        if slot is not None:
            left = self._rooms.remove_socket(slot)
            if self._watched:
                for room in left:
                    self._tell_left(id, room, room not in self._rooms)
        return None

    def socket_rooms(self, id: str) -> set[str]:
        """The rooms that the socket is in, its own id among them; empty for an unknown one."""
        slot = self._rooms.ids.get(id)
        return set() if slot is None else self._rooms.rooms_of(slot)

    # ---- reaching sockets ----

    def broadcast(self, packet: Packet, options: BroadcastOptions) -> Awaitable[None] | None:
        """Encodes the packet once and queues it for everybody that the options select.

        TypeError, ValueError: the data cannot be encoded.
        """
        self._queue(packet, options, Message(packet, options.compress, self.nsp.parser))
        return None

    def broadcast_with_ack(
        self,
        packet: Packet,
        options: BroadcastOptions,
        on_client_count: Callable[[int], object],
        on_ack: Answered,
    ) -> Callable[[], object] | None | Awaitable[Callable[[], object] | None]:
        """As `broadcast`, and asks each client for an acknowledgement.

        on_client_count(n) is called once by each server (a local one: by this one) with the number of its clients
        that were asked;
        on_ack(error, *answer) by each client, with None and its answer, or with the error that it gives none.
        Returns a function that stops waiting, or None.
        """
        asked = self._local(options)
        ack_id = self.nsp._next_ack_id()
        message = Message(packet._replace(id=ack_id), options.compress, self.nsp.parser)
        waiting = [socket for socket in asked if socket._expect_ack(ack_id, on_ack)]
        self._queue(packet, options, message)
        on_client_count(len(asked))
        for _ in range(len(asked) - len(waiting)):
            on_ack(AckTimeout(f"{MAX_PENDING_ACKS} acknowledgements of this client are pending already"))

        def forget() -> None:
            for socket in waiting:
                socket._forget_ack(ack_id)

        return forget

    def _queue(self, packet: Packet, options: BroadcastOptions, message: Message) -> None:
        nsp, rooms = self.nsp, self._rooms
        core = nsp.server.engine._core
        if core is None:
            return  # nobody was ever connected
        if nsp._outgoing:
            self._tell_outgoing(packet, options)
        sender = -1 if options.sender is None else rooms.ids.get(options.sender, -1)
        core.outbox.send_to(rooms, options.rooms, options.excepts, sender, message, options.volatile)

    def _emit_to(self, socket: Socket, packet: Packet, options: BroadcastOptions) -> None:
        """An event for one socket, of which the adapter may keep a copy: only with connection state recovery."""
        sent = self.broadcast(packet, options._replace(rooms=(socket.id,)))
        if sent is not None:
            unattended(sent)

    def sockets(self, rooms: Collection[str] = ()) -> set[str] | Awaitable[set[str]]:
        """The ids of the sockets in any of the rooms; none: of all sockets."""
        id_of = self._rooms.id_of
        return {id for slot in self._rooms.selected(rooms) if (id := id_of(slot)) is not None}

    def fetch_sockets(self, options: BroadcastOptions) -> Sequence[Any] | Awaitable[Sequence[Any]]:
        """The sockets that the options select: Sockets of this process, for others a mapping with `id`,
        `handshake`, `rooms` and `data`."""
        return self._local(options)

    def add_sockets(self, options: BroadcastOptions, rooms: Iterable[str]) -> Awaitable[None] | None:
        """Adds the selected sockets to the rooms."""
        return together([socket.join(rooms) for socket in self._local(options)])

    def del_sockets(self, options: BroadcastOptions, rooms: Iterable[str]) -> Awaitable[None] | None:
        """Takes the selected sockets out of the rooms."""
        return together([socket.leave(room) for socket in self._local(options) for room in rooms])

    def disconnect_sockets(self, options: BroadcastOptions, close: bool = False) -> Awaitable[None] | None:
        """Disconnects the selected sockets, as Socket.disconnect does."""
        for socket in self._local(options):
            socket.disconnect(close)
        return None

    def _local(self, options: BroadcastOptions) -> list[Socket]:
        """The sockets of this process that the options select."""
        rooms, sockets = self._rooms, self.nsp._sockets
        sender = -1 if options.sender is None else rooms.ids.get(options.sender, -1)
        ids = [rooms.id_of(slot) for slot in rooms.selected(options.rooms, options.excepts, sender)]
        return [sockets[id] for id in ids if id is not None]

    # ---- other servers ----

    def server_side_emit(self, args: list[object], ack: Answered | None = None) -> Awaitable[None] | None:
        """Sends [event, *arguments] to the other servers; ack(error, answers) is called with their answers.

        In memory there is no other server: nothing is sent, and there are no answers.
        """
        if ack is not None:
            ack(None, [])
        return None

    def receive_server_side_emit(self, args: list[Any], ack: Callable[[Any], object] | None = None) -> None:
        """For an adapter to call when another server's `server_side_emit` arrives: the namespace's listeners for it
        are called here.

        args: [event, *arguments]. ack: called with this server's answer, once, when the other one asked for it: what
        a listener returns, or what it gives to its parameter `ack`; never, if there is no listener. Source: ours.
        """
        self.nsp._connection_listeners.ask(self.nsp, args[0], args[1:], OneAnswer(ack))

    # ---- recovery ----

    def persist_session(self, session: Any) -> Awaitable[None] | None:
        """Keeps what a client that lost its connection may recover. Not in this adapter."""
        return None

    def restore_session(self, pid: str, offset: str | None) -> Any:
        """The session kept under `pid`, with the packets missed after `offset`; None: it cannot be recovered."""
        return None

    # ---- events ----

    def _table(self) -> Listeners:
        self._watched = True
        return self._listeners

    def _failed(self, error: Exception) -> None:
        log.error("exception in a listener of the adapter of namespace %s", self.nsp.name, exc_info=error)

    def _tell_joined(self, id: str, room: str, change: int) -> None:
        if change & CREATED:
            self._listeners.fire(self, "create-room", room)
        self._listeners.fire(self, "join-room", room, id)

    def _tell_left(self, id: str, room: str, deleted: bool) -> None:
        self._listeners.fire(self, "leave-room", room, id)
        if deleted:
            self._listeners.fire(self, "delete-room", room)

    def _tell_outgoing(self, packet: Packet, options: BroadcastOptions) -> None:
        for socket in self._local(options):
            socket._notify_outgoing(packet.data)
