#include "inflation.h"

#include <string.h>
#include <zlib.h>

#include "connection.h"
#include "load.h"

#define KEPT 256                         /* messages that some clients have, and others may still get */
#define LONGEST (1024 * 1024)            /* text */

typedef struct message {
    bytes packed, text;
} message;

struct inflation {
    z_stream stream;
    bool agreed, context_takeover;
    uint64_t count; /* messages inflated; that of number n is in messages[n % KEPT] */
    uint64_t packed_bytes, text_bytes;
    message messages[KEPT];
    uint8_t text[LONGEST];
};

inflation *inflation_new(void) {
    inflation *self = allocate(1, sizeof(inflation));
    if (inflateInit2(&self->stream, -MAX_WBITS) != Z_OK) fail("inflateInit2");
    return self;
}

void inflation_agree(inflation *self, bool context_takeover) {
    if (self->agreed && self->context_takeover != context_takeover) fail("the server agrees to different extensions");
    self->agreed = true;
    self->context_takeover = context_takeover;
}

/* RFC 7692, 7.2.2: the sender left these four bytes out. */
static size_t inflate_message(inflation *self, uint32_t client, const bytes *packed) {
    static const uint8_t TAIL[] = {0, 0, 0xff, 0xff};
    z_stream *stream = &self->stream;
    if (!self->context_takeover) inflateReset(stream);
    stream->next_out = self->text;
    stream->avail_out = LONGEST;
    for (int part = 0; part < 2; part++) {
        stream->next_in = part ? (uint8_t *)TAIL : packed->data;
        stream->avail_in = (uInt)(part ? sizeof(TAIL) : packed->length);
        int status = inflate(stream, Z_SYNC_FLUSH);
        if ((status != Z_OK && status != Z_BUF_ERROR) || stream->avail_in > 0)
            fail("client %u: a message that cannot be inflated: %d", client, status);
    }
    return LONGEST - stream->avail_out;
}

static void add(inflation *self, uint32_t client, const uint8_t *data, size_t length) {
    message *added = &self->messages[self->count++ % KEPT];
    added->packed.length = added->text.length = 0;
    bytes_append(&added->packed, data, length);
    bytes_append(&added->text, self->text, inflate_message(self, client, &added->packed));
    self->packed_bytes += length;
    self->text_bytes += added->text.length;
}

span inflation_text(inflation *self, uint32_t client, uint64_t number, const uint8_t *data, size_t length) {
    if (number == self->count) add(self, client, data, length);
    if (number + KEPT < self->count) fail("client %u: %d messages behind", client, KEPT);
    const message *known = &self->messages[number % KEPT];
    if (known->packed.length != length || memcmp(known->packed.data, data, length) != 0)
        fail("client %u: compressed message %llu is another than the first client's", client,
             (unsigned long long)number);
    return (span){(const char *)known->text.data, known->text.length};
}

double inflation_ratio(const inflation *self) {
    return self->text_bytes ? (double)self->packed_bytes / (double)self->text_bytes : 0;
}
