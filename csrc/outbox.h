/* outbox: what every connection still has to be sent, and the loop that sends it.
 *
 * A connection is a slot. A slot does not own a queue: it points to a cohort, a
 * node that says "all that my parent says, then this message". Slots with the
 * same pending sequence share a node, so a broadcast costs a pointer a receiver,
 * and at the flush each distinct sequence is put together once for all of them.
 *
 * Invariants: a slot is in the queue exactly when SLOT_QUEUED is set; the flush
 * skips a blocked slot; a cohort lives while a slot, a child or a holder
 * counts on it; cohort.child is not owned and is cleared by the dying child.
 * No Python and no I/O but the send function handed in. One thread at a time.
 */
#ifndef FASTSIO_OUTBOX_H
#define FASTSIO_OUTBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bitset.h"
#include "message.h"

typedef struct cohort cohort;
struct cohort {
    cohort *parent;   /* owned; the root ends the chain */
    message *message; /* owned; NULL in the root */
    cohort *child;    /* the youngest child, not owned */
    uint8_t *flat;    /* the whole sequence in one piece, made when first needed */
    form *forms;      /* owned; the same in other dialects */
    size_t size;      /* bytes of the sequence, in dialect 0 */
    uint32_t refs;
    uint32_t depth; /* messages in the sequence */
};

enum slot_flags {
    SLOT_OPEN = 1,    /* takes messages */
    SLOT_DIRECT = 2,  /* plain TCP: flushed by send(2) on fd; otherwise handed over */
    SLOT_BLOCKED = 4, /* somebody else still holds bytes that must go first */
    SLOT_QUEUED = 8,
    SLOT_USED = 16,
    SLOT_WATCHED = 32, /* goes into `drained` whenever nothing is left for it */
    SLOT_DRAINED = 64, /* is in `drained` */
};

typedef struct slot {
    cohort *pending; /* owned; the root when there is nothing */
    size_t handed;   /* bytes handed over and not yet known to be gone, in its dialect */
    int fd;
    uint32_t generation; /* counts the reuses of this slot */
    uint32_t next_free;
    uint16_t flags;
    uint16_t dialect; /* what the flush sends it; a push never looks at it */
} slot;

/* A sequence that the send loop could not finish by itself, for the owner of the slot. */
typedef struct handover {
    uint32_t slot;
    uint32_t generation;
    int error;      /* errno of a failed send; 0: `rest` is to be written */
    span rest;      /* in the slot's dialect, as long as the cohort lives */
    cohort *cohort; /* owned by whoever takes the handover; NULL with an error */
} handover;

typedef ssize_t (*outbox_send)(void *context, int fd, const void *data, size_t size);

#define OUTBOX_HANDOVERS 256 /* room for them; a push or a flush stops when it is full */
#define OUTBOX_COHORT_COST (sizeof(struct cohort) + sizeof(struct message)) /* counted per message beside its bytes */

typedef struct outbox_stats {
    uint64_t pushed;    /* messages x receivers accepted */
    uint64_t sends;     /* calls of send */
    uint64_t bytes;     /* bytes that send took */
    uint64_t dropped;   /* volatile messages not queued for a blocked slot */
    uint64_t overflows; /* slots that reached max_backlog */
    uint64_t blocked;   /* times that a slot became blocked */
    uint64_t handed;    /* bytes handed over and not taken back by outbox_taken */
    uint64_t flushes;   /* calls of outbox_flush that had something to send */
    uint64_t flushed;   /* slots that these sent something or handed it over, together */
    uint64_t largest;   /* most of them in one flush */
} outbox_stats;

#define OUTBOX_FLUSH_SIZES 32

typedef struct outbox {
    slot *slots;
    uint32_t capacity;
    uint32_t used;      /* slots below this were used at some time */
    uint32_t free_list; /* UINT32_MAX: empty */

    uint32_t *queue; /* ring of slots with something to flush; `capacity` places are enough */
    uint32_t queue_head;
    uint32_t queue_size;

    cohort root;
    cohort *spare; /* freed nodes, linked by parent */
    uint32_t spares;

    size_t max_backlog; /* what may wait for a slot, counted in bytes of dialect 0 and the cost of each message */
    handover handovers[OUTBOX_HANDOVERS];
    uint32_t handover_count;
    uint32_t *overflows; /* slots that passed max_backlog since the caller last looked, see outbox_push */
    uint32_t overflow_count;
    uint32_t *drained; /* watched slots with nothing left, see outbox_next_drained */
    uint32_t drained_count;

    outbox_send send;
    void *send_context;
    deflater deflater; /* for DIALECT_DEFLATE */
    outbox_stats stats;
    uint64_t flush_sizes[OUTBOX_FLUSH_SIZES]; /* flushes of 1 slot, of 2 and 3, of 4 to 7, and so on */
} outbox;

