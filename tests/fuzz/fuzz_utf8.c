/* utf8.c against a decoder written from the definition, on the whole input and at splits that the input names. */
#include "check.h"
#include "utf8.h"

#include <stdlib.h>

const char fuzz_alphabet[] =
    "a\x7F\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF\xE0\xE1\xEC\xED\xEE\xEF\xF0\xF1\xF3\xF4\xF5\xFF";

/* The bytes of the code point at `at` when one is whole there; 0: none begins there or it is invalid; -1: it is cut
 * off by the end, but could still become valid. RFC 3629, section 3. */
static int code_point(const uint8_t *data, size_t size, size_t at) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = data[at];
    int length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;
    if (length <= 1) return length;
    uint32_t low = first & (0xFFu >> (length + 1));
    uint32_t high = low;
    int missing = 0;
    for (int i = 1; i < length; i++) {
        int is_here = at + (size_t)i < size;
        if (is_here && (data[at + (size_t)i] & 0xC0) != 0x80) return 0;
        uint32_t bits = is_here ? data[at + (size_t)i] & 0x3F : 0;
        missing |= !is_here;
        low = low << 6 | bits;
        high = high << 6 | (is_here ? bits : 0x3F);
    }
    /* Is any code point that could come of it allowed? */
    if (high < smallest[length] || low > 0x10FFFF || (low >= 0xD800 && high <= 0xDFFF)) return 0;
    return missing ? -1 : length;
}

/* 1: valid, 0: invalid whatever follows, -1: valid so far. */
static int judge(const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        int length = code_point(data, size, at);
        if (length <= 0) return length;
        at += (size_t)length;
    }
    return 1;
}

static void check_state(utf8_state state, int expected) {
    CHECK((state == UTF8_ACCEPT) == (expected == 1));
    CHECK((state == UTF8_REJECT) == (expected == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    size_t step = 1 + data[0] % 70; /* more than the blocks that are looked at together */
    utf8_state state = UTF8_ACCEPT;
    data++;
    size--;
    check_state(utf8_feed(UTF8_ACCEPT, data, size), judge(data, size));
    for (size_t at = 0; at < size; at += step) {
        size_t part = size - at < step ? size - at : step;
        state = utf8_feed(state, data + at, part);
        check_state(state, judge(data, at + part));
    }
    CHECK(utf8_feed(state, data, 0) == state);
    return 0;
}
