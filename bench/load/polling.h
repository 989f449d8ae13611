/* polling: the transport polling of a client: HTTP/1.1 keep-alive, one connection for GETs and one for POSTs.
 *
 * As every client does, it has a GET under way from the open packet on, except while its owner still works on the
 * last answer, and one POST at most; packets for the next POST are collected meanwhile. A connection with nothing
 * under way may be closed by the server and is opened again.
 */
#ifndef LOAD_POLLING_H
#define LOAD_POLLING_H

#include "client.h"

void polling_start(client *, const network *); /* TCP is there: asks for a session */
void polling_read_sid(client *, const char *open_packet, size_t length);
void polling_send(client *, const char *text, size_t length);
void polling_flush(client *, client_context *); /* starts the requests that are due */
void polling_say_close(client *);
bool polling_awaits(const client *, const connection *); /* whether a request is under way on it */

/* Works off whole answers and returns the bytes used. */
size_t polling_read(client *, connection *, client_context *, uint8_t *data, size_t length);

#endif
