/* sio: the head of a Socket.IO packet (protocol 5, and 4 which differs only above), without I/O.
 *
 *   <type>[<attachments>-][<namespace>,][<ack id>][payload]
 *
 * A scan allocates nothing and points into the caller's bytes. Numbers are
 * digits only and bounded; nothing is ever allocated from one.
 */
#ifndef FASTSIO_SIO_H
#define FASTSIO_SIO_H

#include <stddef.h>
#include <stdint.h>

enum sio_type {
    SIO_CONNECT = 0,
    SIO_DISCONNECT = 1,
    SIO_EVENT = 2,
    SIO_ACK = 3,
    SIO_CONNECT_ERROR = 4,
    SIO_BINARY_EVENT = 5,
    SIO_BINARY_ACK = 6,
};

/* Errors of sio_scan; sio_error_text names each. */
enum sio_error {
    SIO_OK = 0,
    SIO_EMPTY = -1,
    SIO_BAD_TYPE = -2,
    SIO_BAD_ATTACHMENTS = -3,  /* not digits followed by "-", or 0 */
    SIO_MANY_ATTACHMENTS = -4, /* above the limit */
    SIO_BAD_ID = -5,           /* above 2^53 - 1 */
    SIO_LONG_NAMESPACE = -6,   /* above SIO_MAX_NAMESPACE bytes, or with a query SIO_MAX_QUERY more */
};

#define SIO_MAX_NAMESPACE 256
#define SIO_MAX_QUERY 8192 /* behind a "?" in a namespace's name, as clients of Socket.IO 2.x send it */
#define SIO_MAX_ID 9007199254740991LL /* 2^53 - 1 */
#define SIO_NO_ID (-1)
#define SIO_MAX_HEADER (1 + 20 + 1 + SIO_MAX_NAMESPACE + 1 + 20)

typedef struct sio_header {
    int type;
    int attachments;          /* 0 for the types without */
    const uint8_t *namespace_; /* borrowed, starts with "/"; NULL: the main namespace */
    size_t namespace_size;
    int64_t id;     /* SIO_NO_ID: none */
    size_t payload; /* where the payload starts; == size: none */
} sio_header;

/* Reads the head of the packet in [data, data + size), Engine.IO's type character already taken off. */
int sio_scan(const uint8_t *data, size_t size, int max_attachments, sio_header *header);

const char *sio_error_text(int error);

/* Writes a head into `out` (SIO_MAX_HEADER bytes at least) and returns its size. The main
 * namespace is namespace_size 0; attachments 0 writes none; id SIO_NO_ID writes none. */
size_t sio_write_header(uint8_t *out, int type, int attachments, const uint8_t *namespace_, size_t namespace_size, int64_t id);

#endif
