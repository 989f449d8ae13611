/* inflation: the texts of compressed messages (RFC 7692) that all clients get alike.
 *
 * Every client's nth compressed message must have the same bytes as every other's, as is so when all of them come from
 * broadcasts to everybody. So who gets the nth first inflates it, and the others compare bytes: the generator's core
 * is not spent on inflating. That holds with a context that is taken over, too: equal messages make equal contexts.
 */
#ifndef LOAD_INFLATION_H
#define LOAD_INFLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct span {
    const char *data;
    size_t length;
} span;

typedef struct inflation inflation;

inflation *inflation_new(void);

/* What the server's answer says: whether it keeps its context from one message to the next. */
void inflation_agree(inflation *, bool context_takeover);

/* The text of the client's message `number`, valid until the next call. */
span inflation_text(inflation *, uint32_t client, uint64_t number, const uint8_t *data, size_t length);

double inflation_ratio(const inflation *); /* bytes on the wire of a byte of text, so far; 0: none were compressed */

#endif
