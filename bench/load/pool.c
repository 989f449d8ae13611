#define _GNU_SOURCE
#include "pool.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define MAX_OPENING 200 /* handshakes at a time: below the usual listen backlogs */
#define MAX_EVENTS 1024
#define POLL_MS 100

void pool_init(pool *self, const options *options, void *mode, packet_handler on_packet) {
    *self = (pool){
        .context = {
            .websockets_fd = epoll_create1(EPOLL_CLOEXEC),
            .pollers_fd = epoll_create1(EPOLL_CLOEXEC),
            .network = {
                .host = options->host,
                .port = options->port,
                .receive_buffer = allocate(RECEIVE_SIZE, 1),
            },
            .inflation = options->deflate ? inflation_new() : NULL,
            .mode = mode,
            .on_packet = on_packet,
        },
        .clients = allocate(options->clients, sizeof(client)),
        .size = options->clients,
        .closed = allocate(options->clients, sizeof(uint32_t)),
        .unflushed = allocate(options->clients, sizeof(client *)),
        .reopen = true,
    };
    struct epoll_event pollers = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(self->context.websockets_fd, EPOLL_CTL_ADD, self->context.pollers_fd, &pollers) < 0)
        fail("epoll_ctl: %s", strerror(errno));
    while (self->closed_count < self->size) {
        uint32_t index = self->size - 1 - self->closed_count;
        self->clients[index].index = index;
        self->clients[index].polls = index >= self->size - options->pollers;
        self->closed[self->closed_count++] = index;
    }
}

static void open_some(pool *self) {
    while (self->reopen && self->opening < MAX_OPENING && self->closed_count > 0) {
        client_open(&self->clients[self->closed[--self->closed_count]], &self->context);
        self->opening++;
    }
}

static void handle(pool *self, connection *connection, uint32_t events) {
    client *client = connection->client;
    bool was_ready = client->state == CLIENT_READY;
    client_handle(client, connection, &self->context, events);
    if (!was_ready && client->state == CLIENT_READY) {
        self->opening--;
        self->ready++;
        if (self->on_ready) self->on_ready(self->context.mode, client);
    }
    client_flush(client, &self->context);
    pool_flush(self);
}

void pool_poll(pool *self) {
    struct epoll_event events[MAX_EVENTS];
    open_some(self);
    int count = epoll_wait(self->context.websockets_fd, events, MAX_EVENTS, POLL_MS);
    if (count == 1 && events[0].data.ptr == NULL)
        count = epoll_wait(self->context.pollers_fd, events, MAX_EVENTS, 0);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr) handle(self, events[i].data.ptr, events[i].events);
}

void pool_open_all(pool *self) {
    while (self->ready < self->size) pool_poll(self);
    self->reopen = false;
}

void pool_wait(pool *self, double seconds) {
    for (double end = now() + seconds; now() < end;) pool_poll(self);
}

void pool_close(pool *self, client *client) {
    self->ready--;
    client_close(client);
    self->closed[self->closed_count++] = client->index;
}

void pool_send(pool *self, client *client, const char *text, size_t length) {
    client_send(client, text, length);
    if (client->unflushed) return;
    client->unflushed = true;
    self->unflushed[self->unflushed_count++] = client;
}

void pool_flush(pool *self) {
    for (uint32_t i = 0; i < self->unflushed_count; i++) {
        self->unflushed[i]->unflushed = false;
        client_flush(self->unflushed[i], &self->context);
    }
    self->unflushed_count = 0;
}
