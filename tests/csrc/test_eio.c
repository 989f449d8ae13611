/* eio.c: the packets of each form of payload, what is refused and where, and the largest bodies. */
#include "eio.h"

#include "check.h"
#include "no_memory.h"

#include <string.h>

#define LARGE 1000000

/* What a walk found, one after the other: [packet] for text, <packet> for binary. */
static char seen[256];

/* Walks a copy of exactly its size, so that a read beyond it is seen; the status of the end. */
static int walk(const char *body, size_t size, int form) {
    uint8_t *exact = malloc(size);
    if (size) memcpy(exact, body, size);
    eio_payload payload = eio_open(exact, size, form);
    eio_packet packet;
    char *out = seen;
    int status;
    while ((status = eio_next(&payload, &packet)) == EIO_PACKET) {
        CHECK(packet.size > 0 && packet.data >= exact && packet.data + packet.size <= exact + size);
        *out++ = packet.is_binary ? '<' : '[';
        memcpy(out, packet.data, packet.size);
        out += packet.size;
        *out++ = packet.is_binary ? '>' : ']';
    }
    *out = 0;
    for (int i = 0; i < 3; i++) CHECK(eio_next(&payload, &packet) == status);
    free(exact);
    return status;
}

typedef struct body {
    const char *bytes;
    size_t size;
    int status;
    const char *packets;
} body;

#define BODY(bytes, status, packets) {bytes, sizeof(bytes) - 1, status, packets}

static void check_all(const body *bodies, size_t count, int form) {
    for (size_t i = 0; i < count; i++) {
        int status = walk(bodies[i].bytes, bodies[i].size, form);
        if (status != bodies[i].status || strcmp(seen, bodies[i].packets) != 0) {
            fprintf(stderr, "form %d, body %zu: status %d, packets %s\n", form, i, status, seen);
            abort();
        }
    }
}

#define CHECK_ALL(bodies, form) check_all(bodies, sizeof(bodies) / sizeof(*bodies), form)

static void test_4(void) {
    static const body bodies[] = {
        BODY("2", EIO_END, "[2]"),
        BODY("4hello\x1e" "2\x1e" "bAQID", EIO_END, "[4hello][2][bAQID]"),
        BODY("4\xF0\x9F\x98\x80\x1e" "4\xC3\xA9", EIO_END, "[4\xF0\x9F\x98\x80][4\xC3\xA9]"),
        BODY("4\0a\x1e" "6", EIO_END, "[4"), /* a NUL is a character like others; `seen` shows less of it */
        BODY("", EIO_EMPTY, ""),
        BODY("\x1e", EIO_EMPTY, ""),
        BODY("\x1e" "2", EIO_EMPTY, ""),
        BODY("2\x1e", EIO_EMPTY, "[2]"),
        BODY("2\x1e\x1e" "2", EIO_EMPTY, "[2]"),
        BODY("2\x1e" "4\xFF\x1e" "2", EIO_BAD_TEXT, "[2]"),
        BODY("4\xE2\x82\x1e\xAC", EIO_BAD_TEXT, ""), /* a separator inside a character */
        BODY("4\xF0\x9F\x98", EIO_BAD_TEXT, ""),
        BODY("4\xED\xA0\x80", EIO_BAD_TEXT, ""), /* half a surrogate pair */
    };
    CHECK_ALL(bodies, EIO_4);
}

#define ZEROS_31 "0000000000000000000000000000000"

