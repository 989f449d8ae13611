/* ws.c: what a stream of frames means, what is refused and with which code, what is held meanwhile. Each stream is fed
 * whole and byte by byte. */
#include "ws.h"

#include "check.h"
#include "no_memory.h"

#include <string.h>

#define MASK "\x11\x22\x33\x44"

static const ws_limits LIMITS = {.max_message = 1000, .max_fragments = 3, .allow_rsv1 = 0};
static const ws_limits DEFLATE = {.max_message = 1000, .max_fragments = 3, .allow_rsv1 = 1};

typedef struct stream {
    uint8_t bytes[70000];
    size_t size;
} stream;

/* A frame of a client; `first` is its first byte, of the payload only `there` bytes are put. */
static void put(stream *to, uint8_t first, const void *payload, size_t size, size_t there) {
    uint8_t *head = to->bytes + to->size;
    size_t head_size = ws_write_header(head, WS_TEXT, 0, size);
    head[0] = first;
    head[1] |= 0x80;
    memcpy(head + head_size, MASK, 4);
    for (size_t i = 0; i < there; i++) head[head_size + 4 + i] = ((const uint8_t *)payload)[i] ^ (uint8_t)MASK[i % 4];
    to->size += head_size + 4 + there;
}

static void put_text(stream *to, uint8_t first, const char *payload) {
    put(to, first, payload, strlen(payload), strlen(payload));
}

static void log_message(char *log, int kind, const ws_event *event) {
    char letter = kind == WS_TEXT ? 'T' : kind == WS_BINARY ? 'B' : kind == WS_PING ? 'p' : 'q';
    sprintf(log, "%c%s(%.*s)", letter, event->compressed ? "z" : "", (int)event->size, (const char *)event->data);
}

/* Writes what happened into `log`: "T(text) P(ping) C1000() E1002". */
static void decode(const ws_limits *limits, const stream *from, size_t step, char *log) {
    ws_decoder decoder = {0};
    *log = 0;
    for (size_t at = 0; at < from->size; at += step) {
        size_t size = from->size - at < step ? from->size - at : step;
        uint8_t *piece = malloc(size);
        uint8_t *cursor = piece;
        ws_event event = {0};
        int kind;
        memcpy(piece, from->bytes + at, size);
        while ((kind = ws_decode(&decoder, limits, &cursor, piece + size, &event)) != WS_NEED_MORE) {
            log += strlen(log);
            if (kind == WS_ERROR) sprintf(log, "E%d", event.code);
            else if (kind == WS_CLOSE) sprintf(log, "C%d(%.*s)", event.code, (int)event.size, (char *)event.data);
            else log_message(log, kind, &event);
        }
        CHECK(cursor == piece + size);
        free(piece);
    }
    ws_decoder_clear(&decoder);
}

static void expect(const ws_limits *limits, const stream *from, const char *expected) {
    static char log[4096];
    decode(limits, from, from->size, log);
    CHECK(strcmp(log, expected) == 0);
    decode(limits, from, 1, log);
    CHECK(strcmp(log, expected) == 0);
}

typedef struct part {
    uint8_t first;
    const char *payload;
} part;

static void expect_parts(const ws_limits *limits, const part *parts, const char *expected) {
    static stream from;
    from.size = 0;
    for (; parts->payload != NULL; parts++) put_text(&from, parts->first, parts->payload);
    expect(limits, &from, expected);
}

#define PARTS(...) ((const part[]){__VA_ARGS__, {0, NULL}})

static void test_messages(void) {
    expect_parts(&LIMITS, PARTS({0x81, "hello"}, {0x82, "\xFF"}, {0x81, ""}), "T(hello)B(\xFF)T()");
    expect_parts(&LIMITS, PARTS({0x01, "a"}, {0x00, ""}, {0x80, "b"}, {0x81, "c"}), "T(ab)T(c)");
    expect_parts(&LIMITS, PARTS({0x02, ""}, {0x80, "all"}), "B(all)");
    expect_parts(&LIMITS, PARTS({0x89, "one"}, {0x8A, ""}, {0x89, "two"}), "p(one)q()p(two)");
    expect_parts(&LIMITS, PARTS({0x01, "a"}, {0x89, "now"}, {0x80, "b"}, {0x8A, "x"}), "p(now)T(ab)q(x)");
    expect_parts(&LIMITS, PARTS({0x01, "\xE2\x82"}, {0x89, ""}, {0x80, "\xAC"}), "p()T(\xE2\x82\xAC)");
}

