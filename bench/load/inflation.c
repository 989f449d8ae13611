#include "inflation.h"

#include <string.h>
#include <zlib.h>

#include "connection.h"
#include "load.h"

#define KEPT 256              /* messages that some clients have, and others may still get */
#define LONGEST (1024 * 1024) /* text */

typedef struct message {
    bytes packed, text;
} message;

struct inflation {
    z_stream *shared; /* without a context to take over */
    bool agreed, context_takeover;
    uint64_t count; /* messages kept so far; that of number n is in messages[n % KEPT] */
    uint64_t packed_bytes, text_bytes;
    message messages[KEPT];
    uint8_t text[LONGEST];
};

static z_stream *new_context(void) {
    z_stream *context = allocate(1, sizeof(z_stream));
    if (inflateInit2(context, -MAX_WBITS) != Z_OK) fail("inflateInit2");
    return context;
}

inflation *inflation_new(void) {
    inflation *self = allocate(1, sizeof(inflation));
    self->shared = new_context();
    return self;
}

void inflater_reset(inflater *self) {
    if (self->context) inflateReset(self->context);
    self->next = self->count = 0;
}

void inflation_agree(inflation *self, bool context_takeover) {
    if (self->agreed && self->context_takeover != context_takeover) fail("the server agrees to different extensions");
    self->agreed = true;
    self->context_takeover = context_takeover;
}

/* Returns the length of the text. RFC 7692, 7.2.2: the sender left the last four bytes out. */
static size_t inflate_message(inflation *self, z_stream *context, const uint8_t *data, size_t length) {
    static const uint8_t TAIL[] = {0, 0, 0xff, 0xff};
    context->next_out = self->text;
    context->avail_out = LONGEST;
    for (int part = 0; part < 2; part++) {
        context->next_in = (uint8_t *)(part ? TAIL : data);
        context->avail_in = (uInt)(part ? sizeof(TAIL) : length);
        int status = inflate(context, Z_SYNC_FLUSH);
        if ((status != Z_OK && status != Z_BUF_ERROR) || context->avail_in > 0)
            fail("a message that cannot be inflated: %d", status);
    }
    size_t size = LONGEST - context->avail_out;
    self->packed_bytes += length;
    self->text_bytes += size;
    return size;
}

static bool is_message(const inflation *self, uint64_t number, const uint8_t *data, size_t length) {
    const bytes *packed = &self->messages[number % KEPT].packed;
    return packed->length == length && memcmp(packed->data, data, length) == 0;
}

/* The number of the message, which is inflated and kept if it is a new one. */
static uint64_t find_or_add(inflation *self, uint64_t expected, const uint8_t *data, size_t length) {
    uint64_t oldest = self->count > KEPT ? self->count - KEPT : 0;
    if (expected >= oldest && expected < self->count && is_message(self, expected, data, length)) return expected;
    for (uint64_t number = self->count; number-- > oldest;)
        if (is_message(self, number, data, length)) return number;
    message *added = &self->messages[self->count % KEPT];
    added->packed.length = added->text.length = 0;
    inflateReset(self->shared);
    bytes_append(&added->text, self->text, inflate_message(self, self->shared, data, length));
    bytes_append(&added->packed, data, length);
    return self->count++;
}

span inflation_text(inflation *self, inflater *client, const uint8_t *data, size_t length) {
    client->count++;
    if (self->context_takeover) {
        if (client->context == NULL) client->context = new_context();
        return (span){(const char *)self->text, inflate_message(self, client->context, data, length)};
    }
    uint64_t number = find_or_add(self, client->next, data, length);
    const bytes *text = &self->messages[number % KEPT].text;
    client->next = number + 1;
    return (span){(const char *)text->data, text->length};
}

double inflation_ratio(const inflation *self) {
    return self->text_bytes ? (double)self->packed_bytes / (double)self->text_bytes : 0;
}
