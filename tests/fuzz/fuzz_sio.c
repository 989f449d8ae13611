/* sio.c against a reader that goes through the head letter by letter, and back through sio_write_header. */
#include "check.h"
#include "sio.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 32

const char fuzz_alphabet[] = "0123456789012345678956-/,[]{}\"a5-1/,";

/* The digits from `at` on; their value is 2^53 when it is above that. */
static size_t digits(const uint8_t *data, size_t size, size_t at, int64_t *value) {
    size_t count = 0;
    *value = 0;
    while (at + count < size && data[at + count] >= '0' && data[at + count] <= '9') {
        *value = *value * 10 + (data[at + count] - '0');
        if (*value > SIO_MAX_ID) *value = SIO_MAX_ID + 1;
        count++;
    }
    return count;
}

/* What sio_scan must say of a count of attachments: its size with the "-", or an error. */
static int read_attachments(const uint8_t *data, size_t size, int limit, sio_header *header) {
    int64_t value;
    size_t count = digits(data, size, 1, &value);
    if (count == 0 || count > MAX_DIGITS || value == 0) return SIO_BAD_ATTACHMENTS;
    if (value > INT32_MAX) return SIO_BAD_ATTACHMENTS; /* no number that is worth a name */
    if (1 + count == size || data[1 + count] != '-') return SIO_BAD_ATTACHMENTS;
    if (value > limit) return SIO_MANY_ATTACHMENTS;
    header->attachments = (int)value;
    return (int)count + 1;
}

static int read_head(const uint8_t *data, size_t size, int limit, sio_header *header) {
    int64_t id;
    *header = (sio_header){.id = SIO_NO_ID};
    if (size == 0) return SIO_EMPTY;
    if (data[0] < '0' || data[0] > '6') return SIO_BAD_TYPE;
    header->type = data[0] - '0';
    size_t at = 1;
    if (header->type >= SIO_BINARY_EVENT) {
        int taken = read_attachments(data, size, limit, header);
        if (taken < 0) return taken;
        at += (size_t)taken;
    }
    if (at < size && data[at] == '/') {
        header->namespace_ = data + at;
        while (at < size && data[at] != ',') at++;
        header->namespace_size = (size_t)(data + at - header->namespace_);
        if (header->namespace_size > SIO_MAX_NAMESPACE) return SIO_LONG_NAMESPACE;
        if (at < size) at++;
    }
    size_t count = digits(data, size, at, &id);
    if (count != 0 && (id > SIO_MAX_ID || count > MAX_DIGITS)) return SIO_BAD_ID;
    if (count != 0) header->id = id;
    header->payload = at + count;
    return SIO_OK;
}

static void check_same(const sio_header *a, const sio_header *b) {
    CHECK(a->type == b->type && a->attachments == b->attachments && a->id == b->id);
    CHECK(a->namespace_size == b->namespace_size);
    CHECK((a->namespace_ == NULL) == (b->namespace_ == NULL));
    if (a->namespace_size) CHECK(memcmp(a->namespace_, b->namespace_, a->namespace_size) == 0);
}

/* A head that is written from what was read says the same, without what was superfluous. */
static void write_back(const sio_header *header, int limit) {
    uint8_t *out = malloc(SIO_MAX_HEADER);
    sio_header again;
    size_t name = header->namespace_size;
    size_t size = sio_write_header(out, header->type, header->attachments, header->namespace_, name, header->id);
    CHECK(size <= SIO_MAX_HEADER);
    CHECK(sio_scan(out, size, limit, &again) == SIO_OK);
    CHECK(again.payload == size);
    check_same(header, &again);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sio_header header, expected;
    int limit = 10;
    int error = sio_scan(data, size, limit, &header);
    CHECK(error == read_head(data, size, limit, &expected));
    CHECK(strlen(sio_error_text(error)) > 0);
    if (error != SIO_OK) return 0;
    check_same(&header, &expected);
    CHECK(header.namespace_ == expected.namespace_ && header.payload == expected.payload);
    write_back(&header, limit);
    return 0;
}
