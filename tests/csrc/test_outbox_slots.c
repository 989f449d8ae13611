/* outbox.c: the life of a slot: recycled, blocked, detached, over its backlog. */
#include "outbox_fake.h"

/* A number is used again at once; who has it now gets nothing of who had it before. */
static void test_recycling(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 3, SLOT_DIRECT);
    push(&box, 1, "before");
    outbox_close(&box, 1);
    CHECK(outbox_pending(&box, 1) == 0);
    CHECK(push_text(&box, 1, "to nobody", 0) == 0);
    CHECK(outbox_open(&box, 7, SLOT_DIRECT) == 1);
    CHECK(box.slots[1].generation == 1);
    push(&box, 2, "two");
    push(&box, 1, "after");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(1, "");
    check_got(7, "after");
    check_got(2, "two");
    CHECK(sends == 2);
    outbox_close(&box, 2);
    outbox_close(&box, 1);
    CHECK(outbox_open(&box, 8, 0) == 1);
    CHECK(box.slots[1].generation == 2 && box.used == 3);
    push(&box, 1, "handed over");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_handover(&box, 1, "handed over");
    end(&box);
}

/* Closed in the queue: its turn comes and nothing happens, whether somebody else has the number by then or not. */
static void test_closed_in_the_queue(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    CHECK(broadcast(&box, 0, 2, -1, "lost") == 2);
    outbox_close(&box, 1);
    outbox_close(&box, 0);
    CHECK(outbox_open(&box, 0, SLOT_DIRECT) == 0);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 0 && box.handover_count == 0);
    push(&box, 0, "new");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "new");
    end(&box);
}

/* The flags and the bytes handed over do not outlive the slot; a handover says whose it is. */
static void test_recycling_of_a_blocked_slot(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    peers[0].room = 1;
    push(&box, 0, "old");
    CHECK(outbox_flush(&box, NEVER) == 0);
    push(&box, 0, "more");
    CHECK(box.queue_size == 0);
    outbox_close(&box, 0);
    CHECK(outbox_pending(&box, 0) == 0);
    CHECK(outbox_open(&box, 5, SLOT_DIRECT) == 0);
    CHECK(box.handovers[0].slot == 0 && box.handovers[0].generation != box.slots[0].generation);
    CHECK(memcmp(box.handovers[0].rest.data, "ld", 2) == 0);
    cohort_release(&box, box.handovers[0].cohort);
    box.handover_count = 0;
    CHECK(outbox_pending(&box, 0) == 0);
    push(&box, 0, "new");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(5, "new");
    end(&box);
}

static void test_backlog_of_a_blocked_slot(void) {
    outbox box;
    begin(&box, 3 + 2 * (10 + COST)); /* 3 handed over and two messages of ten bytes */
    open_slots(&box, 2, SLOT_DIRECT);
    outbox_block(&box, 0, 3);
    push(&box, 0, "0123456789");
    push(&box, 0, "0123456789");
    CHECK(box.overflow_count == 0);
    CHECK(push_text(&box, 0, "", 0) == 0);
    CHECK(box.overflow_count == 1 && box.overflows[0] == 0);
    CHECK(!(box.slots[0].flags & SLOT_OPEN));
    CHECK(box.stats.overflows == 1 && outbox_pending(&box, 0) == 23);
    CHECK(push_text(&box, 0, "x", 0) == 0);
    CHECK(box.overflow_count == 1);
    push(&box, 1, "fine");
    end(&box);
}

