/* ws.c against a reader of the whole stream at once; the decoder gets it whole, byte by byte and in pieces.
 *
 * The first three bytes are the limits and the size of the pieces; what follows is the stream itself, or four bytes a
 * frame from which frames are built that are mostly in order. Each piece lies in a block of exactly its size.
 */
#include "check.h"
#include "ws.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 2048
#define MAX_STREAM 65536

typedef struct event {
    int kind;
    uint16_t code;
    uint8_t compressed;
    size_t start; /* of its data in `bytes` */
    size_t size;
} event;

typedef struct events {
    event list[MAX_EVENTS];
    size_t count;
    uint8_t bytes[MAX_STREAM];
    size_t size;
} events;

static event *add(events *to, int kind, uint16_t code, const uint8_t *data, size_t size) {
    CHECK(to->count < MAX_EVENTS && to->size + size <= MAX_STREAM);
    to->list[to->count] = (event){.kind = kind, .code = code, .start = to->size, .size = size};
    if (size != 0) memcpy(to->bytes + to->size, data, size);
    to->size += size;
    return &to->list[to->count++];
}

/* ---- the reader of the whole stream ---- */

typedef struct frame {
    int fin, rsv, opcode, masked;
    uint64_t size;
    uint8_t *payload; /* owned, unmasked, as much of it as there is */
    size_t there;
} frame;

typedef struct reader {
    const ws_limits *limits;
    events *found;
    uint8_t message[MAX_STREAM];
    size_t message_size;
    int opcode; /* 0: no message under way */
    int compressed;
    uint32_t frames;
} reader;

static int is_text(const uint8_t *data, size_t size, int whole) {
    utf8_state state = utf8_feed(UTF8_ACCEPT, data, size);
    return whole ? state == UTF8_ACCEPT : state != UTF8_REJECT;
}

static int fail(reader *self, uint16_t code) {
    add(self->found, WS_ERROR, code, NULL, 0);
    return 0;
}

/* The rules on the first two bytes, RFC 6455 sections 5.1, 5.2, 5.4 and 5.5. */
static int is_in_order(const reader *self, const frame *got) {
    if (!got->masked || (got->rsv & 3)) return 0;
    switch (got->opcode) {
    case WS_CONTINUATION: return self->opcode != 0 && got->rsv == 0;
    case WS_TEXT:
    case WS_BINARY: return self->opcode == 0 && (got->rsv == 0 || self->limits->allow_rsv1);
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG: return got->fin && got->rsv == 0 && got->size <= WS_MAX_CONTROL;
    default: return 0;
    }
}

