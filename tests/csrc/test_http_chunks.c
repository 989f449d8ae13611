/* http_chunks.c: the data of bodies in chunks and their ends, whole and byte by byte, in blocks of their own size. */
#include "http_chunks.h"

#include "check.h"

#include <string.h>

#define ROOM 1000

/* What is made of a body. */
struct outcome {
    enum http_chunks_state state;
    size_t read;
    size_t size;
    uint8_t data[64];
};

static void feed(struct http_chunks *chunks, const char *text, size_t size, struct outcome *outcome) {
    uint8_t *copy = malloc(size + (size == 0));
    CHECK(copy != NULL);
    memcpy(copy, text, size);
    const uint8_t *at = copy;
    while (at < copy + size && chunks->state < HTTP_CHUNKS_COMPLETE) {
        size_t there;
        at = http_chunks_read(chunks, at, copy + size, &there);
        CHECK(outcome->size + there <= sizeof outcome->data);
        memcpy(outcome->data + outcome->size, at - there, there);
        outcome->size += there;
    }
    outcome->read += (size_t)(at - copy);
    outcome->state = chunks->state;
    free(copy);
}

static struct outcome outcome_of(const char *text, uint64_t room) {
    struct http_chunks chunks;
    struct outcome whole = {.size = 0}, split = {.size = 0};
    http_chunks_begin(&chunks, room);
    feed(&chunks, text, strlen(text), &whole);
    http_chunks_begin(&chunks, room);
    for (size_t i = 0; i < strlen(text) && chunks.state < HTTP_CHUNKS_COMPLETE; i++) feed(&chunks, text + i, 1, &split);
    CHECK(whole.state == split.state && whole.read == split.read && whole.size == split.size);
    CHECK(memcmp(whole.data, split.data, whole.size) == 0);
    return whole;
}

/* Complete with this data, and nothing read behind it. */
static void good(const char *text, const char *data) {
    char longer[256];
    snprintf(longer, sizeof longer, "%sGET", text);
    struct outcome found = outcome_of(longer, ROOM);
    CHECK(found.state == HTTP_CHUNKS_COMPLETE);
    CHECK(found.read == strlen(text));
    CHECK(found.size == strlen(data) && memcmp(found.data, data, found.size) == 0);
}

/* Malformed at its last byte. */
static void bad(const char *text) {
    struct outcome found = outcome_of(text, ROOM);
    CHECK(found.state == HTTP_CHUNKS_MALFORMED);
    CHECK(found.read == strlen(text) - 1);
}

static void test_bodies(void) {
    good("0\r\n\r\n", "");
    good("000\r\n\r\n", "");
    good("5\r\nhello\r\n0\r\n\r\n", "hello");
    good("00000000000000000000005\r\nhello\r\n0\r\n\r\n", "hello");
    good("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello");
    good("A\r\n\r\n0\r\n\r\n\r\n0\r\n0\r\n\r\n", "\r\n0\r\n\r\n\r\n0");
    good("a;b=\"c\xff\";d\r\n0123456789\r\n0;e\r\n\r\n", "0123456789");
    good("0\r\nA: b\r\nC:\td\xff\r\nE:\r\n\r\n", "");
}

static void test_malformed(void) {
    bad("\r");
    bad(";");
    bad(" ");
    bad("-");
    bad("0x");
    bad("g");
    bad("5\n");
    bad("5 ");
    bad("5\r\r");
    bad("5;\n");
    bad("5;a\x01");
    bad("5;a\x7f");
    bad("5\r\nhellox");
    bad("5\r\nhello\n");
    bad("5\r\nhello\rx");
    bad("5\r\nhello\r\n\r");
    bad("10000000000000000"); /* above 64 bits */
    bad("0\r\n\n");
    bad("0\r\n ");
    bad("0\r\n:");
    bad("0\r\nA ");
    bad("0\r\nA\r");
    bad("0\r\nA: b\n");
    bad("0\r\nA: b\rc");
    bad("0\r\nA: \x01");
    bad("0\r\n\rx");
}

static void test_room(void) {
    CHECK(outcome_of("3e8\r\n", ROOM).state == HTTP_CHUNKS_DATA);
    CHECK(outcome_of("3e9\r\n", ROOM).state == HTTP_CHUNKS_TOO_LARGE);
    CHECK(outcome_of("3e9\r\n", ROOM).read == 4);
    CHECK(outcome_of("ffffffffffffffff\r\n", ROOM).state == HTTP_CHUNKS_TOO_LARGE);
    CHECK(outcome_of("2\r\nab\r\n1\r\n", 3).state == HTTP_CHUNKS_DATA);
    CHECK(outcome_of("2\r\nab\r\n2\r\n", 3).state == HTTP_CHUNKS_TOO_LARGE);
    CHECK(outcome_of("0\r\n", 0).state == HTTP_CHUNKS_TRAILER);
    CHECK(outcome_of("4000000000000000\r\nab", HTTP_CHUNKS_UNLIMITED).size == 2);
    CHECK(outcome_of("4000000000000001\r\nab", HTTP_CHUNKS_UNLIMITED).state == HTTP_CHUNKS_TOO_LARGE);
}

/* A body of one byte with an extension so long that there are so many bytes of framing before the data. */
static struct outcome with_framing(size_t framing, uint64_t room) {
    static char text[HTTP_CHUNKS_SPARE + 100];
    CHECK(framing + 10 < sizeof text);
    memset(text, 'x', framing);
    memcpy(text, "1;", 2);
    strcpy(text + framing - 2, "\r\na\r\n0\r\n\r\n");
    return outcome_of(text, room);
}

static void test_framing(void) {
    CHECK(with_framing(HTTP_CHUNKS_SPARE, ROOM).state == HTTP_CHUNKS_COMPLETE);
    CHECK(with_framing(HTTP_CHUNKS_SPARE + 1, ROOM).state == HTTP_CHUNKS_WASTEFUL);
    CHECK(with_framing(HTTP_CHUNKS_SPARE + 1, ROOM).read == HTTP_CHUNKS_SPARE);
    CHECK(with_framing(HTTP_CHUNKS_SPARE + 80, HTTP_CHUNKS_UNLIMITED).state == HTTP_CHUNKS_COMPLETE);
    struct http_chunks chunks;
    struct outcome found;
    http_chunks_begin(&chunks, 100000);
    for (int i = 0; i < 20000; i++) { /* no chunk is too small */
        found.size = 0;
        feed(&chunks, "1\r\nx\r\n", 6, &found);
        CHECK(found.state == HTTP_CHUNKS_SIZE);
    }
}

int main(void) {
    test_bodies();
    test_malformed();
    test_room();
    test_framing();
    return 0;
}
