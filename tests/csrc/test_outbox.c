/* outbox.c: what each descriptor is sent, in which order, and what is handed over instead. */
#include "outbox_fake.h"

#include <sys/socket.h>
#include <unistd.h>

static void test_sends_all(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    push(&box, 0, "one,");
    push(&box, 0, "two,");
    push(&box, 1, "other");
    push(&box, 0, "three");
    CHECK(outbox_pending(&box, 0) == 13);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "one,two,three");
    check_got(1, "other");
    CHECK(sends == 2 && box.handover_count == 0);
    CHECK(outbox_pending(&box, 0) == 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 2);
    CHECK(box.stats.pushed == 4 && box.stats.sends == 2 && box.stats.bytes == 18 && box.stats.blocked == 0);
    end(&box);
}

static void test_takes_part(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    peers[0].room = 5;
    push(&box, 0, "one,");
    push(&box, 0, "two,");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "one,t");
    CHECK(outbox_pending(&box, 0) == 3);
    check_handover(&box, 0, "wo,");
    push(&box, 0, "three,");
    push(&box, 0, "four");
    CHECK(outbox_pending(&box, 0) == 3 + 10);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 1 && box.stats.blocked == 1);
    peers[0].room = ALL;
    outbox_unblock(&box, 0);
    CHECK(outbox_pending(&box, 0) == 10);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "one,tthree,four");
    CHECK(sends == 2 && box.stats.bytes == 15);
    end(&box);
}

/* Full is not failed; a descriptor that takes nothing hands over everything. */
static void test_takes_nothing(void) {
    static const int errors[] = {EAGAIN, EWOULDBLOCK, EINTR};
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        outbox box;
        begin(&box, 1000);
        open_slots(&box, 1, SLOT_DIRECT);
        peers[0].error = errors[i];
        push(&box, 0, "all");
        CHECK(outbox_flush(&box, NEVER) == 0);
        check_handover(&box, 0, "all");
        push(&box, 0, "more");
        end(&box);
    }
}

static void test_error(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    peers[0].error = EPIPE;
    push(&box, 0, "lost");
    push(&box, 0, "as well");
    push(&box, 1, "fine");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(1, "fine");
    CHECK(box.handover_count == 1);
    CHECK(box.handovers[0].slot == 0 && box.handovers[0].error == EPIPE && box.handovers[0].cohort == NULL);
    box.handover_count = 0;
    CHECK(push_text(&box, 0, "never", 0) == 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 2 && outbox_pending(&box, 0) == 0);
    end(&box);
}

static void test_not_direct(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, 0);
    push(&box, 0, "one,");
    push(&box, 0, "two");
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(outbox_pending(&box, 0) == 7);
    check_handover(&box, 0, "one,two");
    outbox_unblock(&box, 0);
    CHECK(outbox_pending(&box, 0) == 0);
    push(&box, 0, "three");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_handover(&box, 0, "three");
    CHECK(sends == 0);
    end(&box);
}

static void test_handovers_full(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, OUTBOX_HANDOVERS + 44, 0);
    CHECK(broadcast(&box, 0, OUTBOX_HANDOVERS + 44, -1, "x") == OUTBOX_HANDOVERS + 44);
    CHECK(outbox_flush(&box, NEVER) == 1);
    CHECK(box.handover_count == OUTBOX_HANDOVERS);
    CHECK(outbox_flush(&box, NEVER) == 1);
    CHECK(box.handover_count == OUTBOX_HANDOVERS);
    for (uint32_t i = 0; i < OUTBOX_HANDOVERS; i++) {
        CHECK(box.handovers[i].slot == i);
        cohort_release(&box, box.handovers[i].cohort);
    }
    box.handover_count = 0;
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.handover_count == 44);
    for (uint32_t i = 0; i < 44; i++) {
        CHECK(box.handovers[i].slot == OUTBOX_HANDOVERS + i);
        cohort_release(&box, box.handovers[i].cohort);
    }
    box.handover_count = 0;
    end(&box);
}