static int is_known_code(int code) {
    if (code == 1004 || code == 1005 || code == 1006) return 0;
    return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* Each returns whether reading goes on. */
static int read_close(reader *self, const frame *got) {
    if (got->size == 0) {
        add(self->found, WS_CLOSE, WS_CLOSE_NO_STATUS, NULL, 0);
        return 0;
    }
    int code = got->size == 1 ? 0 : got->payload[0] << 8 | got->payload[1];
    if (!is_known_code(code)) return fail(self, WS_CLOSE_PROTOCOL_ERROR);
    if (!is_text(got->payload + 2, (size_t)got->size - 2, 1)) return fail(self, WS_CLOSE_INVALID_TEXT);
    add(self->found, WS_CLOSE, (uint16_t)code, got->payload + 2, (size_t)got->size - 2);
    return 0;
}

static int read_control(reader *self, const frame *got) {
    if (got->there < got->size) return 0;
    if (got->opcode == WS_CLOSE) return read_close(self, got);
    add(self->found, got->opcode, 0, got->payload, (size_t)got->size);
    return 1;
}

static int read_data(reader *self, const frame *got) {
    if (got->opcode != WS_CONTINUATION) {
        self->opcode = got->opcode;
        self->compressed = got->rsv != 0;
    }
    if (got->there != 0) memcpy(self->message + self->message_size, got->payload, got->there);
    self->message_size += got->there;
    int ends = got->fin && got->there == got->size;
    if (self->opcode == WS_TEXT && !self->compressed && !is_text(self->message, self->message_size, ends)) {
        return fail(self, WS_CLOSE_INVALID_TEXT);
    }
    if (got->there < got->size) return 0;
    if (!ends) return 1;
    add(self->found, self->opcode, 0, self->message, self->message_size)->compressed = (uint8_t)self->compressed;
    self->opcode = 0;
    self->frames = 0;
    self->message_size = 0;
    return 1;
}

/* Reads the frame at *at and moves behind it. */
static int read_frame(reader *self, const uint8_t *data, size_t size, size_t *at) {
    const uint8_t *head = data + *at;
    size_t left = size - *at;
    if (left < 2) return 0;
    frame got = {.fin = head[0] >> 7, .rsv = head[0] >> 4 & 7, .opcode = head[0] & 15, .masked = head[1] >> 7};
    size_t extra = (head[1] & 127) == 126 ? 2 : (head[1] & 127) == 127 ? 8 : 0;
    got.size = head[1] & 127;
    if (!is_in_order(self, &got)) return fail(self, WS_CLOSE_PROTOCOL_ERROR);
    if (left < 2 + extra) return 0;
    if (extra != 0) got.size = 0;
    for (size_t i = 0; i < extra; i++) got.size = got.size * 256 + head[2 + i];
    if (got.opcode < WS_CLOSE) {
        uint32_t most = self->limits->max_fragments;
        if (most != 0 && self->frames == most) return fail(self, WS_CLOSE_POLICY);
        if (got.size > self->limits->max_message) return fail(self, WS_CLOSE_TOO_BIG);
        if (self->message_size + got.size > self->limits->max_message) return fail(self, WS_CLOSE_TOO_BIG);
    }
    if (left < 2 + extra + 4) return 0;
    self->frames += got.opcode < WS_CLOSE;
    const uint8_t *mask = head + 2 + extra;
    const uint8_t *payload = mask + 4;
    left -= 2 + extra + 4;
    got.there = left < got.size ? left : (size_t)got.size;
    got.payload = malloc(got.there + 1);
    for (size_t i = 0; i < got.there; i++) got.payload[i] = payload[i] ^ mask[i % 4];
    int goes_on = got.opcode < WS_CLOSE ? read_data(self, &got) : read_control(self, &got);
    free(got.payload);
    *at += 2 + extra + 4 + got.there;
    return goes_on;
}

static void read_all(const ws_limits *limits, const uint8_t *data, size_t size, events *found) {
    static reader self;
    memset(&self, 0, sizeof(self));
    self.limits = limits;
    self.found = found;
    size_t at = 0;
    while (read_frame(&self, data, size, &at)) {}
}

/* ---- the decoder ---- */

static void decode_piece(
    ws_decoder *decoder, const ws_limits *limits, const uint8_t *data, size_t size, events *found
) {
    uint8_t *piece = malloc(size);
    uint8_t *cursor = piece;
    memcpy(piece, data, size);
    for (;;) {
        ws_event got = {0};
        int kind = ws_decode(decoder, limits, &cursor, piece + size, &got);
        CHECK(ws_decoder_held(decoder) <= 2 * limits->max_message + 512 + WS_MAX_CONTROL);
        if (kind == WS_NEED_MORE) break;
        add(found, kind, got.code, got.data, got.size)->compressed = got.compressed;
    }
    CHECK(cursor == piece + size);
    free(piece);
}

static void compare(const events *expected, const events *found) {
    CHECK(found->count == expected->count);
    for (size_t i = 0; i < found->count; i++) {
        const event *a = &expected->list[i];
        const event *b = &found->list[i];
        CHECK(a->kind == b->kind && a->code == b->code && a->size == b->size && a->compressed == b->compressed);
        CHECK(memcmp(expected->bytes + a->start, found->bytes + b->start, a->size) == 0);
    }
}

static void decode(const ws_limits *limits, const uint8_t *data, size_t size, size_t step, const events *expected) {
    static events found;
    ws_decoder decoder = {0};
    found.count = found.size = 0;
    for (size_t at = 0; at < size; at += step) {
        decode_piece(&decoder, limits, data + at, size - at < step ? size - at : step, &found);
    }
    compare(expected, &found);
    ws_decoder_clear(&decoder);
    CHECK(ws_decoder_held(&decoder) == 0);
}

/* ---- building ---- */

static size_t put_head(uint8_t *out, uint8_t first, size_t size, int form) {
    size_t extra = size > 65535 || form == 2 ? 8 : size > 125 || form == 1 ? 2 : 0;
    out[0] = first;
    out[1] = 0x80 | (extra == 8 ? 127 : extra == 2 ? 126 : (uint8_t)size);
    for (size_t i = 0; i < extra; i++) out[2 + i] = (uint8_t)((uint64_t)size >> 8 * (extra - 1 - i));
    return 2 + extra;
}

static void fill(uint8_t *out, size_t size, uint8_t how) {
    static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
    for (size_t i = 0; i < size; i++) {
        out[i] = how % 4 == 3 ? (uint8_t)(how + i * 37) : (uint8_t)text[i % (sizeof(text) - 1)];
    }
    if (how % 4 == 1 && size > 1) {
        out[0] = 3;
        out[1] = (uint8_t)(0xE8 + how / 16);
    }
}

/* The first byte of a frame, most often one that is in its place: `inside` a message a continuation or a control. */
static uint8_t first_byte(uint8_t how, int inside) {
    static const uint8_t starts[] = {0x81, 0x01, 0x02, 0x82, 0x89, 0x8A, 0xC1, 0x41, 0x01, 0x88};
    static const uint8_t goes_on[] = {0x00, 0x00, 0x80, 0x80, 0x89, 0x8A, 0x00, 0x80, 0x89, 0x88};
    static const uint8_t wrong[] = {0x83, 0x07, 0xC9, 0xC0, 0x40, 0x8B, 0x91, 0xA2, 0x08, 0x80, 0x81};
    if (how >= 245) return wrong[how - 245];
    return (inside ? goes_on : starts)[how % sizeof(starts)];
}

/* One frame of four bytes: its first byte, what is in it, how large it is, its mask. */
static size_t put_frame(uint8_t *out, const uint8_t *from, int *inside) {
    uint8_t first = first_byte(from[0], *inside);
    size_t size = from[2] < 200 ? from[2] % 64 : (size_t)(from[2] - 200) * 7;
    if (first >= 0x88 && from[0] < 240) size %= WS_MAX_CONTROL + 1;
    size_t head = put_head(out, first, size, first < 0x88 && from[3] % 8 == 0 ? from[3] >> 6 : 0);
    if ((first & 0x0F) < WS_CLOSE) *inside = first < 0x80;
    uint8_t mask[4] = {from[3], (uint8_t)(from[3] * 3), (uint8_t)(from[3] * 7), (uint8_t)(from[3] >> 3)};
    memcpy(out + head, mask, 4);
    fill(out + head + 4, size, from[1]);
    for (size_t i = 0; i < size; i++) out[head + 4 + i] ^= mask[i % 4];
    return head + 4 + size;
}

static size_t build(uint8_t *out, const uint8_t *from, size_t size) {
    size_t made = 0;
    int inside = 0;
    for (; size >= 4 && made + 512 < MAX_STREAM; from += 4, size -= 4) made += put_frame(out + made, from, &inside);
    if (size != 0) memcpy(out + made, from, size);
    return made + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t stream[MAX_STREAM];
    static events expected;
    if (size < 3) return 0;
    ws_limits limits = {.max_message = (uint64_t)data[0] * 4, .max_fragments = data[1] % 8, .allow_rsv1 = data[1] >> 7};
    size_t step = 2 + data[2] / 2;
    size_t made = data[1] & 64 ? build(stream, data + 3, size - 3 < 1200 ? size - 3 : 1200) : size - 3;
    if (!(data[1] & 64) && made > MAX_STREAM) return 0;
    if (!(data[1] & 64) && made != 0) memcpy(stream, data + 3, made);
    expected.count = expected.size = 0;
    read_all(&limits, stream, made, &expected);
    decode(&limits, stream, made, made + 1, &expected);
    decode(&limits, stream, made, 1, &expected);
    decode(&limits, stream, made, step, &expected);
    return 0;
}
