#define _GNU_SOURCE /* clock_gettime under -std=c11 */

#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "forms.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: Python ignores SIGPIPE */
#endif

#ifdef FASTSIO_DEBUG
#include <assert.h>
#define ASSERT(condition) assert(condition)
#else
#define ASSERT(condition) ((void)0)
#endif

#define NONE UINT32_MAX
#define BATCH 256        /* slots taken from a set at a time */
#define CLOCK_EVERY 8    /* sends between two looks at the clock: 50 us at the usual 6 us each */
#define MAX_SPARES 16384 /* 1 MB of nodes kept for the next burst */

uint64_t outbox_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static ssize_t send_now(void *context, int fd, const void *data, size_t size) {
    return send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- cohorts ---- */

static cohort *cohort_new(outbox *self, cohort *parent, message *message) {
    cohort *node = self->spare;
    if (node != NULL) {
        self->spare = node->parent;
        self->spares--;
    } else if ((node = malloc(sizeof(cohort))) == NULL) {
        return NULL;
    }
    parent->refs++;
    *node = (cohort){
        .parent = parent,
        .message = message_hold(message),
        .size = parent->size + message->size,
        .depth = parent->depth + 1,
    };
    parent->child = node;
    return node;
}

static void cohort_free(outbox *self, cohort *node) {
    if (node->parent->child == node) node->parent->child = NULL;
    message_release(node->message);
    free(node->flat);
    forms_free(node->forms);
    if (self->spares < MAX_SPARES) {
        node->parent = self->spare;
        self->spare = node;
        self->spares++;
    } else {
        free(node);
    }
}

void cohort_release(outbox *self, cohort *node) {
    while (--node->refs == 0) { /* the root counts itself and never gets here */
        cohort *parent = node->parent;
        cohort_free(self, node);
        node = parent;
    }
}

static inline cohort *child_for(outbox *self, cohort *node, message *message) {
    cohort *child = node->child;
    if (child != NULL && child->message == message) return child;
    return cohort_new(self, node, message);
}

static const uint8_t *flatten(const outbox *self, cohort *node) {
    if (node->flat != NULL) return node->flat;
    uint8_t *flat = malloc(node->size ? node->size : 1);
    if (flat == NULL) return NULL;
    /* Backwards, from the youngest message to the oldest, or to an ancestor that is flat already. */
    for (cohort *at = node; at != &self->root; at = at->parent) {
        if (at->flat != NULL) {
            memcpy(flat, at->flat, at->size);
            break;
        }
        memcpy(flat + at->parent->size, at->message->bytes, at->message->size);
    }
    node->flat = flat;
    return flat;
}

int cohort_wants_compression(const outbox *self, const cohort *node) {
    for (; node != &self->root; node = node->parent) {
        if (node->message->compress) return 1;
    }
    return 0;
}

static int has_binary(const outbox *self, const cohort *node) {
    for (; node != &self->root; node = node->parent) {
        if (node->message->binary) return 1;
    }
    return 0;
}

/* A form with room for the sequence, whose pieces are all made; or without own bytes when the pieces are just those
 * of dialect 0. */
static form *room_for(const outbox *self, cohort *node, uint32_t dialect, uint32_t of_pieces, const deflater *deflater) {
    size_t size = 0;
    int is_same = 1;
    for (cohort *at = node; at != &self->root; at = at->parent) {
        span piece = message_in(at->message, of_pieces, deflater);
        if (piece.data == NULL) return NULL;
        size += piece.size;
        is_same &= piece.data == at->message->bytes;
    }
    if (!is_same) return form_new(dialect, size);
    const uint8_t *flat = flatten(self, node);
    form *made = flat != NULL ? form_new(dialect, 0) : NULL;
    if (made != NULL) made->bytes = (span){flat, node->size};
    return made;
}

static span other_form(const outbox *self, cohort *node, uint32_t dialect) {
    const form *found = form_find(node->forms, dialect);
    if (found != NULL) return found->bytes;
    uint32_t of_pieces = dialect_of_pieces(dialect, has_binary(self, node));
    const deflater deflater = self->deflater; /* the same for both walks, whatever it does to the outbox */
    if (node->depth == 1) return message_in(node->message, of_pieces, &deflater);
    form *made = room_for(self, node, dialect, of_pieces, &deflater);
    if (made == NULL) return (span){NULL, 0};
    if (made->bytes.data == made->own) {
        uint8_t *end = made->own + made->bytes.size;
        for (cohort *at = node; at != &self->root; at = at->parent) {
            span piece = message_in(at->message, of_pieces, &deflater);
            end -= piece.size;
            memcpy(end, piece.data, piece.size);
        }
    }
    made->next = node->forms;
    node->forms = made;
    return made->bytes;
}

span cohort_put_together(const outbox *self, cohort *node, uint32_t dialect) {
    if (dialect != 0) return other_form(self, node, dialect);
    return (span){flatten(self, node), node->size};
}

/* ---- slots ---- */

int outbox_init(outbox *self, size_t max_backlog) {
    memset(self, 0, sizeof(*self));
    self->free_list = NONE;
    self->max_backlog = max_backlog;
    self->root.refs = 1;
    self->send = send_now;
    return 0;
}

void outbox_destroy(outbox *self) {
    for (uint32_t i = 0; i < self->used; i++) {
        if (self->slots[i].flags & SLOT_USED) cohort_release(self, self->slots[i].pending);
    }
    while (self->spare != NULL) {
        cohort *node = self->spare;
        self->spare = node->parent;
        free(node);
    }
    free(self->slots);
    free(self->queue);
    free(self->overflows);
    free(self->drained);
}

/* The ring is copied straight, so that it starts at 0 in the larger one. */
static int grow(outbox *self) {
    if (self->capacity > UINT32_MAX / 4) return -1;
    uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
    uint32_t *queue = malloc(capacity * sizeof(uint32_t));
    uint32_t *overflows = realloc(self->overflows, capacity * sizeof(uint32_t));
    if (overflows != NULL) self->overflows = overflows;
    uint32_t *drained = realloc(self->drained, capacity * sizeof(uint32_t));
    if (drained != NULL) self->drained = drained;
    slot *slots = realloc(self->slots, capacity * sizeof(slot));
    if (slots != NULL) self->slots = slots;
    if (queue == NULL || overflows == NULL || drained == NULL || slots == NULL) {
        free(queue);
        return -1;
    }
    for (uint32_t i = 0; i < self->queue_size; i++) {
        queue[i] = self->queue[(self->queue_head + i) & (self->capacity - 1)];
    }
    free(self->queue);
    self->queue = queue;
    self->queue_head = 0;
    self->capacity = capacity;
    return 0;
}

int64_t outbox_open(outbox *self, int fd, uint32_t flags) {
    uint32_t number = self->free_list;
    uint32_t generation = 0;
    if (number != NONE) {
        self->free_list = self->slots[number].next_free;
        generation = self->slots[number].generation;
    } else {
        if (self->used == self->capacity && grow(self) < 0) return -1;
        number = self->used++;
    }
    self->root.refs++;
    /* A slot that was closed while in the queue, or in `drained`, is still there: it keeps its place. */
    uint32_t kept = generation ? self->slots[number].flags & (SLOT_QUEUED | SLOT_DRAINED) : 0;
    self->slots[number] = (slot){
        .pending = &self->root,
        .fd = fd,
        .generation = generation,
        .flags = (uint16_t)(SLOT_USED | SLOT_OPEN | kept | (flags & SLOT_DIRECT)),
    };
    return number;
}

void outbox_close(outbox *self, uint32_t number) {
    slot *at = &self->slots[number];
    ASSERT(number < self->used && (at->flags & SLOT_USED));
    cohort_release(self, at->pending);
    at->pending = NULL;
    at->fd = -1;
    at->handed = 0;
    at->generation++;
    at->flags &= SLOT_QUEUED | SLOT_DRAINED;
    at->next_free = self->free_list;
    self->free_list = number;
}

void outbox_detach(outbox *self, uint32_t number) {
    slot *at = &self->slots[number];
    at->fd = -1;
    at->flags &= (uint16_t)~(SLOT_OPEN | SLOT_DIRECT);
}

void outbox_set_dialect(outbox *self, uint32_t number, uint32_t dialect) {
    self->slots[number].dialect = (uint16_t)dialect;
}

size_t outbox_pending(const outbox *self, uint32_t number) {
    const slot *at = &self->slots[number];
    return at->handed + (at->pending ? at->pending->size : 0);
}

/* ---- who wants to know that nothing is left ---- */

void outbox_watch(outbox *self, uint32_t number, int on) {
    slot *at = &self->slots[number];
    ASSERT(number < self->used && (at->flags & SLOT_USED));
    at->flags = (uint16_t)(on ? at->flags | SLOT_WATCHED : at->flags & ~(uint32_t)SLOT_WATCHED);
}

/* Not inlined: the send loop is shorter without it. */
static __attribute__((noinline)) void note_drained(outbox *self, slot *at, uint32_t number) {
    if ((at->flags & SLOT_DRAINED) || at->pending != &self->root || at->handed != 0) return;
    at->flags |= SLOT_DRAINED;
    self->drained[self->drained_count++] = number;
    ASSERT(self->drained_count <= self->capacity);
}

int64_t outbox_next_drained(outbox *self) {
    while (self->drained_count != 0) {
        uint32_t number = self->drained[--self->drained_count];
        slot *at = &self->slots[number];
        at->flags &= (uint16_t)~SLOT_DRAINED;
        if ((at->flags & SLOT_WATCHED) && at->pending == &self->root && at->handed == 0) return number;
    }
    return -1;
}

/* ---- push ---- */

static inline void enqueue(outbox *self, slot *at, uint32_t number) {
    if (at->flags & (SLOT_QUEUED | SLOT_BLOCKED)) return;
    at->flags |= SLOT_QUEUED;
    self->queue[(self->queue_head + self->queue_size++) & (self->capacity - 1)] = number;
    ASSERT(self->queue_size <= self->capacity);
}

/* What the cohort costs a slot: its bytes and its nodes. */
static inline size_t cost(const cohort *node) {
    return node->size + node->depth * OUTBOX_COHORT_COST;
}

/* Returns 1 when the message may be appended: the slot is over the limit, but has only not been flushed. */
static int over_limit(outbox *self, slot *at, uint32_t number) {
    self->overflows[self->overflow_count++] = number;
    if (!(at->flags & SLOT_BLOCKED)) return 1;
    at->flags &= (uint16_t)~SLOT_OPEN;
    self->stats.overflows++;
    return 0;
}

static inline int push(outbox *self, uint32_t number, message *message, int is_volatile) {
    slot *at = &self->slots[number];
    if (!(at->flags & SLOT_OPEN)) return 0;
    if (is_volatile && (at->flags & SLOT_BLOCKED)) {
        self->stats.dropped++;
        return 0;
    }
    cohort *before = at->pending;
    size_t held = cost(before) + at->handed;
    if (held + message->size + OUTBOX_COHORT_COST > self->max_backlog && held != 0) {
        if (!over_limit(self, at, number)) return 0;
    }
    cohort *after = child_for(self, before, message);
    if (after == NULL) return -1;
    after->refs++;
    before->refs--; /* never the last: the child counts on it */
    at->pending = after;
    enqueue(self, at, number);
    return 1;
}

int outbox_push(outbox *self, uint32_t number, message *message, int is_volatile) {
    int accepted = push(self, number, message, is_volatile);
    self->stats.pushed += accepted > 0;
    return accepted;
}

int64_t outbox_broadcast(outbox *self, const bitset *set, int64_t skip, message *message, int is_volatile) {
    uint32_t slots[BATCH];
    bitset_cursor cursor = {0};
    int64_t total = 0;
    size_t count;
    while ((count = bitset_next(set, &cursor, slots, BATCH)) != 0) {
        for (size_t i = 0; i < count; i++) {
            if ((int64_t)slots[i] == skip) continue;
            int accepted = push(self, slots[i], message, is_volatile);
            if (accepted < 0) return -1;
            total += accepted;
        }
    }
    self->stats.pushed += (uint64_t)total;
    return total;
}

/* ---- flush ---- */

static void hand_over(outbox *self, uint32_t number, cohort *node, span rest, int error) {
    ASSERT(self->handover_count < OUTBOX_HANDOVERS);
    self->handovers[self->handover_count++] = (handover){
        .slot = number,
        .generation = self->slots[number].generation,
        .error = error,
        .rest = rest,
        .cohort = node,
    };
}

static void block(outbox *self, slot *at, size_t handed) {
    if (!(at->flags & SLOT_BLOCKED)) self->stats.blocked++;
    at->flags |= SLOT_BLOCKED;
    at->handed += handed;
}

/* A failed send: nothing more can be sent. The transport is going to notice as well. */
static void fail(outbox *self, slot *at, uint32_t number, cohort *node, int error) {
    at->flags &= (uint16_t)~SLOT_OPEN;
    cohort_release(self, node);
    hand_over(self, number, NULL, (span){NULL, 0}, error);
}

/* Takes all that is pending from the slot and sends it; what send(2) does not take is handed over. */
static void send_slot(outbox *self, uint32_t number) {
    slot *at = &self->slots[number];
    cohort *node = at->pending;
    at->pending = &self->root;
    self->root.refs++;
    span bytes = cohort_in(self, node, at->dialect);
    at = &self->slots[number]; /* a deflater that is not ours may have opened others */
    if (bytes.data == NULL) {
        fail(self, at, number, node, ENOMEM);
        return;
    }
    size_t sent = 0;
    if ((at->flags & (SLOT_DIRECT | SLOT_BLOCKED)) == SLOT_DIRECT) {
        ssize_t result = self->send(self->send_context, at->fd, bytes.data, bytes.size);
        self->stats.sends++;
        if (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            fail(self, at, number, node, errno);
            return;
        }
        sent = result > 0 ? (size_t)result : 0;
        self->stats.bytes += sent;
        if (sent == bytes.size) {
            cohort_release(self, node);
            if (at->flags & SLOT_WATCHED) note_drained(self, at, number);
            return;
        }
    }
    span rest = {bytes.data + sent, bytes.size - sent};
    self->stats.handed += rest.size;
    block(self, at, rest.size);
    hand_over(self, number, node, rest, 0);
}

static void note_flush(outbox *self, uint32_t size) {
    if (size == 0) return;
    self->stats.flushes++;
    self->stats.flushed += size;
    if (size > self->stats.largest) self->stats.largest = size;
    self->flush_sizes[31 - __builtin_clz(size)]++;
}

int outbox_flush(outbox *self, uint64_t deadline_ns) {
    uint32_t looks = 0, size = 0;
    int left;
    while ((left = self->queue_size != 0)) {
        if (self->handover_count == OUTBOX_HANDOVERS) break;
        if (++looks % CLOCK_EVERY == 0 && outbox_now() > deadline_ns) break;
        uint32_t number = self->queue[self->queue_head];
        self->queue_head = (self->queue_head + 1) & (self->capacity - 1);
        self->queue_size--;
        slot *at = &self->slots[number];
        at->flags &= (uint16_t)~SLOT_QUEUED;
        if (!(at->flags & SLOT_USED) || (at->flags & SLOT_BLOCKED) || at->pending == &self->root) continue;
        size++;
        send_slot(self, number);
    }
    note_flush(self, size);
    return left;
}

void outbox_flush_slot(outbox *self, uint32_t number) {
    slot *at = &self->slots[number];
    if ((at->flags & SLOT_USED) && at->pending != &self->root) send_slot(self, number);
}

void outbox_block(outbox *self, uint32_t number, size_t handed) {
    block(self, &self->slots[number], handed);
}

void outbox_unblock(outbox *self, uint32_t number) {
    slot *at = &self->slots[number];
    at->flags &= (uint16_t)~SLOT_BLOCKED;
    at->handed = 0;
    if (at->pending != &self->root) enqueue(self, at, number);
    else if (at->flags & SLOT_WATCHED) note_drained(self, at, number);
}

void outbox_taken(outbox *self, uint32_t number) {
    slot *at = &self->slots[number];
    self->stats.handed -= at->handed;
    at->handed = 0;
    if (at->flags & SLOT_WATCHED) note_drained(self, at, number);
}

void outbox_adopt(outbox *self, uint32_t number, int fd, uint32_t flags, uint32_t dialect) {
    slot *at = &self->slots[number];
    ASSERT(number < self->used && (at->flags & SLOT_USED));
    at->fd = fd;
    at->flags = (uint16_t)((at->flags & ~(uint32_t)SLOT_DIRECT) | (flags & SLOT_DIRECT));
    at->dialect = (uint16_t)dialect;
    outbox_unblock(self, number);
}
