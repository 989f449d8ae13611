"""Rooms against a dict of sets, and what ten thousand sockets cost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsio.rooms import RoomChange, Rooms

CHANGED, CREATED, DELETED = RoomChange.ROOM_CHANGED, RoomChange.ROOM_CREATED, RoomChange.ROOM_DELETED


class Twin:
    """The same as Rooms, as simply as it goes: room -> slots, every room stored, the sockets' own ones too."""

    def __init__(self):
        self.ids = {}
        self.rooms = {}

    def id_of(self, slot):
        return next((id for id, other in self.ids.items() if other == slot), None)

    def add_socket(self, id, slot):
        if id in self.ids or slot in self.ids.values():
            raise ValueError
        self.ids[id] = slot
        return self.join(slot, id)

    def remove_socket(self, slot):
        left = sorted(self.rooms_of(slot))
        for room in left:
            self.leave(slot, room)
        self.ids.pop(self.id_of(slot), None)
        return left

    def join(self, slot, room):
        if self.id_of(slot) is None or slot in self.members(room):
            return 0
        self.rooms.setdefault(room, set()).add(slot)
        return CHANGED | (CREATED if len(self.rooms[room]) == 1 else 0)

    def leave(self, slot, room):
        if slot not in self.members(room):
            return 0
        self.rooms[room].remove(slot)
        if self.rooms[room]:
            return CHANGED
        del self.rooms[room]
        return CHANGED | DELETED

    def rooms_of(self, slot):
        return {room for room, slots in self.rooms.items() if slot in slots}

    def members(self, room):
        return sorted(self.rooms.get(room, ()))

    def selected(self, rooms, excepts, sender):
        found = set(self.ids.values()) if not rooms else set().union(*map(self.members, rooms))
        return sorted(found.difference(*map(self.members, excepts)) - {sender})


# Few slots and names, so that they meet; ids are room names like any other. The far slots make sparse sets.
slots = st.sampled_from([0, 1, 2, 4096, 100_000])
names = st.sampled_from(["i0", "i1", "i2", "r1", "r2", "r3"])
some_names = st.lists(names, max_size=4)
steps = st.one_of(
    st.tuples(st.just("add_socket"), st.sampled_from(["i0", "i1", "i2"]), slots),
    st.tuples(st.just("remove_socket"), slots),
    st.tuples(st.just("join"), slots, names),
    st.tuples(st.just("join"), slots, names),
    st.tuples(st.just("leave"), slots, names),
    st.tuples(st.just("selected"), some_names, some_names, slots | st.just(-1)),
)


def outcome(of, name, args):
    try:
        result = getattr(of, name)(*args)
    except ValueError:
        return ValueError
    return sorted(result) if isinstance(result, list) else result


def assert_same(rooms, twin):
    assert rooms.ids == twin.ids
    assert len(rooms) == len(twin.ids)
    assert rooms.room_names() == set(twin.rooms)
    for room in ["i0", "r1", "nowhere", *twin.rooms]:
        assert rooms.members(room) == twin.members(room)
        assert (room in rooms) == (room in twin.rooms)
    for slot in [77, *twin.ids.values()]:
        assert rooms.rooms_of(slot) == twin.rooms_of(slot)
        assert rooms.id_of(slot) == twin.id_of(slot)


@settings(max_examples=300)
@given(st.lists(steps, max_size=60))
def test_against_dicts(history):
    rooms, twin = Rooms(), Twin()
    for name, *args in [("add_socket", "i0", 0), ("add_socket", "i1", 4096), *history]:
        assert outcome(rooms, name, args) == outcome(twin, name, args)
    assert_same(rooms, twin)
    for slot in list(twin.ids.values()):
        assert sorted(rooms.remove_socket(slot)) == sorted(twin.remove_socket(slot))
    assert_same(rooms, twin)
    assert rooms.bytes_held() < 100_000  # the scratch set keeps pages, as far as the highest slot


# ---- examples of what the above holds in general ----


@pytest.fixture
def rooms():
    """Sockets a, b, c in slots 0, 1, 2; r1 has a and b, r2 has b and c."""
    made = Rooms()
    for slot, id in enumerate("abc"):
        assert made.add_socket(id, slot) == CHANGED | CREATED
    for slot, room in [(0, "r1"), (1, "r1"), (1, "r2"), (2, "r2")]:
        made.join(slot, room)
    return made


@pytest.mark.parametrize(
    ("names", "excepts", "sender", "expected"),
    [
        ([], [], -1, [0, 1, 2]),
        ([], [], 1, [0, 2]),
        (["r1"], [], -1, [0, 1]),
        (["r1", "r2"], [], -1, [0, 1, 2]),
        (["r1", "r1"], [], -1, [0, 1]),
        (["r1"], [], 0, [1]),
        (["r1"], [], 2, [0, 1]),
        (["r1"], ["r2"], -1, [0]),
        ([], ["r1"], -1, [2]),
        ([], ["r1", "r2"], -1, []),
        (["r1"], ["r1"], -1, []),
        (["c"], [], -1, [2]),
        (["c"], [], 2, []),
        (["c", "r1"], ["b"], -1, [0, 2]),
        ([], ["a"], -1, [1, 2]),
        (["nowhere"], [], -1, []),
        (["nowhere", "a"], [], -1, [0]),
        (["r1"], ["nowhere"], -1, [0, 1]),
    ],
)
def test_select(rooms, names, excepts, sender, expected):
    assert rooms.selected(names, excepts, sender) == expected
    assert rooms.selected(tuple(names), set(excepts), sender) == expected
    assert rooms.members("r1") == [0, 1], "selecting changes nothing"