/* RSV1 is the first frame's and tells of the whole message; what is deflated is not looked at (RFC 7692 section 6). */
static void test_compressed(void) {
    expect_parts(&DEFLATE, PARTS({0xC1, "\xFF"}, {0x41, "\xFE"}, {0x80, "!"}, {0x81, "t"}), "Tz(\xFF)Tz(\xFE!)T(t)");
    expect_parts(&DEFLATE, PARTS({0xC2, "a"}, {0x82, "b"}, {0xC1, ""}, {0x81, ""}), "Bz(a)B(b)Tz()T()");
    expect_parts(&DEFLATE, PARTS({0x42, "a"}, {0x89, "p"}, {0x80, "b"}, {0x01, "c"}, {0x80, "d"}), "p(p)Bz(ab)T(cd)");
    expect_parts(&DEFLATE, PARTS({0xC1, "\xFF"}, {0x81, "\xFF"}), "Tz(\xFF)E1007");
    expect_parts(&DEFLATE, PARTS({0x41, "\xFF"}, {0x8A, ""}, {0x80, "\xFF"}, {0x88, ""}), "q()Tz(\xFF\xFF)C1005()");
    for (uint8_t control = WS_CLOSE; control <= WS_PONG; control++) {
        expect_parts(&DEFLATE, PARTS({0xC0 | control, ""}), "E1002");
        expect_parts(&DEFLATE, PARTS({0x41, "x"}, {0xC0 | control, ""}), "E1002");
    }
    for (uint8_t first = 0x01; first <= 0x41; first += 0x40) {
        expect_parts(&DEFLATE, PARTS({first, "x"}, {0x40, "y"}), "E1002");
        expect_parts(&DEFLATE, PARTS({first, "x"}, {0xC0, "y"}), "E1002");
    }
    for (uint8_t first = 0x40; first <= 0x42; first++) expect_parts(&LIMITS, PARTS({first, "x"}), "E1002");
}

static void test_close(void) {
    expect_parts(&LIMITS, PARTS({0x88, ""}, {0x81, "ignored"}), "C1005()");
    expect_parts(&LIMITS, PARTS({0x88, "\x03\xE9" "bye \xC3\xA9"}, {0x81, "x"}), "C1001(bye \xC3\xA9)");
    expect_parts(&LIMITS, PARTS({0x01, "half"}, {0x88, "\x13\x87"}), "C4999()");
    expect_parts(&LIMITS, PARTS({0x88, "\x03"}), "E1002");
    expect_parts(&LIMITS, PARTS({0x88, "\x03\xE8\xFF"}), "E1007");
    expect_parts(&LIMITS, PARTS({0x88, "\x03\xE8\xC3"}), "E1007");
}

/* Section 7.4 and the registry: 1004 to 1006 and 1015 are never sent. */
static void test_close_codes(void) {
    for (int code = 1; code < 5100; code++) {
        char payload[] = {(char)(code >> 8), (char)code};
        char expected[20];
        int is_known = code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
        is_known |= code >= 3000 && code <= 4999;
        static stream from;
        from.size = 0;
        put(&from, 0x88, payload, 2, 2);
        if (is_known) sprintf(expected, "C%d()", code);
        expect(&LIMITS, &from, is_known ? expected : "E1002");
    }
}

/* After an error everything is ignored. */
static void test_refused(void) {
    expect_parts(&LIMITS, PARTS({0x81, "a"}, {0x80, "b"}, {0x81, "c"}), "T(a)E1002");
    expect_parts(&LIMITS, PARTS({0x01, "a"}, {0x81, "b"}), "E1002");
    expect_parts(&LIMITS, PARTS({0x01, "a"}, {0x02, "b"}), "E1002");
    expect_parts(&LIMITS, PARTS({0x09, ""}), "E1002");
    expect_parts(&LIMITS, PARTS({0xC1, "x"}), "E1002");
    for (uint8_t rsv = 0x10; rsv <= 0x30; rsv += 0x10) expect_parts(&DEFLATE, PARTS({0x81 | rsv, "x"}), "E1002");
    for (uint8_t opcode = 0; opcode < 16; opcode++) {
        if ((opcode >= 3 && opcode <= 7) || opcode >= 11) {
            expect_parts(&LIMITS, PARTS({0x80 | opcode, "x"}), "E1002");
            expect_parts(&LIMITS, PARTS({0x01, "x"}, {0x80 | opcode, "x"}), "E1002");
        }
    }
}

static void test_not_masked(void) {
    static stream from = {.bytes = "\x81\x01x", .size = 3};
    expect(&LIMITS, &from, "E1002");
}

static void test_invalid_text(void) {
    expect_parts(&LIMITS, PARTS({0x81, "\xFF"}), "E1007");
    expect_parts(&LIMITS, PARTS({0x81, "\xC3"}), "E1007");
    expect_parts(&LIMITS, PARTS({0x01, "\xC3"}, {0x80, "x"}), "E1007");
    expect_parts(&LIMITS, PARTS({0x01, "\xC3"}, {0x80, ""}), "E1007");
    expect_parts(&LIMITS, PARTS({0x01, "a"}, {0x89, "\xFF"}, {0x80, "b"}), "p(\xFF)T(ab)");
    static stream from;
    put(&from, 0x01, "\xFF", 500, 1); /* before the frame is complete */
    expect(&LIMITS, &from, "E1007");
}