/* Not flushed yet is not slow: the message is accepted, and the caller flushes the slot at once. */
static void test_backlog_of_a_burst(void) {
    outbox box;
    begin(&box, 2 * (10 + COST));
    open_slots(&box, 2, SLOT_DIRECT);
    push(&box, 0, "0123456789");
    push(&box, 0, "0123456789");
    CHECK(box.overflow_count == 0);
    push(&box, 0, "x");
    CHECK(box.overflow_count == 1 && box.overflows[0] == 0);
    CHECK(box.slots[0].flags & SLOT_OPEN && box.stats.overflows == 0);
    box.overflow_count = 0;
    outbox_flush_slot(&box, 0);
    check_got(0, "01234567890123456789x");
    CHECK(broadcast(&box, 0, 2, -1, "0123456789") == 2);
    CHECK(broadcast(&box, 0, 2, -1, "0123456789") == 2);
    CHECK(broadcast(&box, 0, 2, -1, "x") == 2);
    CHECK(box.overflow_count == 2 && box.overflows[0] == 0 && box.overflows[1] == 1);
    end(&box);
}

/* To the byte: what fits exactly is accepted, one byte less is too little. */
static void test_backlog_exactly(void) {
    for (size_t missing = 0; missing < 2; missing++) {
        outbox box;
        begin(&box, 2 * (10 + COST) - missing);
        open_slots(&box, 1, SLOT_DIRECT);
        push(&box, 0, "0123456789");
        push(&box, 0, "0123456789");
        CHECK(box.overflow_count == missing);
        end(&box);
    }
}

/* One message above the limit goes to whoever has nothing else waiting. */
static void test_backlog_of_one(void) {
    outbox box;
    begin(&box, 5);
    open_slots(&box, 1, SLOT_DIRECT);
    push(&box, 0, "0123456789");
    CHECK(box.overflow_count == 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "0123456789");
    outbox_block(&box, 0, 1);
    CHECK(push_text(&box, 0, "0123456789", 0) == 0);
    CHECK(box.overflow_count == 1);
    end(&box);
}

static void test_volatile(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    outbox_block(&box, 0, 1);
    push(&box, 0, "kept");
    CHECK(push_text(&box, 0, "dropped", 1) == 0);
    CHECK(push_text(&box, 1, "volatile", 1) == 1);
    CHECK(box.stats.dropped == 1 && box.stats.pushed == 2);
    outbox_unblock(&box, 0);
    CHECK(push_text(&box, 0, "!", 1) == 1);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "kept!");
    check_got(1, "volatile");
    end(&box);
}

static void test_detach(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    push(&box, 0, "pending");
    outbox_detach(&box, 0);
    CHECK(push_text(&box, 0, "late", 0) == 0);
    CHECK(outbox_pending(&box, 0) == 7);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 0);
    check_handover(&box, 0, "pending");
    end(&box);
}

/* Blocked while it waits in the queue: nothing is sent past the bytes that the owner still holds. */
static void test_block_and_unblock(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    push(&box, 0, "a");
    outbox_block(&box, 0, 5);
    CHECK(outbox_pending(&box, 0) == 6);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 0);
    push(&box, 0, "b");
    outbox_unblock(&box, 0);
    outbox_unblock(&box, 1); /* was not blocked, has nothing */
    outbox_check(&box, NULL, 0);
    push(&box, 0, "c");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "abc");
    CHECK(sends == 1);
    /* Blocked and unblocked before the queue came to it. */
    push(&box, 0, "d");
    outbox_block(&box, 0, 1);
    outbox_unblock(&box, 0);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "abcd");
    end(&box);
}

/* Told once for each time that nothing is left; not while something is, and not to others. */
static void test_drained(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 3, SLOT_DIRECT);
    outbox_watch(&box, 0, 1);
    outbox_watch(&box, 2, 1);
    outbox_watch(&box, 2, 0);
    CHECK(outbox_next_drained(&box) == -1);
    CHECK(broadcast(&box, 0, 3, -1, "all") == 3);
    CHECK(box.drained_count == 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_next_drained(&box) == 0 && outbox_next_drained(&box) == -1);
    push(&box, 0, "one");
    outbox_flush_slot(&box, 0);
    push(&box, 0, "two");
    CHECK(outbox_next_drained(&box) == -1);
    CHECK(outbox_flush(&box, NEVER) == 0);
    push(&box, 0, "three");
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.drained_count == 1);
    CHECK(outbox_next_drained(&box) == 0 && outbox_next_drained(&box) == -1);
    end(&box);
}

