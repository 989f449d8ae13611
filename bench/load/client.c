#define _GNU_SOURCE
#include "client.h"

#include <string.h>
#include <sys/epoll.h>

#include "load.h"
#include "polling.h"
#include "websocket.h"

static const char *const STATES[] = {"closed", "connecting", "upgrading", "opening", "joining", "joined", "ready"};

void client_refuse(const client *self, const char *what, const void *text, size_t length) {
    fail("client %u (%s): %s: %.*s", self->index, STATES[self->state], what, (int)(length < 200 ? length : 200),
         (const char *)text);
}

void client_send(client *self, const char *text, size_t length) {
    if (self->polls)
        polling_send(self, text, length);
    else
        websocket_send(self, text, length);
}

void client_flush(client *self, client_context *context) {
    if (self->state == CLIENT_CLOSED) return;
    if (self->polls) polling_flush(self, context);
    connection_flush(&self->main, self->index);
}

void client_open(client *self, client_context *context) {
    self->main.client = self->posts.client = self;
    self->main.epoll_fd = self->posts.epoll_fd = self->polls ? context->pollers_fd : context->websockets_fd;
    self->getting = self->posting = false;
    self->body.length = 0;
    inflater_reset(&self->inflater);
    self->state = CLIENT_CONNECTING;
    connection_open(&self->main, &context->network);
}

void client_close(client *self) {
    if (self->polls)
        polling_say_close(self);
    else if (self->state >= CLIENT_OPENING)
        websocket_say_close(self);
    connection_close(&self->main);
    connection_close(&self->posts);
    self->state = CLIENT_CLOSED;
}

/* Engine.IO packets that are not Socket.IO's, and the steps up to CONNECTed. */
static void on_engine_packet(client *self, const char *text, size_t length) {
    if (length == 1 && *text == '2') {
        client_send(self, "3", 1);
    } else if (length == 1 && *text == '6' && self->polls) {
        /* a noop: answers a GET */
    } else if (self->state == CLIENT_OPENING && length > 1 && memcmp(text, "0{", 2) == 0) {
        if (self->polls) polling_read_sid(self, text, length);
        client_send(self, "40", 2);
        self->state = CLIENT_JOINING;
    } else if (self->state == CLIENT_JOINING && length > 2 && memcmp(text, "40{", 3) == 0) {
        self->state = self->posting ? CLIENT_JOINED : CLIENT_READY;
    } else {
        client_refuse(self, "unexpected packet", text, length);
    }
}

void client_receive(client *self, client_context *context, const char *text, size_t length) {
    if (self->state >= CLIENT_JOINED && length > 0 && *text == '4')
        context->on_packet(context->mode, self, text, length);
    else
        on_engine_packet(self, text, length);
}

static void on_connected(client *self, connection *connection, client_context *context) {
    connection_finish(connection, self->index);
    if (connection != &self->main) return;
    if (self->polls)
        polling_start(self, &context->network);
    else
        websocket_start(self, context);
}

static void on_readable(client *self, connection *connection, client_context *context) {
    uint8_t *buffer = context->network.receive_buffer;
    size_t length;
    switch (connection_receive(connection, &context->network, self->index, &length)) {
        case NOTHING: return;
        case END:
            if (!self->polls || polling_awaits(self, connection))
                client_refuse(self, "the server closed the connection", "", 0);
            connection_close(connection);
            return;
        case RECEIVED: break;
    }
    size_t used = self->polls ? polling_read(self, connection, context, buffer, length)
                              : websocket_read(self, context, buffer, length);
    connection_keep(connection, buffer + used, length - used);
}

void client_handle(client *self, connection *connection, client_context *context, uint32_t events) {
    if (!connection->open) return; /* closed since the event was fetched */
    if (!connection->connected) {
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) on_connected(self, connection, context);
    } else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        on_readable(self, connection, context);
    }
}