static void test_limits(void) {
    static uint8_t large[2000];
    static stream from;
    memset(large, 'x', sizeof(large));
    from.size = 0;
    put(&from, 0x82, large, 1001, 0); /* from the head alone */
    expect(&LIMITS, &from, "E1009");
    from.size = 0;
    put(&from, 0x02, large, 999, 999);
    put(&from, 0x80, large, 2, 0);
    expect(&LIMITS, &from, "E1009");
    from.size = 0;
    put(&from, 0x02, large, SIZE_MAX, 0);
    expect(&LIMITS, &from, "E1009");
    from.size = 0;
    put(&from, 0x89, large, 126, 0);
    expect(&LIMITS, &from, "E1002");
    expect_parts(&LIMITS, PARTS({0x01, "1"}, {0x00, "2"}, {0x80, "3"}, {0x81, "x"}), "T(123)T(x)");
    expect_parts(&LIMITS, PARTS({0x01, "1"}, {0x00, "2"}, {0x00, "3"}, {0x89, ""}, {0x80, "4"}), "p()E1008");
    ws_limits many = {.max_message = 1000, .max_fragments = 0};
    expect_parts(&many, PARTS({0x01, ""}, {0x00, ""}, {0x00, ""}, {0x00, ""}, {0x80, "x"}), "T(x)");
}

/* A message in one piece is handed out where it lies, one in two is held until the next call, and nothing before. */
static void test_where_it_lies(void) {
    static stream from;
    ws_decoder decoder = {0};
    ws_event event;
    from.size = 0;
    put_text(&from, 0x81, "hello");
    uint8_t *cursor = from.bytes;
    uint8_t *end = from.bytes + from.size;
    CHECK(ws_decode(&decoder, &LIMITS, &cursor, end, &event) == WS_TEXT);
    CHECK(event.data == from.bytes + 6 && event.size == 5 && ws_decoder_held(&decoder) == 0);
    from.size = 0;
    put_text(&from, 0x81, "hello");
    cursor = from.bytes;
    CHECK(ws_decode(&decoder, &LIMITS, &cursor, end - 1, &event) == WS_NEED_MORE);
    size_t held = ws_decoder_held(&decoder);
    CHECK(held >= 4 && held <= 1000);
    CHECK(ws_decode(&decoder, &LIMITS, &cursor, end, &event) == WS_TEXT);
    CHECK(event.size == 5 && memcmp(event.data, "hello", 5) == 0);
    CHECK(ws_decode(&decoder, &LIMITS, &cursor, end, &event) == WS_NEED_MORE);
    CHECK(ws_decoder_held(&decoder) == 0);
}

/* Memory follows what has come, not what was announced. */
static void test_announced(void) {
    static stream from;
    ws_limits generous = {.max_message = UINT64_MAX};
    ws_decoder decoder = {0};
    ws_event event;
    uint8_t *cursor = from.bytes;
    from.size = 0;
    put(&from, 0x82, "abc", (size_t)1 << 60, 3);
    CHECK(ws_decode(&decoder, &generous, &cursor, from.bytes + from.size, &event) == WS_NEED_MORE);
    CHECK(ws_decoder_held(&decoder) < 2000);
    ws_decoder_clear(&decoder);
    CHECK(ws_decoder_held(&decoder) == 0);
}

static void test_no_memory(void) {
    for (int control = 0; control < 2; control++) {
        static stream from;
        ws_decoder decoder = {0};
        ws_event event;
        uint8_t *cursor = from.bytes;
        from.size = 0;
        put(&from, control ? 0x89 : 0x82, "abc", 100, 3);
        fail_allocation(1);
        CHECK(ws_decode(&decoder, &LIMITS, &cursor, from.bytes + from.size, &event) == WS_ERROR);
        fail_allocation(0);
        CHECK(event.code == WS_CLOSE_TOO_BIG);
        CHECK(ws_decode(&decoder, &LIMITS, &cursor, from.bytes + from.size, &event) == WS_NEED_MORE);
        ws_decoder_clear(&decoder);
    }
}

static void test_write_header(void) {
    static const struct {
        uint64_t size;
        size_t head;
        const char *expected;
    } cases[] = {
        {0, 2, "\x82\x00"},
        {125, 2, "\x82\x7D"},
        {126, 4, "\x82\x7E\x00\x7E"},
        {65535, 4, "\x82\x7E\xFF\xFF"},
        {65536, 10, "\x82\x7F\0\0\0\0\0\x01\0\0"},
        {UINT64_C(0x0102030405060708), 10, "\x82\x7F\x01\x02\x03\x04\x05\x06\x07\x08"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t *out = malloc(cases[i].head);
        CHECK(ws_header_size(cases[i].size) == cases[i].head);
        CHECK(ws_write_header(out, WS_BINARY, 0, cases[i].size) == cases[i].head);
        CHECK(memcmp(out, cases[i].expected, cases[i].head) == 0);
        CHECK(ws_write_header(out, WS_TEXT, 1, cases[i].size) == cases[i].head && out[0] == 0xC1);
        free(out);
    }
}

int main(void) {
    test_messages();
    test_compressed();
    test_close();
    test_close_codes();
    test_refused();
    test_not_masked();
    test_invalid_text();
    test_limits();
    test_where_it_lies();
    test_announced();
    test_no_memory();
    test_write_header();
    return 0;
}
