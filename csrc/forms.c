#include "forms.h"

#include <stdlib.h>
#include <string.h>

#include "ws.h"

#define TYPE_MESSAGE 4 /* as a byte: Engine.IO 3, binary */
#define SEPARATOR 0x1E /* Engine.IO 4, polling */
#define LENGTH_END 255 /* Engine.IO 3, binary payload */
#define MAX_DIGITS 20  /* of a size_t */

/* ---- reading our own frames: not masked, never fragmented ---- */

typedef struct frame {
    int is_text;
    span payload;
} frame;

static frame next_frame(span *rest) {
    const uint8_t *head = rest->data;
    size_t head_size = ws_header_size(0);
    uint64_t size = head[1];
    if (size >= 126) {
        head_size = size == 126 ? 4 : WS_MAX_HEADER;
        size = 0;
        for (size_t i = 2; i < head_size; i++) size = size << 8 | head[i];
    }
    rest->data += head_size + size;
    rest->size -= head_size + size;
    return (frame){(head[0] & 0x0F) == WS_TEXT, {head + head_size, size}};
}

/* ---- writing ---- */

/* With `out` NULL the bytes are only counted. */
typedef struct writer {
    uint8_t *out;
    size_t size;
} writer;

static void put(writer *to, span bytes) {
    if (to->out != NULL && bytes.size != 0) memcpy(to->out + to->size, bytes.data, bytes.size);
    to->size += bytes.size;
}

static void put_byte(writer *to, uint8_t byte) {
    if (to->out != NULL) to->out[to->size] = byte;
    to->size++;
}

/* The decimal digits, each as `zero` + its value. */
static void put_number(writer *to, size_t number, uint8_t zero) {
    uint8_t digits[MAX_DIGITS];
    size_t at = MAX_DIGITS;
    do digits[--at] = (uint8_t)(zero + number % 10);
    while ((number /= 10) != 0);
    put(to, (span){digits + at, MAX_DIGITS - at});
}

static size_t base64_size(size_t size) {
    return (size + 2) / 3 * 4;
}

/* RFC 4648, section 4. */
static void put_base64(writer *to, span bytes) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (to->out != NULL) {
        uint8_t *out = to->out + to->size;
        for (size_t at = 0; at < bytes.size; at += 3, out += 4) {
            size_t left = bytes.size - at;
            uint32_t bits = (uint32_t)bytes.data[at] << 16;
            if (left > 1) bits |= (uint32_t)bytes.data[at + 1] << 8;
            if (left > 2) bits |= bytes.data[at + 2];
            out[0] = (uint8_t)alphabet[bits >> 18];
            out[1] = (uint8_t)alphabet[bits >> 12 & 63];
            out[2] = (uint8_t)(left > 1 ? alphabet[bits >> 6 & 63] : '=');
            out[3] = (uint8_t)(left > 2 ? alphabet[bits & 63] : '=');
        }
    }
    to->size += base64_size(bytes.size);
}

/* ---- a packet: what a frame holds, without its framing ---- */

static size_t packet_size(const frame *from, uint32_t dialect) {
    size_t size = from->payload.size;
    size_t type = (dialect & DIALECT_EIO3) != 0;
    if (from->is_text) return size;
    return dialect & DIALECT_BASE64 ? 1 + type + base64_size(size) : type + size;
}

static void put_packet(writer *to, const frame *from, uint32_t dialect) {
    if (from->is_text) {
        put(to, from->payload);
    } else if (dialect & DIALECT_BASE64) {
        put_byte(to, 'b');
        if (dialect & DIALECT_EIO3) put_byte(to, '0' + TYPE_MESSAGE);
        put_base64(to, from->payload);
    } else {
        if (dialect & DIALECT_EIO3) put_byte(to, TYPE_MESSAGE);
        put(to, from->payload);
    }
}

/* ---- polling ---- */

/* Of valid UTF-8: a sequence of four bytes is two code units, any other is one. */
static size_t utf16_size(span text) {
    size_t units = 0;
    for (size_t i = 0; i < text.size; i++) {
        units += (text.data[i] & 0xC0) != 0x80;
        units += text.data[i] >= 0xF0;
    }
    return units;
}

