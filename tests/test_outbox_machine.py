"""Rooms and outbox together against dicts and lists: what each connection receives, in which order.

A connection is a real socket, sent to directly, or one whose bytes are always handed over (as TLS is); the transport of
the latter holds them, or is eager and has written them before the hook returns, or takes some only when the client polls.
A model decides who gets a message; a connection's model is the bytes that it was sent, in its dialect, and what waits.
In between sockets join, leave, disconnect and come back in recycled slots, read slowly, stop reading, hang up, run over
their backlog or go on over another transport.
"""

import errno
import socket
from collections import deque
from contextlib import suppress
from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from fastsio.message import Message
from fastsio.outbox import Outbox
from fastsio.packets import Packet
from fastsio.rooms import Rooms
from tests.csrc.probing import StillLoop, probe
from tests.dialects import BASE64, DEFLATE, EIO3, POLLING

EVENT = 2
MAX_BACKLOG = 3000
OVERHEAD = 80  # what a waiting message counts beside its bytes
SMALL_BUFFER = 2048
THRESHOLD = 1000  # of what is deflated
KINDS = ["direct", "eager", "slow", "polling"]
# Without the binary payload of Engine.IO 3: in all others a message is always the same bytes.
DIALECTS = [0, 0, EIO3, BASE64, DEFLATE, POLLING, POLLING | EIO3 | BASE64]


def deflated(payload):
    """Nothing that inflates, but short."""
    return payload[:1]


class Waiting:
    """What is not flushed: a message, or bytes that are sent as they are."""

    def __init__(self, message):
        self.message = message
        self.size = len(self.form(0))

    def form(self, dialect):
        if isinstance(self.message, bytes):
            return self.message
        if dialect == DEFLATE:
            is_long = len(self.message.frames) >= THRESHOLD + 4
            return b"\xc1\x014" if is_long else self.message.frames
        return self.message.form(dialect)


class Noop:
    """An Engine.IO packet, as if it were a Message."""

    frames = b"\x81\x016"

    def form(self, dialect):
        polling = b"1:6" if dialect & EIO3 else b"6\x1e"
        return polling if dialect & POLLING else self.frames


@cache
def connection_class():
    class Connection(probe().Probe):
        """What the model knows of a connection, and a transport that writes only when it is told to."""

        def __init__(self, outbox, id, ours, theirs, kind):
            super().__init__(outbox, -1 if ours is None else ours.fileno())
            self.id = id
            self.eager = kind == "eager"
            self.polls = kind == "polling"
            self.parked = False  # no GET waits
            self.dialect = 0
            self.ours, self.theirs = ours, theirs
            self.joined = {id}
            self.takes = True  # messages
            self.hung_up = False
            self.flushed = bytearray()
            self.received = bytearray()
            self.waiting = []
            self.held = deque()  # handed over and not written
            self.handed = 0  # bytes handed over since it was last unblocked
            self.watched = False
            self.owed = False  # to be told that nothing is left, as soon as that is so
            self.errors = []
            self.expected_errors = []

        def handover(self, data):
            assert isinstance(data, memoryview) and data.readonly
            self.note_flushed()
            if self.eager:
                self.received += data
                self.unblock()
            elif self.polls:
                self.received += data
                self.parked = True
                self.handed = 0
                self.taken()
            else:
                self.held.append(data)
                self.handed += len(data)

        def stuck(self, error):
            self.errors.append(error)

        def drained(self):
            assert self.watched and self.nothing_left()
            self.owed = False

        def nothing_left(self):
            return not self.waiting and not self.handed

        @property
        def is_blocked(self):
            return self.handed != 0 or self.parked

        def note_flushed(self):
            self.flushed += b"".join(waiting.form(self.dialect) for waiting in self.waiting)
            self.waiting.clear()

        def promised(self):
            return self.flushed + b"".join(waiting.form(self.dialect) for waiting in self.waiting)

        def backlog(self):
            return sum(waiting.size + OVERHEAD for waiting in self.waiting) + self.handed

        def shut(self):
            for end in (self.ours, self.theirs):
                if end is not None:
                    end.close()

    return Connection


