/* outbox_fake: an outbox whose sends go to `peers`, by descriptor, which take as much as the test lets them. */
#ifndef FASTSIO_TESTS_OUTBOX_FAKE_H
#define FASTSIO_TESTS_OUTBOX_FAKE_H

#include "outbox.h"

#include "check.h"
#include "no_memory.h"
#include "outbox_check.h"

#include <errno.h>
#include <string.h>

#define PEERS 1100
#define ALL SIZE_MAX
#define NEVER UINT64_MAX /* the flush has all the time it wants */
#define COST OUTBOX_COHORT_COST

typedef struct peer {
    char got[64];
    size_t size;
    size_t room; /* bytes that it takes from the next sends */
    int error;   /* of the next send, 0: none */
    const void *data; /* of the last send */
} peer;

static peer peers[PEERS]; /* by descriptor */
static uint32_t sends;

static inline ssize_t fake_send(void *context, int fd, const void *data, size_t size) {
    CHECK(context == peers);
    CHECK(fd >= 0 && fd < PEERS);
    peer *to = &peers[fd];
    sends++;
    to->data = data;
    if (to->error != 0) {
        errno = to->error;
        return -1;
    }
    if (size > to->room) size = to->room;
    if (to->room != ALL) to->room -= size;
    CHECK(to->size + size <= sizeof(to->got));
    memcpy(to->got + to->size, data, size);
    to->size += size;
    return (ssize_t)size;
}

static inline void begin(outbox *box, size_t max_backlog) {
    CHECK(outbox_init(box, max_backlog) == 0);
    memset(peers, 0, sizeof(peers));
    for (size_t i = 0; i < PEERS; i++) peers[i].room = ALL;
    sends = 0;
    box->send = fake_send;
    box->send_context = peers;
}

/* Everything that was held is given back; the sanitizer sees the rest. */
static inline void end(outbox *box) {
    outbox_check(box, NULL, 0);
    for (uint32_t i = 0; i < box->used; i++) {
        if (box->slots[i].flags & SLOT_USED) outbox_close(box, i);
    }
    CHECK(box->root.refs == 1 && box->root.child == NULL);
    outbox_destroy(box);
}

/* Opens slots 0 to count - 1 with descriptors of the same numbers. */
static inline void open_slots(outbox *box, uint32_t count, uint32_t flags) {
    for (uint32_t i = 0; i < count; i++) CHECK(outbox_open(box, flags ? (int)i : -1, flags) == i);
}

static inline message *raw(const char *text) {
    message *made = message_raw((span){(const uint8_t *)text, strlen(text)});
    CHECK(made != NULL);
    return made;
}

static inline int push_text(outbox *box, uint32_t number, const char *text, int is_volatile) {
    message *made = raw(text);
    int accepted = outbox_push(box, number, made, is_volatile);
    CHECK(made->refs == 1 + (uint32_t)(accepted > 0));
    message_release(made);
    return accepted;
}

static inline void push(outbox *box, uint32_t number, const char *text) {
    CHECK(push_text(box, number, text, 0) == 1);
    outbox_check(box, NULL, 0);
}

static inline int64_t broadcast(outbox *box, uint32_t first, uint32_t count, int64_t skip, const char *text) {
    bitset set = {0};
    for (uint32_t i = 0; i < count; i++) CHECK(bitset_add(&set, first + i) == 1);
    message *made = raw(text);
    int64_t accepted = outbox_broadcast(box, &set, skip, made, 0);
    message_release(made);
    bitset_clear(&set);
    return accepted;
}

static inline void check_got(int fd, const char *text) {
    CHECK(peers[fd].size == strlen(text));
    CHECK(memcmp(peers[fd].got, text, peers[fd].size) == 0);
}

/* The only handover there is: the rest of a sequence. Takes and releases it. */
static inline void check_handover(outbox *box, uint32_t number, const char *rest) {
    CHECK(box->handover_count == 1);
    handover *given = &box->handovers[0];
    CHECK(given->slot == number && given->generation == box->slots[number].generation);
    CHECK(given->error == 0);
    CHECK(given->rest.size == strlen(rest));
    CHECK(memcmp(given->rest.data, rest, strlen(rest)) == 0);
    cohort_release(box, given->cohort);
    box->handover_count = 0;
    CHECK(box->slots[number].flags & SLOT_BLOCKED);
}

#endif
