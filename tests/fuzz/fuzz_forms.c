/* forms.c: any packet with any attachments, in every dialect; what a naive client reads from it is the packet again.
 *
 * The first byte says what a deflater does, the second where the text ends; a byte for the size before each attachment.
 */
#include "check.h"
#include "message.h"
#include "ws.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SPANS 32

typedef struct packets {
    span text;
    span attachments[MAX_SPANS];
    size_t count;
} packets;

typedef struct reader {
    const uint8_t *at;
    const uint8_t *end;
} reader;

/* "Deflated": half of it, or more than all of it. */
static int halve(void *context, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size) {
    *out_size = *(uint8_t *)context & 1 ? size / 2 : size + 1;
    *out = malloc(*out_size + 1);
    CHECK(*out != NULL);
    memset(*out, 'z', *out_size + 1);
    memcpy(*out, data, size / 2);
    return 0;
}

static uint8_t next(reader *self) {
    CHECK(self->at < self->end);
    return *self->at++;
}

static void expect(reader *self, span data) {
    CHECK((size_t)(self->end - self->at) >= data.size);
    CHECK(data.size == 0 || memcmp(self->at, data.data, data.size) == 0);
    self->at += data.size;
}

static size_t sextet(uint8_t letter) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter ? strchr(alphabet, letter) : NULL;
    CHECK(found != NULL);
    return (size_t)(found - alphabet);
}

/* "b" or "b4" and the base64 of the data. */
static void expect_base64(reader *self, span data, uint32_t dialect) {
    size_t bits = 0, held = 0;
    CHECK(next(self) == 'b');
    if (dialect & DIALECT_EIO3) CHECK(next(self) == '4');
    for (size_t i = 0; i < data.size; i++) {
        for (; held < 8; held += 6) bits = bits << 6 | sextet(next(self));
        held -= 8;
        CHECK((bits >> held & 0xFF) == data.data[i]);
        bits &= ((size_t)1 << held) - 1;
    }
    CHECK(bits == 0);
    for (size_t i = 0; i < (3 - data.size % 3) % 3; i++) CHECK(next(self) == '=');
}

static void expect_packet(reader *self, span data, int is_text, uint32_t dialect) {
    if (!is_text && dialect & DIALECT_BASE64) {
        expect_base64(self, data, dialect);
        return;
    }
    if (!is_text && dialect & DIALECT_EIO3) CHECK(next(self) == 4);
    expect(self, data);
}

/* ---- websocket ---- */

static void expect_frame(reader *self, span data, int is_text, uint32_t dialect, uint8_t how) {
    uint8_t head = next(self);
    uint64_t size = next(self);
    int extended = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (extended) size = 0;
    for (; extended; extended--) size = size << 8 | next(self);
    CHECK(size <= (size_t)(self->end - self->at));
    CHECK((head & 0x8F) == (is_text || dialect & DIALECT_BASE64 ? 0x81 : 0x82));
    if (head & 0x40) {
        CHECK(dialect & DIALECT_DEFLATE && how & 1);
        self->at += size;
        return;
    }
    reader payload = {self->at, self->at + size};
    expect_packet(&payload, data, is_text, dialect);
    CHECK(payload.at == payload.end);
    self->at = payload.end;
}

/* ---- polling ---- */

/* The code units of what begins with each byte: by definition, not by valid UTF-8 alone. */
static size_t units_of(span text) {
    size_t units = 0;
    for (size_t i = 0; i < text.size; i++) units += text.data[i] < 0x80 || text.data[i] >= 0xC0 ? 1 : 0;
    for (size_t i = 0; i < text.size; i++) units += text.data[i] >= 0xF0;
    return units;
}

static void expect_in_payload(reader *self, span data, int is_text, uint32_t dialect) {
    size_t size = 0;
    uint8_t digit;
    if (!(dialect & DIALECT_EIO3)) {
        expect_packet(self, data, is_text, dialect);
        CHECK(next(self) == 0x1E);
        return;
    }
    int is_binary_payload = !(dialect & DIALECT_BASE64);
    if (is_binary_payload) CHECK(next(self) == !is_text);
    while ((digit = next(self)) != (is_binary_payload ? 255 : ':')) size = size * 10 + digit - (is_binary_payload ? 0 : '0');
    const uint8_t *start = self->at;
    expect_packet(self, data, is_text, dialect);
    CHECK(size == (is_text && !is_binary_payload ? units_of(data) : (size_t)(self->at - start)));
}

/* ---- the run ---- */

static packets cut(const uint8_t *data, size_t size) {
    packets made = {.text = {data + 1, data[0] % size}};
    const uint8_t *at = data + 1 + made.text.size;
    const uint8_t *end = data + size;
    while (at < end && made.count < MAX_SPANS) {
        size_t left = (size_t)(end - at) - 1;
        size_t wanted = *at++;
        span attachment = {at, wanted < 200 && wanted < left ? wanted : left};
        made.attachments[made.count++] = attachment;
        at += attachment.size;
    }
    return made;
}

static void check_dialect(message *self, const packets *from, uint32_t dialect, uint8_t *how) {
    const deflater deflater = {halve, how, *how / 2};
    uint32_t asked = dialect_of_pieces(dialect, self->binary);
    span made = message_in(self, asked, &deflater);
    CHECK(made.data != NULL && message_in(self, asked, &deflater).data == made.data);
    reader in = {made.data, made.data + made.size};
    for (size_t i = 0; i <= from->count; i++) {
        span data = i == 0 ? from->text : from->attachments[i - 1];
        if (dialect & DIALECT_POLLING) {
            expect_in_payload(&in, data, i == 0, asked);
        } else {
            expect_frame(&in, data, i == 0, asked, *how);
        }
    }
    CHECK(in.at == in.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    uint8_t how = data[0];
    packets from = cut(data + 1, size - 1);
    message *self = message_packet(from.text, (span){NULL, 0}, from.attachments, from.count);
    CHECK(self != NULL);
    self->compress = how < 224;
    for (uint32_t dialect = 0; dialect < 16; dialect++) check_dialect(self, &from, dialect, &how);
    message_release(self);
    return 0;
}