class RoomsAndOutbox(RuleBasedStateMachine):
    connections = Bundle("connections")
    room = st.sampled_from(["r1", "r2", "r3"])
    seldom = st.sampled_from([False, False, False, True])

    def __init__(self):
        super().__init__()
        self.loop = StillLoop()
        self.outbox = Outbox(self.loop, MAX_BACKLOG)
        self.outbox.deflater = deflated
        self.outbox.deflate_threshold = THRESHOLD
        self.rooms = Rooms()
        self.here = {}
        self.opened = 0
        self.most = 0  # at the same time
        self.emitted = 0
        self.accepted = 0
        self.ghosts = []  # views of bytes whose connection is gone, and what they showed

    # ---- connections ----

    @initialize(target=connections)
    def connect_some(self):
        made = [self.connect(kind, 0) for kind in ("direct", "eager", "slow", "direct", "eager", "slow")]
        for connection in made[:4]:
            self.join(connection, "r1")
        return multiple(*made)

    @rule(target=connections, kind=st.sampled_from(KINDS), dialect=st.sampled_from(DIALECTS))
    def connect(self, kind, dialect):
        self.opened += 1
        connection = self.make(kind, f"id{self.opened}")
        connection.dialect = dialect
        connection.set_dialect(dialect)
        if connection.polls:
            connection.parked = True
            connection.block()
        self.rooms.add_socket(connection.id, connection.number)
        self.here[connection.id] = connection
        return connection

    def make(self, kind, id):
        """A connection that nobody knows yet."""
        ours = theirs = None
        if kind == "direct":
            ours, theirs = socket.socketpair()
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
            ours.setblocking(False)
            theirs.setblocking(False)
        connection = connection_class()(self.outbox, id, ours, theirs, kind)
        used = {other.number for other in self.here.values()}
        assert connection.number not in used
        self.most = max(self.most, len(used) + 1)
        assert connection.number < self.most  # a recycled one before a new one
        return connection

    @rule(
        target=connections,
        old=consumes(connections),
        kind=st.sampled_from(KINDS[:-1]),
        dialect=st.sampled_from(DIALECTS),
        size=st.sampled_from([0, 10, 10_000]),
    )
    def adopt(self, old, kind, dialect, size):
        """The session goes on over a connection that has sent something of its own, and may not be rid of it."""
        new = self.make(kind, old.id)
        if size:
            self.write(new, b"h" * size)
        self.note_flush(new)
        new.joined, new.takes = old.joined, old.takes
        number, waiting = old.number, old.waiting
        new.watched, new.owed = old.watched, old.owed
        assert new.adopt(number, -1 if new.ours is None else new.ours.fileno(), dialect)
        assert (old.number, new.number) == (-1, number)
        if not new.takes:
            new.expected_errors.append(0)
        new.dialect, new.waiting = dialect, waiting
        self.ghosts += [(view, bytes(view)) for view in old.held]
        old.held.clear()
        self.here[new.id] = new
        old.shut()
        return new

    @rule(connection=consumes(connections))
    def disconnect(self, connection):
        self.ghosts += [(view, bytes(view)) for view in connection.held]
        assert set(self.rooms.remove_socket(connection.number)) == connection.joined
        del self.here[connection.id]
        connection.held.clear()
        connection.close()
        connection.shut()

    @rule(connection=connections, sure=seldom)
    def hang_up(self, connection, sure):
        if sure and connection.theirs is not None:
            self.read(connection, 1 << 20)
            connection.theirs.close()
            connection.hung_up = True

    @rule(connection=connections, sure=seldom)
    def leave(self, connection, sure):
        """The end of a connection from our side: everything goes out, and nothing after it."""
        if not sure:
            return
        self.flush_one(connection)
        connection.detach()
        connection.takes = False

    @rule(connection=connections, on=st.booleans())
    def watch(self, connection, on):
        connection.watch(on)
        connection.watched = on
        connection.owed = on and not connection.nothing_left()

    # ---- rooms ----

    def name(self, name):
        """A room, or for a number the id of somebody who is or was here."""
        return name if isinstance(name, str) else f"id{name % (self.opened + 1)}"

    names = st.one_of(room, room, st.integers(0, 20))

    @rule(connection=connections, name=names)
    def join(self, connection, name):
        name = self.name(name)
        assert bool(self.rooms.join(connection.number, name)) == (name not in connection.joined)
        connection.joined.add(name)

    @rule(connection=connections, name=names)
    def leave_room(self, connection, name):
        name = self.name(name)
        assert bool(self.rooms.leave(connection.number, name)) == (name in connection.joined)
        connection.joined.discard(name)

    # ---- out ----

    def promise(self, connection, waiting, is_volatile):
        """Whether the connection accepts it, by the model. What it does to the connection is noted as well."""
        if not connection.takes or (is_volatile and connection.is_blocked):
            return False
        before = connection.backlog()
        is_over = before != 0 and before + waiting.size + OVERHEAD > MAX_BACKLOG
        if is_over and connection.is_blocked:
            connection.takes = False
            connection.expected_errors.append(0)
            return False
        connection.waiting.append(waiting)
        connection.owed = connection.watched
        if is_over:
            self.note_flush(connection)
        return True

    def note_flush(self, connection):
        """The slot is flushed now: a direct one takes it or fails; any other has it handed over, which it notes itself."""
        if connection.ours is None or connection.is_blocked:
            return
        if connection.waiting and connection.hung_up:
            connection.expected_errors.append(errno.EPIPE)
            connection.takes = connection.owed = False
            connection.waiting.clear()
        connection.note_flushed()

    @rule(
        names=st.just([]) | st.lists(names, max_size=3),
        excepts=st.just([]) | st.lists(names, max_size=2),
        sender=st.none() | connections,
        size=st.sampled_from([0, 10, 300, 1200, 1200, 5000]),
        is_binary=st.booleans(),
        is_volatile=st.booleans(),
        times=st.integers(1, 3),
    )
    def emit(self, names, excepts, sender, size, is_binary, is_volatile, times):
        for _ in range(times):
            filling = b"x" * size if is_binary and size < THRESHOLD / 2 else "x" * size
            message = Message(Packet(EVENT, "/", ["event", self.emitted, filling]))
            self.emit_once(list(map(self.name, names)), list(map(self.name, excepts)), sender, message, is_volatile)

    def emit_once(self, names, excepts, sender, message, is_volatile):
        self.emitted += 1
        receivers = [
            connection
            for connection in self.here.values()
            if (not names or connection.joined & set(names))
            and not connection.joined & set(excepts)
            and connection is not sender
        ]
        expected = sum(self.promise(connection, Waiting(message), is_volatile) for connection in receivers)
        number = -1 if sender is None else sender.number
        assert self.outbox.send_to(self.rooms, names, excepts, number, message, is_volatile) == expected
        self.accepted += expected

    @rule(connection=connections, size=st.integers(0, 200))
    def answer(self, connection, size):
        """For one alone: a pong; or a packet, for polling has no raw bytes."""
        if not connection.dialect & POLLING:
            return self.write(connection, b"%d:" % self.emitted + b"r" * size)
        self.accepted += self.promise(connection, Waiting(Noop()), False)
        connection.write_packet(b"6")

    def write(self, connection, data):
        self.accepted += self.promise(connection, Waiting(data), False)
        connection.write(data)

    def flush_one(self, connection):
        self.note_flush(connection)
        connection.flush()

    @rule(connection=connections, ahead=st.booleans())
    def flush(self, connection, ahead):
        if ahead:  # the peer has read what the kernel had, and the transport has not noticed yet
            self.read(connection, 1 << 20)
        self.flush_one(connection)

    @rule()
    def turn(self):
        for connection in self.here.values():
            self.note_flush(connection)
        self.loop.settle()
        for connection in self.here.values():
            assert connection.errors == connection.expected_errors
            assert not (connection.owed and connection.nothing_left())

    # ---- the peers read, the transports write ----

    def read(self, connection, size):
        if connection.theirs is not None and not connection.hung_up:
            with suppress(BlockingIOError):
                connection.received += connection.theirs.recv(size)

    def write_held(self, connection, size):
        """The transport writes at most `size` bytes of what it holds."""
        while connection.held and size > 0:
            part = connection.held.popleft()
            try:
                done = len(part) if connection.ours is None else connection.ours.send(part)
            except BlockingIOError:
                done = 0
            except BrokenPipeError:
                done = len(part)
            done = min(done, size) if connection.ours is None else done
            if connection.ours is None:
                connection.received += part[:done]
            if done < len(part):
                connection.held.appendleft(part[done:])
            if done == 0:
                return
            size -= done

    @rule(connection=connections, size=st.sampled_from([1, 100, 3000, 1 << 20]))
    def drain(self, connection, size):
        self.read(connection, size)
        self.write_held(connection, size)
        if connection.is_blocked and not connection.held:
            connection.handed = 0
            connection.parked = False
            connection.unblock()

    # ---- what always holds ----

    @invariant()
    def as_promised(self):
        for connection in self.here.values():
            assert connection.promised().startswith(connection.received)
            assert connection.blocked == connection.is_blocked
            assert connection.pending == sum(waiting.size for waiting in connection.waiting) + connection.handed

    @invariant()
    def same_rooms(self):
        assert len(self.rooms) == len(self.here)
        for connection in self.here.values():
            assert self.rooms.rooms_of(connection.number) == connection.joined
        held = set().union(*(connection.joined for connection in self.here.values()))
        assert self.rooms.room_names() == held

    def teardown(self):
        try:
            for _ in range(100_000):
                self.turn()
                for connection in self.here.values():
                    self.drain(connection, 1 << 20)
                if all(
                    connection.hung_up or connection.received == connection.promised()
                    for connection in self.here.values()
                ):
                    break
            for connection in self.here.values():
                assert connection.hung_up or connection.received == connection.promised()
            assert self.outbox.stats()["pushed"] == self.accepted
            for connection in list(self.here.values()):
                self.disconnect(connection)
            assert all(bytes(view) == shown for view, shown in self.ghosts)
            self.ghosts.clear()
            assert probe().references(self.outbox) == 1
        finally:
            for connection in self.here.values():
                connection.shut()


RoomsAndOutbox.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
TestRoomsAndOutbox = RoomsAndOutbox.TestCase
