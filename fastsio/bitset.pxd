"""What csrc/bitset.h declares, for the modules that link bitset.c. The contract is in the header."""

from libc.stddef cimport size_t
from libc.stdint cimport uint32_t, uint64_t


cdef extern from "bitset.h" nogil:
    ctypedef struct bitset:
        uint32_t count

    ctypedef struct bitset_cursor:
        uint64_t next

    int bitset_add(bitset *set, uint32_t slot) noexcept
    int bitset_remove(bitset *set, uint32_t slot) noexcept
    bint bitset_has(const bitset *set, uint32_t slot) noexcept
    int bitset_or(bitset *target, const bitset *other) noexcept
    int bitset_andnot(bitset *target, const bitset *other) noexcept
    void bitset_clear(bitset *set) noexcept
    void bitset_reset(bitset *set) noexcept
    size_t bitset_bytes(const bitset *set) noexcept
    size_t bitset_next(const bitset *set, bitset_cursor *cursor, uint32_t *slots, size_t room) noexcept
