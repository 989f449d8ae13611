/* outbox.c under a stream of operations, beside a model: every connection has one string of all that it was promised.
 *
 * The first byte is the limit of the backlog, then an operation is three bytes. What is sent or handed over must be
 * the next bytes of that connection's string, up to its end; a connection that was closed, detached, failed or is
 * blocked is never sent anything. A watched one with nothing left is told so once. At the end every open connection has
 * got its whole string.
 */
#include "outbox_check.h"

#include <errno.h>
#include <string.h>

#define SLOTS 80 /* more than the first capacity of an outbox */
#define MAX_HELD 2048
#define NEVER UINT64_MAX

typedef struct connection {
    int used;
    int open;    /* takes messages */
    int direct;
    int blocked;
    int fd;      /* never used twice */
    uint32_t generation;
    uint8_t *promised;
    size_t size;
    size_t got;      /* bytes that arrived */
    size_t taken;    /* bytes that were sent or handed over */
    size_t waiting;  /* messages not taken, for their cost */
    size_t foreign;  /* bytes of the owner's own before those handed over */
    size_t room;     /* of the next sends */
    int error;       /* of the next sends */
    int watched;
    int owed;        /* to be told that nothing is left, as soon as that is so */
} connection;

typedef struct held {
    cohort *cohort;
    span rest;
    uint32_t slot;
    uint32_t generation;
} held;

typedef struct world {
    outbox box;
    connection connections[SLOTS]; /* by slot */
    held rests[MAX_HELD];          /* handovers taken, oldest first */
    size_t rest_count;
    uint32_t overflows[SLOTS]; /* expected after the push under way */
    uint32_t overflow_count;
    message *last;
    uint32_t messages;
    int next_fd;
} world;

static ssize_t take_send(void *context, int fd, const void *data, size_t size) {
    world *self = context;
    connection *to = self->connections;
    while (to < self->connections + SLOTS && !(to->used && to->fd == fd)) to++;
    CHECK(to < self->connections + SLOTS);
    CHECK(to->direct && !to->blocked);
    CHECK(size == to->size - to->taken && memcmp(data, to->promised + to->taken, size) == 0);
    to->waiting = 0;
    if (to->error != 0) {
        errno = to->error;
        return -1;
    }
    if (size > to->room) size = to->room;
    to->room -= size;
    to->taken += size;
    to->got += size;
    return (ssize_t)size;
}

/* ---- what the outbox gives away ---- */

static int is_fatal(int error) {
    return error == EPIPE || error == ECONNRESET;
}

/* Only who asks for it gets more while he still holds something. */
static void take_handover(world *self, const handover *given, int asked) {
    connection *to = &self->connections[given->slot];
    CHECK(to->used && to->generation == given->generation);
    CHECK(asked || !to->blocked);
    if (given->error != 0) {
        CHECK(given->cohort == NULL && given->error == to->error && is_fatal(given->error));
        to->open = 0;
        to->size = to->taken; /* the promise is off */
        to->owed = 0;
        return;
    }
    size_t size = given->rest.size;
    CHECK(size == to->size - to->taken);
    CHECK(to->blocked || !to->direct || !is_fatal(to->error));
    CHECK(memcmp(given->rest.data, to->promised + to->taken, size) == 0);
    to->taken = to->size;
    to->waiting = 0;
    to->blocked = 1;
    CHECK(self->rest_count < MAX_HELD);
    self->rests[self->rest_count++] = (held){given->cohort, given->rest, given->slot, given->generation};
}

static void settle(world *self, int asked) {
    for (uint32_t i = 0; i < self->box.handover_count; i++) take_handover(self, &self->box.handovers[i], asked);
    self->box.handover_count = 0;
}

/* The owner wrote all that it held of this slot, or of any with a generation that is gone. */
static void drain(world *self, uint32_t number) {
    connection *to = &self->connections[number];
    size_t kept = 0;
    for (size_t i = 0; i < self->rest_count; i++) {
        held *rest = &self->rests[i];
        if (rest->slot != number) {
            self->rests[kept++] = *rest;
            continue;
        }
        if (to->used && rest->generation == to->generation) {
            CHECK(memcmp(rest->rest.data, to->promised + to->got, rest->rest.size) == 0);
            to->got += rest->rest.size;
        }
        cohort_release(&self->box, rest->cohort);
    }
    self->rest_count = kept;
    if (!to->used) return;
    to->blocked = 0;
    to->foreign = 0;
    outbox_unblock(&self->box, number);
}

/* ---- push ---- */

static message *next_message(world *self, uint8_t how) {
    uint8_t bytes[64];
    if (self->last != NULL && how % 8 == 0) return message_hold(self->last);
    size_t size = how % 64;
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(self->messages * 31 + i);
    self->messages++;
    if (self->last != NULL) message_release(self->last);
    self->last = message_raw((span){bytes, size});
    CHECK(self->last != NULL);
    return message_hold(self->last);
}

