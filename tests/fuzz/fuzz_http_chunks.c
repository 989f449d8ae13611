/* http_chunks.c on any bytes: it stays within them, and any splits come to the same as no split. */
#include "http_chunks.h"

#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

struct outcome {
    struct http_chunks chunks;
    size_t read;
    size_t data;
    uint32_t sum;
};

/* In pieces of `step` bytes. */
static struct outcome outcome_of(const uint8_t *bytes, size_t size, uint64_t room, size_t step) {
    struct outcome found = {.read = 0};
    http_chunks_begin(&found.chunks, room);
    const uint8_t *at = bytes;
    while (at < bytes + size && found.chunks.state < HTTP_CHUNKS_COMPLETE) {
        const uint8_t *end = (size_t)(bytes + size - at) > step ? at + step : bytes + size;
        while (at < end && found.chunks.state < HTTP_CHUNKS_COMPLETE) {
            size_t there;
            const uint8_t *next = http_chunks_read(&found.chunks, at, end, &there);
            REQUIRE(next >= at && next <= end && there <= (size_t)(next - at));
            REQUIRE(next > at || found.chunks.state > HTTP_CHUNKS_COMPLETE);
            for (const uint8_t *byte = next - there; byte < next; byte++) found.sum = found.sum * 31 + *byte;
            found.data += there;
            at = next;
        }
    }
    found.read = (size_t)(at - bytes);
    return found;
}

const char fuzz_alphabet[] = "0123456789abcdef1111222200000\r\n\r\n\r\n\r\n;:A \t";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    uint64_t room = data[0] < 128 ? HTTP_CHUNKS_UNLIMITED : data[0];
    struct outcome whole = outcome_of(data, size, room, size);
    struct outcome split = outcome_of(data, size, room, 1 + data[0] % 7);
    REQUIRE(whole.chunks.state == split.chunks.state && whole.chunks.left == split.chunks.left);
    REQUIRE(whole.chunks.room == split.chunks.room && whole.chunks.spare == split.chunks.spare);
    REQUIRE(whole.read == split.read && whole.data == split.data && whole.sum == split.sum);
    REQUIRE(whole.data <= room);
    REQUIRE(whole.chunks.state >= HTTP_CHUNKS_COMPLETE || whole.read == size);
    if (whole.chunks.state == HTTP_CHUNKS_COMPLETE) {
        REQUIRE(whole.read >= 5 && memcmp(data + whole.read - 4, "\r\n\r\n", 4) == 0);
    }
    return 0;
}
