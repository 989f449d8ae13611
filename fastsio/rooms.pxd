from libc.stdint cimport int64_t, uint32_t

from fastsio.bitset cimport bitset


# What join and leave return, or'ed; 0: nothing changed.
cpdef enum RoomChange:
    ROOM_CHANGED = 1  # the socket was added, or removed
    ROOM_CREATED = 2  # it is the first one in the room
    ROOM_DELETED = 4  # it was the last one


cdef class Room:
    cdef str name  # the one copy of the name, whoever joins with an equal one
    cdef bitset members  # owned; never empty while the room is in a Rooms


cdef class Rooms:
    # A socket is in both maps from add_socket to remove_socket.
    cdef readonly dict ids  # id -> slot
    cdef dict names  # slot -> id
    cdef bitset everyone  # the slots of `names`
    cdef bitset without_own  # those of them that left the room of their own id

    # Rooms other than those that consist of a socket's own id. A Room holds a slot exactly when `joined` of
    # the slot holds the Room. `joined` has no entry for a socket in no room; the entry is the Room itself when
    # there is one, a tuple of a few, a set of more.
    cdef dict rooms  # name -> Room
    cdef dict joined

    # What select hands out when no stored set will do. Refilled by each call.
    cdef bitset single
    cdef bitset scratch

    cpdef int add_socket(self, str id, uint32_t slot) except -1
    cpdef list remove_socket(self, uint32_t slot)
    cpdef int join(self, uint32_t slot, str room) except -1
    cpdef int leave(self, uint32_t slot, str room) except -1

    # The sockets in any of `rooms` (empty: all) and in none of `excepts`, without `sender` (-1: nobody).
    # Borrowed; valid until the next call of any method.
    cdef const bitset *select(self, object rooms, object excepts, int64_t sender) except NULL

    cdef int64_t own_slot(self, object name) except -2
    cdef const bitset *select_one(self, object name) except NULL
    cdef const bitset *select_union(self, object rooms) except NULL
    cdef int unite(self, object name) except -1
    cdef int remove_member(self, Room room, uint32_t slot)
    cdef int leave_own(self, str id, uint32_t slot) except -1
    cdef int join_own(self, str id, uint32_t slot) except -1