static void put_in_payload(writer *to, const frame *from, uint32_t dialect) {
    if (!(dialect & DIALECT_EIO3)) {
        put_packet(to, from, dialect);
        put_byte(to, SEPARATOR);
        return;
    }
    if (dialect & DIALECT_BASE64) {
        put_number(to, from->is_text ? utf16_size(from->payload) : packet_size(from, dialect), '0');
        put_byte(to, ':');
    } else {
        put_byte(to, !from->is_text);
        put_number(to, packet_size(from, dialect), 0);
        put_byte(to, LENGTH_END);
    }
    put_packet(to, from, dialect);
}

/* ---- websocket ---- */

static void put_frame(writer *to, const frame *from, uint32_t dialect) {
    uint8_t head[WS_MAX_HEADER];
    int opcode = from->is_text || dialect & DIALECT_BASE64 ? WS_TEXT : WS_BINARY;
    size_t head_size = ws_write_header(head, opcode, 0, packet_size(from, dialect));
    put(to, (span){head, head_size});
    put_packet(to, from, dialect);
}

/* Replaces the last frame, of `size` bytes of payload, by its deflated form if that is shorter (RFC 7692, section 6). */
static int deflate_last(writer *to, size_t size, const deflater *deflater) {
    uint8_t *payload = to->out + to->size - size;
    uint8_t *head = payload - ws_header_size(size);
    uint8_t *deflated = NULL;
    size_t deflated_size = 0;
    if (deflater->deflate(deflater->context, payload, size, &deflated, &deflated_size) < 0) return -1;
    if (deflated_size < size) {
        to->size = (size_t)(head - to->out) + ws_write_header(head, head[0] & 0x0F, 1, deflated_size);
        put(to, (span){deflated, deflated_size});
    }
    free(deflated);
    return 0;
}

static int put_message(writer *to, const message *self, uint32_t dialect, const deflater *deflater) {
    span rest = {self->bytes, self->size};
    while (rest.size != 0) {
        frame from = next_frame(&rest);
        if (dialect & DIALECT_POLLING) {
            put_in_payload(to, &from, dialect);
            continue;
        }
        put_frame(to, &from, dialect);
        size_t size = packet_size(&from, dialect);
        if (deflater == NULL || size < deflater->threshold) continue;
        if (deflate_last(to, size, deflater) < 0) return -1;
    }
    return 0;
}

/* ---- forms ---- */

static int is_deflated(const message *self, uint32_t dialect, const deflater *deflater) {
    if (!(dialect & DIALECT_DEFLATE) || deflater == NULL || deflater->deflate == NULL || !self->compress) return 0;
    span rest = {self->bytes, self->size};
    while (rest.size != 0) {
        frame from = next_frame(&rest);
        if (packet_size(&from, dialect) >= deflater->threshold) return 1;
    }
    return 0;
}

uint32_t form_needed(const message *self, uint32_t dialect, const deflater *deflater) {
    if (self->raw) return 0;
    if (dialect & DIALECT_POLLING) return dialect & ~(uint32_t)DIALECT_DEFLATE;
    uint32_t needed = self->binary ? dialect & (DIALECT_EIO3 | DIALECT_BASE64) : 0;
    return is_deflated(self, dialect, deflater) ? needed | DIALECT_DEFLATE : needed;
}

form *form_new(uint32_t dialect, size_t size) {
    if (size > SIZE_MAX - sizeof(form)) return NULL;
    form *self = malloc(sizeof(form) + size);
    if (self != NULL) *self = (form){.bytes = {self->own, size}, .dialect = dialect};
    return self;
}

/* Gives back what deflating saved: all of it when it saved nothing at all. */
static form *shrunk(form *self, const message *from, size_t size) {
    int is_same = self->dialect == DIALECT_DEFLATE && size == from->size;
    form *smaller = realloc(self, sizeof(form) + (is_same ? 0 : size));
    if (smaller == NULL) smaller = self; /* too large then, but right */
    smaller->bytes = (span){is_same ? from->bytes : smaller->own, size};
    return smaller;
}

form *form_of(const message *self, uint32_t dialect, const deflater *deflater) {
    writer counted = {NULL, 0};
    put_message(&counted, self, dialect, NULL);
    form *made = form_new(dialect, counted.size);
    if (made == NULL) return NULL;
    writer to = {made->own, 0};
    if (!(dialect & DIALECT_DEFLATE)) {
        put_message(&to, self, dialect, NULL);
        return made;
    }
    if (put_message(&to, self, dialect, deflater) < 0) {
        free(made);
        return NULL;
    }
    return shrunk(made, self, to.size);
}

void forms_free(form *first) {
    while (first != NULL) {
        form *next = first->next;
        free(first);
        first = next;
    }
}