def test_created_and_deleted(rooms):
    assert rooms.join(2, "new") == CHANGED | CREATED
    assert rooms.join(2, "new") == 0
    assert rooms.join(0, "new") == CHANGED
    assert rooms.leave(2, "new") == CHANGED
    assert rooms.leave(2, "new") == 0
    assert rooms.leave(0, "new") == CHANGED | DELETED
    assert "new" not in rooms
    assert rooms.leave(0, "never") == 0
    assert rooms.join(9, "r1") == 0, "nobody has this slot"


def test_the_room_of_the_own_id(rooms):
    assert "a" in rooms
    assert rooms.join(0, "a") == 0
    assert rooms.leave(0, "a") == CHANGED | DELETED
    assert "a" not in rooms
    assert rooms.members("a") == []
    assert rooms.rooms_of(0) == {"r1"}
    assert rooms.selected([], ["a"]) == [0, 1, 2]
    assert rooms.join(0, "a") == CHANGED | CREATED
    assert rooms.members("a") == [0]


def test_somebody_elses_id_is_a_room_too(rooms):
    assert rooms.join(1, "a") == CHANGED
    assert rooms.members("a") == [0, 1]
    assert rooms.selected(["a"]) == [0, 1]
    assert rooms.selected([], ["a"]) == [2]
    assert sorted(rooms.remove_socket(0)) == ["a", "r1"]
    assert "a" in rooms, "b is still in it"
    assert rooms.members("a") == [1]
    assert rooms.add_socket("a", 5) == CHANGED
    assert rooms.members("a") == [1, 5]


def test_the_own_room_while_others_are_in_it(rooms):
    rooms.join(1, "a")
    assert rooms.leave(0, "a") == CHANGED, "b is still in it"
    assert rooms.members("a") == [1]
    assert rooms.join(0, "a") == CHANGED
    assert rooms.leave(1, "a") == CHANGED, "a itself is still in it"
    assert rooms.members("a") == [0]


def test_many_rooms_of_one_socket(rooms):
    """However many there are, and in whatever form they are kept."""
    names = [f"many{number}" for number in range(20)]
    expected = {"a", "r1"}
    for name in names:
        assert rooms.join(0, name) == CHANGED | CREATED
        expected.add(name)
        assert rooms.rooms_of(0) == expected
    for name in names[7:] + names[:7]:
        assert rooms.leave(0, name) == CHANGED | DELETED
        assert rooms.leave(0, name) == 0
        expected.remove(name)
        assert rooms.rooms_of(0) == expected
    for name in names:
        rooms.join(0, name)
    assert set(rooms.remove_socket(0)) == expected | set(names)
    assert not any(name in rooms for name in names)


def test_a_recycled_slot_is_in_no_room(rooms):
    assert sorted(rooms.remove_socket(1)) == ["b", "r1", "r2"]
    assert rooms.remove_socket(1) == []
    assert rooms.rooms_of(1) == set()
    rooms.add_socket("new", 1)
    assert rooms.rooms_of(1) == {"new"}
    assert rooms.selected(["r1", "r2"]) == [0, 2]


def test_ids_and_slots_are_unique(rooms):
    for id, slot in [("a", 9), ("new", 0)]:
        with pytest.raises(ValueError, match="in use"):
            rooms.add_socket(id, slot)
    assert rooms.ids == {"a": 0, "b": 1, "c": 2}


def test_a_room_is_a_str(rooms):
    for call in (rooms.join, rooms.leave):
        for name in (None, 1, b"r1"):
            with pytest.raises(TypeError):
                call(0, name)


# ---- memory ----

MANY = 10_000


@pytest.fixture
def crowd():
    made = Rooms()
    for slot in range(MANY):
        made.add_socket(f"id{slot}", slot)
    return made


def test_own_rooms_cost_nothing(crowd):
    assert crowd.bytes_held() <= 2 * MANY / 8 + 1000, "one bit a socket, not a set each"
    assert len(crowd.room_names()) == MANY


def test_a_large_room_costs_a_bit_a_member(crowd):
    before = crowd.bytes_held()
    for slot in range(MANY):
        crowd.join(slot, "all")
    assert crowd.bytes_held() - before <= 2 * MANY / 8 + 1000
    assert crowd.selected(["all"]) == list(range(MANY))
    for slot in range(MANY):
        crowd.leave(slot, "all")
    assert crowd.bytes_held() == before
    assert "all" not in crowd


def test_small_rooms_cost_little_wherever_their_members_are(crowd):
    before = crowd.bytes_held()
    for room in range(MANY):
        for slot in (room, (room * 7919) % MANY, MANY - 1):
            crowd.join(slot, f"room{room}")
    assert crowd.bytes_held() - before <= 40 * MANY


def test_everything_is_given_back(crowd):
    for slot in range(MANY):
        crowd.join(slot, f"room{slot % 100}")
        crowd.leave(slot, f"id{slot}")
    for slot in range(MANY):
        crowd.remove_socket(slot)
    assert len(crowd) == 0
    assert crowd.room_names() == set()
    assert crowd.bytes_held() == 0
