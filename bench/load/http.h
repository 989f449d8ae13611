/* http: answers of HTTP/1.1, as far as the bodies of polling need it: Content-Length and chunks. */
#ifndef LOAD_HTTP_H
#define LOAD_HTTP_H

#include <stddef.h>

typedef struct http_answer {
    int status;
    const char *body;
    size_t length;
} http_answer;

/* Returns the bytes that the answer takes, 0 while it is incomplete. A chunked body is put together in its place. */
size_t http_read_answer(char *data, size_t length, http_answer *);

#endif
