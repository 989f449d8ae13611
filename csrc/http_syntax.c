#include "http_syntax.h"

#include <string.h>

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static bool is_letter(uint8_t byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }

static uint8_t lower(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

static bool is_visible(uint8_t byte) { return byte > 0x20 && byte < 0x7F; }

static bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

int http_header_kind(const uint8_t *name, size_t size) {
#define KIND(lowered, kind) (http_equal(name, (const uint8_t *)(lowered), sizeof(lowered) - 1) ? (kind) : HTTP_OTHER)
    switch (size) {
    case 4: return KIND("host", HTTP_HOST);
    case 6: return (name[0] | 0x20) == 'o' ? KIND("origin", HTTP_ORIGIN) : KIND("expect", HTTP_EXPECT);
    case 7: return KIND("upgrade", HTTP_UPGRADE);
    case 10: return KIND("connection", HTTP_CONNECTION);
    case 14: return KIND("content-length", HTTP_CONTENT_LENGTH);
    case 16: return KIND("content-encoding", HTTP_CONTENT_ENCODING);
    case 17:
        return (name[0] | 0x20) == 't' ? KIND("transfer-encoding", HTTP_TRANSFER_ENCODING)
                                       : KIND("sec-websocket-key", HTTP_WEBSOCKET_KEY);
    case 21: return KIND("sec-websocket-version", HTTP_WEBSOCKET_VERSION);
    default: return HTTP_OTHER;
    }
#undef KIND
}

bool http_equal(const uint8_t *text, const uint8_t *lowered, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (lower(text[i]) != lowered[i]) return false;
    }
    return true;
}

bool http_is(const uint8_t *text, size_t size, const char *lowered) {
    return size == strlen(lowered) && http_equal(text, (const uint8_t *)lowered, size);
}

bool http_has_token(const uint8_t *list, size_t size, const char *lowered) {
    const uint8_t *limit = list + size;
    for (;;) {
        const uint8_t *comma = http_find(list, limit, ',');
        const uint8_t *start = list;
        const uint8_t *end = comma;
        http_trim(&start, &end);
        if (http_is(start, (size_t)(end - start), lowered)) return true;
        if (comma == limit) return false;
        list = comma + 1;
    }
}

bool http_is_digits(const uint8_t *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i])) return false;
    }
    return size > 0;
}

bool http_is_word(const uint8_t *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (!is_letter(text[i])) return false;
    }
    return size > 0;
}

bool http_is_version(const uint8_t *text, size_t size) {
    return size == 8 && memcmp(text, "HTTP/", 5) == 0 && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

/* The next two look at every byte of every request: without a branch, so that compilers take 16 at a time. */
bool http_is_target(const uint8_t *text, size_t size) {
    uint8_t bad = 0;
    for (size_t i = 0; i < size; i++) bad |= (text[i] <= 0x20) | (text[i] >= 0x7F) | (text[i] == '#');
    return size > 0 && !bad;
}

bool http_is_value(const uint8_t *text, size_t size) {
    uint8_t bad = 0;
    for (size_t i = 0; i < size; i++) bad |= ((text[i] < 0x20) & (text[i] != '\t')) | (text[i] == 0x7F);
    return !bad;
}

bool http_is_token(const uint8_t *text, size_t size) {
    /* RFC 9110 5.6.2: letters, digits and !#$%&'*+-.^_`|~, a bit for each of the 128 codes. */
    static const uint32_t tokens[8] = {0, 0x03FF6CFA, 0xC7FFFFFE, 0x57FFFFFF};
    for (size_t i = 0; i < size; i++) {
        if (!(tokens[text[i] >> 5] >> (text[i] & 31) & 1)) return false;
    }
    return size > 0;
}

bool http_is_host(const uint8_t *text, size_t size) {
    uint8_t bad = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = text[i];
        bad |= !is_visible(byte) | (byte == ',') | (byte == '/') | (byte == '?') | (byte == '#') | (byte == '@') |
               (byte == '\\');
    }
    return !bad;
}

const uint8_t *http_find(const uint8_t *start, const uint8_t *end, uint8_t byte) {
    const uint8_t *at = start == end ? NULL : memchr(start, byte, (size_t)(end - start));
    return at == NULL ? end : at;
}

void http_trim(const uint8_t **start, const uint8_t **end) {
    while (*start < *end && is_blank(**start)) ++*start;
    while (*start < *end && is_blank((*end)[-1])) --*end;
}

const uint8_t *http_path_of_absolute(const uint8_t *target, const uint8_t *end) {
    size_t size = (size_t)(end - target);
    const uint8_t *host;
    if (size > 7 && http_is(target, 7, "http://")) {
        host = target + 7;
    } else if (size > 8 && http_is(target, 8, "https://")) {
        host = target + 8;
    } else {
        return NULL;
    }
    const uint8_t *path = http_find(host, http_find(host, end, '?'), '/');
    return path > host && http_is_host(host, (size_t)(path - host)) ? path : NULL;
}
