/* message: one encoded packet, shared by every connection that it goes to.
 *
 * A message is made once per emit and counted by reference; its packet never
 * changes. Its bytes are the frames of an Engine.IO 4 websocket, ready for
 * send(2): a text frame with "4" + packet, then a binary frame an attachment.
 * A raw message holds bytes that are sent as they are (an HTTP head, a control
 * frame). What a connection of another dialect is sent, a form, is made from
 * the frames when the first one needs it, and kept as long as the message.
 * The count is not atomic: one event loop owns it.
 */
#ifndef FASTSIO_MESSAGE_H
#define FASTSIO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct span {
    const uint8_t *data;
    size_t size;
} span;

/* How a connection differs from an Engine.IO 4 websocket, which is 0. */
enum dialect {
    DIALECT_EIO3 = 1,
    DIALECT_BASE64 = 2, /* no binary: b64=1 */
    DIALECT_POLLING = 4,
    DIALECT_DEFLATE = 8, /* websocket: permessage-deflate, without a context between messages */
};

/* The bytes in one dialect. */
typedef struct form {
    struct form *next;
    span bytes; /* `own`, or what is just the same and lives as long */
    uint32_t dialect;
    uint8_t own[];
} form;

/* Deflates one payload (RFC 7692, 7.2.1). 0: *out is from malloc, freed by the caller; -1: no memory or an error. */
typedef int (*deflate_payload)(void *context, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size);

typedef struct deflater {
    deflate_payload deflate; /* NULL: nothing is deflated, whatever the dialect */
    void *context;
    size_t threshold; /* shorter payloads stay as they are */
} deflater;

typedef struct message {
    uint32_t refs;
    uint8_t raw;      /* not a packet */
    uint8_t binary;   /* has a binary frame */
    uint8_t compress; /* may be deflated: 1; whoever made it may say 0 before the first push */
    size_t size;
    form *forms; /* owned */
    uint8_t bytes[];
} message;

/* A packet: `head` ("4" and the Socket.IO head) + `payload` in a text frame, then the attachments.
 * NULL when memory runs out. The caller owns one reference. */
message *message_packet(span head, span payload, const span *attachments, size_t count);

/* A packet of a parser's own: Engine.IO packets, a text one ("4" in front) or binary as told, one behind the other. */
message *message_pieces(const span *pieces, const uint8_t *are_binary, size_t count);

/* A binary message of Engine.IO: a binary frame alone. */
message *message_binary(span payload);

/* Bytes to send as they are. */
message *message_raw(span bytes);

static inline message *message_hold(message *self) {
    self->refs++;
    return self;
}

void message_release(message *self);

/* The dialect of each piece of a polling payload: Engine.IO 3 has a text form and a binary one of the whole payload,
 * and uses the latter (no BASE64) only when something in it is binary and the client takes it. */
static inline uint32_t dialect_of_pieces(uint32_t dialect, int any_binary) {
    int is_binary = any_binary && (dialect & DIALECT_EIO3);
    return dialect & DIALECT_POLLING && !is_binary ? dialect | DIALECT_BASE64 : dialect;
}

/* The message in a dialect (for polling one of dialect_of_pieces), as long as it lives; {NULL, 0}: no memory, or the
 * deflater failed. */
span message_in(message *self, uint32_t dialect, const deflater *deflater);

#endif