/* A flush out of time has sent something and goes on where it stopped. */
static void test_deadline(void) {
    outbox box;
    uint32_t before = 0;
    begin(&box, 1000);
    open_slots(&box, 100, SLOT_DIRECT);
    CHECK(broadcast(&box, 0, 100, -1, "x") == 100);
    while (outbox_flush(&box, 0) == 1) {
        CHECK(sends > before && sends < before + 50);
        before = sends;
    }
    CHECK(before > 0 && sends == 100);
    for (int fd = 0; fd < 100; fd++) check_got(fd, "x");
    end(&box);
}

static void test_flush_slot(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 3, SLOT_DIRECT);
    outbox_flush_slot(&box, 1);
    CHECK(sends == 0);
    push(&box, 0, "a");
    push(&box, 1, "b");
    outbox_flush_slot(&box, 1);
    check_got(1, "b");
    check_got(0, "");
    push(&box, 1, "c");
    outbox_check(&box, NULL, 0);
    outbox_block(&box, 1, 4);
    outbox_flush_slot(&box, 1);
    check_got(1, "b");
    CHECK(outbox_pending(&box, 1) == 5 && box.stats.blocked == 1);
    check_handover(&box, 1, "c");
    outbox_close(&box, 2);
    outbox_flush_slot(&box, 2);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "a");
    end(&box);
}

/* 1,000 slots with the same sequence: a node a message, one buffer for all of them. */
static void test_sharing(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1000, SLOT_DIRECT);
    CHECK(broadcast(&box, 0, 1000, -1, "one,") == 1000);
    CHECK(broadcast(&box, 0, 1000, -1, "two,") == 1000);
    CHECK(broadcast(&box, 0, 1000, 77, "three") == 999);
    cohort *shared = box.slots[0].pending;
    CHECK(shared->refs == 999 && shared->depth == 3);
    for (uint32_t i = 1; i < 1000; i++) CHECK(box.slots[i].pending == (i == 77 ? shared->parent : shared));
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(sends == 1000);
    for (int fd = 0; fd < 1000; fd++) {
        check_got(fd, fd == 77 ? "one,two," : "one,two,three");
        if (fd != 77) CHECK(peers[fd].data == peers[0].data);
    }
    CHECK(box.spares == 3); /* all the nodes there were */
    CHECK(box.stats.pushed == 2999 && box.stats.sends == 1000);
    end(&box);
}

/* A message that is alone is sent from where it lies. */
static void test_no_copy(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    message *made = raw("one");
    CHECK(outbox_push(&box, 0, made, 0) == 1);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(peers[0].data == made->bytes);
    message_release(made);
    end(&box);
}

/* Different pasts stay apart, and a flat ancestor is used again. */
static void test_different_sequences(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 4, SLOT_DIRECT);
    CHECK(broadcast(&box, 0, 4, -1, "all,") == 4);
    CHECK(broadcast(&box, 0, 2, -1, "first,") == 2);
    CHECK(broadcast(&box, 2, 2, -1, "second,") == 2);
    CHECK(broadcast(&box, 0, 4, -1, "end") == 4);
    push(&box, 1, "!");
    CHECK(box.slots[2].pending == box.slots[3].pending);
    CHECK(box.slots[0].pending == box.slots[1].pending->parent);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "all,first,end");
    check_got(1, "all,first,end!");
    check_got(2, "all,second,end");
    check_got(3, "all,second,end");
    end(&box);
}

