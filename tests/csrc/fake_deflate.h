/* fake_deflate: a deflater that the tests can read: "z" and the first byte for a payload of one byte over and over, and
 * one byte more than it was for any other. It counts its calls, and fails when it is told to. */
#ifndef FASTSIO_TESTS_FAKE_DEFLATE_H
#define FASTSIO_TESTS_FAKE_DEFLATE_H

#include "message.h"

#include <stdlib.h>
#include <string.h>

typedef struct fake_deflate {
    int calls;
    int fails;
} fake_deflate;

static inline int fake_deflate_payload(void *context, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size) {
    fake_deflate *self = context;
    size_t same = 0;
    self->calls++;
    if (self->fails) return -1;
    while (same < size && data[same] == data[0]) same++;
    *out_size = same == size && size > 2 ? 2 : size + 1;
    *out = malloc(*out_size);
    if (*out == NULL) return -1;
    memset(*out, 'z', *out_size);
    if (*out_size == 2) (*out)[1] = data[0];
    return 0;
}

static inline deflater deflater_of(fake_deflate *context, size_t threshold) {
    return (deflater){fake_deflate_payload, context, threshold};
}

#endif
