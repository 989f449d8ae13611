/* wheel.c: deadlines come when they are due, neither before nor twice, and against a list of deadlines. */
#include "wheel.h"

#include "check.h"
#include "no_memory.h"

#include <string.h>

#define SLOTS 200

/* Takes all that is due by `now`, `room` at a time, and marks each in `taken`. Returns how many. */
static size_t take(wheel *self, uint64_t now, size_t room, uint8_t *taken) {
    uint32_t slots[SLOTS];
    size_t total = 0;
    size_t count;
    memset(taken, 0, SLOTS);
    while ((count = wheel_due(self, now, slots, room)) != 0) {
        CHECK(count <= room);
        for (size_t i = 0; i < count; i++) {
            CHECK(slots[i] < SLOTS && !taken[slots[i]]);
            taken[slots[i]] = 1;
        }
        total += count;
    }
    return total;
}

static void test_due(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 1000);
    CHECK(wheel_next(&self) == 0);
    CHECK(wheel_set(&self, 7, 1010) == 0);
    CHECK(wheel_set(&self, 3, 1011) == 0);
    CHECK(wheel_next(&self) == 1010);
    CHECK(take(&self, 1009, 8, taken) == 0);
    CHECK(take(&self, 1010, 8, taken) == 1 && taken[7]);
    CHECK(wheel_next(&self) == 1011);
    CHECK(take(&self, 1010, 8, taken) == 0);
    CHECK(take(&self, 5000, 8, taken) == 1 && taken[3]);
    CHECK(self.count == 0 && wheel_next(&self) == 0);
    wheel_destroy(&self);
}

static void test_moved(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 0);
    CHECK(wheel_set(&self, 0, 10) == 0);
    CHECK(wheel_set(&self, 0, 30) == 0); /* later: stays in its bucket, is filed again at 10 */
    CHECK(take(&self, 29, 8, taken) == 0);
    CHECK(wheel_next(&self) == 30);
    CHECK(wheel_set(&self, 0, 35) == 0);
    CHECK(wheel_set(&self, 0, 31) == 0); /* earlier, and still not before its bucket */
    CHECK(take(&self, 30, 8, taken) == 0);
    CHECK(take(&self, 31, 8, taken) == 1);
    CHECK(wheel_set(&self, 0, 60) == 0);
    CHECK(wheel_set(&self, 0, 40) == 0); /* earlier than its bucket */
    CHECK(wheel_next(&self) == 40);
    CHECK(take(&self, 40, 8, taken) == 1);
    CHECK(take(&self, 100, 8, taken) == 0);
    wheel_destroy(&self);
}

/* A deadline that has passed is due at the next tick. */
static void test_in_the_past(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 100);
    CHECK(wheel_set(&self, 1, 50) == 0);
    CHECK(wheel_set(&self, 2, 100) == 0);
    CHECK(take(&self, 100, 8, taken) == 0);
    CHECK(wheel_next(&self) == 101);
    CHECK(take(&self, 101, 8, taken) == 2);
    wheel_destroy(&self);
}

/* Asked about a tick that is worked off already: nothing is due, and nothing is forgotten. */
static void test_back_in_time(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 100);
    CHECK(wheel_set(&self, 1, 150) == 0);
    CHECK(take(&self, 90, 8, taken) == 0);
    CHECK(take(&self, 149, 8, taken) == 0);
    CHECK(take(&self, 150, 8, taken) == 1);
    wheel_destroy(&self);
}

static void test_cancel(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 0);
    wheel_cancel(&self, 5); /* never seen */
    for (uint32_t slot = 0; slot < 6; slot++) CHECK(wheel_set(&self, slot, 10) == 0);
    wheel_cancel(&self, 0); /* the last in its bucket, */
    wheel_cancel(&self, 3); /* one in the middle, */
    wheel_cancel(&self, 5); /* the first, */
    wheel_cancel(&self, 5); /* the same again */
    CHECK(self.count == 3);
    CHECK(take(&self, 10, 8, taken) == 3);
    CHECK(taken[1] && taken[2] && taken[4]);
    wheel_cancel(&self, 1); /* was taken */
    CHECK(self.count == 0);
    CHECK(wheel_set(&self, 3, 20) == 0);
    CHECK(take(&self, 20, 8, taken) == 1 && taken[3]);
    wheel_destroy(&self);
}

