"""The rooms of one namespace: which sockets are in which room, and which sockets a target means.

A socket is a slot here, a room is a bitset of slots. The room of a socket's own id is not stored: `ids` says
where it leads, `without_own` who left it. A name may be an id and a stored room at once: both are meant then.
Nothing is called back and nothing is sent from here. When a bitset gets no memory, MemoryError is raised
and nothing has changed. A room without members does not exist. After remove_socket nothing remembers the slot.
"""

cimport cython

from fastsio.bitset cimport (
    bitset, bitset_add, bitset_andnot, bitset_bytes, bitset_clear, bitset_cursor, bitset_has, bitset_next,
    bitset_or, bitset_remove, bitset_reset,
)

cdef enum:
    FEW = 8  # rooms of a socket up to which a tuple (40 bytes + 8 each) is used; a set takes 232


@cython.final
cdef class Room:
    def __dealloc__(self):
        bitset_clear(&self.members)


cdef inline bint failed(int result) except True:
    if result < 0:
        raise MemoryError
    return False


cdef list slots_of(const bitset *members):
    cdef uint32_t[256] slots
    cdef bitset_cursor cursor
    cdef size_t count, i
    cdef list result = []
    cursor.next = 0
    while True:
        count = bitset_next(members, &cursor, slots, 256)
        if count == 0:
            return result
        for i in range(count):
            result.append(slots[i])


cdef object with_room(object held, Room room):
    """The entry of `joined` after one more room."""
    if held is None:
        return room
    if type(held) is Room:
        return (held, room)
    if type(held) is tuple:
        if len(<tuple>held) < FEW:
            return <tuple>held + (room,)
        held = set(<tuple>held)
    (<set>held).add(room)
    return held


cdef object without_room(object held, Room room):
    """The entry of `joined` after one room less; None: no entry."""
    if held is room:
        return None
    if type(held) is tuple:
        held = tuple([other for other in <tuple>held if other is not room])
        return (<tuple>held)[0] if len(<tuple>held) == 1 else held
    (<set>held).discard(room)
    return tuple(<set>held) if len(<set>held) <= FEW // 2 else held


cdef tuple held_rooms(object held):
    if held is None:
        return ()
    return (held,) if type(held) is Room else tuple(held)


