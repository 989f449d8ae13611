/* sio.c: heads of packets read and written, and what is refused. */
#include "sio.h"

#include "check.h"

#include <string.h>

static char text[1024];

/* Scans a copy of exactly its size, so that a read beyond it is seen. */
static int scan(const char *packet, sio_header *header, int max_attachments) {
    size_t size = strlen(packet);
    uint8_t *exact = malloc(size);
    if (size) memcpy(exact, packet, size);
    int error = sio_scan(exact, size, max_attachments, header);
    if (error == SIO_OK && header->namespace_ != NULL) {
        CHECK(header->namespace_ >= exact && header->namespace_ + header->namespace_size <= exact + size);
        memcpy(text, header->namespace_, header->namespace_size);
        text[header->namespace_size] = 0;
    }
    if (error == SIO_OK) CHECK(header->payload <= size);
    free(exact);
    return error;
}

static void test_scan(void) {
    static const struct {
        const char *packet;
        int type, attachments;
        const char *namespace_;
        int64_t id;
        size_t payload;
    } cases[] = {
        {"0", SIO_CONNECT, 0, NULL, -1, 1},
        {"0{\"token\":1}", SIO_CONNECT, 0, NULL, -1, 1},
        {"0/admin,{}", SIO_CONNECT, 0, "/admin", -1, 8},
        {"0/admin", SIO_CONNECT, 0, "/admin", -1, 7},
        {"1/", SIO_DISCONNECT, 0, "/", -1, 2},
        {"2[\"a\"]", SIO_EVENT, 0, NULL, -1, 1},
        {"212[\"a\"]", SIO_EVENT, 0, NULL, 12, 3},
        {"2/chat,0[]", SIO_EVENT, 0, "/chat", 0, 8},
        {"2/,7[]", SIO_EVENT, 0, "/", 7, 4},
        {"2/a?b=c,[]", SIO_EVENT, 0, "/a?b=c", -1, 8},
        {"20009007199254740991", SIO_EVENT, 0, NULL, SIO_MAX_ID, 20},
        {"3/chat,7[]", SIO_ACK, 0, "/chat", 7, 8},
        {"4{}", SIO_CONNECT_ERROR, 0, NULL, -1, 1},
        {"51-[]", SIO_BINARY_EVENT, 1, NULL, -1, 3},
        {"510-/a,3[]", SIO_BINARY_EVENT, 10, "/a", 3, 8},
        {"6001-9[]", SIO_BINARY_ACK, 1, NULL, 9, 6},
        {"2-1[]", SIO_EVENT, 0, NULL, -1, 1}, /* the payload is not looked at */
        {"21-[]", SIO_EVENT, 0, NULL, 1, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sio_header header;
        CHECK(scan(cases[i].packet, &header, 10) == SIO_OK);
        CHECK(header.type == cases[i].type && header.attachments == cases[i].attachments);
        CHECK(header.id == cases[i].id && header.payload == cases[i].payload);
        CHECK((header.namespace_ == NULL) == (cases[i].namespace_ == NULL));
        if (header.namespace_ != NULL) CHECK(strcmp(text, cases[i].namespace_) == 0);
    }
}

#define ZEROS_10 "0000000000"
#define ZEROS_100 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10

static void test_refused(void) {
    static const struct {
        const char *packet;
        int error;
    } cases[] = {
        {"", SIO_EMPTY},
        {"7", SIO_BAD_TYPE},
        {"/", SIO_BAD_TYPE},
        {"a[]", SIO_BAD_TYPE},
        {"5", SIO_BAD_ATTACHMENTS},
        {"5[]", SIO_BAD_ATTACHMENTS},
        {"51", SIO_BAD_ATTACHMENTS},
        {"51[]", SIO_BAD_ATTACHMENTS},
        {"5-[]", SIO_BAD_ATTACHMENTS},
        {"50-[]", SIO_BAD_ATTACHMENTS},
        {"5-1-[]", SIO_BAD_ATTACHMENTS},
        {"5 1-[]", SIO_BAD_ATTACHMENTS},
        {"5+1-[]", SIO_BAD_ATTACHMENTS},
        {"511-[]", SIO_MANY_ATTACHMENTS},
        {"62147483647-[]", SIO_MANY_ATTACHMENTS},
        {"29007199254740992[]", SIO_BAD_ID},
        {"299999999999999999999999999999999999999999", SIO_BAD_ID},
        {"2" ZEROS_100 "1[]", SIO_BAD_ID},
        {"5" ZEROS_100 "1-[]", SIO_BAD_ATTACHMENTS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sio_header header;
        CHECK(scan(cases[i].packet, &header, 10) == cases[i].error);
        CHECK(strlen(sio_error_text(cases[i].error)) > 5);
    }
}

/* The longest name is accepted with and without what follows it. */
static void test_long_namespaces(void) {
    char packet[SIO_MAX_NAMESPACE + 20] = "2/";
    sio_header header;
    memset(packet + 2, 'n', SIO_MAX_NAMESPACE - 1);
    CHECK(scan(packet, &header, 10) == SIO_OK && header.namespace_size == SIO_MAX_NAMESPACE);
    strcpy(packet + 1 + SIO_MAX_NAMESPACE, ",1[]");
    CHECK(scan(packet, &header, 10) == SIO_OK && header.namespace_size == SIO_MAX_NAMESPACE && header.id == 1);
    strcpy(packet + 1 + SIO_MAX_NAMESPACE, "n");
    CHECK(scan(packet, &header, 10) == SIO_LONG_NAMESPACE);
    strcpy(packet + 1 + SIO_MAX_NAMESPACE, "n,[]");
    CHECK(scan(packet, &header, 10) == SIO_LONG_NAMESPACE);
}

static void check_written(int type, int attachments, const char *namespace_, int64_t id, const char *expected) {
    uint8_t out[SIO_MAX_HEADER];
    size_t size = sio_write_header(out, type, attachments, (const uint8_t *)namespace_, strlen(namespace_), id);
    CHECK(size == strlen(expected) && memcmp(out, expected, size) == 0);
}

static void test_write(void) {
    check_written(SIO_CONNECT, 0, "", SIO_NO_ID, "0");
    check_written(SIO_EVENT, 0, "", 0, "20");
    check_written(SIO_EVENT, 0, "/chat", 17, "2/chat,17");
    check_written(SIO_BINARY_EVENT, 2, "/chat", SIO_NO_ID, "52-/chat,");
    check_written(SIO_BINARY_ACK, 1, "", SIO_MAX_ID, "61-9007199254740991");
}

/* The largest head there is fits into what is promised. */
static void test_largest(void) {
    uint8_t *out = malloc(SIO_MAX_HEADER);
    uint8_t name[SIO_MAX_NAMESPACE];
    memset(name, 'n', sizeof(name));
    name[0] = '/';
    size_t size = sio_write_header(out, SIO_BINARY_ACK, INT32_MAX, name, sizeof(name), INT64_MAX);
    CHECK(size == 1 + 11 + sizeof(name) + 1 + 19);
    free(out);
}

int main(void) {
    test_scan();
    test_refused();
    test_long_namespaces();
    test_write();
    test_largest();
    return 0;
}
