#include "http_chunks.h"

#include "http_syntax.h"

static int hex_value(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

void http_chunks_begin(struct http_chunks *chunks, uint64_t room) {
    chunks->state = HTTP_CHUNKS_SIZE;
    chunks->left = 0;
    chunks->room = room;
    chunks->spare = room == HTTP_CHUNKS_UNLIMITED ? UINT64_MAX : HTTP_CHUNKS_SPARE;
}

static enum http_chunks_state expect(bool is_there, enum http_chunks_state next) {
    return is_there ? next : HTTP_CHUNKS_MALFORMED;
}

static enum http_chunks_state digit(struct http_chunks *chunks, uint8_t byte) {
    int value = hex_value(byte);
    if (value < 0 || chunks->left > UINT64_MAX >> 4) return HTTP_CHUNKS_MALFORMED;
    chunks->left = chunks->left << 4 | (uint64_t)value;
    return HTTP_CHUNKS_DIGITS;
}

/* The line with the size is complete. */
static enum http_chunks_state size_line(struct http_chunks *chunks) {
    if (chunks->left == 0) return HTTP_CHUNKS_TRAILER;
    if (chunks->left > chunks->room) return HTTP_CHUNKS_TOO_LARGE;
    chunks->room -= chunks->left;
    return HTTP_CHUNKS_DATA;
}

/* The state behind one byte of framing. */
static enum http_chunks_state after(struct http_chunks *chunks, uint8_t byte) {
    switch (chunks->state) {
    case HTTP_CHUNKS_DIGITS:
        if (byte == ';') return HTTP_CHUNKS_EXTENSION;
        if (byte == '\r') return HTTP_CHUNKS_SIZE_LF;
        return digit(chunks, byte);
    case HTTP_CHUNKS_SIZE: return digit(chunks, byte);
    case HTTP_CHUNKS_EXTENSION:
        return byte == '\r' ? HTTP_CHUNKS_SIZE_LF : expect(http_is_value(&byte, 1), HTTP_CHUNKS_EXTENSION);
    case HTTP_CHUNKS_SIZE_LF: return byte == '\n' ? size_line(chunks) : HTTP_CHUNKS_MALFORMED;
    case HTTP_CHUNKS_DATA_CR: return expect(byte == '\r', HTTP_CHUNKS_DATA_LF);
    case HTTP_CHUNKS_DATA_LF: return expect(byte == '\n', HTTP_CHUNKS_SIZE);
    case HTTP_CHUNKS_TRAILER:
        return byte == '\r' ? HTTP_CHUNKS_LAST_LF : expect(http_is_token(&byte, 1), HTTP_CHUNKS_NAME);
    case HTTP_CHUNKS_NAME:
        return byte == ':' ? HTTP_CHUNKS_VALUE : expect(http_is_token(&byte, 1), HTTP_CHUNKS_NAME);
    case HTTP_CHUNKS_VALUE:
        return byte == '\r' ? HTTP_CHUNKS_TRAILER_LF : expect(http_is_value(&byte, 1), HTTP_CHUNKS_VALUE);
    case HTTP_CHUNKS_TRAILER_LF: return expect(byte == '\n', HTTP_CHUNKS_TRAILER);
    case HTTP_CHUNKS_LAST_LF: return expect(byte == '\n', HTTP_CHUNKS_COMPLETE);
    default: return HTTP_CHUNKS_MALFORMED;
    }
}

/* Data that is there; what it pays for is added to `spare`, which an unlimited body does not use up. */
static size_t data(struct http_chunks *chunks, size_t available) {
    size_t size = available < chunks->left ? available : (size_t)chunks->left;
    chunks->left -= size;
    if (chunks->spare < HTTP_CHUNKS_UNLIMITED) chunks->spare += (uint64_t)size * HTTP_CHUNKS_SHARE;
    if (chunks->left == 0) chunks->state = HTTP_CHUNKS_DATA_CR;
    return size;
}

const uint8_t *http_chunks_read(struct http_chunks *chunks, const uint8_t *at, const uint8_t *end, size_t *size) {
    *size = 0;
    while (at < end) {
        if (chunks->state == HTTP_CHUNKS_DATA) {
            *size = data(chunks, (size_t)(end - at));
            return at + *size;
        }
        chunks->state = chunks->spare == 0 ? HTTP_CHUNKS_WASTEFUL : after(chunks, *at);
        if (chunks->state > HTTP_CHUNKS_COMPLETE) return at;
        chunks->spare--;
        at++;
        if (chunks->state == HTTP_CHUNKS_COMPLETE) return at;
    }
    return at;
}
