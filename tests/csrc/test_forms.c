/* forms.c through message_in: every dialect to the byte, what is made once, and what is not made at all. */
#include "forms.h"

#include "check.h"
#include "fake_deflate.h"
#include "no_memory.h"
#include "ws.h"

#define IS(found, expected) CHECK((found).size == sizeof(expected) - 1 && memcmp((found).data, expected, (found).size) == 0)
#define ASTRAL "\xF0\x9F\x98\x80" /* U+1F600: two code units of UTF-16 */

enum { EIO3 = DIALECT_EIO3, BASE64 = DIALECT_BASE64, POLLING = DIALECT_POLLING, DEFLATE = DIALECT_DEFLATE };

static span text(const char *from) {
    return (span){(const uint8_t *)from, strlen(from)};
}

static message *packet(const char *head, const span *attachments, size_t count) {
    message *made = message_packet(text(head), (span){NULL, 0}, attachments, count);
    CHECK(made != NULL);
    return made;
}

/* As the only message of a sequence. */
static span alone_in(message *self, uint32_t dialect) {
    return message_in(self, dialect_of_pieces(dialect, self->binary), NULL);
}

static void check_own(message *self, uint32_t dialect, const deflater *deflater) {
    CHECK(message_in(self, dialect, deflater).data == self->bytes);
    CHECK(message_in(self, dialect, deflater).size == self->size);
    CHECK(self->forms == NULL);
}

/* A websocket takes text as it is, whatever the dialect. */
static void test_text_on_websocket(void) {
    message *made = packet("42[\"a\"]", NULL, 0);
    for (uint32_t dialect = 0; dialect < POLLING; dialect++) check_own(made, dialect, NULL);
    check_own(made, DEFLATE, NULL);
    message_release(made);
}

static void test_text_on_polling(void) {
    message *made = packet("42[\"a\xC3\xA9\xE2\x82\xAC" ASTRAL "\"]", NULL, 0);
    IS(alone_in(made, POLLING), "42[\"a\xC3\xA9\xE2\x82\xAC" ASTRAL "\"]\x1E");
    IS(alone_in(made, POLLING | BASE64), "42[\"a\xC3\xA9\xE2\x82\xAC" ASTRAL "\"]\x1E");
    IS(alone_in(made, POLLING | EIO3), "11:42[\"a\xC3\xA9\xE2\x82\xAC" ASTRAL "\"]");
    IS(alone_in(made, POLLING | EIO3 | BASE64), "11:42[\"a\xC3\xA9\xE2\x82\xAC" ASTRAL "\"]");
    message_release(made);
    made = packet("2", NULL, 0);
    IS(alone_in(made, POLLING), "2\x1E");
    IS(alone_in(made, POLLING | EIO3), "1:2");
    message_release(made);
}

static void test_attachments(void) {
    span attachments[] = {text("xyz"), {NULL, 0}, text("\xFF"), text("ab")};
    message *made = packet("454-[]", attachments, 4);
    CHECK(made->binary);
    IS(alone_in(made, EIO3), "\x81\x06" "454-[]" "\x82\x04\4xyz" "\x82\x01\4" "\x82\x02\4\xFF" "\x82\x03\4" "ab");
    IS(alone_in(made, BASE64), "\x81\x06" "454-[]" "\x81\x05" "beHl6" "\x81\x01" "b" "\x81\x05" "b/w==" "\x81\x05" "bYWI=");
    IS(alone_in(made, EIO3 | BASE64),
       "\x81\x06" "454-[]" "\x81\x06" "b4eHl6" "\x81\x02" "b4" "\x81\x06" "b4/w==" "\x81\x06" "b4YWI=");
    IS(alone_in(made, POLLING), "454-[]\x1E" "beHl6\x1E" "b\x1E" "b/w==\x1E" "bYWI=\x1E");
    IS(alone_in(made, POLLING | EIO3 | BASE64), "6:454-[]" "6:b4eHl6" "2:b4" "6:b4/w==" "6:b4YWI=");
    IS(alone_in(made, POLLING | EIO3),
       "\0\6\xFF" "454-[]" "\1\4\xFF\4xyz" "\1\1\xFF\4" "\1\2\xFF\4\xFF" "\1\3\xFF\4" "ab");
    message_release(made);
}

