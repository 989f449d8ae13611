#include "ws.h"

#include <stdlib.h>
#include <string.h>

/* The two fixed bytes of a frame's head, RFC 6455 section 5.2. */
#define FIN 0x80
#define RSV1 0x40
#define RSV2_RSV3 0x30
#define OPCODE 0x0F
#define MASKED 0x80
#define LENGTH 0x7F

#define CONTROL 0x08 /* set in the opcode of a control frame */
#define MASK_SIZE 4
#define FIRST_CAPACITY 512

static int fail(ws_decoder *self, ws_event *event, uint16_t code) {
    ws_decoder_clear(self);
    self->closed = 1;
    *event = (ws_event){.code = code};
    return WS_ERROR;
}

/* ---- the mask ---- */

/* XORs with the mask from its byte `phase` on (section 5.3), eight bytes at a time; the compiler
 * makes vectors of it. */
static void unmask(uint8_t *data, size_t size, const uint8_t *mask, uint32_t phase) {
    uint8_t turned[8];
    uint64_t key;
    size_t words = size / 8;
    for (uint32_t i = 0; i < 8; i++) turned[i] = mask[(phase + i) & 3];
    memcpy(&key, turned, 8);
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, data + i * 8, 8);
        word ^= key;
        memcpy(data + i * 8, &word, 8);
    }
    for (size_t at = words * 8; at < size; at++) data[at] ^= turned[at & 7];
}

/* ---- the head ---- */

/* What the first two bytes can already be refused for; 0: nothing. */
static uint16_t check_start(const ws_decoder *self, const ws_limits *limits, const uint8_t *head) {
    int opcode = head[0] & OPCODE;
    int starts_message = opcode == WS_TEXT || opcode == WS_BINARY;
    if (!(head[1] & MASKED)) return WS_CLOSE_PROTOCOL_ERROR; /* section 5.1 */
    if (head[0] & RSV2_RSV3) return WS_CLOSE_PROTOCOL_ERROR;
    if ((head[0] & RSV1) && !(limits->allow_rsv1 && starts_message)) return WS_CLOSE_PROTOCOL_ERROR;
    if (opcode & CONTROL) { /* section 5.5 */
        if (opcode > WS_PONG || !(head[0] & FIN) || (head[1] & LENGTH) > WS_MAX_CONTROL) return WS_CLOSE_PROTOCOL_ERROR;
        return 0;
    }
    if (opcode > WS_BINARY) return WS_CLOSE_PROTOCOL_ERROR;
    return starts_message == (self->message_opcode != 0) ? WS_CLOSE_PROTOCOL_ERROR : 0; /* section 5.4 */
}

static size_t length_bytes(const uint8_t *head) {
    int length = head[1] & LENGTH;
    return length == 126 ? 2 : length == 127 ? 8 : 0;
}

static uint64_t payload_size(const uint8_t *head) {
    size_t bytes = length_bytes(head);
    uint64_t size = 0;
    if (bytes == 0) return head[1] & LENGTH;
    for (size_t i = 0; i < bytes; i++) size = size << 8 | head[2 + i];
    return size;
}

/* What the announced size can be refused for, on running totals. */
static uint16_t check_size(const ws_decoder *self, const ws_limits *limits, const uint8_t *head) {
    uint64_t size = payload_size(head);
    if (head[0] & CONTROL) return 0;
    if (limits->max_fragments != 0 && self->fragments >= limits->max_fragments) return WS_CLOSE_POLICY;
    if (size > limits->max_message || size > limits->max_message - self->message_size) return WS_CLOSE_TOO_BIG;
    return 0;
}

