/* http_syntax.c on any bytes: it stays within them, and lists are what splitting at commas gives. */
#include "http_syntax.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

/* The slow way: every piece between two commas. */
static bool has_token(const uint8_t *list, size_t size, const char *token) {
    size_t start = 0;
    for (size_t at = 0; at <= size; at++) {
        if (at < size && list[at] != ',') continue;
        const uint8_t *first = list + start;
        const uint8_t *last = list + at;
        http_trim(&first, &last);
        REQUIRE(list + start <= first && first <= last && last <= list + at);
        if ((size_t)(last - first) == strlen(token) && strncasecmp((const char *)first, token, strlen(token)) == 0) return true;
        start = at + 1;
    }
    return false;
}

const char fuzz_alphabet[] = ",upgradeUPGRADE \thost:tp/?#@\r0";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    REQUIRE(http_has_token(data, size, "upgrade") == has_token(data, size, "upgrade"));
    int kind = http_header_kind(data, size);
    REQUIRE((kind == HTTP_HOST) == (size == 4 && strncasecmp((const char *)data, "host", 4) == 0));
    REQUIRE((kind & (kind - 1)) == 0);
    bool target = http_is_target(data, size);
    REQUIRE(!target || memchr(data, '#', size) == NULL);
    REQUIRE(!http_is_digits(data, size) || (target && !http_is_word(data, size)));
    const uint8_t *path = http_path_of_absolute(data, data + size);
    REQUIRE(path == NULL || (path > data + 7 && path <= data + size));
    REQUIRE(path == NULL || path == data + size || *path == '/' || *path == '?');
    (void)http_is_version(data, size);
    (void)http_is_host(data, size);
    return 0;
}