static size_t handed(const connection *to) {
    return to->taken - to->got + to->foreign;
}

/* 0: refused, 1: accepted, 2: accepted, and to be flushed at once, 3: refused, and stuck. */
static int predict(const world *self, const connection *to, const message *what, int is_volatile) {
    if (!to->used || !to->open || (is_volatile && to->blocked)) return 0;
    size_t before = to->size - to->taken + to->waiting * OUTBOX_COHORT_COST + handed(to);
    if (before == 0 || before + what->size + OUTBOX_COHORT_COST <= self->box.max_backlog) return 1;
    return to->blocked ? 3 : 2;
}

static void promise(connection *to, const message *what) {
    to->promised = realloc(to->promised, to->size + what->size + 1);
    CHECK(to->promised != NULL);
    memcpy(to->promised + to->size, what->bytes, what->size);
    to->size += what->size;
    to->waiting++;
    to->owed = to->watched;
}

/* Notes what the message means for the slot. */
static void expect(world *self, uint32_t number, const message *what, int outcome) {
    connection *to = &self->connections[number];
    if (outcome == 1 || outcome == 2) promise(to, what);
    if (outcome == 3) to->open = 0;
    if (outcome >= 2) self->overflows[self->overflow_count++] = number;
}

static void settle_overflows(world *self) {
    CHECK(self->box.overflow_count == self->overflow_count);
    for (uint32_t i = 0; i < self->overflow_count; i++) {
        uint32_t number = self->overflows[i];
        CHECK(self->box.overflows[i] == number);
        CHECK(((self->box.slots[number].flags & SLOT_OPEN) != 0) == self->connections[number].open);
        if (!self->connections[number].open) continue;
        outbox_flush_slot(&self->box, number);
        settle(self, 0);
        CHECK(self->connections[number].taken == self->connections[number].size);
    }
    self->box.overflow_count = self->overflow_count = 0;
}

static void push(world *self, uint32_t number, uint8_t how) {
    int is_volatile = how >= 192;
    message *what = next_message(self, how);
    if (number < self->box.used) {
        int outcome = predict(self, &self->connections[number], what, is_volatile);
        int accepted = outbox_push(&self->box, number, what, is_volatile);
        CHECK(accepted == (outcome == 1 || outcome == 2));
        expect(self, number, what, outcome);
        settle_overflows(self);
    }
    message_release(what);
}

/* To every third, second or single slot from `first` on, but not to `first` itself in half of the cases. */
static void broadcast(world *self, uint32_t first, uint8_t how) {
    bitset set = {0};
    int64_t accepted = 0;
    int64_t skip = how & 64 ? (int64_t)first : -1;
    int is_volatile = how >= 192;
    message *what = next_message(self, how);
    for (uint32_t number = first; number < self->box.used; number += 1 + how / 8 % 3) {
        CHECK(bitset_add(&set, number) == 1);
        if ((int64_t)number == skip) continue;
        int outcome = predict(self, &self->connections[number], what, is_volatile);
        accepted += outcome == 1 || outcome == 2;
        expect(self, number, what, outcome);
    }
    CHECK(outbox_broadcast(&self->box, &set, skip, what, is_volatile) == accepted);
    settle_overflows(self);
    bitset_clear(&set);
    message_release(what);
}

/* ---- slots ---- */

static void open_slot(world *self, int direct, uint8_t room) {
    uint32_t number = 0;
    while (number < SLOTS && self->connections[number].used) number++;
    if (number == SLOTS) return;
    int fd = self->next_fd++;
    int64_t opened = outbox_open(&self->box, direct ? fd : -1, direct ? SLOT_DIRECT : 0);
    CHECK(opened >= 0 && opened < SLOTS && !self->connections[opened].used);
    self->connections[opened] = (connection){
        .used = 1,
        .open = 1,
        .direct = direct,
        .fd = fd,
        .generation = self->box.slots[opened].generation,
        .room = room < 128 ? SIZE_MAX : room,
    };
}

static void close_slot(world *self, uint32_t number) {
    connection *to = &self->connections[number];
    outbox_close(&self->box, number);
    CHECK(outbox_pending(&self->box, number) == 0);
    free(to->promised);
    *to = (connection){0};
}

static void set_peer(connection *to, uint8_t how) {
    static const int errors[] = {EAGAIN, EINTR, EPIPE, ECONNRESET};
    to->error = how < 32 ? errors[how % 4] : 0;
    to->room = how < 128 ? how : SIZE_MAX;
}

