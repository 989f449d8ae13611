/* bitset: sets of slots (small dense integers). Rooms, targets and selections are made of them.
 *
 * A set of up to BITSET_SMALL slots is a sorted array (the first two places are inside the struct); a
 * larger one is a directory of pages of BITSET_PAGE_WORDS 64-bit words, absent pages being empty. A set
 * of a few members costs a few bytes wherever its members lie; one of 10,000 dense members costs 1.6 KB.
 * It turns back into an array only when a quarter of the limit is left (no flapping). All zero is an
 * empty set. Functions that grow a set return -1 when memory runs out, its members unchanged.
 */
#ifndef FASTSIO_BITSET_H
#define FASTSIO_BITSET_H

#include <stddef.h>
#include <stdint.h>

#define BITSET_PAGE_WORDS 64
#define BITSET_PAGE_BITS (BITSET_PAGE_WORDS * 64)
#define BITSET_SMALL (BITSET_PAGE_BITS / 32) /* an array of that many takes as much as one page */
#define BITSET_INSIDE 2

typedef struct bitset_page {
    uint32_t count;
    uint64_t words[BITSET_PAGE_WORDS];
} bitset_page;

typedef struct bitset {
    uint32_t count;    /* members */
    uint32_t capacity; /* array: places allocated, 0: those inside; pages: length of the directory */
    uint8_t paged;
    uint8_t keeps_pages; /* a scratch set: see bitset_reset */
    union {
        uint32_t inside[BITSET_INSIDE];
        uint32_t *array;
        bitset_page **pages;
    } u;
} bitset;

/* 1: changed, 0: was so already, -1: no memory. */
int bitset_add(bitset *set, uint32_t slot);
int bitset_remove(bitset *set, uint32_t slot);
int bitset_has(const bitset *set, uint32_t slot);

/* target |= other; target &= ~other. Two different sets. 0, or -1: no memory (only bitset_or). */
int bitset_or(bitset *target, const bitset *other);
int bitset_andnot(bitset *target, const bitset *other);

/* Empties the set and frees everything. */
void bitset_clear(bitset *set);

/* Empties the set but keeps its pages, now and later, for a scratch set that is filled again and
 * again. What it keeps is bounded by the highest slot it ever held. */
void bitset_reset(bitset *set);

size_t bitset_bytes(const bitset *set); /* bytes held, without the struct itself */

/* Hands out members in ascending order, up to `room` a call; returns how many, 0 at the end.
 * All zero is a cursor at the start. The set must not change in between. */
typedef struct bitset_cursor {
    uint64_t next;
} bitset_cursor;

size_t bitset_next(const bitset *set, bitset_cursor *cursor, uint32_t *slots, size_t room);

#ifdef FASTSIO_DEBUG
void bitset_check(const bitset *set); /* aborts when an invariant is broken; called after every change */
#endif

#endif
