/* utf8.c: every code point, every refusal at its first bad byte, and long ASCII around it. */
#include "utf8.h"

#include "check.h"

#include <string.h>

static size_t encode(uint8_t *out, uint32_t code, int length) {
    static const uint8_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int i = length - 1; i > 0; i--, code >>= 6) out[i] = (uint8_t)(0x80 | (code & 0x3F));
    out[0] = (uint8_t)(marks[length] | code);
    return (size_t)length;
}

static utf8_state feed(const char *text, size_t size) {
    return utf8_feed(UTF8_ACCEPT, (const uint8_t *)text, size);
}

static int shortest(uint32_t code) {
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* RFC 3629 section 3: no surrogates, nothing above U+10FFFF, only the shortest form. */
static void test_every_code_point(void) {
    for (uint32_t code = 0; code < 0x120000; code++) {
        uint8_t bytes[4];
        int is_valid = code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
        size_t size = encode(bytes, code, shortest(code));
        CHECK(utf8_feed(UTF8_ACCEPT, bytes, size) == (is_valid ? UTF8_ACCEPT : UTF8_REJECT));
        utf8_state state = UTF8_ACCEPT;
        for (size_t i = 0; i < size; i++) {
            state = utf8_feed(state, bytes + i, 1);
            if (is_valid) CHECK((state == UTF8_ACCEPT) == (i + 1 == size) && state != UTF8_REJECT);
        }
        for (int length = shortest(code) + 1; length <= 4; length++) {
            size = encode(bytes, code, length);
            CHECK(utf8_feed(UTF8_ACCEPT, bytes, size) == UTF8_REJECT);
        }
    }
}

/* Each is refused at its last byte and not before. */
static void test_refused_early(void) {
    static const char *const texts[] = {
        "\x80", "\xBF", "\xC0", "\xC1", "\xF5", "\xFF", "\xE0\x9F", "\xED\xA0", "\xF0\x8F", "\xF4\x90", "\xC3(",
        "\xC3\xC3", "\xE2\x82z", "\xE2\x28", "\xF0\x9F\x98(", "\xF1\x80\xC0", "ab\xC3\xA9\x80",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        size_t size = strlen(texts[i]);
        CHECK(feed(texts[i], size - 1) != UTF8_REJECT);
        CHECK(feed(texts[i], size) == UTF8_REJECT);
    }
}

static void test_refused_stays_so(void) {
    utf8_state state = feed("\xFF", 1);
    for (int i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        CHECK(utf8_feed(state, &byte, 1) == UTF8_REJECT);
    }
    CHECK(utf8_feed(state, NULL, 0) == UTF8_REJECT);
    CHECK(utf8_feed(UTF8_ACCEPT, NULL, 0) == UTF8_ACCEPT);
}

/* A bad byte anywhere in a text that is long enough to be looked at in blocks, at any alignment. */
static void test_blocks(void) {
    uint8_t text[200];
    for (size_t start = 0; start < 8; start++) {
        for (size_t size = 0; size + start < sizeof(text); size++) {
            memset(text, 'a', sizeof(text));
            text[start + size] = 0xFF;
            CHECK(utf8_feed(UTF8_ACCEPT, text + start, size) == UTF8_ACCEPT);
            CHECK(utf8_feed(UTF8_ACCEPT, text + start, size + 1) == UTF8_REJECT);
            CHECK(utf8_feed(UTF8_ACCEPT, text + start, sizeof(text) - start) == UTF8_REJECT);
        }
    }
}

int main(void) {
    test_every_code_point();
    test_refused_early();
    test_refused_stays_so();
    test_blocks();
    return 0;
}
