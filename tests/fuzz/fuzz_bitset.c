/* bitset.c under a stream of operations, each compared with arrays of bytes.
 *
 * An operation is three bytes: what and on which of three sets, and a slot of 16 bits, spread over 64 Ki
 * slots or kept within 256 by the first byte of the input (small sets change their form more often).
 */
#include "bitset.h"

#include <stdlib.h>
#include <string.h>

#define SETS 3
#define LIMIT 65536
#define REQUIRE(condition) ((condition) ? (void)0 : abort())

typedef struct state {
    bitset sets[SETS];
    uint8_t twins[SETS][LIMIT];
} state;

static void compare(const bitset *set, const uint8_t *twin, size_t room) {
    uint32_t slots[64];
    bitset_cursor cursor = {0};
    uint32_t at = 0;
    size_t count;
    while ((count = bitset_next(set, &cursor, slots, room)) != 0) {
        for (size_t i = 0; i < count; i++, at++) {
            while (at < LIMIT && !twin[at]) at++;
            REQUIRE(at < LIMIT && slots[i] == at);
        }
    }
    while (at < LIMIT && !twin[at]) at++;
    REQUIRE(at == LIMIT);
}

static void add_range(bitset *set, uint8_t *twin, uint32_t first, uint32_t limit) {
    for (uint32_t slot = first; slot < first + 150 && slot < limit; slot++) {
        REQUIRE(bitset_add(set, slot) == !twin[slot]);
        twin[slot] = 1;
    }
}

static void combine(state *self, uint32_t target, uint32_t other, int subtract) {
    if (target == other) return;
    uint8_t *twin = self->twins[target];
    const uint8_t *others = self->twins[other];
    if (subtract) {
        bitset_andnot(&self->sets[target], &self->sets[other]);
        for (size_t i = 0; i < LIMIT; i++) twin[i] &= !others[i];
    } else {
        REQUIRE(bitset_or(&self->sets[target], &self->sets[other]) == 0);
        for (size_t i = 0; i < LIMIT; i++) twin[i] |= others[i];
    }
    compare(&self->sets[target], twin, 64);
}

static void step(state *self, uint8_t what, uint32_t slot, uint32_t limit) {
    uint32_t number = what / 16 % SETS;
    bitset *set = &self->sets[number];
    uint8_t *twin = self->twins[number];
    switch (what % 16) {
    case 0:
        bitset_clear(set);
        REQUIRE(bitset_bytes(set) == 0);
        memset(twin, 0, LIMIT);
        break;
    case 1:
        bitset_reset(set);
        memset(twin, 0, LIMIT);
        break;
    case 2:
    case 3: combine(self, number, slot % SETS, what % 2); break;
    case 4: add_range(set, twin, slot, limit); break;
    case 5: compare(set, twin, slot % 64 + 1); break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
        REQUIRE(bitset_remove(set, slot) == twin[slot]);
        twin[slot] = 0;
        break;
    default:
        REQUIRE(bitset_has(set, slot) == twin[slot]);
        REQUIRE(bitset_add(set, slot) == !twin[slot]);
        twin[slot] = 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    uint8_t *copy = malloc(size); /* exact, so that an over-read is seen */
    state *self = calloc(1, sizeof(state));
    if (copy == NULL || self == NULL) abort();
    memcpy(copy, data, size);
    uint32_t limit = copy[0] % 2 ? LIMIT : 256;
    for (size_t i = 1; i + 2 < size; i += 3) {
        step(self, copy[i], (copy[i + 1] | (uint32_t)copy[i + 2] << 8) % limit, limit);
    }
    for (size_t i = 0; i < SETS; i++) {
        compare(&self->sets[i], self->twins[i], 64);
        bitset_clear(&self->sets[i]);
    }
    free(self);
    free(copy);
    return 0;
}
