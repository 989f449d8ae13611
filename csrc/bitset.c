#include "bitset.h"

#include <stdlib.h>
#include <string.h>

#ifdef FASTSIO_DEBUG
#include <assert.h>
#define ASSERT(condition) assert(condition)
#define CHECKED(set) bitset_check(set)
#else
#define ASSERT(condition) ((void)0)
#define CHECKED(set) ((void)0)
#endif

#define SHRINK_AT (BITSET_SMALL / 4)
#define BIT(slot) (UINT64_C(1) << ((slot) % 64))

static inline uint32_t page_number(uint32_t slot) {
    return slot / BITSET_PAGE_BITS;
}

static inline uint32_t word_number(uint32_t slot) {
    return slot % BITSET_PAGE_BITS / 64;
}

static inline uint32_t popcount(uint64_t word) {
    return (uint32_t)__builtin_popcountll(word);
}

/* ---- arrays ---- */

static inline const uint32_t *members(const bitset *set) {
    return set->capacity == 0 ? set->u.inside : set->u.array;
}

static inline uint32_t *places(bitset *set) {
    return set->capacity == 0 ? set->u.inside : set->u.array;
}

/* Index of the first member that is not below `slot`. */
static uint32_t lower_bound(const bitset *set, uint64_t slot) {
    const uint32_t *array = members(set);
    uint32_t low = 0;
    uint32_t high = set->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (array[middle] < slot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int array_reserve(bitset *set, uint32_t count) {
    uint32_t capacity = set->capacity ? set->capacity : BITSET_INSIDE;
    if (count <= capacity) return 0;
    while (capacity < count) capacity *= 2;
    uint32_t *array = realloc(set->capacity ? set->u.array : NULL, capacity * sizeof(uint32_t));
    if (array == NULL) return -1;
    if (set->capacity == 0) memcpy(array, set->u.inside, set->count * sizeof(uint32_t));
    set->u.array = array;
    set->capacity = capacity;
    return 0;
}

static int array_add(bitset *set, uint32_t slot) {
    uint32_t index = lower_bound(set, slot);
    if (index < set->count && members(set)[index] == slot) return 0;
    if (array_reserve(set, set->count + 1) < 0) return -1;
    uint32_t *at = places(set) + index;
    memmove(at + 1, at, (set->count - index) * sizeof(uint32_t));
    *at = slot;
    set->count++;
    return 1;
}

static int array_remove(bitset *set, uint32_t slot) {
    uint32_t index = lower_bound(set, slot);
    if (index == set->count || members(set)[index] != slot) return 0;
    uint32_t *at = places(set) + index;
    set->count--;
    memmove(at, at + 1, (set->count - index) * sizeof(uint32_t));
    return 1;
}

/* ---- pages ---- */

static inline bitset_page *page_at(const bitset *set, uint32_t number) {
    return number < set->capacity ? set->u.pages[number] : NULL;
}

/* The page, made when absent. NULL: no memory. */
static bitset_page *page_make(bitset *set, uint32_t number) {
    if (number >= set->capacity) {
        uint32_t capacity = set->capacity ? set->capacity : 1;
        while (capacity <= number) capacity *= 2;
        bitset_page **pages = realloc(set->u.pages, capacity * sizeof(*pages));
        if (pages == NULL) return NULL;
        memset(pages + set->capacity, 0, (capacity - set->capacity) * sizeof(*pages));
        set->u.pages = pages;
        set->capacity = capacity;
    }
    if (set->u.pages[number] == NULL) set->u.pages[number] = calloc(1, sizeof(bitset_page));
    return set->u.pages[number];
}

static int page_add(bitset *set, bitset_page *page, uint32_t slot) {
    uint64_t *word = &page->words[word_number(slot)];
    if (*word & BIT(slot)) return 0;
    *word |= BIT(slot);
    page->count++;
    set->count++;
    return 1;
}

static int page_remove(bitset *set, uint32_t slot) {
    bitset_page *page = page_at(set, page_number(slot));
    if (page == NULL || !(page->words[word_number(slot)] & BIT(slot))) return 0;
    page->words[word_number(slot)] &= ~BIT(slot);
    page->count--;
    set->count--;
    return 1;
}

/* Into an empty page a copy is enough: the usual first step of a selection. */
static void page_or(bitset *set, bitset_page *page, const bitset_page *other) {
    uint32_t before = page->count;
    if (before == 0) {
        *page = *other;
    } else {
        uint32_t count = 0;
        for (size_t i = 0; i < BITSET_PAGE_WORDS; i++) count += popcount(page->words[i] |= other->words[i]);
        page->count = count;
    }
    set->count += page->count - before;
}

static void page_andnot(bitset *set, bitset_page *page, const bitset_page *other) {
    uint32_t count = 0;
    for (size_t i = 0; i < BITSET_PAGE_WORDS; i++) count += popcount(page->words[i] &= ~other->words[i]);
    set->count -= page->count - count;
    page->count = count;
}

static void pages_free(bitset *set) {
    for (uint32_t i = 0; i < set->capacity; i++) free(set->u.pages[i]);
    free(set->u.pages);
}

/* ---- from one form to the other ---- */

static int to_pages(bitset *set) {
    bitset paged = {.paged = 1, .keeps_pages = set->keeps_pages};
    const uint32_t *array = members(set);
    for (uint32_t i = 0; i < set->count; i++) {
        bitset_page *page = page_make(&paged, page_number(array[i]));
        if (page == NULL) {
            pages_free(&paged);
            return -1;
        }
        page_add(&paged, page, array[i]);
    }
    if (set->capacity != 0) free(set->u.array);
    *set = paged;
    return 0;
}

static void to_array(bitset *set) {
    uint32_t slots[SHRINK_AT];
    bitset_cursor cursor = {0};
    bitset array = {0};
    if (array_reserve(&array, set->count) < 0) return; /* pages are as right, only larger */
    array.count = (uint32_t)bitset_next(set, &cursor, slots, SHRINK_AT);
    memcpy(places(&array), slots, array.count * sizeof(uint32_t));
    pages_free(set);
    *set = array;
}

/* After members went: gives back what they took. */
static void settle(bitset *set, uint32_t first_page, uint32_t end_page) {
    if (!set->paged || set->keeps_pages) return;
    for (uint32_t i = first_page; i < end_page && i < set->capacity; i++) {
        if (set->u.pages[i] == NULL || set->u.pages[i]->count != 0) continue;
        free(set->u.pages[i]);
        set->u.pages[i] = NULL;
    }
    if (set->count <= SHRINK_AT) to_array(set);
}

/* ---- members ---- */

int bitset_add(bitset *set, uint32_t slot) {
    int changed;
    if (!set->paged && set->count == BITSET_SMALL) {
        if (bitset_has(set, slot)) return 0;
        if (to_pages(set) < 0) return -1;
    }
    if (!set->paged) {
        changed = array_add(set, slot);
    } else {
        bitset_page *page = page_make(set, page_number(slot));
        changed = page == NULL ? -1 : page_add(set, page, slot);
    }
    CHECKED(set);
    return changed;
}

int bitset_remove(bitset *set, uint32_t slot) {
    int changed = set->paged ? page_remove(set, slot) : array_remove(set, slot);
    if (changed) settle(set, page_number(slot), page_number(slot) + 1);
    if (set->count == 0 && !set->keeps_pages) bitset_clear(set);
    CHECKED(set);
    return changed;
}

int bitset_has(const bitset *set, uint32_t slot) {
    if (!set->paged) {
        uint32_t index = lower_bound(set, slot);
        return index < set->count && members(set)[index] == slot;
    }
    const bitset_page *page = page_at(set, page_number(slot));
    return page != NULL && (page->words[word_number(slot)] & BIT(slot)) != 0;
}

/* ---- whole sets ---- */

/* All the room that is needed is made first, so that a failure changes no member. */
static int or_pages(bitset *target, const bitset *other) {
    for (uint32_t i = other->capacity; i-- > 0;) {
        const bitset_page *page = other->u.pages[i];
        if (page != NULL && page->count != 0 && page_make(target, i) == NULL) return -1;
    }
    for (uint32_t i = 0; i < other->capacity; i++) {
        const bitset_page *page = other->u.pages[i];
        if (page != NULL && page->count != 0) page_or(target, target->u.pages[i], page);
    }
    return 0;
}

static int or_array(bitset *target, const bitset *other) {
    const uint32_t *array = members(other);
    if (!target->paged) {
        if (array_reserve(target, target->count + other->count) < 0) return -1;
        for (uint32_t i = 0; i < other->count; i++) array_add(target, array[i]);
        return 0;
    }
    for (uint32_t i = 0; i < other->count; i++) {
        if (page_make(target, page_number(array[i])) == NULL) return -1;
    }
    for (uint32_t i = 0; i < other->count; i++) {
        page_add(target, target->u.pages[page_number(array[i])], array[i]);
    }
    return 0;
}

int bitset_or(bitset *target, const bitset *other) {
    ASSERT(target != other);
    int many = other->paged || target->count + (uint64_t)other->count > BITSET_SMALL;
    if (!target->paged && many && to_pages(target) < 0) return -1;
    int result = other->paged ? or_pages(target, other) : or_array(target, other);
    CHECKED(target);
    return result;
}

static void array_andnot(bitset *target, const bitset *other) {
    uint32_t *array = places(target);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < target->count; i++) {
        if (!bitset_has(other, array[i])) array[kept++] = array[i];
    }
    target->count = kept;
}

int bitset_andnot(bitset *target, const bitset *other) {
    ASSERT(target != other);
    if (!target->paged) {
        array_andnot(target, other);
    } else if (!other->paged) {
        for (uint32_t i = 0; i < other->count; i++) page_remove(target, members(other)[i]);
    } else {
        for (uint32_t i = 0; i < target->capacity && i < other->capacity; i++) {
            bitset_page *page = target->u.pages[i];
            if (page != NULL && other->u.pages[i] != NULL) page_andnot(target, page, other->u.pages[i]);
        }
    }
    settle(target, 0, target->capacity);
    if (target->count == 0 && !target->keeps_pages) bitset_clear(target);
    CHECKED(target);
    return 0;
}

void bitset_clear(bitset *set) {
    if (set->paged) {
        pages_free(set);
    } else if (set->capacity != 0) {
        free(set->u.array);
    }
    *set = (bitset){0};
}

void bitset_reset(bitset *set) {
    for (uint32_t i = 0; set->paged && i < set->capacity; i++) {
        bitset_page *page = set->u.pages[i];
        if (page != NULL && page->count != 0) memset(page, 0, sizeof(*page));
    }
    set->count = 0;
    set->keeps_pages = 1;
    CHECKED(set);
}

size_t bitset_bytes(const bitset *set) {
    if (!set->paged) return set->capacity * sizeof(uint32_t);
    size_t bytes = set->capacity * sizeof(bitset_page *);
    for (uint32_t i = 0; i < set->capacity; i++) bytes += set->u.pages[i] ? sizeof(bitset_page) : 0;
    return bytes;
}

/* ---- iteration ---- */

static size_t next_in_array(const bitset *set, bitset_cursor *cursor, uint32_t *slots, size_t room) {
    uint32_t index = lower_bound(set, cursor->next);
    size_t count = set->count - index < room ? set->count - index : room;
    if (count == 0) return 0;
    memcpy(slots, members(set) + index, count * sizeof(uint32_t));
    cursor->next = (uint64_t)slots[count - 1] + 1;
    return count;
}

/* The part of a page from `*bit` on, which is moved past the last one handed out. */
static size_t next_in_page(const bitset_page *page, uint32_t first, uint32_t *bit, uint32_t *slots, size_t room) {
    size_t count = 0;
    uint32_t index = *bit / 64;
    uint64_t word = page->words[index] & (UINT64_MAX << (*bit % 64));
    for (;;) {
        for (; word != 0; word &= word - 1) {
            *bit = index * 64 + (uint32_t)__builtin_ctzll(word);
            if (count == room) return count;
            slots[count++] = first + *bit;
        }
        if (++index == BITSET_PAGE_WORDS) break;
        word = page->words[index];
    }
    *bit = BITSET_PAGE_BITS;
    return count;
}

size_t bitset_next(const bitset *set, bitset_cursor *cursor, uint32_t *slots, size_t room) {
    if (!set->paged) return next_in_array(set, cursor, slots, room);
    size_t count = 0;
    while (count < room && cursor->next / BITSET_PAGE_BITS < set->capacity) {
        uint32_t number = (uint32_t)(cursor->next / BITSET_PAGE_BITS);
        uint32_t bit = (uint32_t)(cursor->next % BITSET_PAGE_BITS);
        const bitset_page *page = set->u.pages[number];
        if (page == NULL || page->count == 0) {
            bit = BITSET_PAGE_BITS;
        } else {
            count += next_in_page(page, number * BITSET_PAGE_BITS, &bit, slots + count, room - count);
        }
        cursor->next = (uint64_t)number * BITSET_PAGE_BITS + bit;
    }
    return count;
}

#ifdef FASTSIO_DEBUG
static uint32_t checked_page(const bitset_page *page) {
    if (page == NULL) return 0;
    uint32_t count = 0;
    for (size_t i = 0; i < BITSET_PAGE_WORDS; i++) count += popcount(page->words[i]);
    assert(count == page->count);
    return count;
}

void bitset_check(const bitset *set) {
    uint32_t count = 0;
    if (set->paged) {
        for (uint32_t i = 0; i < set->capacity; i++) count += checked_page(set->u.pages[i]);
        assert(count == set->count);
        return;
    }
    assert(set->count <= BITSET_SMALL);
    assert(set->count <= (set->capacity ? set->capacity : BITSET_INSIDE));
    for (uint32_t i = 1; i < set->count; i++) assert(members(set)[i - 1] < members(set)[i]);
}
#endif