static void test_3_text(void) {
    static const body bodies[] = {
        BODY("2:40", EIO_END, "[40]"),
        BODY("13:42[\"echo\",11]1:2", EIO_END, "[42[\"echo\",11]][2]"),
        BODY("13:42[\"echo\",1]1:2", EIO_BAD_LENGTH, "[42[\"echo\",1]1]"),
        BODY("002:40", EIO_END, "[40]"),
        BODY(ZEROS_31 "2:40", EIO_END, "[40]"),
        BODY("0" ZEROS_31 "2:40", EIO_BAD_LENGTH, ""),
        BODY("1:20:1:3", EIO_END, "[2][3]"), /* 0: is no packet */
        BODY("0:", EIO_END, ""),
        BODY("3:4\xF0\x9F\x98\x80" "1:2", EIO_END, "[4\xF0\x9F\x98\x80][2]"),
        BODY("3:4\xE2\x82\xAC\xC3\xA9" "1:2", EIO_END, "[4\xE2\x82\xAC\xC3\xA9][2]"),
        BODY("2:4\xF0\x9F\x98\x80", EIO_SPLIT_LENGTH, ""),
        BODY("1:22:4\xF0\x9F\x98\x80", EIO_SPLIT_LENGTH, "[2]"),
        BODY("4:4\xF0\x9F\x98\x80", EIO_LONG_LENGTH, ""),
        BODY("", EIO_EMPTY, ""),
        BODY("999:4", EIO_LONG_LENGTH, ""),
        BODY("3:40", EIO_LONG_LENGTH, ""),
        BODY("1:2" "1:", EIO_LONG_LENGTH, "[2]"),
        BODY("99999999999999999999999999999999:4", EIO_LONG_LENGTH, ""),
        BODY("18446744073709551618:40", EIO_LONG_LENGTH, ""), /* 2^64 + 2 */
        BODY("1e3:4", EIO_BAD_LENGTH, ""),
        BODY("0x1:4", EIO_BAD_LENGTH, ""),
        BODY("+1:4", EIO_BAD_LENGTH, ""),
        BODY("-1:4", EIO_BAD_LENGTH, ""),
        BODY(" 1:4", EIO_BAD_LENGTH, ""),
        BODY("1 :4", EIO_BAD_LENGTH, ""),
        BODY("1.0:4", EIO_BAD_LENGTH, ""),
        BODY("/:4", EIO_BAD_LENGTH, ""), /* what stands before 0 */
        BODY(":4", EIO_BAD_LENGTH, ""),
        BODY("1", EIO_BAD_LENGTH, ""),
        BODY("1:2" "4", EIO_LONG_LENGTH, "[2]"),
        BODY("40", EIO_LONG_LENGTH, ""),
        BODY("2:4\xC0", EIO_BAD_TEXT, ""),
        BODY("2:4\xE2\x82", EIO_BAD_TEXT, ""),
        BODY("1:4\x80", EIO_BAD_TEXT, ""),
        BODY("1:\x80", EIO_LONG_LENGTH, ""),
    };
    CHECK_ALL(bodies, EIO_3_TEXT);
}

static void test_3_binary(void) {
    static const body bodies[] = {
        BODY("\0\1\xFF" "2", EIO_END, "[2]"),
        BODY("\1\4\xFF\4abc\0\1\xFF" "2", EIO_END, "<\4abc>[2]"),
        BODY("\1\1\2\xFF\4abcdefghijk", EIO_END, "<\4abcdefghijk>"),
        BODY("\0\0\0\3\xFF" "4\xC3\xA9", EIO_END, "[4\xC3\xA9]"), /* the length is in bytes */
        BODY("\1\2\xFF\4\xFF", EIO_END, "<\4\xFF>"),
        BODY("", EIO_EMPTY, ""),
        BODY("\0\0\xFF", EIO_EMPTY, ""),
        BODY("\1\0\xFF", EIO_EMPTY, ""),
        BODY("\2\1\xFF" "2", EIO_BAD_KIND, ""),
        BODY("\0\1\xFF" "2" "\xFF\1\xFF" "2", EIO_BAD_KIND, "[2]"),
        BODY("\1", EIO_BAD_LENGTH, ""),
        BODY("\1\xFF" "2", EIO_BAD_LENGTH, ""),
        BODY("\1\1", EIO_BAD_LENGTH, ""),
        BODY("\1\1" "2", EIO_BAD_LENGTH, ""),
        BODY("\1" "1\xFF" "2", EIO_BAD_LENGTH, ""), /* digits as characters */
        BODY("\1\x0A\xFF" "2234567890", EIO_BAD_LENGTH, ""),
        BODY("\1\2\xFF\4", EIO_LONG_LENGTH, ""),
        BODY("\1\3\xFF\4a", EIO_LONG_LENGTH, ""),
        BODY("\1\1\xFF", EIO_LONG_LENGTH, ""),
        BODY("\1\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\11\xFF\4", EIO_LONG_LENGTH, ""),
        BODY("\0\2\xFF" "4\xFF", EIO_BAD_TEXT, ""),
        BODY("\0\2\xFF" "4\xC3\0\1\xFF" "2", EIO_BAD_TEXT, ""),
    };
    CHECK_ALL(bodies, EIO_3_BINARY);
}