/* Begins the frame with this complete head. */
static void begin_frame(ws_decoder *self, const uint8_t *head) {
    self->opcode = head[0] & OPCODE;
    self->fin = (head[0] & FIN) != 0;
    if (!(self->opcode & CONTROL)) {
        self->fragments++;
        if (self->opcode != WS_CONTINUATION) {
            self->message_opcode = self->opcode;
            self->compressed = (head[0] & RSV1) != 0;
            self->utf8 = UTF8_ACCEPT;
        }
    }
    memcpy(self->mask, head + 2 + length_bytes(head), MASK_SIZE);
    self->mask_phase = 0;
    self->remaining = payload_size(head);
    self->in_payload = 1;
}

/* The first `needed` bytes of a head, where they lie or from what is held of it; NULL: they have not come. */
static const uint8_t *peek_head(ws_decoder *self, size_t needed, uint8_t **cursor, uint8_t *end) {
    if (self->head_size == 0 && (size_t)(end - *cursor) >= needed) return *cursor;
    while (self->head_size < needed && *cursor < end) self->head[self->head_size++] = *(*cursor)++;
    return self->head_size < needed ? NULL : self->head;
}

/* Reads a head, which may come in pieces; whatever is wrong is seen as soon as its bytes are there.
 * Returns 1: a frame has begun, 0: more is needed, -1: refused with *code. */
static int read_head(ws_decoder *self, const ws_limits *limits, uint8_t **cursor, uint8_t *end, uint16_t *code) {
    size_t needed = 2;
    const uint8_t *head = peek_head(self, needed, cursor, end);
    if (head == NULL) return 0;
    *code = check_start(self, limits, head);
    if (*code != 0) return -1;
    needed += length_bytes(head);
    head = peek_head(self, needed, cursor, end);
    if (head == NULL) return 0;
    *code = check_size(self, limits, head);
    if (*code != 0) return -1;
    needed += MASK_SIZE;
    head = peek_head(self, needed, cursor, end);
    if (head == NULL) return 0;
    begin_frame(self, head);
    if (self->head_size == 0) *cursor += needed;
    self->head_size = 0;
    return 1;
}

/* ---- control frames ---- */

static int is_close_code(uint16_t code) { /* section 7.4, and the registry that it founded */
    if (code >= 3000) return code <= 4999;
    return code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
}

static int finish_control(ws_decoder *self, uint8_t *data, size_t size, ws_event *event) {
    self->in_payload = 0;
    *event = (ws_event){.data = data, .size = size};
    if (self->opcode != WS_CLOSE) return self->opcode;
    event->code = WS_CLOSE_NO_STATUS;
    if (size == 1) return fail(self, event, WS_CLOSE_PROTOCOL_ERROR);
    if (size != 0) {
        event->code = (uint16_t)(data[0] << 8 | data[1]);
        event->data += 2;
        event->size -= 2;
        if (!is_close_code(event->code)) return fail(self, event, WS_CLOSE_PROTOCOL_ERROR);
        if (utf8_feed(UTF8_ACCEPT, event->data, event->size) != UTF8_ACCEPT) return fail(self, event, WS_CLOSE_INVALID_TEXT);
    }
    self->closed = 1;
    return WS_CLOSE;
}

static int read_control(ws_decoder *self, uint8_t **cursor, size_t size, ws_event *event) {
    uint8_t *data = *cursor;
    *cursor += size;
    self->remaining -= size;
    if (self->remaining == 0 && self->control_size == 0) return finish_control(self, data, size, event);
    if (self->control == NULL) self->control = malloc(WS_MAX_CONTROL);
    if (self->control == NULL) return fail(self, event, WS_CLOSE_TOO_BIG);
    memcpy(self->control + self->control_size, data, size);
    self->control_size = (uint8_t)(self->control_size + size);
    if (self->remaining != 0) return WS_NEED_MORE;
    self->handed_out = 1;
    return finish_control(self, self->control, self->control_size, event);
}

/* ---- data frames ---- */

static int finish_message(ws_decoder *self, uint8_t *data, size_t size, ws_event *event) {
    int opcode = self->message_opcode;
    if (opcode == WS_TEXT && self->utf8 != UTF8_ACCEPT) return fail(self, event, WS_CLOSE_INVALID_TEXT);
    *event = (ws_event){.data = data, .size = size, .compressed = self->compressed};
    self->message_opcode = 0;
    self->fragments = 0;
    return opcode;
}

