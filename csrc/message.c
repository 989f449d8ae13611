#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "ws.h"

static message *allocate(size_t size, uint32_t raw) {
    if (size > SIZE_MAX - sizeof(message)) return NULL;
    message *self = malloc(sizeof(message) + size);
    if (self == NULL) return NULL;
    self->refs = 1;
    self->raw = raw;
    self->size = size;
    return self;
}

static uint8_t *put(uint8_t *out, span bytes) {
    if (bytes.size != 0) memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

message *message_packet(span head, span payload, const span *attachments, size_t count) {
    size_t text = head.size + payload.size;
    size_t size = ws_header_size(text) + text;
    for (size_t i = 0; i < count; i++) size += ws_header_size(attachments[i].size) + attachments[i].size;
    message *self = allocate(size, 0);
    if (self == NULL) return NULL;
    uint8_t *out = self->bytes;
    out += ws_write_header(out, WS_TEXT, 0, text);
    out = put(put(out, head), payload);
    for (size_t i = 0; i < count; i++) {
        out += ws_write_header(out, WS_BINARY, 0, attachments[i].size);
        out = put(out, attachments[i]);
    }
    return self;
}

message *message_raw(span bytes) {
    message *self = allocate(bytes.size, 1);
    if (self != NULL) put(self->bytes, bytes);
    return self;
}

void message_release(message *self) {
    if (--self->refs == 0) free(self);
}
