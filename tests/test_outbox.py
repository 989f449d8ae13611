"""The outbox where it meets owners, views and the loop; what it sends, and in which order, is in test_outbox_machine.py."""

import errno
import gc
import threading
import weakref

import pytest

from fastsio.message import Message
from fastsio.outbox import Outbox
from fastsio.packets import Packet
from fastsio.rooms import Rooms
from tests.csrc.probing import StillLoop, probe
from tests.dialects import DEFLATE, POLLING

EVENT = 2


class Wire:
    """An outbox on a loop that stands still, a room with everybody, and owners that note what they are given."""

    def __init__(self, max_backlog=1000):
        self.loop = StillLoop()
        self.outbox = Outbox(self.loop, max_backlog)
        self.rooms = Rooms()

    def open(self, on_handover=lambda owner, data: None, fd=-1):
        class Owner(probe().Probe):
            def __init__(self, outbox):
                super().__init__(outbox, fd)
                self.given = []
                self.errors = []

            def handover(self, data):
                self.given.append(data)
                on_handover(self, data)

            def stuck(self, error):
                self.errors.append(error)

        owner = Owner(self.outbox)
        self.rooms.add_socket(f"id{owner.number}", owner.number)
        return owner

    def emit(self, data, is_volatile=False):
        message = Message(Packet(EVENT, "/", data))
        return self.outbox.send_to(self.rooms, (), (), -1, message, is_volatile)


@pytest.fixture
def wire():
    return Wire()


def given(owner):
    return b"".join(owner.given)


def test_one_flush_a_round(wire):
    owners = [wire.open(), wire.open()]
    for number in range(3):
        assert wire.emit(number) == 2
    assert len(wire.loop.soon) == 1
    wire.loop.turn()
    expected = b"".join(Message(Packet(EVENT, "/", number)).frames for number in range(3))
    for owner in owners:
        assert given(owner) == expected
        assert len(owner.given) == 1
    assert wire.loop.soon == []


def test_a_loop_that_refuses_once(wire, monkeypatch):
    """As asyncio's does in the depths of a recursion: the next one who sends something gets the flush."""
    owner = wire.open()

    def refuse(*args):
        raise RecursionError

    with monkeypatch.context() as patched, pytest.raises(RecursionError):
        patched.setattr(wire.loop, "call_soon", refuse)
        wire.emit(1)
    wire.emit(2)
    wire.loop.turn()
    assert given(owner) == b"".join(Message(Packet(EVENT, "/", number)).frames for number in (1, 2))


def test_more_handovers_than_are_collected_at_once(wire):
    owners = [wire.open() for _ in range(1000)]
    assert wire.emit("x") == 1000
    wire.loop.settle()
    assert {given(owner) for owner in owners} == {Message(Packet(EVENT, "/", "x")).frames}


def test_stats(wire):
    owner = wire.open()
    wire.emit("a")
    wire.loop.settle()
    wire.emit("b")
    assert wire.emit("c", is_volatile=True) == 0
    owner.write(b"no message")
    first = len(Message(Packet(EVENT, "/", "a")).frames)
    assert wire.outbox.stats() == {
        "pushed": 3,
        "sends": 0,
        "bytes": 0,
        "dropped": 1,
        "overflows": 0,
        "blocked": 1,
        "handed": first,
        "flushes": 1,
        "flushed": 1,
        "largest": 1,
    }
    assert wire.outbox.messages() == 2
    assert wire.outbox.flush_sizes() == [1]
    assert owner.pending == 2 * first + len(b"no message")


def test_views_are_shared_and_outlive_everything(wire):
    """A thousand slow readers wait for one piece of memory; a transport may write from it when all else is gone."""
    owners = [wire.open() for _ in range(100)]
    wire.emit("x" * 100)
    wire.emit("y")
    wire.loop.settle()
    views = [view for owner in owners for view in owner.given]
    expected = bytes(views[0])
    for owner in owners:
        owner.close()
        owner.given.clear()
    del owner, owners, wire.outbox
    gc.collect()
    assert [bytes(view) for view in views] == [expected] * 100
    with pytest.raises(TypeError):
        views[0][0] = 1


def test_a_view_that_is_gone_holds_nothing(wire):
    owner = wire.open()
    wire.emit("x")
    wire.loop.settle()
    view = owner.given.pop()
    part = view[3:]
    owner.close()
    assert probe().references(wire.outbox) == 2
    del view
    assert probe().references(wire.outbox) == 2
    del part
    assert probe().references(wire.outbox) == 1


