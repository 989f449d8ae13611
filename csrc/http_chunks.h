/* http_chunks: where a body in chunks (RFC 9112 7.1) has its data, and where it ends. Incremental, without I/O.
 *
 * Stricter than the RFC asks: lines end with CR LF, and nothing but an extension stands behind a size. What
 * extensions and trailers say is ignored. Nothing is allocated or kept: data is pointed at in the caller's bytes.
 * The outcome is decided byte by byte, thus the same however the bytes are split.
 */
#ifndef FASTSIO_HTTP_CHUNKS_H
#define FASTSIO_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_CHUNKS_SPARE = 4096, /* bytes of framing that any body may have */
    HTTP_CHUNKS_SHARE = 16,   /* and so many more for each byte of data */
};

#define HTTP_CHUNKS_UNLIMITED (UINT64_C(1) << 62)

enum http_chunks_state {
    HTTP_CHUNKS_SIZE, /* no digit yet */
    HTTP_CHUNKS_DIGITS,
    HTTP_CHUNKS_EXTENSION,
    HTTP_CHUNKS_SIZE_LF,
    HTTP_CHUNKS_DATA,
    HTTP_CHUNKS_DATA_CR,
    HTTP_CHUNKS_DATA_LF,
    HTTP_CHUNKS_TRAILER, /* a trailer's first byte, or the CR of the last line */
    HTTP_CHUNKS_NAME,
    HTTP_CHUNKS_VALUE,
    HTTP_CHUNKS_TRAILER_LF,
    HTTP_CHUNKS_LAST_LF,
    /* the ends */
    HTTP_CHUNKS_COMPLETE,
    HTTP_CHUNKS_MALFORMED,
    HTTP_CHUNKS_TOO_LARGE, /* a size that passes what is left of `room` */
    HTTP_CHUNKS_WASTEFUL,  /* `spare` is used up */
};

struct http_chunks {
    enum http_chunks_state state;
    uint64_t left;  /* of the chunk under way; while its size is read, the size so far */
    uint64_t room;  /* bytes of data that may still be announced */
    uint64_t spare; /* bytes of framing that may still come */
};

/* Before a body. room: the most data that it may have, HTTP_CHUNKS_UNLIMITED: any, and any framing. */
void http_chunks_begin(struct http_chunks *chunks, uint64_t room);

/* Reads framing, and then data as far as it is there: the `*size` bytes before the returned position. Called until
 * that is `end` or one of the ends is reached: HTTP_CHUNKS_COMPLETE behind the last byte of the body, an error at
 * the byte that is wrong. Not called after that. */
const uint8_t *http_chunks_read(struct http_chunks *chunks, const uint8_t *at, const uint8_t *end, size_t *size);

#endif