static void change_slot(world *self, uint8_t what, uint32_t number, uint8_t how) {
    connection *to = &self->connections[number];
    if (!to->used) return;
    switch (what) {
    case 0: close_slot(self, number); break;
    case 1:
        outbox_detach(&self->box, number);
        to->open = 0;
        to->direct = 0;
        break;
    case 2:
        outbox_block(&self->box, number, how);
        to->blocked = 1;
        to->foreign += how;
        to->owed |= to->watched && how != 0;
        break;
    case 3: set_peer(to, how); break;
    case 4:
        outbox_flush_slot(&self->box, number);
        settle(self, 1);
        CHECK(to->taken == to->size);
        break;
    default: drain(self, number);
    }
}

/* ---- who wants to know that nothing is left ---- */

static int has_nothing_left(const connection *to) {
    return to->size == to->taken && to->waiting == 0 && handed(to) == 0;
}

static void watch(world *self, uint32_t number, int on) {
    connection *to = &self->connections[number];
    if (!to->used) return;
    outbox_watch(&self->box, number, on);
    to->watched = on;
    to->owed = on && !has_nothing_left(to);
}

static void take_drained(world *self) {
    static uint8_t told[SLOTS];
    int64_t number;
    memset(told, 0, sizeof(told));
    while ((number = outbox_next_drained(&self->box)) >= 0) {
        connection *to = &self->connections[number];
        CHECK(to->used && to->watched && has_nothing_left(to) && !told[number]);
        told[number] = 1;
        to->owed = 0;
    }
    for (uint32_t i = 0; i < self->box.used; i++) {
        const connection *to = &self->connections[i];
        CHECK(!to->owed || to->blocked || !has_nothing_left(to));
    }
}

static void flush(world *self, uint64_t deadline) {
    int left = outbox_flush(&self->box, deadline);
    CHECK(left == (self->box.queue_size != 0));
    settle(self, 0);
    if (left) return;
    for (uint32_t i = 0; i < self->box.used; i++) {
        connection *to = &self->connections[i];
        CHECK(to->blocked || to->taken == to->size);
    }
}

/* ---- the run ---- */

static void compare(const world *self) {
    static cohort *rests[MAX_HELD];
    for (size_t i = 0; i < self->rest_count; i++) rests[i] = self->rests[i].cohort;
    outbox_check(&self->box, rests, self->rest_count);
    for (uint32_t i = 0; i < self->box.used; i++) {
        const connection *to = &self->connections[i];
        if (!to->used) continue;
        CHECK(outbox_pending(&self->box, i) == to->size - to->taken + handed(to));
        CHECK(((self->box.slots[i].flags & SLOT_BLOCKED) != 0) == to->blocked);
        CHECK(((self->box.slots[i].flags & SLOT_OPEN) != 0) == to->open);
    }
}

static void step(world *self, uint8_t what, uint32_t number, uint8_t how) {
    switch (what % 20) {
    case 0:
    case 1: open_slot(self, what % 2, how); break;
    case 2:
    case 3:
    case 4: broadcast(self, number, how); break;
    case 5:
    case 6:
    case 7: push(self, number, how); break;
    case 8: flush(self, NEVER); break;
    case 9: flush(self, 0); break;
    case 16:
    case 17:
    case 18: watch(self, number, what % 20 != 16); break;
    case 19: take_drained(self); break;
    default: change_slot(self, (uint8_t)(what % 20 - 10), number, how);
    }
}

static void finish(world *self) {
    for (uint32_t i = 0; i < SLOTS; i++) {
        self->connections[i].room = SIZE_MAX;
        drain(self, i);
    }
    flush(self, NEVER);
    for (uint32_t i = 0; i < SLOTS; i++) drain(self, i);
    take_drained(self);
    for (uint32_t i = 0; i < self->box.used; i++) {
        connection *to = &self->connections[i];
        if (!to->used) continue;
        CHECK(to->got == to->size);
        close_slot(self, i);
    }
    CHECK(self->rest_count == 0);
    CHECK(self->box.root.refs == 1 && self->box.root.child == NULL);
    if (self->last != NULL) CHECK(self->last->refs == 1);
    if (self->last != NULL) message_release(self->last);
    outbox_destroy(&self->box);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world *self = calloc(1, sizeof(world));
    if (size == 0 || self == NULL) {
        free(self);
        return 0;
    }
    CHECK(outbox_init(&self->box, (size_t)data[0] * data[0]) == 0);
    self->box.send = take_send;
    self->box.send_context = self;
    for (size_t i = 1; i + 2 < size; i += 3) {
        step(self, data[i], data[i + 1] % SLOTS, data[i + 2]);
        if (i % 16 == 0) compare(self);
    }
    compare(self);
    finish(self);
    free(self);
    return 0;
}