def test_a_closed_owner_is_let_go(wire):
    owner = wire.open()
    wire.emit("x")
    owner.close()
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
    wire.loop.settle()


def test_another_thread_is_refused(wire):
    owner = wire.open()
    raised = []

    def emit():
        with pytest.raises(RuntimeError, match=r"io\.threadsafe\.emit") as error:
            wire.emit("x")
        raised.append(error)

    thread = threading.Thread(target=emit)
    thread.start()
    thread.join()
    assert len(raised) == 1
    wire.loop.settle()
    assert owner.given == []


# ---- hooks that come back ----


def test_unblocked_from_inside_a_handover(wire):
    """A transport that could write everything at once, as most often with TLS."""
    owners = [wire.open(lambda owner, data: owner.unblock()) for _ in range(2)]
    for number in range(3):
        wire.emit(number)
        wire.loop.settle()
    for owner in owners:
        assert given(owner) == b"".join(Message(Packet(EVENT, "/", number)).frames for number in range(3))


def test_unblocked_from_inside_a_burst(wire):
    """The burst goes over the limit: it is handed over from inside the push, once."""
    owners = [wire.open(lambda owner, data: owner.unblock()) for _ in range(3)]
    for _ in range(4):
        wire.emit("x" * 400)
    wire.loop.settle()
    for owner in owners:
        assert given(owner) == Message(Packet(EVENT, "/", "x" * 400)).frames * 4
        assert owner.errors == []


def test_written_from_inside_a_handover(wire):
    """Something is answered while the handovers of others are still waiting for their turn."""
    first_time = []

    def answer(owner, data):
        if len(owner.given) == 1:
            first_time.append(owner)
            owner.write(b"answer")
            owner.unblock()

    owners = [wire.open(answer) for _ in range(3)]
    wire.emit("x")
    wire.loop.settle()
    assert len(first_time) == 3
    for owner in owners:
        assert given(owner) == Message(Packet(EVENT, "/", "x")).frames + b"answer"


@pytest.mark.parametrize("size", [10, 2000], ids=["flush", "burst"])
def test_closed_from_inside_a_handover(wire, size):
    """One takes the others along: they get nothing any more, and neither does who has their slots by then."""
    owners = []

    def close_the_others(owner, data):
        for other in owners:
            if other is not owner and other.number >= 0:
                other.close()

    owners += [wire.open(close_the_others) for _ in range(3)]
    wire.emit("first")
    wire.emit("x" * size)
    wire.loop.settle()
    assert sorted(len(owner.given) for owner in owners) == [0, 0, 1]
    assert [owner.errors for owner in owners] == [[], [], []]


def test_a_handover_that_raises(wire):
    """What is the fault of one owner is seen by the loop and costs nobody else his bytes, nor him the same ones twice."""
    faults = []

    def fail(owner, data):
        if not faults:
            faults.append(owner)
            raise ZeroDivisionError

    owners = [wire.open(fail) for _ in range(3)]
    wire.emit("x")
    with pytest.raises(ZeroDivisionError):
        wire.loop.settle()
    wire.emit("y")
    wire.loop.settle()
    for owner in owners:
        assert len(owner.given) == 1
        assert given(owner) == Message(Packet(EVENT, "/", "x")).frames


def test_stuck_is_told_later_and_once(wire):
    """The owner is told in the next round, when no push is under way; not at all when it is closed by then."""
    slow, closed = wire.open(), wire.open()
    wire.emit("x")
    wire.loop.settle()
    assert wire.emit("x" * 2000) == 0
    assert wire.emit("y") == 0
    assert slow.errors == []
    closed.close()
    wire.loop.settle()
    assert slow.errors == [0]
    assert closed.errors == []


# ---- deflating ----


def broken(payload):
    raise ZeroDivisionError


@pytest.mark.parametrize("deflater", [broken, lambda payload: "text"], ids=["raises", "no bytes"])
def test_a_deflater_that_fails(wire, caplog, monkeypatch, deflater):
    """Who should have got the message is told, the others get theirs; one line is logged."""
    monkeypatch.setattr("fastsio.limits._logged", {})
    plain, first, second = wire.open(), wire.open(), wire.open()
    for owner in (first, second):
        owner.set_dialect(DEFLATE)
    wire.outbox.deflater = deflater
    wire.emit("x")
    wire.loop.settle()
    assert given(plain) == Message(Packet(EVENT, "/", "x")).frames
    assert first.given == second.given == []
    assert first.errors == second.errors == [errno.ENOMEM]
    assert [record.message for record in caplog.records] == ["a message could not be deflated"]


