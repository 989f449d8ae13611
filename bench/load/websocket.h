/* websocket: the transport websocket of a client: the upgrade, frames of RFC 6455, permessage-deflate of RFC 7692.
 *
 * Frames are parsed where they were received. Whole text frames, compressed or not, and control frames are
 * understood, fragments are not. Nothing is compressed on the way out.
 */
#ifndef LOAD_WEBSOCKET_H
#define LOAD_WEBSOCKET_H

#include "client.h"

void websocket_start(client *, client_context *); /* TCP is there: asks for the upgrade */
void websocket_send(client *, const char *text, size_t length);
void websocket_say_close(client *);
size_t websocket_read(client *, client_context *, const uint8_t *data, size_t length); /* returns the bytes used */

#endif
