/* http_syntax: the pieces that a request's head is made of (RFC 9110, RFC 9112), without I/O.
 *
 * Everything points into the caller's bytes and is bounded by a size or an end; nothing is allocated.
 * What is compared without regard to case is given in lower case.
 */
#ifndef FASTSIO_HTTP_SYNTAX_H
#define FASTSIO_HTTP_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The headers that the parser itself looks at, one bit each. */
enum http_header {
    HTTP_OTHER = 0,
    HTTP_HOST = 1,
    HTTP_CONTENT_LENGTH = 2,
    HTTP_TRANSFER_ENCODING = 4,
    HTTP_ORIGIN = 8,
    HTTP_WEBSOCKET_KEY = 16,
    HTTP_WEBSOCKET_VERSION = 32,
    HTTP_SINGLE = 63, /* those above: at most once in a request */
    HTTP_CONTENT_ENCODING = 64,
    HTTP_EXPECT = 128,
    HTTP_CONNECTION = 256,
    HTTP_UPGRADE = 512,
};

/* Which header the name is. */
int http_header_kind(const uint8_t *name, size_t size);

bool http_equal(const uint8_t *text, const uint8_t *lowered, size_t size);
bool http_is(const uint8_t *text, size_t size, const char *lowered);

/* Whether a comma-separated list has the token (RFC 9110 5.6.1). */
bool http_has_token(const uint8_t *list, size_t size, const char *lowered);

/* Only digits, or only letters; at least one. */
bool http_is_digits(const uint8_t *text, size_t size);
bool http_is_word(const uint8_t *text, size_t size);

/* "HTTP/", digit, ".", digit, in this case (RFC 9112 2.3). */
bool http_is_version(const uint8_t *text, size_t size);

/* Visible ASCII without "#" (RFC 9112 3.2). */
bool http_is_target(const uint8_t *text, size_t size);

/* A header's value with blanks around it: no control but tab (RFC 9110 5.5); it may be empty. */
bool http_is_value(const uint8_t *text, size_t size);

/* A header's name (RFC 9110 5.6.2). */
bool http_is_token(const uint8_t *text, size_t size);

/* Whether nothing is in it that would make it more than one host and port; it may be empty. */
bool http_is_host(const uint8_t *text, size_t size);

/* Where the byte is; `end` when it is not there. */
const uint8_t *http_find(const uint8_t *start, const uint8_t *end, uint8_t byte);

/* Takes blanks, tabs and carriage returns off both ends. */
void http_trim(const uint8_t **start, const uint8_t **end);

/* Where the path begins in a target of the absolute form, "http://host/path"; NULL: it is none. */
const uint8_t *http_path_of_absolute(const uint8_t *target, const uint8_t *end);

#endif
