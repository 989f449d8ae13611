/* pool: all clients of a run.
 *
 * The pollers' epoll instance is nested in that of the websockets and looked at when no websocket has anything, so that
 * websockets are read in the same rhythm with pollers beside them and without.
 *
 * Opens closed clients, a limited number at a time, while `reopen` says so; the mode closes them. The clients are an
 * array of fixed size; client.index is the place in it. The last of them poll, as many as the options say.
 * Both callbacks of the mode may call pool_send for any client, but pool_close only from on_ready and for its own.
 */
#ifndef LOAD_POOL_H
#define LOAD_POOL_H

#include "client.h"
#include "load.h"

typedef void (*packet_handler)(void *mode, client *, const char *text, size_t length);
typedef void (*ready_handler)(void *mode, client *);

typedef struct pool {
    client_context context;
    client *clients;
    uint32_t size;
    uint32_t ready;     /* clients that are CONNECTed */
    uint32_t opening;   /* clients on the way to it */
    uint32_t *closed;   /* stack of indexes */
    uint32_t closed_count;
    client **unflushed; /* clients that pool_send was called for since the last flush */
    uint32_t unflushed_count;
    ready_handler on_ready; /* may be NULL */
    bool reopen;            /* open closed clients */
} pool;

void pool_init(pool *self, const options *options, void *mode, packet_handler on_packet);
void pool_open_all(pool *self);    /* returns when all are CONNECTed */
void pool_poll(pool *self);        /* waits for events, 0.1 s at most, and handles them */
void pool_wait(pool *self, double seconds);
void pool_close(pool *self, client *);

/* One packet. It leaves when the event in hand has been handled; outside of any, pool_flush sends it. */
void pool_send(pool *self, client *, const char *text, size_t length);
void pool_flush(pool *self);

#endif
