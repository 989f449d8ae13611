/* accept_key: the server's answer to Sec-WebSocket-Key (RFC 6455, 4.2.2): base64 of SHA-1 of the key and a constant. */
#ifndef FLOOR_ACCEPT_KEY_H
#define FLOOR_ACCEPT_KEY_H

#define KEY_LENGTH 24    /* of a valid key: 16 bytes in base64 */
#define ACCEPT_LENGTH 28 /* 20 bytes in base64 */

void accept_key(const char key[KEY_LENGTH], char accept[ACCEPT_LENGTH + 1]);

#endif
