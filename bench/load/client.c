#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define SOURCES 200 /* 127.0.0.1 and up: 28,000 ports each */

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10, FIN = 0x80, MASKED = 0x80 }; /* RFC 6455, 5.2 */

static const char REQUEST[] =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: %s:%u\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "\r\n";
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* RFC 6455, 1.3: the answer to that key */
static const char *const STATES[] = {"closed", "connecting", "upgrading", "opening", "joining", "ready"};

static void bytes_append(bytes *self, const void *data, size_t length) {
    if (self->length + length > self->capacity) {
        self->capacity = (self->length + length) * 2;
        self->data = realloc(self->data, self->capacity);
        if (self->data == NULL) fail("no memory");
    }
    memcpy(self->data + self->length, data, length);
    self->length += length;
}

_Noreturn static void refuse(const client *self, const char *what, const void *text, size_t length) {
    fail("client %u (%s): %s: %.*s", self->index, STATES[self->state], what, (int)(length < 200 ? length : 200),
         (const char *)text);
}

/* ---- out ---- */

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
    bytes_append(&self->out, head, size + 4);
    bytes_append(&self->out, data, length);
}

void client_send(client *self, const char *text, size_t length) { append_frame(self, OP_TEXT, text, length); }

static void want_write(client *self, client_context *context, bool wanted) {
    if (self->wants_write == wanted) return;
    self->wants_write = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = self};
    if (epoll_ctl(context->epoll_fd, EPOLL_CTL_MOD, self->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

void client_flush(client *self, client_context *context) {
    if (self->out.length == 0 || self->state < CLIENT_UPGRADING) return;
    ssize_t sent = send(self->fd, self->out.data, self->out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
        fail("client %u (%s): send: %s", self->index, STATES[self->state], strerror(errno));
    if (sent > 0) {
        self->out.length -= (size_t)sent;
        memmove(self->out.data, self->out.data + sent, self->out.length);
    }
    want_write(self, context, self->out.length > 0);
}

/* ---- opening and closing ---- */

void client_open(client *self, client_context *context) {
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + context->source)};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(context->port)};
    int on = 1;
    context->source = (context->source + 1) % SOURCES;
    if (inet_pton(AF_INET, context->host, &server.sin_addr) != 1) fail("%s is not an IPv4 address", context->host);
    bool loopback = ntohl(server.sin_addr.s_addr) >> 24 == 127;
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)); /* the port is chosen by connect */
    if (loopback && bind(self->fd, (struct sockaddr *)&source, sizeof(source)) < 0) fail("bind: %s", strerror(errno));
    if (connect(self->fd, (struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    self->state = CLIENT_CONNECTING;
    self->wants_write = true;
    self->carry.length = self->out.length = 0;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = self};
    if (epoll_ctl(context->epoll_fd, EPOLL_CTL_ADD, self->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static void on_connected(client *self, client_context *context) {
    int error = 0;
    char request[512];
    getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof(error)});
    if (error) fail("client %u: connect: %s", self->index, strerror(error));
    int length = snprintf(request, sizeof(request), REQUEST, context->host, context->port);
    bytes_append(&self->out, request, (size_t)length);
    self->state = CLIENT_UPGRADING;
    client_flush(self, context);
}

void client_close(client *self) {
    static const uint8_t CLOSE[] = {FIN | OP_CLOSE, MASKED | 2, 0, 0, 0, 0, 1000 >> 8, 1000 & 0xff};
    if (self->state >= CLIENT_OPENING) send(self->fd, CLOSE, sizeof(CLOSE), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (self->state != CLIENT_CLOSED) close(self->fd); /* leaves the epoll set by itself */
    self->state = CLIENT_CLOSED;
}

/* ---- in ---- */

/* Engine.IO packets that are not Socket.IO's, and the steps up to CONNECTed. */
static void on_engine_packet(client *self, const char *text, size_t length) {
    if (length == 1 && *text == '2') {
        client_send(self, "3", 1);
    } else if (self->state == CLIENT_OPENING && length > 1 && memcmp(text, "0{", 2) == 0) {
        client_send(self, "40", 2);
        self->state = CLIENT_JOINING;
    } else if (self->state == CLIENT_JOINING && length > 2 && memcmp(text, "40{", 3) == 0) {
        self->state = CLIENT_READY;
    } else {
        refuse(self, "unexpected packet", text, length);
    }
}

static void on_frame(client *self, client_context *context, uint8_t first, const uint8_t *data, size_t length) {
    const char *text = (const char *)data;
    switch (first) {
        case FIN | OP_TEXT:
            if (self->state == CLIENT_READY && length > 0 && *text == '4')
                context->on_packet(context->mode, self, text, length);
            else
                on_engine_packet(self, text, length);
            break;
        case FIN | OP_PING: append_frame(self, OP_PONG, data, length); break;
        case FIN | OP_PONG: break;
        case FIN | OP_CLOSE: refuse(self, "close frame", length > 2 ? text + 2 : "", length > 2 ? length - 2 : 0);
        default: refuse(self, "neither text nor control frame, or a fragment", text, length);
    }
}

/* Works off whole frames and returns the bytes used. */
static size_t walk_frames(client *self, client_context *context, const uint8_t *data, size_t length) {
    size_t at = 0;
    while (length - at >= 2 && self->state >= CLIENT_OPENING) {
        const uint8_t *frame = data + at;
        size_t head = 2, size = frame[1];
        if (size & MASKED) refuse(self, "masked frame", "", 0);
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
static size_t read_upgrade(client *self, const uint8_t *data, size_t length) {
    const uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t head = (size_t)(end - data) + 4;
    if (head < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0) refuse(self, "no upgrade", data, length);
    if (memmem(data, head, ACCEPT, sizeof(ACCEPT) - 1) == NULL) refuse(self, "wrong accept key", data, head);
    self->state = CLIENT_OPENING;
    return head;
}

static void on_readable(client *self, client_context *context) {
    uint8_t *buffer = context->receive_buffer;
    size_t carried = self->carry.length;
    if (carried > 0) memcpy(buffer, self->carry.data, carried);
    if (carried == RECEIVE_SIZE) fail("client %u: more than %d bytes without an end", self->index, RECEIVE_SIZE);
    ssize_t received = recv(self->fd, buffer + carried, RECEIVE_SIZE - carried, MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received < 0) fail("client %u (%s): recv: %s", self->index, STATES[self->state], strerror(errno));
    if (received == 0) refuse(self, "the server closed the connection", "", 0);
    size_t length = carried + (size_t)received, used = 0;
    if (self->state == CLIENT_UPGRADING) used = read_upgrade(self, buffer, length);
    if (self->state >= CLIENT_OPENING) used += walk_frames(self, context, buffer + used, length - used);
    self->carry.length = 0;
    if (used < length) bytes_append(&self->carry, buffer + used, length - used);
}

void client_handle(client *self, client_context *context, uint32_t events) {
    if (self->state == CLIENT_CONNECTING) {
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) on_connected(self, context);
        return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) on_readable(self, context);
    client_flush(self, context);
}