/* A packet of Engine.IO that is nothing but binary. */
static void test_binary_alone(void) {
    message *made = message_binary(text("xyz"));
    CHECK(made->binary && !made->raw);
    IS(alone_in(made, 0), "\x82\x03xyz");
    IS(alone_in(made, EIO3), "\x82\x04\4xyz");
    IS(alone_in(made, BASE64), "\x81\x05" "beHl6");
    IS(alone_in(made, POLLING), "beHl6\x1E");
    IS(alone_in(made, POLLING | EIO3), "\1\4\xFF\4xyz");
    IS(alone_in(made, POLLING | EIO3 | BASE64), "6:b4eHl6");
    message_release(made);
    fail_allocation(1);
    CHECK(message_binary(text("xyz")) == NULL);
    fail_allocation(0);
}

/* Text in a binary payload: its length is that in bytes. */
static void test_text_in_a_binary_payload(void) {
    message *made = packet("42[\"" ASTRAL ASTRAL "\"]", NULL, 0);
    IS(message_in(made, dialect_of_pieces(POLLING | EIO3, 1), NULL), "\0\1\4\xFF" "42[\"" ASTRAL ASTRAL "\"]");
    IS(message_in(made, dialect_of_pieces(POLLING | EIO3, 0), NULL), "10:42[\"" ASTRAL ASTRAL "\"]");
    message_release(made);
}

/* Where the head of a frame grows, in the message and in the form. */
static void test_lengths(void) {
    static uint8_t data[65536];
    static const size_t sizes[] = {91, 92, 93, 124, 125, 126, 49146, 49149, 65534, 65535, 65536};
    memset(data, 'a', sizeof(data));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t size = sizes[i], encoded = (size + 2) / 3 * 4;
        span attachment = {data, size};
        message *made = packet("451-[]", &attachment, 1);
        span found = alone_in(made, EIO3);
        CHECK(found.size == 8 + ws_header_size(1 + size) + 1 + size);
        CHECK(found.data[found.size - size - 1] == 4 && memcmp(found.data + found.size - size, data, size) == 0);
        found = alone_in(made, BASE64);
        CHECK(found.size == 8 + ws_header_size(1 + encoded) + 1 + encoded);
        CHECK(found.data[8] == 0x81 && found.data[found.size - encoded - 1] == 'b');
        found = alone_in(made, POLLING);
        CHECK(found.size == 7 + 1 + encoded + 1);
        message_release(made);
    }
}

