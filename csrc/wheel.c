#include "wheel.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define MASK (WHEEL_BUCKETS - 1)

void wheel_init(wheel *self, uint64_t now) {
    memset(self, 0, sizeof(*self));
    self->now = now;
    for (size_t i = 0; i < WHEEL_BUCKETS; i++) self->buckets[i] = NONE;
}

void wheel_destroy(wheel *self) {
    free(self->entries);
}

static int grow(wheel *self, uint32_t slot) {
    uint64_t capacity = self->capacity ? self->capacity : 64;
    while (capacity <= slot) capacity *= 2;
    wheel_entry *entries = realloc(self->entries, capacity * sizeof(wheel_entry));
    if (entries == NULL) return -1;
    memset(entries + self->capacity, 0, (capacity - self->capacity) * sizeof(wheel_entry));
    self->entries = entries;
    self->capacity = (uint32_t)capacity;
    return 0;
}

static void file(wheel *self, uint32_t slot, uint64_t tick) {
    wheel_entry *entry = &self->entries[slot];
    uint32_t *bucket = &self->buckets[tick & MASK];
    entry->filed = tick;
    entry->previous = NONE;
    entry->next = *bucket;
    if (*bucket != NONE) self->entries[*bucket].previous = slot;
    *bucket = slot;
    self->count++;
}

static void unfile(wheel *self, uint32_t slot) {
    wheel_entry *entry = &self->entries[slot];
    if (entry->next != NONE) self->entries[entry->next].previous = entry->previous;
    if (entry->previous != NONE) {
        self->entries[entry->previous].next = entry->next;
    } else {
        self->buckets[entry->filed & MASK] = entry->next;
    }
    entry->filed = 0;
    self->count--;
}

int wheel_set(wheel *self, uint32_t slot, uint64_t deadline) {
    if (slot >= self->capacity && grow(self, slot) < 0) return -1;
    wheel_entry *entry = &self->entries[slot];
    if (deadline <= self->now) deadline = self->now + 1;
    entry->deadline = deadline;
    if (entry->filed != 0) {
        if (entry->filed <= deadline) return 0;
        unfile(self, slot);
    }
    file(self, slot, deadline);
    return 0;
}

void wheel_cancel(wheel *self, uint32_t slot) {
    if (slot >= self->capacity) return;
    self->entries[slot].deadline = 0;
    if (self->entries[slot].filed != 0) unfile(self, slot);
}

/* Takes what is due in the bucket of `tick`, files anew what was moved later. Returns how many were taken. */
static size_t work_off(wheel *self, uint64_t tick, uint64_t now, uint32_t *slots, size_t room) {
    size_t count = 0;
    uint32_t slot = self->buckets[tick & MASK];
    while (slot != NONE && count < room) {
        wheel_entry *entry = &self->entries[slot];
        uint32_t next = entry->next;
        if (entry->filed <= now) {
            uint64_t deadline = entry->deadline;
            unfile(self, slot);
            if (deadline <= now) {
                entry->deadline = 0;
                slots[count++] = slot;
            } else {
                file(self, slot, deadline);
            }
        }
        slot = next;
    }
    return count;
}

size_t wheel_due(wheel *self, uint64_t now, uint32_t *slots, size_t room) {
    size_t count = 0;
    if (now <= self->now) return 0;
    if (now - self->now > WHEEL_BUCKETS) self->now = now - WHEEL_BUCKETS; /* every bucket once is enough */
    while (self->now < now && self->count != 0) {
        count += work_off(self, self->now + 1, now, slots + count, room - count);
        if (count == room) return count; /* this bucket may hold more: the next call looks again */
        self->now++;
    }
    if (self->count == 0) self->now = now;
    return count;
}

uint64_t wheel_next(const wheel *self) {
    if (self->count == 0) return 0;
    for (uint64_t tick = self->now + 1; tick <= self->now + WHEEL_BUCKETS; tick++) {
        uint32_t slot = self->buckets[tick & MASK];
        for (; slot != NONE; slot = self->entries[slot].next) {
            if (self->entries[slot].filed <= tick) return tick;
        }
    }
    return self->now + WHEEL_BUCKETS; /* only entries of later rounds */
}
