"""The in-memory adapter with connection state recovery: what clients may have missed is kept for a while.

Every event that is stored gets a number, the offset, which the client gives back. Which rooms a socket was in is
known for every number, so that it is given exactly what it would have been sent.

 1. An event is kept for max_disconnection_duration, and for the time in which a dead connection may go unnoticed.
    What is older was received, or its session is gone: an offset may be as old as it likes.
 2. A client that got no event yet has no offset: it missed all since its session began.
 3. Above max_buffer bytes the oldest events go early; who may have missed them is not recovered.
 4. A volatile event is not stored. When it ends with a string, its name if need be, which clients take for the
    offset, the last offset is put behind it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from secrets import token_urlsafe
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from fastsio.adapter.memory import Adapter
from fastsio.adapter.options import BroadcastOptions
from fastsio.message import Message
from fastsio.packets import Packet
from fastsio.wire.sio import EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastsio.namespace import Namespace
    from fastsio.sockets import Socket

PAST_ROOMS = 64  # left rooms of a socket that are remembered before those that no longer matter are dropped


@dataclass
class RecoverableSession:
    """What a client gets back. Source: Socket.IO 4.6.

    sid: the socket's id; pid: the private id that the client recovers it by; rooms, data: the socket's;
    missed_packets: [event, *arguments] of each event that it missed, its offset last.
    """

    sid: str
    pid: str
    rooms: set[str]
    data: dict[str, Any]
    missed_packets: list[Any] = field(default_factory=list)


class Stored(NamedTuple):
    number: int
    time: float
    options: BroadcastOptions
    only: str | None  # the id of the one socket that it is for
    message: Message
    size: int


class Membership:
    """The rooms of one socket, by the numbers of events. A range (after, to) holds after < number <= to."""

    __slots__ = ("past", "since", "start")

    def __init__(self, start: int) -> None:
        self.start = start  # the last event before it connected
        self.since: dict[str, int] = {}  # room -> the last event before it joined
        self.past: list[tuple[str, int, int]] = []

    def leave(self, room: str, number: int, oldest: int) -> None:
        """It left the room after this event; events before `oldest` are not asked for any more."""
        since = self.since.pop(room, None)
        if since is not None and since < number:
            self.past.append((room, since, number))
            if len(self.past) > PAST_ROOMS:
                self.past = [entry for entry in self.past if entry[2] >= oldest]

    def was_in(self, rooms: Iterable[str], number: int) -> bool:
        """Whether it was in one of the rooms when the event was sent."""
        return any(
            self.since.get(room, number) < number
            or any(left == room and since < number <= to for left, since, to in self.past)
            for room in rooms
        )


class RecoveryAdapter(Adapter):
    """Keeps sessions and events in memory, see RecoverySettings. Source: Socket.IO 4.6, with rules 1 to 4 ours."""

    def __init__(self, nsp: Namespace) -> None:
        super().__init__(nsp)
        self._read_options()
        self._epoch = token_urlsafe(4) + "-"  # no offset of another server is mistaken for one of ours
        self._number = 0  # of the last stored event
        self._log: deque[Stored] = deque()
        self._size = 0
        self._gone_early = 0  # the last event dropped by rule 3
        self._members: dict[str, Membership] = {}  # id -> of connected sockets
        self._sessions: dict[str, tuple[RecoverableSession, Membership, float]] = {}  # pid -> with its end, by age
        self._away: dict[str, str] = {}  # id -> pid, of the sockets of `sessions`: those that are not connected

    def _read_options(self) -> None:
        options = self.nsp.server._options
        settings = options["connection_state_recovery"]
        self._keep = settings.max_disconnection_duration
        self._window = self._keep + options["ping_interval"] + options["ping_timeout"] + 1.0
        self._max_buffer = settings.max_buffer

    def init(self) -> None:
        """The options are final now."""
        self._read_options()

    # ---- rooms ----

    def _attach(self, id: str, slot: int) -> None:
        pid = self._away.pop(id, None)
        self._members[id] = Membership(self._number) if pid is None else self._sessions.pop(pid)[1]
        super()._attach(id, slot)

    def add_all(self, id: str, rooms: Iterable[str]) -> None:
        member = self._members.get(id)
        if member is not None:
            rooms = tuple(rooms)
            for room in rooms:
                member.since.setdefault(room, self._number)
        super().add_all(id, rooms)

    def delete(self, id: str, room: str) -> None:
        member = self._members.get(id)
        if member is not None:
            member.leave(room, self._number, self._log[0].number if self._log else self._number)
        super().delete(id, room)

    def delete_all(self, id: str) -> None:
        self._members.pop(id, None)
        super().delete_all(id)

    # ---- events ----

    def broadcast(self, packet: Packet, options: BroadcastOptions) -> None:
        if packet.type == EVENT:
            self._queue(packet, options, self._store(packet, options, None))
        else:
            super().broadcast(packet, options)

    def _emit_to(self, socket: Socket, packet: Packet, options: BroadcastOptions) -> None:
        socket._notify_outgoing(packet.data)
        socket._push(self._store(packet, options, socket.id), options.volatile)

    def _store(self, packet: Packet, options: BroadcastOptions, only: str | None) -> Message:
        data = packet.data
        core = self.nsp.server.engine._core
        if core is not None:
            core.outbox.check_thread()  # before anything is kept
        if options.volatile:  # rule 4
            data = [*data, self._offset(self._number)] if isinstance(data[-1], str) else data
            return Message(packet._replace(data=data), options.compress, self.nsp.parser)
        data = [*data, self._offset(self._number + 1)]
        message = Message(packet._replace(data=data), options.compress, self.nsp.parser)
        self._number += 1
        stored = Stored(self._number, monotonic(), options, only, message, len(message))
        self._log.append(stored)
        self._size += stored.size
        self._forget_events(stored.time)
        return message

    def _offset(self, number: int) -> str:
        return f"{self._epoch}{number:x}"

    def _forget_events(self, now: float) -> None:
        """Rules 1 and 3."""
        log = self._log
        while log and (log[0].time < now - self._window or self._size > self._max_buffer):
            oldest = log.popleft()
            self._size -= oldest.size
            if oldest.time >= now - self._window:
                self._gone_early = oldest.number
                self.nsp.server.engine._count("recovery events dropped early")

    # ---- sessions ----

    def persist_session(self, session: RecoverableSession) -> None:
        member = self._members.get(session.sid)
        if member is not None:
            self._keep_session(session, member)

    def _keep_session(self, session: RecoverableSession, member: Membership) -> None:
        now = monotonic()
        self._forget_events(now)
        self._sessions.pop(session.pid, None)  # the youngest is the last
        self._sessions[session.pid] = (session, member, now + self._keep)
        self._away[session.sid] = session.pid
        for pid in [pid for pid, (_, _, end) in islice(self._sessions.items(), 2) if end < now]:
            self._forget_session(pid)

    def _forget_session(self, pid: str) -> None:
        session, _, _ = self._sessions.pop(pid)
        self._away.pop(session.sid, None)

    def restore_session(self, pid: str, offset: str | None) -> RecoverableSession | None:
        session, member, end = self._sessions.get(pid) or (None, None, 0.0)
        if session is None or member is None:
            return None
        if end < monotonic():
            self._forget_session(pid)
            return None
        number = self._number_of(offset, member)
        if number is None or number < self._gone_early:
            return None
        self._keep_session(session, member)
        session.missed_packets = [
            stored.message for stored in self._log if stored.number > number and meant(stored, session.sid, member)
        ]
        return session

    def _number_of(self, offset: str | None, member: Membership) -> int | None:
        """The last event that the client has; None: the offset is none of ours."""
        if offset is None:  # rule 2
            return member.start
        if not offset.startswith(self._epoch):
            return None
        try:
            number = int(offset[len(self._epoch) :], 16)
        except ValueError:
            return None
        return max(number, member.start) if number <= self._number else None


def meant(stored: Stored, id: str, member: Membership) -> bool:
    """Whether the event was for this socket."""
    if stored.only is not None:
        return stored.only == id
    options = stored.options
    if options.sender == id or (options.rooms and not member.was_in(options.rooms, stored.number)):
        return False
    return not member.was_in(options.excepts, stored.number)
