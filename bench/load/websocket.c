#define _GNU_SOURCE
#include "websocket.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10, FIN = 0x80, RSV1 = 0x40, MASKED = 0x80 }; /* RFC 6455, 5.2 */

static const char REQUEST[] =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: %s:%u\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "%s"
    "\r\n";
static const char OFFER[] = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"; /* as browsers do */
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* RFC 6455, 1.3: the answer to that key */

/* RFC 6455, 5.1: a client masks; the key zero leaves the bytes as they are. */
static void append_frame(client *self, int opcode, const void *data, size_t length) {
    uint8_t head[14] = {(uint8_t)(FIN | opcode), MASKED};
    size_t size = 2;
    if (length < 126) {
        head[1] |= (uint8_t)length;
    } else {
        size_t wide = length > 0xffff ? 8 : 2;
        head[1] |= wide == 8 ? 127 : 126;
        for (size_t i = 0; i < wide; i++) head[2 + i] = (uint8_t)((uint64_t)length >> (8 * (wide - 1 - i)));
        size += wide;
    }
    bytes_append(&self->main.out, head, size + 4);
    bytes_append(&self->main.out, data, length);
}

void websocket_send(client *self, const char *text, size_t length) { append_frame(self, OP_TEXT, text, length); }

void websocket_start(client *self, client_context *context) {
    char request[512];
    int length = snprintf(request, sizeof(request), REQUEST, context->network.host, context->network.port,
                          context->inflation ? OFFER : "");
    bytes_append(&self->main.out, request, (size_t)length);
    self->state = CLIENT_UPGRADING;
}

void websocket_say_close(client *self) {
    static const uint8_t CLOSE[] = {FIN | OP_CLOSE, MASKED | 2, 0, 0, 0, 0, 1000 >> 8, 1000 & 0xff};
    send(self->main.fd, CLOSE, sizeof(CLOSE), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_compressed(client *self, client_context *context, const uint8_t *data, size_t length) {
    if (context->inflation == NULL) client_refuse(self, "compressed, which was not offered", "", 0);
    span text = inflation_text(context->inflation, &self->inflater, data, length);
    client_receive(self, context, text.data, text.length);
}

static void on_frame(client *self, client_context *context, uint8_t first, const uint8_t *data, size_t length) {
    const char *text = (const char *)data;
    switch (first) {
        case FIN | OP_TEXT: client_receive(self, context, text, length); break;
        case FIN | RSV1 | OP_TEXT: on_compressed(self, context, data, length); break;
        case FIN | OP_PING: append_frame(self, OP_PONG, data, length); break;
        case FIN | OP_PONG: break;
        case FIN | OP_CLOSE: client_refuse(self, "close frame", length > 2 ? text + 2 : "", length > 2 ? length - 2 : 0);
        default: client_refuse(self, "neither text nor control frame, or a fragment", text, length);
    }
}

/* Works off whole frames and returns the bytes used. */
static size_t walk_frames(client *self, client_context *context, const uint8_t *data, size_t length) {
    size_t at = 0;
    while (length - at >= 2) {
        const uint8_t *frame = data + at;
        size_t head = 2, size = frame[1];
        if (size & MASKED) client_refuse(self, "masked frame", "", 0);
        if (size >= 126) {
            head = size == 126 ? 4 : 10;
            if (length - at < head) break;
            size = 0;
            for (size_t i = 2; i < head; i++) size = size << 8 | frame[i];
            if (size > RECEIVE_SIZE - head) fail("client %u: frame of %zu bytes", self->index, size);
        }
        if (length - at - head < size) break;
        on_frame(self, context, frame[0], frame + head, size);
        at += head + size;
    }
    return at;
}

/* Returns the length of the answer to the upgrade, 0 while it is incomplete. */
static size_t read_upgrade(client *self, client_context *context, const uint8_t *data, size_t length) {
    const uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t head = (size_t)(end - data) + 4;
    if (head < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0) client_refuse(self, "no upgrade", data, length);
    if (memmem(data, head, ACCEPT, sizeof(ACCEPT) - 1) == NULL) client_refuse(self, "wrong accept key", data, head);
    if (context->inflation) {
        if (memmem(data, head, "permessage-deflate", 18) == NULL)
            client_refuse(self, "no permessage-deflate", data, head);
        inflation_agree(context->inflation, memmem(data, head, "server_no_context_takeover", 26) == NULL);
    }
    self->state = CLIENT_OPENING;
    return head;
}

size_t websocket_read(client *self, client_context *context, const uint8_t *data, size_t length) {
    size_t used = 0;
    if (self->state == CLIENT_UPGRADING) used = read_upgrade(self, context, data, length);
    if (self->state >= CLIENT_OPENING) used += walk_frames(self, context, data + used, length - used);
    return used;
}
