#define _GNU_SOURCE
#include "polling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "http.h"
#include "load.h"

#define SEPARATOR 0x1e /* between the packets of a payload */

static const char PATH[] = "/socket.io/?EIO=4&transport=polling";

/* ---- out ---- */

void polling_start(client *self, const network *network) {
    char request[256];
    int length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s:%u\r\nAccept: */*\r\n\r\n", PATH,
                          network->host, network->port);
    bytes_append(&self->main.out, request, (size_t)length);
    self->getting = true;
    self->state = CLIENT_OPENING;
}

void polling_read_sid(client *self, const char *text, size_t length) {
    const char *start = memmem(text, length, "\"sid\":\"", 7);
    const char *end = start ? memchr(start + 7, '"', (size_t)(text + length - start) - 7) : NULL;
    if (end == NULL || end - start - 7 >= SID_ROOM) client_refuse(self, "no sid", text, length);
    snprintf(self->sid, SID_ROOM, "%.*s", (int)(end - start - 7), start + 7);
}

void polling_send(client *self, const char *text, size_t length) {
    static const char BETWEEN = SEPARATOR;
    if (self->body.length > 0) bytes_append(&self->body, &BETWEEN, 1);
    bytes_append(&self->body, text, length);
}

static void write_get(client *self, const network *network) {
    char request[256];
    int length = snprintf(request, sizeof(request), "GET %s&sid=%s HTTP/1.1\r\nHost: %s:%u\r\nAccept: */*\r\n\r\n", PATH,
                          self->sid, network->host, network->port);
    bytes_append(&self->main.out, request, (size_t)length);
    self->getting = true;
}

static void write_post(client *self, const network *network) {
    static const char POST[] =
        "POST %s&sid=%s HTTP/1.1\r\nHost: %s:%u\r\nAccept: */*\r\n"
        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n";
    char request[512];
    int length = snprintf(request, sizeof(request), POST, PATH, self->sid, network->host, network->port,
                          self->body.length);
    bytes_append(&self->posts.out, request, (size_t)length);
    bytes_append(&self->posts.out, self->body.data, self->body.length);
    self->body.length = 0;
    self->posting = true;
}

static void open_again(connection *connection, network *network) {
    if (!connection->open) connection_open(connection, network);
}

void polling_flush(client *self, client_context *context) {
    network *network = &context->network;
    if (self->state < CLIENT_JOINING) return;
    if (!self->getting) {
        open_again(&self->main, network);
        write_get(self, network);
    }
    if (!self->posting && self->body.length > 0) {
        open_again(&self->posts, network);
        write_post(self, network);
    }
    connection_flush(&self->posts, self->index);
}

/* A packet that closes, in a POST of its own. */
void polling_say_close(client *self) {
    char request[256];
    if (self->state != CLIENT_READY || self->posting || !self->posts.connected) return;
    int length = snprintf(request, sizeof(request),
                          "POST %s&sid=%s HTTP/1.1\r\nHost: load\r\nContent-Type: text/plain;charset=UTF-8\r\n"
                          "Content-Length: 1\r\n\r\n1", PATH, self->sid);
    send(self->posts.fd, request, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- in ---- */

bool polling_awaits(const client *self, const connection *connection) {
    return connection == &self->main ? self->getting : self->posting;
}

static void on_payload(client *self, client_context *context, const char *text, size_t length) {
    const char *end = text + length;
    for (const char *at = text, *stop; at <= end; at = stop + 1) {
        stop = memchr(at, SEPARATOR, (size_t)(end - at));
        if (stop == NULL) stop = end;
        client_receive(self, context, at, (size_t)(stop - at));
    }
}

static void on_answer(client *self, connection *connection, client_context *context, const http_answer *answer) {
    if (!polling_awaits(self, connection)) client_refuse(self, "an answer to nothing", answer->body, answer->length);
    if (answer->status != 200) client_refuse(self, "not answered with 200", answer->body, answer->length);
    if (connection == &self->main) {
        self->getting = false;
        on_payload(self, context, answer->body, answer->length);
        return;
    }
    self->posting = false;
    if (self->state == CLIENT_JOINED) self->state = CLIENT_READY;
    if (answer->length != 2 || strncasecmp(answer->body, "ok", 2) != 0)
        client_refuse(self, "a POST not answered with ok", answer->body, answer->length);
}

size_t polling_read(client *self, connection *connection, client_context *context, uint8_t *data, size_t length) {
    http_answer answer;
    size_t at = 0;
    while (at < length) {
        size_t used = http_read_answer((char *)data + at, length - at, &answer);
        if (used == 0) break;
        on_answer(self, connection, context, &answer);
        at += used;
    }
    return at;
}