/* The ring turns and grows while slots wait in it: the oldest stays first. */
static void test_growth(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 64, 0);
    for (uint32_t i = 0; i < 40; i++) push(&box, i, "x");
    CHECK(outbox_flush(&box, NEVER) == 0);
    for (uint32_t i = 0; i < 40; i++) cohort_release(&box, box.handovers[i].cohort);
    box.handover_count = 0;
    for (uint32_t i = 0; i < 40; i++) outbox_unblock(&box, i);
    for (uint32_t i = 0; i < 64; i++) push(&box, 63 - i, "y");
    for (uint32_t i = 64; i < 200; i++) {
        CHECK(outbox_open(&box, -1, 0) == i);
        push(&box, i, "z");
    }
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.handover_count == 200);
    for (uint32_t i = 0; i < 200; i++) {
        CHECK(box.handovers[i].slot == (i < 64 ? 63 - i : i));
        cohort_release(&box, box.handovers[i].cohort);
    }
    box.handover_count = 0;
    end(&box);
}

static void test_no_memory(void) {
    outbox box;
    begin(&box, 1000);
    for (int n = 1; n <= 3; n++) {
        fail_allocation(n);
        CHECK(outbox_open(&box, 0, SLOT_DIRECT) == -1);
        fail_allocation(0);
    }
    open_slots(&box, 3, SLOT_DIRECT);
    message *made = raw("a");
    fail_allocation(1);
    CHECK(outbox_push(&box, 0, made, 0) == -1);
    fail_allocation(0);
    CHECK(outbox_pending(&box, 0) == 0 && made->refs == 1);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_push(&box, 0, made, 0) == 1);
    CHECK(outbox_push(&box, 0, made, 0) == 1);
    fail_allocation(1); /* the flat buffer of two messages */
    CHECK(outbox_flush(&box, NEVER) == 0);
    fail_allocation(0);
    CHECK(sends == 0 && box.handover_count == 1 && box.handovers[0].error == ENOMEM);
    box.handover_count = 0;
    message_release(made);
    end(&box);
}

/* Everybody needs a node of his own: the first gets the message, the second cannot. */
static void test_broadcast_without_memory(void) {
    outbox box;
    bitset set = {0};
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    push(&box, 0, "a");
    push(&box, 1, "b");
    CHECK(bitset_add(&set, 0) == 1 && bitset_add(&set, 1) == 1);
    message *made = raw("!");
    fail_allocation(2);
    CHECK(outbox_broadcast(&box, &set, -1, made, 0) == -1);
    fail_allocation(0);
    message_release(made);
    bitset_clear(&set);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "a!");
    check_got(1, "b");
    end(&box);
}

/* What is still pending goes with the outbox. */
static void test_destroy(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 3, SLOT_DIRECT);
    CHECK(broadcast(&box, 0, 3, -1, "all") == 3);
    push(&box, 1, "one");
    outbox_close(&box, 2);
    outbox_destroy(&box);
}

/* Without a send function from outside it is send(2): no signal and no waiting, whatever the peer does. */
static void test_real_descriptor(void) {
    outbox box;
    int pair[2];
    char got[8];
    static uint8_t large[1 << 22];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(outbox_init(&box, 1000) == 0);
    CHECK(outbox_open(&box, pair[0], SLOT_DIRECT) == 0);
    push(&box, 0, "hello");
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(read(pair[1], got, sizeof(got)) == 5 && memcmp(got, "hello", 5) == 0);
    message *made = message_raw((span){large, sizeof(large)});
    CHECK(outbox_push(&box, 0, made, 0) == 1);
    message_release(made);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.handover_count == 1 && box.handovers[0].error == 0 && box.handovers[0].rest.size > 0);
    cohort_release(&box, box.handovers[0].cohort);
    box.handover_count = 0;
    outbox_unblock(&box, 0);
    close(pair[1]);
    push(&box, 0, "gone");
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(box.handover_count == 1 && box.handovers[0].error == EPIPE);
    box.handover_count = 0;
    close(pair[0]);
    end(&box);
}

int main(void) {
    test_sends_all();
    test_takes_part();
    test_takes_nothing();
    test_error();
    test_not_direct();
    test_handovers_full();
    test_deadline();
    test_flush_slot();
    test_sharing();
    test_no_copy();
    test_different_sequences();
    test_growth();
    test_no_memory();
    test_broadcast_without_memory();
    test_destroy();
    test_real_descriptor();
    return 0;
}