static void test_raw(void) {
    fake_deflate fake = {0};
    const deflater deflater = deflater_of(&fake, 0);
    message *made = message_raw(text("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    for (uint32_t dialect = 0; dialect < 16; dialect++) check_own(made, dialect, &deflater);
    CHECK(fake.calls == 0);
    message_release(made);
}

static void test_made_once(void) {
    span attachment = text("xyz");
    message *made = packet("451-[]", &attachment, 1);
    span found[POLLING * 2];
    for (uint32_t dialect = 1; dialect < POLLING * 2; dialect++) found[dialect] = alone_in(made, dialect);
    for (uint32_t dialect = 1; dialect < POLLING * 2; dialect++) CHECK(alone_in(made, dialect).data == found[dialect].data);
    CHECK(found[POLLING].data == found[POLLING | BASE64].data);
    CHECK(found[POLLING].data != found[POLLING | EIO3].data);
    message_release(made);
}

/* ---- deflate ---- */

static void test_deflate(void) {
    fake_deflate fake = {0};
    const deflater deflater = deflater_of(&fake, 4);
    span attachments[] = {text("aaaa"), text("bbb"), text("abcd"), text("ccccc")};
    message *made = packet("4444", attachments, 4);
    span found = message_in(made, DEFLATE, &deflater);
    IS(found, "\xC1\x02z4" "\xC2\x02za" "\x82\x03" "bbb" "\x82\x04" "abcd" "\xC2\x02zc");
    CHECK(fake.calls == 4);
    CHECK(message_in(made, DEFLATE, &deflater).data == found.data && fake.calls == 4);
    CHECK(memcmp(made->bytes, "\x81\x04" "4444", 6) == 0);
    message_release(made);
}

/* The type byte belongs to what is deflated, and base64 as well. */
static void test_deflate_and_another(void) {
    fake_deflate fake = {0};
    const deflater deflater = deflater_of(&fake, 4);
    span attachment = text("\4\4\4");
    message *made = packet("451-", &attachment, 1);
    IS(message_in(made, DEFLATE | EIO3, &deflater), "\x81\x04" "451-" "\xC2\x02z\4");
    IS(message_in(made, DEFLATE | BASE64, &deflater), "\x81\x04" "451-" "\x81\x05" "bBAQE");
    message_release(made);
}

static void test_not_deflated(void) {
    fake_deflate fake = {0};
    const deflater deflater = deflater_of(&fake, 8);
    message *made = packet("4444444", NULL, 0); /* too short */
    check_own(made, DEFLATE, &deflater);
    message_release(made);
    made = packet("44444444", NULL, 0);
    made->compress = 0;
    check_own(made, DEFLATE, &deflater);
    made->compress = 1;
    check_own(made, 0, &deflater);
    IS(alone_in(made, POLLING | DEFLATE), "44444444\x1E");
    CHECK(fake.calls == 0);
    message_release(made);
    made = packet("42345678", NULL, 0); /* longer when deflated: tried once, no copy is kept */
    CHECK(message_in(made, DEFLATE, &deflater).data == made->bytes);
    CHECK(message_in(made, DEFLATE, &deflater).size == made->size && fake.calls == 1);
    message_release(made);
}

/* A shorter payload may have a shorter head. */
static void test_deflated_head(void) {
    static char head[70001];
    fake_deflate fake = {0};
    const deflater deflater = deflater_of(&fake, 0);
    static const size_t sizes[] = {3, 125, 126, 65535, 65536, 70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        memset(head, '4', sizes[i]);
        head[sizes[i]] = 0;
        message *made = packet(head, NULL, 0);
        IS(message_in(made, DEFLATE, &deflater), "\xC1\x02z4");
        message_release(made);
    }
}

static void test_failures(void) {
    fake_deflate fake = {.fails = 1};
    const deflater deflater = deflater_of(&fake, 0);
    span attachment = text("xyz");
    message *made = packet("451-[]", &attachment, 1);
    CHECK(message_in(made, DEFLATE, &deflater).data == NULL);
    fake.fails = 0;
    for (uint32_t dialect = 1; dialect < 16; dialect++) {
        fail_allocation(1);
        CHECK(message_in(made, dialect, &deflater).data == NULL);
        fail_allocation(0);
    }
    CHECK(made->forms == NULL);
    fail_allocation(2); /* the first is for the form, the second in the deflater */
    CHECK(message_in(made, DEFLATE, &deflater).data == NULL);
    fail_allocation(0);
    message_release(made);
    made = packet("4444", NULL, 0);
    fail_allocation(3); /* what is not given back is no failure */
    IS(message_in(made, DEFLATE, &deflater), "\xC1\x02z4");
    fail_allocation(0);
    message_release(made);
    CHECK(form_new(0, SIZE_MAX) == NULL);
}

int main(void) {
    test_text_on_websocket();
    test_text_on_polling();
    test_attachments();
    test_binary_alone();
    test_text_in_a_binary_payload();
    test_lengths();
    test_raw();
    test_made_once();
    test_deflate();
    test_deflate_and_another();
    test_not_deflated();
    test_deflated_head();
    test_failures();
    return 0;
}
