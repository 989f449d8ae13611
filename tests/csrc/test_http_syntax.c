/* http_syntax.c: what is what in a request's head, each in a block of its own size so that no byte beyond is read. */
#include "http_syntax.h"

#include "check.h"

#include <ctype.h>
#include <string.h>

/* A copy without the NUL behind it. The caller frees it. */
static uint8_t *exactly(const char *text) {
    size_t size = strlen(text);
    uint8_t *copy = malloc(size + (size == 0));
    CHECK(copy != NULL);
    memcpy(copy, text, size);
    return copy;
}

/* The result of a function of (text, size). */
#define OF(function, text) of_##function(text)
#define DEFINE(function)                                    \
    static int of_##function(const char *text) {            \
        uint8_t *copy = exactly(text);                      \
        int result = (int)function(copy, strlen(text));     \
        free(copy);                                         \
        return result;                                      \
    }
DEFINE(http_header_kind)
DEFINE(http_is_digits)
DEFINE(http_is_word)
DEFINE(http_is_version)
DEFINE(http_is_target)
DEFINE(http_is_host)
DEFINE(http_is_value)
DEFINE(http_is_token)

static bool has_token(const char *list, const char *token) {
    uint8_t *copy = exactly(list);
    bool result = http_has_token(copy, strlen(list), token);
    free(copy);
    return result;
}

/* Where the path begins; -1: no absolute form. */
static long path_at(const char *target) {
    uint8_t *copy = exactly(target);
    const uint8_t *path = http_path_of_absolute(copy, copy + strlen(target));
    long result = path == NULL ? -1 : (long)(path - copy);
    free(copy);
    return result;
}

static void test_headers(void) {
    CHECK(OF(http_header_kind, "host") == HTTP_HOST);
    CHECK(OF(http_header_kind, "Host") == HTTP_HOST);
    CHECK(OF(http_header_kind, "SEC-WEBSOCKET-KEY") == HTTP_WEBSOCKET_KEY);
    CHECK(OF(http_header_kind, "Sec-WebSocket-Version") == HTTP_WEBSOCKET_VERSION);
    CHECK(OF(http_header_kind, "Content-Length") == HTTP_CONTENT_LENGTH);
    CHECK(OF(http_header_kind, "Content-Encoding") == HTTP_CONTENT_ENCODING);
    CHECK(OF(http_header_kind, "Transfer-Encoding") == HTTP_TRANSFER_ENCODING);
    CHECK(OF(http_header_kind, "Origin") == HTTP_ORIGIN);
    CHECK(OF(http_header_kind, "Expect") == HTTP_EXPECT);
    CHECK(OF(http_header_kind, "Connection") == HTTP_CONNECTION);
    CHECK(OF(http_header_kind, "Upgrade") == HTTP_UPGRADE);
    CHECK(OF(http_header_kind, "") == HTTP_OTHER);
    CHECK(OF(http_header_kind, "hos") == HTTP_OTHER);
    CHECK(OF(http_header_kind, "hostx") == HTTP_OTHER);
    CHECK(OF(http_header_kind, "H\xcfST") == HTTP_OTHER);
    CHECK(OF(http_header_kind, "content_length") == HTTP_OTHER);
    CHECK(OF(http_header_kind, "content\rlength") == HTTP_OTHER); /* differs from "-" in bit 5 alone */
}

static void test_classes(void) {
    CHECK(OF(http_is_digits, "0123456789") && !OF(http_is_digits, ""));
    CHECK(!OF(http_is_digits, "1/") && !OF(http_is_digits, ":1") && !OF(http_is_digits, "+1"));
    CHECK(OF(http_is_word, "azAZ") && !OF(http_is_word, ""));
    CHECK(!OF(http_is_word, "a@") && !OF(http_is_word, "a[") && !OF(http_is_word, "a`") && !OF(http_is_word, "a{"));
    CHECK(OF(http_is_version, "HTTP/1.1") && OF(http_is_version, "HTTP/9.0"));
    CHECK(!OF(http_is_version, "http/1.1") && !OF(http_is_version, "HTTP/1.10") && !OF(http_is_version, "HTTP/1"));
    CHECK(!OF(http_is_version, "HTTP/1,1") && !OF(http_is_version, "HTTP/x.1") && !OF(http_is_version, ""));
    CHECK(OF(http_is_target, "/a?b=%20!~") && !OF(http_is_target, ""));
    CHECK(!OF(http_is_target, "/ ") && !OF(http_is_target, "/\x7f") && !OF(http_is_target, "/\x80"));
    CHECK(!OF(http_is_target, "/#") && !OF(http_is_target, "/\x1f"));
    CHECK(OF(http_is_host, "") && OF(http_is_host, "a.b:80") && OF(http_is_host, "[::1]:80"));
    CHECK(!OF(http_is_host, "a,b") && !OF(http_is_host, "a/b") && !OF(http_is_host, "a?") && !OF(http_is_host, "a#"));
    CHECK(!OF(http_is_host, "a@b") && !OF(http_is_host, "a\\b") && !OF(http_is_host, "a b") && !OF(http_is_host, "\xff"));
}

static void test_every_byte(void) {
    for (int byte = 0; byte < 256; byte++) {
        uint8_t text[40]; /* long enough for what compilers do 16 at a time */
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (uint8_t)byte;
            bool letter_or_digit = byte < 128 && (isalpha(byte) || isdigit(byte));
            bool visible = byte > 0x20 && byte < 0x7F;
            CHECK(http_is_value(text, sizeof text) == (byte == '\t' || (byte >= 0x20 && byte != 0x7F)));
            CHECK(http_is_target(text, sizeof text) == (visible && byte != '#'));
            CHECK(http_is_host(text, sizeof text) == (visible && memchr(",/?#@\\", byte, 6) == NULL));
            CHECK(http_is_token(text, sizeof text) ==
                  (letter_or_digit || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL)));
        }
    }
    CHECK(OF(http_is_value, "") && !OF(http_is_token, ""));
}

static void test_tokens(void) {
    CHECK(has_token("websocket", "websocket"));
    CHECK(has_token("keep-alive, Upgrade", "upgrade"));
    CHECK(has_token(" ,,\tUPGRADE\t,x", "upgrade"));
    CHECK(has_token("x,upgrade", "upgrade"));
    CHECK(!has_token("", "upgrade"));
    CHECK(!has_token(",", "upgrade"));
    CHECK(!has_token("upgrades", "upgrade"));
    CHECK(!has_token("upgrade x", "upgrade"));
    CHECK(!has_token("upgrad", "upgrade"));
    CHECK(!has_token("up,grade", "upgrade"));
}

static void test_absolute_form(void) {
    CHECK(path_at("http://a/b") == 8);
    CHECK(path_at("HTTPS://a:80/b?c") == 12);
    CHECK(path_at("http://a") == 8);
    CHECK(path_at("http://a?b/c") == 8);
    CHECK(path_at("http://") == -1);
    CHECK(path_at("http:///b") == -1);
    CHECK(path_at("http://?b") == -1);
    CHECK(path_at("https://") == -1);
    CHECK(path_at("https:///") == -1);
    CHECK(path_at("https:/") == -1); /* no byte beyond is compared */
    CHECK(path_at("http:/") == -1);
    CHECK(path_at("http://a@b/") == -1);
    CHECK(path_at("ftp://a/b") == -1);
    CHECK(path_at("/b") == -1);
    CHECK(path_at("") == -1);
}

int main(void) {
    test_headers();
    test_classes();
    test_every_byte();
    test_tokens();
    test_absolute_form();
    return 0;
}