/* 400 digits, none of which makes the number too large (E42). */
static void test_many_digits(void) {
    char text[400 + 2], binary[1 + 400 + 2];
    memset(text, '0', sizeof(text));
    memcpy(text + 400, ":2", 2);
    CHECK(walk(text, sizeof(text), EIO_3_TEXT) == EIO_BAD_LENGTH);
    memset(binary, 0, sizeof(binary));
    memcpy(binary + 401, "\xFF" "2", 2);
    CHECK(walk(binary, sizeof(binary), EIO_3_BINARY) == EIO_BAD_LENGTH);
}

/* How many packets there are; no memory may be had meanwhile. */
static size_t count(const uint8_t *body, size_t size, int form, int *status) {
    eio_payload payload = eio_open(body, size, form);
    eio_packet packet;
    size_t packets = 0;
    fail_allocation(1);
    while ((*status = eio_next(&payload, &packet)) == EIO_PACKET) packets++;
    fail_allocation(0);
    return packets;
}

/* H129: separators alone end at the first. H130: many small packets. And the same of protocol 3. */
static void test_many_packets(void) {
    uint8_t *large = malloc(LARGE);
    int status;
    memset(large, 0x1E, LARGE);
    CHECK(count(large, 900000, EIO_4, &status) == 0 && status == EIO_EMPTY);
    for (size_t i = 0; i < LARGE; i += 2) large[i] = '6';
    CHECK(count(large, 599999, EIO_4, &status) == 300000 && status == EIO_END);
    for (size_t i = 0; i < LARGE / 3 * 3; i++) large[i] = (uint8_t)"1:6"[i % 3];
    CHECK(count(large, 900000, EIO_3_TEXT, &status) == 300000 && status == EIO_END);
    for (size_t i = 0; i < LARGE; i++) large[i] = (uint8_t)"0:"[i % 2];
    CHECK(count(large, LARGE, EIO_3_TEXT, &status) == 0 && status == EIO_END);
    for (size_t i = 0; i < LARGE; i++) large[i] = (uint8_t)"\0\1\xFF" "6"[i % 4];
    CHECK(count(large, LARGE, EIO_3_BINARY, &status) == LARGE / 4 && status == EIO_END);
    free(large);
}

/* One packet of `units` code units as often as the character goes in, and a 2 after it. */
static void check_long_text(const char *character, size_t units, size_t times) {
    size_t width = strlen(character), head = 0;
    uint8_t *large = malloc(32 + width * times);
    head = (size_t)sprintf((char *)large, "%zu:", units * times);
    for (size_t i = 0; i < times; i++) memcpy(large + head + i * width, character, width);
    memcpy(large + head + width * times, "1:2", 3);
    eio_payload payload = eio_open(large, head + width * times + 3, EIO_3_TEXT);
    eio_packet packet;
    CHECK(eio_next(&payload, &packet) == EIO_PACKET);
    CHECK(packet.data == large + head && packet.size == width * times);
    CHECK(eio_next(&payload, &packet) == EIO_PACKET && packet.size == 1 && *packet.data == '2');
    CHECK(eio_next(&payload, &packet) == EIO_END);
    free(large);
}

static void test_long_texts(void) {
    for (size_t times = 1; times < 200; times++) {
        check_long_text("a", 1, times);
        check_long_text("\xC3\xA9", 1, times);
        check_long_text("\xE2\x82\xAC", 1, times);
        check_long_text("\xF0\x9F\x98\x80", 2, times);
        check_long_text("\xF0\x9F\x98\x80" "a\xE2\x82\xAC", 4, times);
    }
    check_long_text("\xF0\x9F\x98\x80", 2, LARGE / 4);
}

static void test_error_texts(void) {
    for (int error = EIO_BAD_KIND; error <= EIO_END; error++) {
        CHECK(strlen(eio_error_text(error)) > 0);
        for (int other = EIO_BAD_KIND; other < error; other++) {
            CHECK(strcmp(eio_error_text(error), eio_error_text(other)) != 0);
        }
    }
}

int main(void) {
    test_4();
    test_3_text();
    test_3_binary();
    test_many_digits();
    test_many_packets();
    test_long_texts();
    test_error_texts();
    return 0;
}
