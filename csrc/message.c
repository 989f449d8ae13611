#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "forms.h"
#include "ws.h"

static message *allocate(size_t size, int raw, int binary) {
    if (size > SIZE_MAX - sizeof(message)) return NULL;
    message *self = malloc(sizeof(message) + size);
    if (self == NULL) return NULL;
    *self = (message){.refs = 1, .raw = (uint8_t)raw, .binary = (uint8_t)binary, .compress = 1, .size = size};
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
    message *self = allocate(size, 0, count != 0);
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

message *message_pieces(const span *pieces, const uint8_t *are_binary, size_t count) {
    size_t size = 0;
    int binary = 0;
    for (size_t i = 0; i < count; i++) {
        size += ws_header_size(pieces[i].size) + pieces[i].size;
        binary |= are_binary[i];
    }
    message *self = allocate(size, 0, binary);
    if (self == NULL) return NULL;
    uint8_t *out = self->bytes;
    for (size_t i = 0; i < count; i++) {
        out += ws_write_header(out, are_binary[i] ? WS_BINARY : WS_TEXT, 0, pieces[i].size);
        out = put(out, pieces[i]);
    }
    return self;
}

message *message_binary(span payload) {
    message *self = allocate(ws_header_size(payload.size) + payload.size, 0, 1);
    if (self != NULL) put(self->bytes + ws_write_header(self->bytes, WS_BINARY, 0, payload.size), payload);
    return self;
}

message *message_raw(span bytes) {
    message *self = allocate(bytes.size, 1, 0);
    if (self != NULL) put(self->bytes, bytes);
    return self;
}

void message_release(message *self) {
    if (--self->refs != 0) return;
    forms_free(self->forms);
    free(self);
}

span message_in(message *self, uint32_t dialect, const deflater *deflater) {
    const span own = {self->bytes, self->size};
    if (dialect == 0) return own;
    dialect = form_needed(self, dialect, deflater);
    if (dialect == 0) return own;
    const form *found = form_find(self->forms, dialect);
    if (found != NULL) return found->bytes;
    form *made = form_of(self, dialect, deflater);
    if (made == NULL) return (span){NULL, 0};
    made->next = self->forms;
    self->forms = made;
    return made->bytes;
}
