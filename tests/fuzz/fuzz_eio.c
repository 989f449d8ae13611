/* eio.c against a reader that takes one character at a time. The first byte of an input chooses the form.
 *
 * Legal outcomes: the same packets as the reader's, in the same order, then the end or an error as the reader has it
 * (which error is not compared), and after that nothing else. A packet lies in the body and is not empty.
 */
#include "check.h"
#include "eio.h"

#include <stdlib.h>
#include <string.h>

/* No NUL can stand here: in a binary payload S stands for it, and L for a length of 1 with its mark. */
const char fuzz_alphabet[] = "0123456SSSSLLL\1\1\2\3\377\377::::1122334b\x1e\x1e\x1e\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC";

typedef struct reader {
    const uint8_t *body;
    size_t size, at;
} reader;

static size_t width_of(uint8_t first) {
    return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* The size of the character here, 0 when there is no valid one (RFC 3629, section 4). */
static size_t character(const uint8_t *at, size_t left) {
    size_t width = left == 0 ? 0 : width_of(*at);
    if (width == 0 || width > left) return 0;
    uint32_t code = width == 1 ? *at : *at & (0xFFu >> (width + 1));
    for (size_t i = 1; i < width; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (at[i] & 0x3F);
    }
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    return code < lowest[width] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? 0 : width;
}

static int is_text(const uint8_t *data, size_t size) {
    while (size > 0) {
        size_t width = character(data, size);
        if (width == 0) return 0;
        data += width;
        size -= width;
    }
    return 1;
}

/* The digits up to the mark, as a number that stops at twice the body's size; -1 without them. */
static int64_t number(reader *self, uint8_t zero, uint8_t mark) {
    int64_t value = 0;
    size_t start = self->at;
    for (; self->at < self->size && self->body[self->at] != mark; self->at++) {
        if (self->body[self->at] < zero || self->body[self->at] - zero > 9) return -1;
        value = value * 10 + (self->body[self->at] - zero);
        if (value > (int64_t)self->size * 2) value = (int64_t)self->size * 2;
    }
    size_t digits = self->at - start;
    if (digits == 0 || digits > EIO_MAX_DIGITS || self->at == self->size) return -1;
    self->at++;
    return value;
}

static int read_4(reader *self, size_t *size) {
    if (self->at == self->size + 1) return EIO_END;
    for (*size = 0; self->at + *size < self->size && self->body[self->at + *size] != 0x1E; ++*size) continue;
    return *size > 0 ? EIO_PACKET : EIO_EMPTY;
}

static int read_3_text(reader *self, size_t *size) {
    int64_t units = 0;
    while (units == 0) {
        if (self->at == self->size) return EIO_END;
        units = number(self, '0', ':');
    }
    *size = 0;
    while (units > 0) {
        size_t width = character(self->body + self->at + *size, self->size - self->at - *size);
        if (width == 0) return EIO_BAD_TEXT;
        units -= width == 4 ? 2 : 1;
        *size += width;
    }
    if (units < 0) return EIO_BAD_LENGTH;
    size_t after = self->at + *size; /* a character goes on as long as continuations come */
    return after < self->size && (self->body[after] & 0xC0) == 0x80 ? EIO_BAD_TEXT : EIO_PACKET;
}

static int read_3_binary(reader *self, size_t *size, int *is_binary) {
    if (self->at == self->size) return EIO_END;
    *is_binary = self->body[self->at++];
    if (*is_binary > 1) return EIO_BAD_KIND;
    int64_t length = number(self, 0, 0xFF);
    if (length <= 0 || length > (int64_t)(self->size - self->at)) return EIO_BAD_LENGTH;
    *size = (size_t)length;
    return EIO_PACKET;
}

static int read_packet(reader *self, int form, eio_packet *packet) {
    size_t size = 0;
    int is_binary = 0;
    if (self->size == 0) return EIO_EMPTY;
    int status = form == EIO_4          ? read_4(self, &size)
                 : form == EIO_3_TEXT ? read_3_text(self, &size)
                                      : read_3_binary(self, &size, &is_binary);
    if (status != EIO_PACKET) return status;
    *packet = (eio_packet){self->body + self->at, size, is_binary};
    self->at += size + (form == EIO_4);
    return is_binary || is_text(packet->data, size) ? EIO_PACKET : EIO_BAD_TEXT;
}

static void compare(const uint8_t *body, size_t size, int form) {
    eio_payload payload = eio_open(body, size, form);
    reader reader = {body, size, 0};
    eio_packet packet, expected;
    int status, wanted;
    do {
        status = eio_next(&payload, &packet);
        wanted = read_packet(&reader, form, &expected);
        CHECK(wanted < 0 ? status < 0 : status == wanted);
        if (status != EIO_PACKET) break;
        CHECK(packet.size > 0 && packet.data == expected.data && packet.size == expected.size);
        CHECK(packet.is_binary == expected.is_binary);
    } while (1);
    CHECK(eio_next(&payload, &packet) == status);
    CHECK(strlen(eio_error_text(status)) > 0);
}

static size_t translate(uint8_t *to, const uint8_t *from, size_t size, int form) {
    size_t made = 0;
    for (size_t i = 0; i < size; i++) {
        if (form == EIO_3_BINARY && from[i] == 'L') {
            to[made++] = 1;
            to[made++] = 0xFF;
        } else {
            to[made++] = form == EIO_3_BINARY && from[i] == 'S' ? 0 : from[i];
        }
    }
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    int form = data[0] % 3;
    uint8_t *wide = malloc(size * 2);
    size_t made = translate(wide, data + 1, size - 1, form);
    uint8_t *body = malloc(made);
    if (made) memcpy(body, wide, made);
    compare(body, made, form);
    free(wide);
    free(body);
    return 0;
}
