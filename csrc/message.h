/* message: one encoded packet, shared by every connection that it goes to.
 *
 * A message is made once per emit and counted by reference; it never changes
 * afterwards. Its bytes are the frames of an Engine.IO 4 websocket, ready for
 * send(2): a text frame with "4" + packet, then a binary frame an attachment.
 * A raw message holds bytes that are sent as they are (an HTTP head, a control
 * frame). Other wire forms can be derived from the frames when a connection of
 * such a dialect needs one. The count is not atomic: one event loop owns it.
 */
#ifndef FASTSIO_MESSAGE_H
#define FASTSIO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct span {
    const uint8_t *data;
    size_t size;
} span;

typedef struct message {
    uint32_t refs;
    uint32_t raw; /* not a packet */
    size_t size;
    uint8_t bytes[];
} message;

/* A packet: `head` ("4" and the Socket.IO head) + `payload` in a text frame, then the attachments.
 * NULL when memory runs out. The caller owns one reference. */
message *message_packet(span head, span payload, const span *attachments, size_t count);

/* Bytes to send as they are. */
message *message_raw(span bytes);

static inline message *message_hold(message *self) {
    self->refs++;
    return self;
}

void message_release(message *self);

#endif
