#include "sio.h"

#include <string.h>

static int is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* Reads digits at *at as a number up to `limit`; -1 when it is larger or there are none. Looks at
 * no more digits than it needs to see that: leading zeros count as digits, and 32 are enough for anyone. */
#define MAX_DIGITS 32

static int64_t read_number(const uint8_t *data, size_t size, size_t *at, int64_t limit) {
    size_t start = *at;
    int64_t number = 0;
    while (*at < size && is_digit(data[*at])) {
        number = number * 10 + (data[*at] - '0');
        if (number > limit || *at - start == MAX_DIGITS) return -1;
        ++*at;
    }
    return *at == start ? -1 : number;
}

static int has_attachments(int type) {
    return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

/* Digits and "-". A count above the limit is told apart from what is no count at all. */
static int scan_attachments(const uint8_t *data, size_t size, size_t *at, int max_attachments) {
    int64_t count = read_number(data, size, at, INT32_MAX);
    if (count < 1 || *at == size || data[*at] != '-') return SIO_BAD_ATTACHMENTS;
    ++*at;
    return count > max_attachments ? SIO_MANY_ATTACHMENTS : (int)count;
}

/* From "/" to "," or the end; a query makes it longer. */
static int scan_namespace(const uint8_t *data, size_t size, size_t *at, sio_header *header) {
    size_t left = size - *at;
    size_t most = SIO_MAX_NAMESPACE;
    size_t look = left <= most ? left : most + 1;
    const uint8_t *comma = memchr(data + *at, ',', look);
    if (comma == NULL && left > most && memchr(data + *at, '?', look) != NULL) {
        most += SIO_MAX_QUERY;
        look = left <= most ? left : most + 1;
        comma = memchr(data + *at, ',', look);
    }
    if (comma == NULL && left > most) return SIO_LONG_NAMESPACE;
    header->namespace_ = data + *at;
    header->namespace_size = comma == NULL ? left : (size_t)(comma - header->namespace_);
    *at += header->namespace_size + (comma != NULL);
    return SIO_OK;
}

int sio_scan(const uint8_t *data, size_t size, int max_attachments, sio_header *header) {
    size_t at = 1;
    if (size == 0) return SIO_EMPTY;
    if (data[0] < '0' || data[0] > '6') return SIO_BAD_TYPE;
    *header = (sio_header){.type = data[0] - '0', .id = SIO_NO_ID};
    if (has_attachments(header->type)) {
        header->attachments = scan_attachments(data, size, &at, max_attachments);
        if (header->attachments < 0) return header->attachments;
    }
    if (at < size && data[at] == '/') {
        int error = scan_namespace(data, size, &at, header);
        if (error < 0) return error;
    }
    if (at < size && is_digit(data[at])) {
        header->id = read_number(data, size, &at, SIO_MAX_ID);
        if (header->id < 0) return SIO_BAD_ID;
    }
    header->payload = at;
    return SIO_OK;
}

const char *sio_error_text(int error) {
    switch (error) {
    case SIO_EMPTY: return "an empty packet";
    case SIO_BAD_TYPE: return "an unknown packet type";
    case SIO_BAD_ATTACHMENTS: return "the number of attachments is not a number above 0";
    case SIO_MANY_ATTACHMENTS: return "too many attachments";
    case SIO_BAD_ID: return "an acknowledgement id above 2^53 - 1";
    case SIO_LONG_NAMESPACE: return "the name of a namespace is longer than 256 bytes";
    default: return "no error";
    }
}

static uint8_t *write_number(uint8_t *out, int64_t number) {
    uint8_t digits[20];
    int count = 0;
    do {
        digits[count++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count != 0) *out++ = digits[--count];
    return out;
}

size_t sio_write_header(uint8_t *out, int type, int attachments, const uint8_t *namespace_, size_t namespace_size, int64_t id) {
    uint8_t *at = out;
    *at++ = (uint8_t)('0' + type);
    if (attachments != 0) {
        at = write_number(at, attachments);
        *at++ = '-';
    }
    if (namespace_size != 0) {
        memcpy(at, namespace_, namespace_size);
        at += namespace_size;
        *at++ = ',';
    }
    if (id != SIO_NO_ID) at = write_number(at, id);
    return (size_t)(at - out);
}