def test_no_deflater(wire):
    owner = wire.open()
    owner.set_dialect(DEFLATE)
    assert wire.outbox.deflater is None
    for deflater, expected in ((None, False), (lambda payload: payload[:1], True), (None, False)):
        wire.outbox.deflater = deflater
        wire.emit("x" * 100)
        wire.loop.settle()
        owner.unblock()
        assert (bytes(owner.given.pop()) == b"\xc1\x014") == expected


def test_a_deflater_that_comes_back(wire):
    """Whatever it does to the outbox from inside a flush, what is under way is right."""
    owner = wire.open()
    owner.set_dialect(DEFLATE)
    others = []

    def deflater(payload):
        others.extend(wire.open() for _ in range(200))  # the slots move
        others[-1].write(b"more")
        return b"z"

    wire.outbox.deflater = deflater
    wire.emit("x")
    wire.emit("y")
    wire.loop.settle()
    assert given(owner) == b"\xc1\x01z" * 2
    assert len(others) == 400 and given(others[-1]) == b"more"


# ---- another transport for a session ----


def test_block(wire):
    """A polling session without a GET."""
    owner = wire.open()
    owner.set_dialect(POLLING)
    owner.block()
    wire.emit("x")
    wire.loop.settle()
    assert owner.blocked and owner.given == []
    owner.unblock()
    wire.loop.settle()
    assert given(owner) == b'42"x"\x1e'
    assert owner.blocked


def test_adopted(wire):
    """The probe's own bytes go first, then what waits for the session, in the words of its new transport."""
    session, probe_ = wire.open(), wire.open(lambda owner, data: owner.unblock())
    session.set_dialect(POLLING)
    session.block()
    number, own = session.number, probe_.number
    wire.emit("x", is_volatile=True)
    assert probe_.pending > 0 and session.pending == 0
    probe_.write_packet(b"3probe")
    session.write_packet(b"6")
    assert probe_.adopt(number, -1, 0)
    assert (session.number, probe_.number) == (-1, number)
    wire.loop.settle()
    assert given(probe_) == Message(Packet(EVENT, "/", "x")).frames + b"\x81\x063probe" + b"\x81\x016"
    assert session.given == []
    assert probe().Probe(wire.outbox).number == own


def test_adopted_by_one_that_still_holds_something(wire):
    session, probe_ = wire.open(), wire.open()
    session.block()
    session.write(b"waits")
    probe_.write(b"first")
    assert probe_.adopt(session.number, -1, 0)
    wire.loop.settle()
    assert given(probe_) == b"first"
    assert probe_.blocked and probe_.pending == len(b"first") + len(b"waits")
    probe_.unblock()
    wire.loop.settle()
    assert given(probe_) == b"firstwaits"


def test_adopted_by_one_without_a_slot(wire):
    session, other = wire.open(), wire.open()
    number = session.number
    other.close()
    session.write(b"waits")
    assert other.adopt(number, -1, 0)
    wire.loop.settle()
    assert given(other) == b"waits"
    session.close()  # has none any more
    assert other.number == number


def test_stuck_before_it_was_adopted(wire):
    """The session ran over its backlog, and its former transport was not told yet."""
    session, probe_ = wire.open(), wire.open()
    session.block()
    wire.emit("x" * 900)
    assert wire.emit("x" * 900) == 1
    assert probe_.adopt(session.number, -1, 0)
    wire.loop.settle()
    assert session.errors == []
    assert probe_.errors == [0]


def test_closed_while_it_is_adopted(wire):
    """Somebody who is called in the course of it ends the session."""
    session = wire.open()
    probe_ = wire.open(lambda owner, data: session.close())
    number = session.number
    probe_.write(b"x")
    assert not probe_.adopt(number, -1, 0)
    assert probe_.number != number and session.number == -1
    assert not probe_.adopt(number, -1, 0)


def test_a_view_in_a_reference_cycle():
    """However a collection goes about it, the outbox is there until its last view is gone."""
    for _ in range(6):
        wire = Wire()
        owner = wire.open()
        wire.emit("x")
        wire.loop.settle()
        assert isinstance(owner.given[0], memoryview)
        wire.outbox.deflater = lambda payload, held=(owner.given, owner): None
        gone = weakref.ref(wire.loop)
        del wire, owner
        gc.collect()
        assert gone() is None
