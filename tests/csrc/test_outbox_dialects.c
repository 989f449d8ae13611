/* outbox.c: slots of different dialects side by side, and a slot that goes on over another transport. */
#include "outbox_fake.h"

#include "fake_deflate.h"

enum { EIO3 = DIALECT_EIO3, BASE64 = DIALECT_BASE64, POLLING = DIALECT_POLLING, DEFLATE = DIALECT_DEFLATE };

static message *packet(const char *head, const char *attachment) {
    span text = {(const uint8_t *)head, strlen(head)};
    span data = {(const uint8_t *)attachment, attachment ? strlen(attachment) : 0};
    message *made = message_packet(text, (span){NULL, 0}, &data, attachment != NULL);
    CHECK(made != NULL);
    return made;
}

/* To slots 0 to count - 1. */
static void send_packet(outbox *box, uint32_t count, const char *head, const char *attachment) {
    message *made = packet(head, attachment);
    for (uint32_t i = 0; i < count; i++) CHECK(outbox_push(box, i, made, 0) == 1);
    message_release(made);
}

static void check_bytes(int fd, const char *expected, size_t size) {
    CHECK(peers[fd].size == size);
    CHECK(memcmp(peers[fd].got, expected, size) == 0);
}

#define GOT(fd, expected) check_bytes(fd, expected, sizeof(expected) - 1)

/* Two slots of each dialect: what they are sent lies at the same place. */
static void open_dialects(outbox *box, const uint32_t *dialects, uint32_t count) {
    open_slots(box, 2 * count, SLOT_DIRECT);
    for (uint32_t i = 0; i < 2 * count; i++) outbox_set_dialect(box, i, dialects[i / 2]);
}

static void check_shared(uint32_t count) {
    for (uint32_t i = 0; i < 2 * count; i += 2) CHECK(peers[i].data == peers[i + 1].data);
}

static void test_every_dialect(void) {
    static const uint32_t dialects[] = {0,       EIO3,           BASE64,         EIO3 | BASE64,
                                        POLLING, POLLING | EIO3, POLLING | EIO3 | BASE64};
    outbox box;
    begin(&box, 1000);
    open_dialects(&box, dialects, 7);
    send_packet(&box, 14, "4a", NULL);
    send_packet(&box, 14, "4b", "\xFF");
    send_packet(&box, 14, "4c", NULL);
    CHECK(box.slots[0].pending == box.slots[13].pending);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_shared(7);
    GOT(0, "\x81\x02" "4a" "\x81\x02" "4b" "\x82\x01\xFF" "\x81\x02" "4c");
    GOT(2, "\x81\x02" "4a" "\x81\x02" "4b" "\x82\x02\4\xFF" "\x81\x02" "4c");
    GOT(4, "\x81\x02" "4a" "\x81\x02" "4b" "\x81\x05" "b/w==" "\x81\x02" "4c");
    GOT(6, "\x81\x02" "4a" "\x81\x02" "4b" "\x81\x06" "b4/w==" "\x81\x02" "4c");
    GOT(8, "4a\x1E" "4b\x1E" "b/w==\x1E" "4c\x1E");
    GOT(10, "\0\2\xFF" "4a" "\0\2\xFF" "4b" "\1\2\xFF\4\xFF" "\0\2\xFF" "4c");
    GOT(12, "2:4a" "2:4b" "6:b4/w==" "2:4c");
    CHECK(box.stats.bytes == 2 * (15 + 16 + 19 + 20 + 15 + 20 + 20));
    end(&box);
}

/* A sequence without binary: text in both forms of Engine.IO 3 polling, and on every websocket what dialect 0 sends. */
static void test_text_only(void) {
    static const uint32_t dialects[] = {0, EIO3, BASE64, POLLING | EIO3, POLLING | EIO3 | BASE64};
    outbox box;
    begin(&box, 1000);
    open_dialects(&box, dialects, 5);
    send_packet(&box, 10, "4a", NULL);
    send_packet(&box, 10, "4b", NULL);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_shared(5);
    CHECK(peers[2].data == peers[0].data && peers[4].data == peers[0].data);
    GOT(0, "\x81\x02" "4a" "\x81\x02" "4b");
    GOT(6, "2:4a" "2:4b");
    GOT(8, "2:4a" "2:4b");
    end(&box);
}

