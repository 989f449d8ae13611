/* outbox_check: what must be so in an outbox at any time, looked at from outside.
 *
 * Every reference to a cohort is one of a slot's pending, of a child, or of a handover that the caller holds; the
 * number of nodes looked at is bounded by OUTBOX_CHECK_NODES. Broken: the program ends. */
#ifndef FASTSIO_TESTS_OUTBOX_CHECK_H
#define FASTSIO_TESTS_OUTBOX_CHECK_H

#include "check.h"
#include "outbox.h"

#define OUTBOX_CHECK_NODES 4096

typedef struct counted {
    const cohort *node;
    uint32_t refs;
} counted;

typedef struct census {
    counted nodes[OUTBOX_CHECK_NODES];
    size_t count;
} census;

/* Counts one reference to the node; its ancestors are counted with the first. */
static inline void count_reference(census *self, const outbox *box, const cohort *node) {
    while (node != &box->root) {
        size_t i = 0;
        while (i < self->count && self->nodes[i].node != node) i++;
        if (i < self->count) {
            self->nodes[i].refs++;
            return;
        }
        CHECK(i < OUTBOX_CHECK_NODES);
        self->nodes[self->count++] = (counted){node, 1};
        node = node->parent;
    }
}

static inline void check_node(const cohort *node) {
    const cohort *parent = node->parent;
    CHECK(node->depth == parent->depth + 1);
    CHECK(node->size == parent->size + node->message->size);
    CHECK(node->message->refs > 0);
    if (node->child != NULL) CHECK(node->child->parent == node && node->child->refs > 0);
}

static inline void check_queue(const outbox *box) {
    uint32_t flagged = 0;
    CHECK(box->queue_size <= box->capacity);
    for (uint32_t i = 0; i < box->used; i++) flagged += (box->slots[i].flags & SLOT_QUEUED) != 0;
    CHECK(flagged == box->queue_size);
    for (uint32_t i = 0; i < box->queue_size; i++) {
        uint32_t number = box->queue[(box->queue_head + i) & (box->capacity - 1)];
        CHECK(number < box->used && box->slots[number].flags & SLOT_QUEUED);
        for (uint32_t j = 0; j < i; j++) CHECK(box->queue[(box->queue_head + j) & (box->capacity - 1)] != number);
    }
}

static inline void check_drained(const outbox *box) {
    uint32_t flagged = 0;
    for (uint32_t i = 0; i < box->used; i++) flagged += (box->slots[i].flags & SLOT_DRAINED) != 0;
    CHECK(flagged == box->drained_count);
    for (uint32_t i = 0; i < box->drained_count; i++) {
        CHECK(box->drained[i] < box->used && box->slots[box->drained[i]].flags & SLOT_DRAINED);
        for (uint32_t j = 0; j < i; j++) CHECK(box->drained[j] != box->drained[i]);
    }
}

/* `held`: the cohorts of handovers taken and not yet released. */
static inline void outbox_check(const outbox *box, cohort *const *held, size_t held_count) {
    static census seen;
    uint32_t on_root = 1;
    seen.count = 0;
    check_queue(box);
    check_drained(box);
    for (uint32_t i = 0; i < box->used; i++) {
        const slot *at = &box->slots[i];
        if (!(at->flags & SLOT_USED)) continue;
        on_root += at->pending == &box->root;
        count_reference(&seen, box, at->pending);
        if (at->pending != &box->root) CHECK(at->flags & (SLOT_QUEUED | SLOT_BLOCKED));
    }
    for (uint32_t i = 0; i < box->handover_count; i++) {
        if (box->handovers[i].cohort != NULL) count_reference(&seen, box, box->handovers[i].cohort);
    }
    for (size_t i = 0; i < held_count; i++) count_reference(&seen, box, held[i]);
    for (size_t i = 0; i < seen.count; i++) {
        CHECK(seen.nodes[i].node->refs == seen.nodes[i].refs);
        check_node(seen.nodes[i].node);
        on_root += seen.nodes[i].node->parent == &box->root;
    }
    CHECK(box->root.refs == on_root);
}

#endif
