/* client: one connection to the server: Engine.IO 4 over websocket, joined to the namespace "/".
 *
 * Goes from the TCP connect to CONNECTed by itself, answers pings of both layers, and hands Socket.IO packets up.
 * Bytes are parsed where they were received; only an incomplete frame is copied aside. A packet handed up is borrowed
 * until the call returns. What is sent waits in `out` for client_flush. A server that refuses, closes or breaks the
 * protocol ends the program. Does not know what the packets mean, nor about other connections.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVE_SIZE (256 * 1024) /* the receive buffer, and the longest frame */

typedef enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING, /* TCP */
    CLIENT_UPGRADING,  /* request sent */
    CLIENT_OPENING,    /* 101 came, the open packet is awaited */
    CLIENT_JOINING,    /* `40` sent */
    CLIENT_READY,      /* `40{...}` came */
} client_state;

typedef struct bytes {
    uint8_t *data;
    size_t length, capacity;
} bytes;

typedef struct client {
    int fd;
    uint32_t index;
    client_state state;
    bool wants_write; /* registered for EPOLLOUT */
    bool unflushed;   /* the owner will call client_flush */
    bytes carry;      /* the beginning of a frame or of the answer to the upgrade */
    bytes out;
} client;

/* What all clients share, and who gets the packets. */
typedef struct client_context {
    int epoll_fd;
    const char *host;
    uint16_t port;
    uint32_t source; /* the next source address, 127.0.0.1 + source */
    uint8_t *receive_buffer;
    void *mode;
    void (*on_packet)(void *mode, client *, const char *text, size_t length); /* "42...", "43...", "41..." */
} client_context;

void client_open(client *self, client_context *context);
void client_handle(client *self, client_context *context, uint32_t events); /* of epoll */
void client_send(client *self, const char *text, size_t length);            /* one text frame */
void client_flush(client *self, client_context *context);
void client_close(client *self); /* close frame and end of TCP, without waiting for the server */

#endif
