/* client: one Socket.IO client: Engine.IO 4 over websocket or over HTTP polling, joined to the namespace "/".
 *
 * Goes from the TCP connect to CONNECTed by itself, answers pings, and hands Socket.IO packets up, borrowed until the
 * call returns. A server that refuses, closes or breaks the protocol ends the program. Does not know what the packets
 * mean, nor about other clients. The two transports are in websocket.c and polling.c.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "connection.h"
#include "inflation.h"

#define SID_ROOM 64

typedef enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING, /* TCP */
    CLIENT_UPGRADING,  /* request sent; websocket only */
    CLIENT_OPENING,    /* the open packet is awaited */
    CLIENT_JOINING,    /* `40` sent */
    CLIENT_JOINED,     /* `40{...}` came, the answer to the POST did not yet; polling only */
    CLIENT_READY,      /* `40{...}` came */
} client_state;

typedef struct client {
    uint32_t index;
    client_state state;
    bool unflushed; /* the owner will call client_flush */
    bool polls;     /* the transport */
    connection main; /* the websocket, or the connection for GETs */
    /* websocket */
    inflater inflater;
    /* polling */
    connection posts; /* for POSTs; open while there is something to send, at least */
    bool getting;     /* a GET is under way */
    bool posting;     /* a POST is under way */
    bytes body;       /* of the next POST */
    char sid[SID_ROOM];
} client;

/* What all clients share, and who gets the packets. */
typedef struct client_context {
    network network;
    int websockets_fd; /* epoll instances */
    int pollers_fd;
    inflation *inflation; /* websockets offer permessage-deflate; NULL: they do not */
    void *mode;
    void (*on_packet)(void *mode, client *, const char *text, size_t length); /* "42...", "43...", "41..." */
} client_context;

void client_open(client *, client_context *);
void client_handle(client *, connection *, client_context *, uint32_t events); /* of epoll; then client_flush */
void client_send(client *, const char *text, size_t length);                   /* one packet */
void client_flush(client *, client_context *);
void client_close(client *); /* says goodbye, and does not wait for the server */

/* ---- for the transports ---- */

void client_receive(client *, client_context *, const char *text, size_t length); /* one packet of Engine.IO */
_Noreturn void client_refuse(const client *, const char *what, const void *text, size_t length);

#endif