/* A message that is alone is sent from where its form lies, which is made once for all flushes. */
static void test_no_copy(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    outbox_set_dialect(&box, 0, EIO3);
    outbox_set_dialect(&box, 1, EIO3);
    message *made = packet("4a", "b");
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(outbox_push(&box, i, made, 0) == 1);
        CHECK(outbox_flush(&box, NEVER) == 0);
        CHECK(peers[i].data == made->forms->bytes.data && made->forms->next == NULL);
    }
    message_release(made);
    end(&box);
}

/* Raw bytes go between packets as they are. */
static void test_raw(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    outbox_set_dialect(&box, 0, EIO3);
    push(&box, 0, "HTTP");
    send_packet(&box, 1, "4a", "b");
    push(&box, 0, "pong");
    CHECK(outbox_flush(&box, NEVER) == 0);
    GOT(0, "HTTP" "\x81\x02" "4a" "\x82\x02\4b" "pong");
    end(&box);
}

/* What send(2) left, and what is pending, are counted in bytes of the form. */
static void test_handover(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    outbox_set_dialect(&box, 0, BASE64);
    peers[0].room = 7;
    send_packet(&box, 1, "4a", "xyz");
    CHECK(outbox_flush(&box, NEVER) == 0);
    GOT(0, "\x81\x02" "4a" "\x81\x05" "b");
    CHECK(outbox_pending(&box, 0) == 4 && box.stats.bytes == 7);
    check_handover(&box, 0, "eHl6");
    end(&box);
}

/* A polling session: blocked but for the moment when somebody asks. */
static void test_polling(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, 0);
    outbox_set_dialect(&box, 0, POLLING);
    outbox_block(&box, 0, 0);
    send_packet(&box, 1, "4a", NULL);
    send_packet(&box, 1, "4b", "x");
    CHECK(outbox_flush(&box, NEVER) == 0 && box.handover_count == 0);
    outbox_unblock(&box, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    CHECK(outbox_pending(&box, 0) == 12);
    check_handover(&box, 0, "4a\x1E" "4b\x1E" "beA==\x1E");
    end(&box);
}

/* ---- deflate ---- */

static void test_deflate(void) {
    static const uint32_t dialects[] = {0, DEFLATE, DEFLATE | EIO3};
    fake_deflate fake = {0};
    outbox box;
    begin(&box, 1000);
    box.deflater = deflater_of(&fake, 4);
    open_dialects(&box, dialects, 3);
    send_packet(&box, 6, "44444", NULL);
    send_packet(&box, 6, "4b", "\4\4\4\4");
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_shared(3);
    CHECK(fake.calls == 3); /* the text is the same in both protocols, what is binary is not */
    GOT(0, "\x81\x05" "44444" "\x81\x02" "4b" "\x82\x04\4\4\4\4");
    GOT(2, "\xC1\x02z4" "\x81\x02" "4b" "\xC2\x02z\4");
    GOT(4, "\xC1\x02z4" "\x81\x02" "4b" "\xC2\x02z\4");
    end(&box);
}

static void test_deflate_fails(void) {
    fake_deflate fake = {.fails = 1};
    outbox box;
    begin(&box, 1000);
    box.deflater = deflater_of(&fake, 0);
    open_slots(&box, 2, SLOT_DIRECT);
    outbox_set_dialect(&box, 1, DEFLATE);
    send_packet(&box, 2, "4444", NULL);
    CHECK(outbox_flush(&box, NEVER) == 0);
    GOT(0, "\x81\x04" "4444");
    CHECK(box.handover_count == 1 && box.handovers[0].slot == 1 && box.handovers[0].error == ENOMEM);
    CHECK(!(box.slots[1].flags & SLOT_OPEN));
    box.handover_count = 0;
    end(&box);
}

static void test_no_memory(void) {
    for (int n = 1; n <= 3; n++) { /* two forms of messages, and that of the sequence */
        outbox box;
        begin(&box, 1000);
        open_slots(&box, 1, SLOT_DIRECT);
        outbox_set_dialect(&box, 0, POLLING);
        send_packet(&box, 1, "4a", NULL);
        send_packet(&box, 1, "4b", NULL);
        fail_allocation(n);
        CHECK(outbox_flush(&box, NEVER) == 0);
        fail_allocation(0);
        CHECK(sends == 0 && box.handover_count == 1 && box.handovers[0].error == ENOMEM);
        box.handover_count = 0;
        end(&box);
    }
}

