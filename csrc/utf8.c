#include "utf8.h"

/* A state inside a sequence says which byte may come next and how many follow it:
 * count of bytes due << 16 | lowest << 8 | highest. RFC 3629, section 4. */
#define DUE(count, lowest, highest) ((utf8_state)(count) << 16 | (utf8_state)(lowest) << 8 | (utf8_state)(highest))

#define BLOCK 32 /* bytes looked at together for ASCII; the compiler makes vectors of it */

static utf8_state first_byte(uint8_t byte) {
    if (byte < 0x80) return UTF8_ACCEPT;
    if (byte < 0xC2) return UTF8_REJECT; /* a continuation, or overlong */
    if (byte < 0xE0) return DUE(1, 0x80, 0xBF);
    if (byte == 0xE0) return DUE(2, 0xA0, 0xBF); /* below: overlong */
    if (byte == 0xED) return DUE(2, 0x80, 0x9F); /* above: surrogates */
    if (byte < 0xF0) return DUE(2, 0x80, 0xBF);
    if (byte == 0xF0) return DUE(3, 0x90, 0xBF); /* below: overlong */
    if (byte < 0xF4) return DUE(3, 0x80, 0xBF);
    if (byte == 0xF4) return DUE(3, 0x80, 0x8F); /* above: > U+10FFFF */
    return UTF8_REJECT;
}

static utf8_state next_byte(utf8_state state, uint8_t byte) {
    if (byte < (state >> 8 & 0xFF) || byte > (state & 0xFF)) return UTF8_REJECT;
    utf8_state due = (state >> 16) - 1;
    return due == 0 ? UTF8_ACCEPT : DUE(due, 0x80, 0xBF);
}

static const uint8_t *skip_ascii(const uint8_t *data, const uint8_t *end) {
    while (end - data >= BLOCK) {
        uint8_t seen = 0;
        for (int i = 0; i < BLOCK; i++) seen |= data[i];
        if (seen & 0x80) break;
        data += BLOCK;
    }
    while (data < end && *data < 0x80) data++;
    return data;
}

utf8_state utf8_feed(utf8_state state, const uint8_t *data, size_t size) {
    const uint8_t *end = data + size;
    while (data < end && state != UTF8_REJECT) {
        if (state != UTF8_ACCEPT) {
            state = next_byte(state, *data++);
        } else if (*data >= 0x80) {
            state = first_byte(*data++);
        } else {
            data = skip_ascii(data, end);
        }
    }
    return state;
}
