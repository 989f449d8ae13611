/* connection: a TCP connection to the server, registered on its epoll instance with itself as data.
 *
 * What is written waits in `out` for connection_flush. Bytes received are handed out where they were received, in the
 * buffer that all share; what its owner cannot use yet is kept in `carry` and comes again in front of the next bytes.
 * An error of the system ends the program. Knows nothing of what the bytes mean.
 */
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVE_SIZE (256 * 1024) /* the receive buffer, and the longest frame or answer */

typedef struct bytes {
    uint8_t *data;
    size_t length, capacity;
} bytes;

/* What all connections share. */
typedef struct network {
    const char *host;
    uint16_t port;
    uint32_t source; /* the next source address, 127.0.0.1 + source */
    uint8_t *receive_buffer;
} network;

typedef struct connection {
    struct client *client; /* its owner */
    int epoll_fd;          /* the owner's choice */
    int fd;                /* meaningless unless `open` */
    bool open;
    bool connected;   /* TCP's handshake is over */
    bool wants_write; /* registered for EPOLLOUT */
    bytes carry;
    bytes out;
} connection;

typedef enum reception { RECEIVED, NOTHING, END } reception;

void bytes_append(bytes *, const void *data, size_t length);

void connection_open(connection *, network *);
void connection_finish(connection *, uint32_t index); /* checks that TCP's handshake went well */
void connection_flush(connection *, uint32_t index);
void connection_close(connection *); /* without waiting for the server */

/* `length`: the bytes in the receive buffer, what was carried first. */
reception connection_receive(connection *, network *, uint32_t index, size_t *length);

/* Keeps what is unused of the bytes received. */
void connection_keep(connection *, const uint8_t *data, size_t length);

#endif