static void test_no_memory_for_the_same(void) {
    for (int n = 1; n <= 2; n++) { /* the flat one, and the note that it is the same */
        outbox box;
        begin(&box, 1000);
        open_slots(&box, 1, SLOT_DIRECT);
        outbox_set_dialect(&box, 0, EIO3);
        send_packet(&box, 1, "4a", NULL);
        send_packet(&box, 1, "4b", NULL);
        fail_allocation(n);
        CHECK(outbox_flush(&box, NEVER) == 0);
        fail_allocation(0);
        CHECK(sends == 0 && box.handover_count == 1 && box.handovers[0].error == ENOMEM);
        box.handover_count = 0;
        end(&box);
    }
}

/* ---- adopt ---- */

/* From polling to a websocket: what waits goes with it, in its new words. */
static void test_adopt(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, 0);
    outbox_set_dialect(&box, 0, POLLING);
    outbox_block(&box, 0, 0);
    send_packet(&box, 1, "4a", NULL);
    send_packet(&box, 1, "4b", "x");
    uint32_t generation = box.slots[0].generation;
    outbox_adopt(&box, 0, 5, SLOT_DIRECT, EIO3);
    CHECK(box.slots[0].generation == generation && box.queue_size == 1);
    outbox_check(&box, NULL, 0);
    send_packet(&box, 1, "4c", NULL);
    CHECK(outbox_flush(&box, NEVER) == 0);
    GOT(5, "\x81\x02" "4a" "\x81\x02" "4b" "\x82\x02\4x" "\x81\x02" "4c");
    CHECK(box.handover_count == 0 && outbox_pending(&box, 0) == 0);
    end(&box);
}

/* A handover of before that nobody waits for any more is forgotten; what the new transport holds goes first. */
static void test_adopt_a_blocked_one(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, 0);
    outbox_set_dialect(&box, 0, POLLING);
    send_packet(&box, 1, "4a", NULL);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_handover(&box, 0, "4a\x1E");
    send_packet(&box, 1, "4b", NULL);
    outbox_adopt(&box, 0, 5, SLOT_DIRECT, 0);
    outbox_block(&box, 0, 7);
    CHECK(outbox_pending(&box, 0) == 7 + 4);
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0 && sends == 0);
    outbox_unblock(&box, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    GOT(5, "\x81\x02" "4b");
    end(&box);
}

/* To a transport that is written to by its owner, and while the slot is in the queue. */
static void test_adopt_not_direct(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 2, SLOT_DIRECT);
    send_packet(&box, 2, "4a", NULL);
    outbox_adopt(&box, 0, -1, 0, 0);
    outbox_detach(&box, 1);
    outbox_adopt(&box, 1, 7, SLOT_DIRECT, 0);
    CHECK(!(box.slots[1].flags & SLOT_OPEN));
    outbox_check(&box, NULL, 0);
    CHECK(outbox_flush(&box, NEVER) == 0);
    check_got(0, "");
    GOT(7, "\x81\x02" "4a");
    check_handover(&box, 0, "\x81\x02" "4a");
    end(&box);
}

/* A slot that is used again speaks dialect 0. */
static void test_recycling(void) {
    outbox box;
    begin(&box, 1000);
    open_slots(&box, 1, SLOT_DIRECT);
    outbox_set_dialect(&box, 0, POLLING);
    outbox_close(&box, 0);
    CHECK(outbox_open(&box, 3, SLOT_DIRECT) == 0);
    send_packet(&box, 1, "4a", NULL);
    CHECK(outbox_flush(&box, NEVER) == 0);
    GOT(3, "\x81\x02" "4a");
    CHECK(sizeof(slot) == 32);
    end(&box);
}

int main(void) {
    test_every_dialect();
    test_text_only();
    test_no_copy();
    test_raw();
    test_handover();
    test_polling();
    test_deflate();
    test_deflate_fails();
    test_no_memory();
    test_no_memory_for_the_same();
    test_adopt();
    test_adopt_a_blocked_one();
    test_adopt_not_direct();
    test_recycling();
    return 0;
}
