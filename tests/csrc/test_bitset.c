/* bitset.c against arrays of bytes, and the sizes that it promises. */
#include "bitset.h"

#include "check.h"

#include <string.h>

#define LIMIT 100000

/* The set holds exactly the slots whose byte is set; asked in batches of `room`. */
static void check_same(const bitset *set, const uint8_t *twin, size_t room) {
    uint32_t slots[300];
    bitset_cursor cursor = {0};
    uint32_t expected = 0;
    uint32_t total = 0;
    size_t count;
    while ((count = bitset_next(set, &cursor, slots, room)) != 0) {
        CHECK(count <= room);
        for (size_t i = 0; i < count; i++) {
            while (expected < LIMIT && !twin[expected]) expected++;
            CHECK(slots[i] == expected);
            expected++;
        }
        total += (uint32_t)count;
    }
    while (expected < LIMIT && !twin[expected]) expected++;
    CHECK(expected == LIMIT);
    CHECK(total == set->count);
    CHECK(bitset_next(set, &cursor, slots, room) == 0);
}

static void test_add_and_remove(void) {
    static const uint32_t steps[] = {1, 2, 63, 64, 65, 1021, 4096, 33333};
    for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
        static uint8_t twin[LIMIT];
        bitset set = {0};
        memset(twin, 0, sizeof(twin));
        for (uint32_t i = 0, slot = 7; i < 300; i++, slot = (slot + steps[s]) % LIMIT) {
            CHECK(bitset_has(&set, slot) == twin[slot]);
            CHECK(bitset_add(&set, slot) == !twin[slot]);
            twin[slot] = 1;
            CHECK(bitset_add(&set, slot) == 0);
            CHECK(bitset_has(&set, slot));
        }
        check_same(&set, twin, 1);
        check_same(&set, twin, 300);
        for (uint32_t i = 0, slot = 7; i < 300; i++, slot = (slot + steps[s]) % LIMIT) {
            CHECK(bitset_remove(&set, slot) == twin[slot]);
            twin[slot] = 0;
            CHECK(!bitset_has(&set, slot));
            if (i % 50 == 0) check_same(&set, twin, 7);
        }
        CHECK(set.count == 0);
        CHECK(bitset_bytes(&set) == 0);
    }
}

static bitset multiples(uint32_t step, uint32_t count, uint8_t *twin) {
    bitset set = {0};
    memset(twin, 0, LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        bitset_add(&set, i * step);
        twin[i * step] = 1;
    }
    return set;
}

static bitset copy_of(const bitset *set) {
    bitset copy = {0};
    CHECK(bitset_or(&copy, set) == 0);
    return copy;
}

/* Every form against every form: empty, inside, array, pages dense and sparse. */
static void test_whole_sets(void) {
    static const struct {
        uint32_t step, count;
    } kinds[] = {{1, 0}, {5, 2}, {3, 100}, {2, 128}, {900, 100}, {1, 10000}, {700, 140}};
    enum { KINDS = sizeof(kinds) / sizeof(*kinds) };
    static uint8_t left[LIMIT], right[LIMIT], both[LIMIT];
    for (size_t a = 0; a < KINDS; a++) {
        for (size_t b = 0; b < KINDS; b++) {
            bitset first = multiples(kinds[a].step, kinds[a].count, left);
            bitset second = multiples(kinds[b].step, kinds[b].count, right);
            bitset united = copy_of(&first);
            check_same(&united, left, 300);
            CHECK(bitset_or(&united, &second) == 0);
            for (size_t i = 0; i < LIMIT; i++) both[i] = left[i] | right[i];
            check_same(&united, both, 300);
            CHECK(bitset_andnot(&united, &second) == 0);
            for (size_t i = 0; i < LIMIT; i++) both[i] = left[i] & !right[i];
            check_same(&united, both, 300);
            check_same(&second, right, 300);
            bitset_clear(&first);
            bitset_clear(&second);
            bitset_clear(&united);
        }
    }
}

static void test_sizes(void) {
    static uint8_t twin[LIMIT];
    bitset few = multiples(40000, 2, twin);
    CHECK(bitset_bytes(&few) == 0);
    CHECK(bitset_add(&few, 5) == 1);
    CHECK(bitset_bytes(&few) == 16);
    bitset dense = multiples(1, 10000, twin);
    CHECK(bitset_bytes(&dense) < 1700);
    for (uint32_t slot = 0; slot < 9990; slot++) bitset_remove(&dense, slot);
    CHECK(bitset_bytes(&dense) <= 32 * sizeof(uint32_t));
    memset(twin, 0, 9990);
    check_same(&dense, twin, 300);
    bitset_clear(&few);
    bitset_clear(&dense);
}

/* No flapping: around the limit a set does not change its form at each step. */
static void test_hysteresis(void) {
    bitset set = {0};
    for (uint32_t slot = 0; slot < BITSET_SMALL; slot++) bitset_add(&set, slot);
    CHECK(!set.paged);
    CHECK(bitset_add(&set, BITSET_SMALL - 1) == 0);
    CHECK(!set.paged);
    bitset_add(&set, BITSET_SMALL);
    CHECK(set.paged);
    bitset_remove(&set, 3);
    CHECK(set.paged);
    for (uint32_t slot = 0; set.count > BITSET_SMALL / 4 + 1; slot++) bitset_remove(&set, slot);
    CHECK(set.paged);
    bitset_remove(&set, BITSET_SMALL);
    CHECK(!set.paged);
    bitset_clear(&set);
}

static void test_reset_keeps_pages(void) {
    static uint8_t twin[LIMIT];
    bitset dense = multiples(1, 10000, twin);
    bitset scratch = {0};
    bitset_reset(&scratch);
    for (int round = 0; round < 3; round++) {
        CHECK(bitset_or(&scratch, &dense) == 0);
        check_same(&scratch, twin, 256);
        size_t bytes = bitset_bytes(&scratch);
        CHECK(bitset_andnot(&scratch, &dense) == 0);
        CHECK(scratch.count == 0);
        CHECK(bitset_add(&scratch, 9) == 1);
        CHECK(bitset_remove(&scratch, 9) == 1);
        CHECK(bitset_bytes(&scratch) == bytes);
        bitset_reset(&scratch);
        CHECK(scratch.count == 0);
        CHECK(!bitset_has(&scratch, 77));
        CHECK(bitset_bytes(&scratch) == bytes);
    }
    bitset_clear(&scratch);
    CHECK(bitset_bytes(&scratch) == 0);
    bitset_clear(&dense);
}

/* The last slot there is ends an iteration and does not start it again. */
static void test_last_slot(void) {
    uint32_t slots[4];
    for (uint32_t others = 0; others <= 200; others += 200) {
        bitset set = {0};
        for (uint32_t slot = 0; slot < others; slot++) bitset_add(&set, slot);
        CHECK(bitset_add(&set, UINT32_MAX) == 1);
        CHECK(bitset_has(&set, UINT32_MAX));
        bitset_cursor cursor = {.next = UINT32_MAX};
        CHECK(bitset_next(&set, &cursor, slots, 4) == 1);
        CHECK(slots[0] == UINT32_MAX);
        CHECK(bitset_next(&set, &cursor, slots, 4) == 0);
        CHECK(bitset_remove(&set, UINT32_MAX) == 1);
        CHECK(!bitset_has(&set, UINT32_MAX));
        bitset_clear(&set);
    }
}

int main(void) {
    test_add_and_remove();
    test_whole_sets();
    test_sizes();
    test_hysteresis();
    test_reset_keeps_pages();
    test_last_slot();
    return 0;
}
