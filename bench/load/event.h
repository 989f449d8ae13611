/* event: the texts of the Socket.IO packets that the modes exchange, and their payloads.
 *
 * The payload of number n is one of a row of payloads, that of n % period, so that a payload in the place of another is
 * noticed. They are strings, pieces of one fixed pattern, or arrays of records as applications send them. Packets are compared byte by byte with what is expected, as compact JSON; nothing here
 * parses JSON.
 */
#ifndef LOAD_EVENT_H
#define LOAD_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "load.h"

#define EVENT_ROOM 64 /* bytes of a packet besides its payload, at most */

typedef struct event_writer {
    char *text; /* the packet last written */
    const char *payloads;
    size_t period, stride; /* how many payloads, and how far the next begins behind one */
    size_t size;           /* of a payload */
    const char *quote;     /* before and behind it */
} event_writer;

event_writer event_writer_new(const options *);

static inline const char *event_payload(const event_writer *self, uint64_t number) {
    return self->payloads + number % self->period * self->stride;
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

static inline bool event_take(const char **at, const char *end, const char *text, size_t length) {
    if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0) return false;
    *at += length;
    return true;
}

/* The rest of a packet is exactly HEAD payload]. HEAD is one character. */
static inline bool event_ends_with(const event_writer *self, const char *at, const char *end, const char *head,
                                   uint64_t number) {
    size_t quotes = strlen(self->quote);
    return event_take(&at, end, head, 1) && event_take(&at, end, self->quote, quotes) &&
           event_take(&at, end, event_payload(self, number), self->size) &&
           event_take(&at, end, self->quote, quotes) && event_take(&at, end, "]", 1) && at == end;
}

/* 43ID["payload"]: true, with the id, when it is one and the payload is that of the id. */
static inline bool event_read_echo(const event_writer *self, const char *text, size_t length, uint64_t *id) {
    const char *at = text + 2, *end = text + length;
    return length > 2 && memcmp(text, "43", 2) == 0 && event_read_number(&at, end, id) &&
           event_ends_with(self, at, end, "[", *id);
}

/* 42["b",SEQ,"payload"]: the same. */
static inline bool event_read_broadcast(const event_writer *self, const char *text, size_t length, uint64_t *seq) {
    const char *at = text + 7, *end = text + length;
    return length > 7 && memcmp(text, "42[\"b\",", 7) == 0 && event_read_number(&at, end, seq) &&
           event_ends_with(self, at, end, ",", *seq);
}

#endif
