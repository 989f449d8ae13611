#define _GNU_SOURCE
#include "http.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

/* The value of a header, or NULL. The head ends with an empty line, so a value ends with a character that is none. */
static const char *find_header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = memchr(head, '\n', (size_t)(end - head)); line && line + 1 < end;
         line = memchr(line + 1, '\n', (size_t)(end - line - 1)))
        if ((size_t)(end - line - 1) > length && strncasecmp(line + 1, name, length) == 0) return line + 1 + length;
    return NULL;
}

/* Returns the bytes that the chunks take, 0 while they are incomplete; nothing is moved before all are there. */
static size_t read_chunks(char *body, size_t available, size_t *length, bool move) {
    size_t at = 0, total = 0;
    for (;;) {
        const char *line = memmem(body + at, available - at, "\r\n", 2);
        if (line == NULL) return 0;
        size_t size = strtoul(body + at, NULL, 16);
        at = (size_t)(line - body) + 2;
        if (available - at < 2 || available - at - 2 < size) return 0;
        if (move) memmove(body + total, body + at, size);
        total += size;
        at += size + 2;
        if (size > 0) continue;
        *length = total;
        return at;
    }
}

size_t http_read_answer(char *data, size_t length, http_answer *answer) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t head = (size_t)(end - data) + 4;
    if (head < 16 || memcmp(data, "HTTP/1.1 ", 9) != 0) fail("not an answer of HTTP/1.1: %.*s", (int)head, data);
    const char *content_length = find_header(data, end + 2, "content-length:");
    const char *coding = find_header(data, end + 2, "transfer-encoding: chunked");
    char *body = data + head;
    *answer = (http_answer){.status = atoi(data + 9), .body = body};
    if (coding) {
        size_t used = read_chunks(body, length - head, &answer->length, false);
        if (used > 0) read_chunks(body, length - head, &answer->length, true);
        return used > 0 ? head + used : 0;
    }
    if (content_length == NULL) fail("an answer without a length: %.*s", (int)head, data);
    answer->length = strtoul(content_length, NULL, 10);
    return length - head < answer->length ? 0 : head + answer->length;
}
