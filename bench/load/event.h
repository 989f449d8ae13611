/* event: the texts of the Socket.IO packets that the modes exchange, and their payloads.
 *
 * The payload of number n is a piece of one fixed pattern that begins at n % PATTERN_PERIOD, so that a payload in the
 * place of another is noticed. Packets are compared byte by byte with what is expected, as compact JSON; nothing here
 * parses JSON.
 */
#ifndef LOAD_EVENT_H
#define LOAD_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PATTERN_PERIOD 61
#define EVENT_ROOM 64 /* bytes of a packet besides its payload, at most */

typedef struct event_writer {
    char *text; /* the packet last written */
    const char *pattern;
    size_t size; /* of a payload */
} event_writer;

event_writer event_writer_new(size_t size);

static inline const char *event_payload(const event_writer *self, uint64_t number) {
    return self->pattern + number % PATTERN_PERIOD;
}

/* Write into self->text and return the length. */
size_t event_write_echo(event_writer *self, uint64_t id);       /* 42ID["echo","payload"] */
size_t event_write_broadcast(event_writer *self, uint64_t seq); /* 42["b",SEQ,"payload"] */

/* Reads decimal digits at *at, which moves behind them. False when there are none. */
static inline bool event_read_number(const char **at, const char *end, uint64_t *number) {
    const char *start = *at;
    uint64_t value = 0;
    while (*at < end && **at >= '0' && **at <= '9') value = value * 10 + (uint64_t)(*(*at)++ - '0');
    *number = value;
    return *at > start;
}

/* The rest of a packet is exactly HEAD "payload"]. */
static inline bool event_ends_with(const event_writer *self, const char *at, const char *end, const char *head,
                                   size_t head_length, uint64_t number) {
    return (size_t)(end - at) == head_length + self->size + 2 && memcmp(at, head, head_length) == 0 &&
           memcmp(at + head_length, event_payload(self, number), self->size) == 0 && end[-2] == '"' && end[-1] == ']';
}

/* 43ID["payload"]: true, with the id, when it is one and the payload is that of the id. */
static inline bool event_read_echo(const event_writer *self, const char *text, size_t length, uint64_t *id) {
    const char *at = text + 2, *end = text + length;
    return length > 2 && memcmp(text, "43", 2) == 0 && event_read_number(&at, end, id) &&
           event_ends_with(self, at, end, "[\"", 2, *id);
}

/* 42["b",SEQ,"payload"]: the same. */
static inline bool event_read_broadcast(const event_writer *self, const char *text, size_t length, uint64_t *seq) {
    const char *at = text + 7, *end = text + length;
    return length > 7 && memcmp(text, "42[\"b\",", 7) == 0 && event_read_number(&at, end, seq) &&
           event_ends_with(self, at, end, ",\"", 2, *seq);
}

#endif
