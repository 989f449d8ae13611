/* forms: a message's frames in the words of another dialect.
 *
 * websocket        EIO3: the type byte 4 before binary data. BASE64: binary data
 *                  as text, "b" + base64, "b4" + base64 with EIO3. DEFLATE: long
 *                  payloads deflated, when that makes them shorter.
 * polling, EIO4    each packet followed by 0x1e; binary as "b" + base64.
 * polling, EIO3    <length>:<packet>, the length in UTF-16 code units; binary
 *                  as "b4" + base64. Without BASE64 the binary form: 0 (text)
 *                  or 1, the digits of the length in bytes as 0 to 9, 255,
 *                  the packet; binary packets begin with the type byte 4.
 * Pure functions of the frames; who keeps a form is the caller's business.
 */
#ifndef FASTSIO_FORMS_H
#define FASTSIO_FORMS_H

#include "message.h"

/* What of the dialect makes a difference for this message; 0: its own bytes will do. */
uint32_t form_needed(const message *self, uint32_t dialect, const deflater *deflater);

/* The message in a dialect as form_needed returns it. NULL: no memory, or the deflater failed. */
form *form_of(const message *self, uint32_t dialect, const deflater *deflater);

/* An empty form with room for `size` bytes, which are its `bytes`; NULL: no memory. */
form *form_new(uint32_t dialect, size_t size);

/* The one of this dialect in the list, or NULL. */
static inline form *form_find(form *first, uint32_t dialect) {
    while (first != NULL && first->dialect != dialect) first = first->next;
    return first;
}

void forms_free(form *first);

#endif