/* Makes room by doubling, never by what the peer announced. */
static int append(ws_decoder *self, const uint8_t *data, size_t size) {
    size_t needed = self->message_size + size;
    if (needed > self->message_capacity) {
        size_t capacity = self->message_capacity * 2;
        if (capacity < needed) capacity = needed;
        if (capacity < FIRST_CAPACITY) capacity = FIRST_CAPACITY;
        uint8_t *grown = realloc(self->message, capacity);
        if (grown == NULL) return -1;
        self->message = grown;
        self->message_capacity = capacity;
    }
    if (size != 0) memcpy(self->message + self->message_size, data, size);
    self->message_size = needed;
    return 0;
}

static int read_data(ws_decoder *self, uint8_t **cursor, size_t size, ws_event *event) {
    uint8_t *data = *cursor;
    *cursor += size;
    self->remaining -= size;
    if (self->message_opcode == WS_TEXT && !self->compressed) {
        self->utf8 = utf8_feed(self->utf8, data, size);
        if (self->utf8 == UTF8_REJECT) return fail(self, event, WS_CLOSE_INVALID_TEXT);
    }
    int last = self->remaining == 0;
    if (last) self->in_payload = 0;
    if (last && self->fin && self->message_size == 0) return finish_message(self, data, size, event); /* where it lies */
    if (append(self, data, size) < 0) return fail(self, event, WS_CLOSE_TOO_BIG);
    if (!last || !self->fin) return WS_NEED_MORE;
    self->handed_out = 1;
    return finish_message(self, self->message, self->message_size, event);
}

/* ---- the decoder ---- */

/* Frees what the last event pointed to; the other kind of frame may still be under way. */
static void free_handed_out(ws_decoder *self) {
    self->handed_out = 0;
    if (self->control_size != 0) {
        free(self->control);
        self->control = NULL;
        self->control_size = 0;
    } else {
        free(self->message);
        self->message = NULL;
        self->message_size = self->message_capacity = 0;
    }
}

int ws_decode(ws_decoder *self, const ws_limits *limits, uint8_t **cursor, uint8_t *end, ws_event *event) {
    if (self->handed_out) free_handed_out(self);
    while (!self->closed) {
        uint16_t code;
        if (!self->in_payload) {
            int begun = read_head(self, limits, cursor, end, &code);
            if (begun == 0) return WS_NEED_MORE;
            if (begun < 0) return fail(self, event, code);
        }
        size_t size = (size_t)(end - *cursor);
        if (size > self->remaining) size = (size_t)self->remaining;
        if (size == 0 && self->remaining != 0) return WS_NEED_MORE;
        unmask(*cursor, size, self->mask, self->mask_phase);
        self->mask_phase = (self->mask_phase + (uint32_t)size) & 3;
        int kind = self->opcode & CONTROL ? read_control(self, cursor, size, event) : read_data(self, cursor, size, event);
        if (kind != WS_NEED_MORE) return kind;
    }
    *cursor = end;
    return WS_NEED_MORE;
}

void ws_decoder_clear(ws_decoder *self) {
    free(self->message);
    free(self->control);
    *self = (ws_decoder){0};
}

size_t ws_decoder_held(const ws_decoder *self) {
    return self->message_capacity + (self->control != NULL ? WS_MAX_CONTROL : 0);
}

size_t ws_write_header(uint8_t *out, int opcode, int rsv1, uint64_t size) {
    size_t head = ws_header_size(size);
    out[0] = (uint8_t)(FIN | (rsv1 ? RSV1 : 0) | opcode);
    if (head == 2) {
        out[1] = (uint8_t)size;
        return head;
    }
    out[1] = head == 4 ? 126 : 127;
    for (size_t i = head; i > 2; i--, size >>= 8) out[i - 1] = (uint8_t)size;
    return head;
}