/* What was handed over counts until the owner is rid of it. */
static void test_drained_by_the_owner(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    outbox_watch(&box, 0, 1);
    peers[0].room = 1;
    push(&box, 0, "old");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_handover(&box, 0, "ld");
    push(&box, 0, "new");
    outbox_unblock(&box, 0);
    CHECK(outbox_next_drained(&box) == -1);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_handover(&box, 0, "new");
    CHECK(outbox_next_drained(&box) == -1);
    CHECK(box.stats.handed == 5);
    outbox_taken(&box, 0);
    CHECK(box.stats.handed == 2 && outbox_pending(&box, 0) == 0 && box.slots[0].flags & SLOT_BLOCKED);
    CHECK(outbox_next_drained(&box) == 0 && outbox_next_drained(&box) == -1);
    push(&box, 0, "last");
    outbox_taken(&box, 0);
    CHECK(outbox_next_drained(&box) == -1);
    end(&box);
}

/* Another transport takes the slot over: it is still watched, and what that one holds counts. */
static void test_drained_after_adoption(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, 0);
    outbox_watch(&box, 0, 1);
    outbox_block(&box, 0, 3);
    outbox_adopt(&box, 0, 7, SLOT_DIRECT, 0);
    outbox_block(&box, 0, 2);
    CHECK(outbox_next_drained(&box) == -1);
    outbox_unblock(&box, 0);
    CHECK(outbox_next_drained(&box) == 0);
    push(&box, 0, "more");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(7, "more");
    CHECK(outbox_next_drained(&box) == 0);
    end(&box);
}

/* Closed while in the list: nobody is told, whoever has the number by then; who has it may watch for himself. */
static void test_drained_and_recycled(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    for (uint32_t i = 0; i < 2; i++) outbox_watch(&box, i, 1);
    CHECK(broadcast(&box, 0, 2, -1, "x") == 2);
    CHECK(outbox_flush(&box, NEVER) == 0);
    outbox_close(&box, 1);
    outbox_close(&box, 0);
    CHECK(outbox_open(&box, 0, SLOT_DIRECT) == 0);
    outbox_check(&box, NULL, 0);
    outbox_watch(&box, 0, 1);
    push(&box, 0, "y");
    CHECK(outbox_next_drained(&box) == -1);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(outbox_next_drained(&box) == 0 && outbox_next_drained(&box) == -1);
    end(&box);
}

/* By the power of two below: what was skipped in the queue is not in it. */
static void test_flush_sizes(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 6, SLOT_DIRECT);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.stats.flushes == 0);
    const uint32_t sizes[] = {1, 2, 3, 6};
    for (size_t i = 0; i < 4; i++) {
        CHECK(broadcast(&box, 0, sizes[i], -1, "x") == sizes[i]);
        CHECK(outbox_flush(&box, NEVER) == 0);
    }
    CHECK(broadcast(&box, 0, 2, -1, "x") == 2);
    outbox_block(&box, 1, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.stats.flushes == 5 && box.stats.flushed == 13 && box.stats.largest == 6);
    CHECK(box.flush_sizes[0] == 2 && box.flush_sizes[1] == 2 && box.flush_sizes[2] == 1);
    end(&box);
}

int main(void) {
    test_drained();
    test_drained_by_the_owner();
    test_drained_after_adoption();
    test_drained_and_recycled();
    test_flush_sizes();
    test_recycling();
    test_closed_in_the_queue();
    test_recycling_of_a_blocked_slot();
    test_backlog_of_a_blocked_slot();
    test_backlog_of_a_burst();
    test_backlog_exactly();
    test_backlog_of_one();
    test_volatile();
    test_detach();
    test_block_and_unblock();
    return 0;
}
