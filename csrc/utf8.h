/* utf8: incremental UTF-8 validation (RFC 3629), fed as bytes arrive.
 *
 * Knows nothing of frames. The state is the caller's; nothing is allocated.
 * A sequence is refused at the first byte that makes it invalid, so that an
 * error is seen as early as it can be: overlong forms, surrogates, > U+10FFFF.
 */
#ifndef FASTSIO_UTF8_H
#define FASTSIO_UTF8_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t utf8_state;

#define UTF8_ACCEPT 0u /* at a boundary between code points: the initial state */
#define UTF8_REJECT 1u /* invalid; stays so */

/* The state after `size` more bytes. A text is valid when its end is UTF8_ACCEPT. */
utf8_state utf8_feed(utf8_state state, const uint8_t *data, size_t size);

#endif
