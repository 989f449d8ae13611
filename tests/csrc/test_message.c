/* message.c: the bytes that it lays down, its count of references, no memory. */
#include "message.h"

#include "check.h"
#include "no_memory.h"

#include <string.h>

static span text(const char *from) {
    return (span){(const uint8_t *)from, strlen(from)};
}

static span repeated(uint8_t *buffer, uint8_t byte, size_t size) {
    memset(buffer, byte, size);
    return (span){buffer, size};
}

static void check_bytes(const message *made, const char *expected, size_t size) {
    CHECK(made != NULL);
    CHECK(made->size == size);
    CHECK(memcmp(made->bytes, expected, size) == 0);
}

static void test_packet(void) {
    message *made = message_packet(text("42/chat,7"), text("[\"a\"]"), NULL, 0);
    check_bytes(made, "\x81\x0E" "42/chat,7[\"a\"]", 16);
    CHECK(made->refs == 1 && !made->raw);
    message_release(made);
    made = message_packet(text("40"), (span){NULL, 0}, NULL, 0);
    check_bytes(made, "\x81\x02" "40", 4);
    message_release(made);
}

static void test_attachments(void) {
    span attachments[] = {text("xyz"), {NULL, 0}, text("\xFF")};
    message *made = message_packet(text("453-"), text("[]"), attachments, 3);
    check_bytes(made, "\x81\x06" "453-[]" "\x82\x03xyz" "\x82\x00" "\x82\x01\xFF", 8 + 5 + 2 + 3);
    CHECK(!made->raw);
    message_release(made);
}

/* RFC 6455 section 5.2: a length of 7, 16 or 64 bits, the shortest that holds it. */
static void test_pieces(void) {
    span pieces[] = {text("4{}"), text("xyz"), {NULL, 0}};
    uint8_t binary[] = {0, 1, 1};
    message *made = message_pieces(pieces, binary, 3);
    check_bytes(made, "\x81\x03" "4{}" "\x82\x03xyz" "\x82\x00", 5 + 5 + 2);
    CHECK(made->refs == 1 && !made->raw && made->binary);
    message_release(made);
    made = message_pieces(pieces, binary, 1);
    check_bytes(made, "\x81\x03" "4{}", 5);
    CHECK(!made->binary);
    message_release(made);
}

static void test_lengths(void) {
    static uint8_t payload[65536];
    static const struct {
        size_t size, head;
        const char *expected;
    } cases[] = {
        {125, 2, "\x81\x7D"},
        {126, 4, "\x81\x7E\x00\x7E"},
        {65535, 4, "\x81\x7E\xFF\xFF"},
        {65536, 10, "\x81\x7F\0\0\0\0\0\x01\0\0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        message *made = message_packet(text("4"), repeated(payload, 'p', cases[i].size - 1), NULL, 0);
        CHECK(made->size == cases[i].head + cases[i].size);
        CHECK(memcmp(made->bytes, cases[i].expected, cases[i].head) == 0);
        CHECK(made->bytes[cases[i].head] == '4');
        CHECK(memcmp(made->bytes + cases[i].head + 1, payload, cases[i].size - 1) == 0);
        message_release(made);
        span attachment = repeated(payload, 'a', cases[i].size);
        made = message_packet(text("451-"), (span){NULL, 0}, &attachment, 1);
        CHECK(made->size == 6 + cases[i].head + cases[i].size);
        CHECK(made->bytes[6] == 0x82);
        CHECK(memcmp(made->bytes + 7, cases[i].expected + 1, cases[i].head - 1) == 0);
        CHECK(memcmp(made->bytes + 6 + cases[i].head, payload, cases[i].size) == 0);
        message_release(made);
    }
}

static void test_raw(void) {
    message *made = message_raw(text("HTTP/1.1 400 Bad Request\r\n\r\n"));
    check_bytes(made, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    CHECK(made->refs == 1 && made->raw);
    message_release(made);
    made = message_raw((span){NULL, 0});
    CHECK(made != NULL && made->size == 0);
    message_release(made);
}

/* The sanitizer sees a release too many, or one too few. */
static void test_references(void) {
    message *made = message_raw(text("a"));
    CHECK(message_hold(made) == made);
    CHECK(made->refs == 2);
    message_release(made);
    check_bytes(made, "a", 1);
    message_release(made);
}

static void test_no_memory(void) {
    fail_allocation(1);
    CHECK(message_raw(text("a")) == NULL);
    CHECK(message_packet(text("4"), text("[]"), NULL, 0) == NULL);
    span piece = text("4");
    CHECK(message_pieces(&piece, (uint8_t[]){0}, 1) == NULL);
    CHECK(message_raw((span){(const uint8_t *)"", SIZE_MAX}) == NULL);
    fail_allocation(0);
    CHECK(message_raw((span){(const uint8_t *)"", SIZE_MAX}) == NULL);
}

int main(void) {
    test_packet();
    test_attachments();
    test_pieces();
    test_lengths();
    test_raw();
    test_references();
    test_no_memory();
    return 0;
}
