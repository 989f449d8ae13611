/* inflation: the texts of compressed messages (RFC 7692).
 *
 * With a context that the server takes over from one message to the next, each client has to inflate all that it gets.
 * Without one, equal messages are equal bytes: who gets a broadcast first inflates it, and for the others comparing
 * the bytes is enough, so that the generator's core is not spent on inflating.
 */
#ifndef LOAD_INFLATION_H
#define LOAD_INFLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct z_stream_s;

typedef struct span {
    const char *data;
    size_t length;
} span;

/* One client's part. All zero at the start. */
typedef struct inflater {
    struct z_stream_s *context; /* made when it is needed */
    uint64_t next;              /* where the message is expected that comes next, without a context */
    uint64_t count;             /* compressed messages received */
} inflater;

/* What all clients share. */
typedef struct inflation inflation;

inflation *inflation_new(void);
void inflater_reset(inflater *); /* for the next connection */

/* What the server's answer says: whether it keeps its context from one message to the next. */
void inflation_agree(inflation *, bool context_takeover);

/* The text of the client's next message, valid until the next call. */
span inflation_text(inflation *, inflater *, const uint8_t *data, size_t length);

double inflation_ratio(const inflation *); /* bytes on the wire for a byte of text, of what was inflated so far */

#endif
