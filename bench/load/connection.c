#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define SOURCES 200 /* 127.0.0.1 and up: 28,000 ports each */

void bytes_append(bytes *self, const void *data, size_t length) {
    if (self->length + length > self->capacity) {
        self->capacity = (self->length + length) * 2;
        self->data = realloc(self->data, self->capacity);
        if (self->data == NULL) fail("no memory");
    }
    if (length > 0) memcpy(self->data + self->length, data, length);
    self->length += length;
}

static void watch(connection *self, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (self->wants_write ? EPOLLOUT : 0), .data.ptr = self};
    if (epoll_ctl(self->epoll_fd, operation, self->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

void connection_open(connection *self, network *network) {
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + network->source)};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(network->port)};
    int on = 1;
    network->source = (network->source + 1) % SOURCES;
    if (inet_pton(AF_INET, network->host, &server.sin_addr) != 1) fail("%s is not an IPv4 address", network->host);
    bool loopback = ntohl(server.sin_addr.s_addr) >> 24 == 127;
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)); /* the port is chosen by connect */
    if (loopback && bind(self->fd, (struct sockaddr *)&source, sizeof(source)) < 0) fail("bind: %s", strerror(errno));
    if (connect(self->fd, (struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    self->open = self->wants_write = true;
    self->connected = false;
    self->carry.length = self->out.length = 0;
    watch(self, EPOLL_CTL_ADD);
}

void connection_finish(connection *self, uint32_t index) {
    int error = 0;
    getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof(error)});
    if (error) fail("client %u: connect: %s", index, strerror(error));
    self->connected = true;
}

void connection_flush(connection *self, uint32_t index) {
    if (!self->connected) return;
    if (self->out.length > 0) {
        ssize_t sent = send(self->fd, self->out.data, self->out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) fail("client %u: send: %s", index, strerror(errno));
        if (sent > 0) {
            self->out.length -= (size_t)sent;
            memmove(self->out.data, self->out.data + sent, self->out.length);
        }
    }
    bool wanted = self->out.length > 0;
    if (wanted == self->wants_write) return;
    self->wants_write = wanted;
    watch(self, EPOLL_CTL_MOD);
}

void connection_close(connection *self) {
    if (self->open) close(self->fd); /* leaves the epoll set by itself */
    self->open = self->connected = false;
}

reception connection_receive(connection *self, network *network, uint32_t index, size_t *length) {
    uint8_t *buffer = network->receive_buffer;
    size_t carried = self->carry.length;
    if (carried > 0) memcpy(buffer, self->carry.data, carried);
    if (carried == RECEIVE_SIZE) fail("client %u: more than %d bytes without an end", index, RECEIVE_SIZE);
    ssize_t received = recv(self->fd, buffer + carried, RECEIVE_SIZE - carried, MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return NOTHING;
    if (received < 0) fail("client %u: recv: %s", index, strerror(errno));
    *length = carried + (size_t)received;
    return received > 0 ? RECEIVED : END;
}

void connection_keep(connection *self, const uint8_t *data, size_t length) {
    self->carry.length = 0;
    bytes_append(&self->carry, data, length);
}
