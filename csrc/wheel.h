/* wheel: one deadline a slot, for any number of slots, in constant time each.
 *
 * A hashed timer wheel over small integers, in ticks. Moving a deadline later,
 * which every pong does, is one store: the slot stays in its old bucket and is
 * filed again when that bucket comes up. Knows no clock: the caller says what
 * tick it is and takes what is due.
 */
#ifndef FASTSIO_WHEEL_H
#define FASTSIO_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#define WHEEL_BUCKETS 1024 /* a power of two; a deadline further away goes round more than once */

typedef struct wheel_entry {
    uint64_t deadline; /* tick; 0: none */
    uint64_t filed;    /* the tick of the bucket it lies in; 0: not filed */
    uint32_t next;
    uint32_t previous;
} wheel_entry;

typedef struct wheel {
    wheel_entry *entries; /* by slot */
    uint32_t capacity;
    uint32_t count; /* slots filed */
    uint64_t now;   /* the last tick that was worked off */
    uint32_t buckets[WHEEL_BUCKETS];
} wheel;

void wheel_init(wheel *self, uint64_t now);
void wheel_destroy(wheel *self);

/* Sets the slot's deadline (a tick > 0), earlier or later than before. -1: no memory. */
int wheel_set(wheel *self, uint32_t slot, uint64_t deadline);
void wheel_cancel(wheel *self, uint32_t slot);

/* Takes slots that are due by `now`, up to `room`; each is cancelled. 0: all of them are taken. */
size_t wheel_due(wheel *self, uint64_t now, uint32_t *slots, size_t room);

/* The next tick at which something may be due, or 0 with nothing filed. */
uint64_t wheel_next(const wheel *self);

#endif