@cython.final
cdef class Rooms:
    def __cinit__(self):
        self.ids = {}
        self.names = {}
        self.rooms = {}
        self.joined = {}

    def __dealloc__(self):
        bitset_clear(&self.everyone)
        bitset_clear(&self.without_own)
        bitset_clear(&self.single)
        bitset_clear(&self.scratch)

    def __len__(self):
        return len(self.ids)

    def __contains__(self, str room not None):
        return room in self.rooms or self.own_slot(room) >= 0

    # ---- sockets ----

    cpdef int add_socket(self, str id, uint32_t slot) except -1:
        if id in self.ids or bitset_has(&self.everyone, slot):
            raise ValueError(f"id {id!r} or slot {slot} is in use")
        cdef int change = ROOM_CHANGED if id in self.rooms else ROOM_CHANGED | ROOM_CREATED
        failed(bitset_add(&self.everyone, slot))
        cdef object number = slot  # one int object for both maps
        self.ids[id] = number
        self.names[number] = id
        return change

    cpdef list remove_socket(self, uint32_t slot):
        if not bitset_has(&self.everyone, slot):
            return []
        cdef Room room
        cdef list left = []
        cdef str id = self.names.pop(slot)
        del self.ids[id]
        bitset_remove(&self.everyone, slot)
        if not bitset_remove(&self.without_own, slot):
            left.append(id)
        for room in held_rooms(self.joined.pop(slot, None)):
            self.remove_member(room, slot)
            left.append(room.name)
        return left

    def id_of(self, uint32_t slot):
        return self.names.get(slot)

    # ---- membership ----

    cpdef int join(self, uint32_t slot, str room) except -1:
        if room is None:
            raise TypeError("a room is a str")
        cdef str id = self.names.get(slot)
        if id is None:
            return 0
        if id == room:
            return self.join_own(id, slot)
        cdef Room target = self.rooms.get(room)
        cdef bint is_new = target is None
        if is_new:
            target = Room.__new__(Room)
            target.name = room
        elif bitset_has(&target.members, slot):
            return 0
        failed(bitset_add(&target.members, slot))
        self.joined[slot] = with_room(self.joined.get(slot), target)
        if not is_new:
            return ROOM_CHANGED
        self.rooms[room] = target
        return ROOM_CHANGED if self.own_slot(room) >= 0 else ROOM_CHANGED | ROOM_CREATED

    cpdef int leave(self, uint32_t slot, str room) except -1:
        if room is None:
            raise TypeError("a room is a str")
        cdef str id = self.names.get(slot)
        if id is None:
            return 0
        if id == room:
            return self.leave_own(id, slot)
        cdef Room target = self.rooms.get(room)
        if target is None or not bitset_has(&target.members, slot):
            return 0
        cdef object held = without_room(self.joined[slot], target)
        if held is None:
            del self.joined[slot]
        else:
            self.joined[slot] = held
        self.remove_member(target, slot)
        return ROOM_CHANGED if room in self else ROOM_CHANGED | ROOM_DELETED

    cdef int join_own(self, str id, uint32_t slot) except -1:
        if not bitset_remove(&self.without_own, slot):
            return 0
        return ROOM_CHANGED if id in self.rooms else ROOM_CHANGED | ROOM_CREATED

    cdef int leave_own(self, str id, uint32_t slot) except -1:
        cdef int added = bitset_add(&self.without_own, slot)
        failed(added)
        if not added:
            return 0
        return ROOM_CHANGED if id in self.rooms else ROOM_CHANGED | ROOM_DELETED

    cdef int remove_member(self, Room room, uint32_t slot):
        bitset_remove(&room.members, slot)
        if room.members.count == 0:
            del self.rooms[room.name]
        return 0

    # ---- looking ----

    def rooms_of(self, uint32_t slot):
        cdef Room room
        cdef set names = {room.name for room in held_rooms(self.joined.get(slot))}
        cdef str id = self.names.get(slot)
        if id is not None and not bitset_has(&self.without_own, slot):
            names.add(id)
        return names

    def room_names(self):
        cdef set names = set(self.rooms)
        names.update([id for id in self.ids if self.own_slot(id) >= 0])
        return names

    def shared_rooms(self):
        return len(self.rooms)

    def members(self, str room not None):
        return slots_of(self.select_one(room))

    def selected(self, rooms=(), excepts=(), int64_t sender=-1):
        return slots_of(self.select(rooms, excepts, sender))

    # ---- selecting ----

    cdef int64_t own_slot(self, object name) except -2:
        """The slot that the name reaches as an id, or -1."""
        cdef object slot = self.ids.get(name)
        if slot is None or bitset_has(&self.without_own, slot):
            return -1
        return slot

    cdef const bitset *select(self, object rooms, object excepts, int64_t sender) except NULL:
        cdef const bitset *found
        cdef Room room
        cdef int64_t slot
        cdef size_t count = len(rooms)
        if count == 0:
            found = &self.everyone
        elif count == 1:
            found = self.select_one(next(iter(rooms)))
        else:
            found = self.select_union(rooms)
        if sender >= 0 and not bitset_has(found, <uint32_t>sender):
            sender = -1
        if found.count == 0 or (sender < 0 and not excepts):
            return found
        if found is not &self.scratch:
            bitset_reset(&self.scratch)
            failed(bitset_or(&self.scratch, found))
        for name in excepts:
            room = self.rooms.get(name)
            if room is not None:
                bitset_andnot(&self.scratch, &room.members)
            slot = self.own_slot(name)
            if slot >= 0:
                bitset_remove(&self.scratch, <uint32_t>slot)
        if sender >= 0:
            bitset_remove(&self.scratch, <uint32_t>sender)
        return &self.scratch

    cdef const bitset *select_one(self, object name) except NULL:
        cdef Room room = self.rooms.get(name)
        cdef int64_t slot = self.own_slot(name)
        if slot < 0 and room is not None:
            return &room.members
        if room is not None:
            return self.select_union((name,))
        bitset_reset(&self.single)
        if slot >= 0:
            failed(bitset_add(&self.single, <uint32_t>slot))
        return &self.single

    cdef const bitset *select_union(self, object rooms) except NULL:
        bitset_reset(&self.scratch)
        for name in rooms:
            self.unite(name)
        return &self.scratch

    cdef int unite(self, object name) except -1:
        """Adds the members of one room to the scratch set."""
        cdef Room room = self.rooms.get(name)
        cdef int64_t slot = self.own_slot(name)
        if room is not None:
            failed(bitset_or(&self.scratch, &room.members))
        if slot >= 0:
            failed(bitset_add(&self.scratch, <uint32_t>slot))
        return 0

    # ---- accounting ----

    def bytes_held(self):
        """Bytes of the bitsets, the structs in the Room objects not counted."""
        cdef Room room
        cdef size_t total = 0
        for room in self.rooms.values():
            total += bitset_bytes(&room.members)
        total += bitset_bytes(&self.everyone) + bitset_bytes(&self.without_own)
        return total + bitset_bytes(&self.single) + bitset_bytes(&self.scratch)