int outbox_init(outbox *self, size_t max_backlog); /* -1: no memory */
void outbox_destroy(outbox *self);

/* A new slot, open, or -1 when memory runs out. fd is used only with SLOT_DIRECT in flags. */
int64_t outbox_open(outbox *self, int fd, uint32_t flags);

/* Forgets the slot with all that is pending for it; the number is used again. */
void outbox_close(outbox *self, uint32_t slot);

/* No more messages are accepted and send(2) is never called again; what is pending stays. */
void outbox_detach(outbox *self, uint32_t slot);

/* From here on the slot is sent everything in this dialect, what is pending too. */
void outbox_set_dialect(outbox *self, uint32_t slot, uint32_t dialect);

/* Another descriptor and dialect for the slot, which keeps what is pending for it: a session goes on over another
 * transport. It is not blocked then and nothing is handed over. `fd` and `flags` as in outbox_open. */
void outbox_adopt(outbox *self, uint32_t slot, int fd, uint32_t flags, uint32_t dialect);

/* Appends the message for one slot. 1: accepted, 0: not (closed, blocked and volatile, over the limit), -1: no memory.
 * A message that takes a slot over max_backlog, when it is not the only one, puts the slot in `overflows`, which the
 * caller settles at once. A blocked slot is a slow reader: the message is not accepted, SLOT_OPEN is off, disconnect it.
 * Any other has only not been flushed yet: the message is accepted, call outbox_flush_slot. */
int outbox_push(outbox *self, uint32_t slot, message *message, int is_volatile);

/* The same for every member of the set but `skip` (-1: nobody). Returns how many accepted it, or -1
 * when memory runs out (those before had it). */
int64_t outbox_broadcast(outbox *self, const bitset *set, int64_t skip, message *message, int is_volatile);

/* Works off the queue, oldest first, until it is empty, `handovers` is full or the monotonic clock passes deadline_ns.
 * Returns 1 when slots are left in the queue. */
int outbox_flush(outbox *self, uint64_t deadline_ns);

/* Sends what is pending for this slot now, wherever it stands in the queue: by send(2), or by a handover
 * when it is not direct or is blocked. Used before closing, and when a burst reaches the limit. There must be room
 * for one handover. */
void outbox_flush_slot(outbox *self, uint32_t slot);

/* The owner still holds bytes of the slot / all of them are gone: then `handed` is 0 and the slot is queued again. */
void outbox_block(outbox *self, uint32_t slot, size_t handed);
void outbox_unblock(outbox *self, uint32_t slot);

/* What was handed over went into other slots, which count it again: nothing of it waits here. Still blocked. */
void outbox_taken(outbox *self, uint32_t slot);

/* Whether the slot is watched: put into `drained` each time that a flush, an unblock or outbox_taken leaves nothing
 * for it here and nothing handed over. A slot that is closed is watched no more. */
void outbox_watch(outbox *self, uint32_t slot, int on);

/* Takes a slot from `drained` that is watched and still has nothing left; -1: there is none. */
int64_t outbox_next_drained(outbox *self);

/* Bytes waiting for this slot, here and handed over. */
size_t outbox_pending(const outbox *self, uint32_t slot);

/* The sequence in one piece, in a dialect, put together once for all slots that speak it; lives as long as the cohort.
 * {NULL, 0}: no memory, or the deflater failed. A payload of Engine.IO 3 polling is binary when it begins with a byte
 * below '0'. */
span cohort_put_together(const outbox *self, cohort *node, uint32_t dialect); /* the slow part */
static inline span cohort_in(const outbox *self, cohort *node, uint32_t dialect) {
    if (dialect == 0 && node->flat != NULL) return (span){node->flat, node->size};
    if (dialect == 0 && node->depth == 1) return (span){node->message->bytes, node->size};
    return cohort_put_together(self, node, dialect);
}
/* Whether any of its messages is worth compressing. */
int cohort_wants_compression(const outbox *self, const cohort *node);

void cohort_release(outbox *self, cohort *node);

uint64_t outbox_now(void); /* CLOCK_MONOTONIC in nanoseconds */

#endif