/* Deadlines further away than there are buckets, and jumps over all of them. */
static void test_rounds(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 3);
    CHECK(wheel_set(&self, 1, 10 + WHEEL_BUCKETS) == 0);
    CHECK(wheel_set(&self, 2, 10 + 5 * WHEEL_BUCKETS) == 0);
    CHECK(wheel_next(&self) > 3 && wheel_next(&self) <= 10 + WHEEL_BUCKETS);
    CHECK(wheel_set(&self, 4, 20) == 0);
    CHECK(wheel_next(&self) == 20); /* what lies in the buckets before is of a later round */
    wheel_cancel(&self, 4);
    CHECK(take(&self, 10, 8, taken) == 0);
    CHECK(take(&self, 9 + WHEEL_BUCKETS, 8, taken) == 0);
    CHECK(wheel_next(&self) == 10 + WHEEL_BUCKETS);
    CHECK(take(&self, 10 + WHEEL_BUCKETS, 8, taken) == 1 && taken[1]);
    CHECK(wheel_next(&self) <= 10 + 5 * WHEEL_BUCKETS);
    CHECK(wheel_set(&self, 3, 20 + WHEEL_BUCKETS) == 0);
    CHECK(take(&self, 9 + 5 * WHEEL_BUCKETS, 8, taken) == 1 && taken[3]);
    CHECK(take(&self, (uint64_t)1 << 60, 8, taken) == 1 && taken[2]); /* no bucket is looked at twice */
    CHECK(self.count == 0);
    wheel_destroy(&self);
}

/* More are due than there is room for; some slots are set and cancelled between two calls. */
static void test_small_room(void) {
    uint8_t taken[SLOTS];
    uint32_t slots[10];
    wheel self;
    wheel_init(&self, 0);
    for (uint32_t slot = 0; slot < SLOTS; slot++) CHECK(wheel_set(&self, slot, 5 + slot % 3) == 0);
    CHECK(take(&self, 4, 1, taken) == 0);
    CHECK(wheel_due(&self, 9, slots, 10) == 10);
    CHECK(self.count == SLOTS - 10);
    CHECK(wheel_next(&self) <= 9);
    CHECK(wheel_set(&self, slots[0], 20) == 0);
    CHECK(wheel_set(&self, slots[1], 9) == 0);
    CHECK(take(&self, 9, 7, taken) == SLOTS - 10 + 1);
    CHECK(!taken[slots[0]] && taken[slots[1]]);
    CHECK(take(&self, 20, 7, taken) == 1);
    wheel_destroy(&self);
}

static uint32_t random_below(uint32_t limit) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

/* What is due by now is due exactly then, whatever happened before. */
static void check_tick(wheel *self, uint64_t *deadlines, uint64_t now, size_t room) {
    uint8_t taken[SLOTS];
    uint64_t next = wheel_next(self);
    uint64_t earliest = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (deadlines[slot] != 0 && (earliest == 0 || deadlines[slot] < earliest)) earliest = deadlines[slot];
    }
    CHECK((next == 0) == (earliest == 0));
    CHECK(next <= earliest);
    take(self, now, room, taken);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        CHECK(taken[slot] == (deadlines[slot] != 0 && deadlines[slot] <= now));
        if (taken[slot]) deadlines[slot] = 0;
    }
}

static void test_random(void) {
    uint64_t deadlines[SLOTS] = {0};
    uint64_t now = 50;
    wheel self;
    wheel_init(&self, now);
    for (int step = 0; step < 20000; step++) {
        uint32_t slot = random_below(SLOTS);
        switch (random_below(4)) {
        case 0:
            wheel_cancel(&self, slot);
            deadlines[slot] = 0;
            break;
        case 1:
            now += random_below(step % 100 == 0 ? 3 * WHEEL_BUCKETS : 20);
            check_tick(&self, deadlines, now, 1 + random_below(SLOTS));
            break;
        default:
            deadlines[slot] = now + 1 + random_below(random_below(10) ? 100 : 4 * WHEEL_BUCKETS);
            CHECK(wheel_set(&self, slot, deadlines[slot]) == 0);
        }
    }
    wheel_destroy(&self);
}

static void test_no_memory(void) {
    uint8_t taken[SLOTS];
    wheel self;
    wheel_init(&self, 0);
    fail_allocation(1);
    CHECK(wheel_set(&self, 0, 5) == -1);
    fail_allocation(0);
    CHECK(wheel_set(&self, 0, 5) == 0);
    fail_allocation(1);
    CHECK(wheel_set(&self, 150, 5) == -1);
    fail_allocation(0);
    CHECK(take(&self, 5, 8, taken) == 1 && taken[0]);
    wheel_destroy(&self);
}

int main(void) {
    test_due();
    test_moved();
    test_in_the_past();
    test_back_in_time();
    test_cancel();
    test_rounds();
    test_small_room();
    test_random();
    test_no_memory();
    return 0;
}
