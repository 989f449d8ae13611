#include "event.h"

#include <stdio.h>

#include "load.h"

#define RECORDS 16     /* different payloads of JSON */
#define RECORD_ROOM 256 /* bytes of a record, at most, but for the last one's text */

static void make_strings(event_writer *self) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345678";
    self->period = sizeof(LETTERS) - 1;
    self->stride = 1;
    self->quote = "\"";
    char *pattern = allocate(self->size + self->period + 1, 1);
    for (size_t i = 0; i < self->size + self->period; i++) pattern[i] = LETTERS[i % self->period];
    self->payloads = pattern;
}

/* Numbers that are the same in each run: a linear congruential generator. */
static unsigned draw(uint64_t *state, unsigned below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % below;
}

static int write_record(char *at, uint64_t *state) {
    static const char *const NAMES[] = {"Ana", "Bilal", "Chen", "Dorothea", "Emeka", "Farah", "Goran", "Hana"};
    static const char *const STATUS[] = {"open", "paid", "shipped", "returned"};
    static const char *const WORDS[] = {"blue", "lamp", "for", "the", "kitchen", "and", "two", "chairs", "from", "oak",
                                        "delivery", "before", "noon", "please", "ring", "twice"};
    int length = snprintf(at, RECORD_ROOM, "{\"id\":%u,\"user\":\"%s\",\"at\":17%08u,\"status\":\"%s\",\"total\":%u,\"note\":\"",
                          100000 + draw(state, 900000), NAMES[draw(state, 8)], draw(state, 100000000),
                          STATUS[draw(state, 4)], draw(state, 50000));
    for (unsigned i = 0, words = 3 + draw(state, 6); i < words; i++)
        length += snprintf(at + length, (size_t)(RECORD_ROOM - length), "%s%s", i ? " " : "", WORDS[draw(state, 16)]);
    return length;
}

/* [{...},{...}], filled up to its size in the last record's note. */
static void write_records(char *at, size_t size, uint64_t *state) {
    char *end = at + size - 3;
    *at++ = '[';
    at += write_record(at, state);
    while (end - at > RECORD_ROOM + 3) {
        memcpy(at, "\"},", 3);
        at += 3 + write_record(at + 3, state);
    }
    while (at < end) *at++ = (char)('a' + draw(state, 26));
    memcpy(end, "\"}]", 3);
}

static void make_records(event_writer *self) {
    uint64_t state = 1;
    self->period = RECORDS;
    self->stride = self->size;
    self->quote = "";
    char *payloads = allocate(RECORDS, self->size + RECORD_ROOM);
    for (size_t i = 0; i < RECORDS; i++) write_records(payloads + i * self->size, self->size, &state);
    self->payloads = payloads;
}

event_writer event_writer_new(const options *options) {
    event_writer self = {.text = allocate(options->size + EVENT_ROOM, 1), .size = options->size};
    if (options->json)
        make_records(&self);
    else
        make_strings(&self);
    return self;
}

static size_t write_text(event_writer *self, const char *format, uint64_t number) {
    size_t length = (size_t)snprintf(self->text, EVENT_ROOM, format, (unsigned long long)number, self->quote);
    memcpy(self->text + length, event_payload(self, number), self->size);
    length += self->size;
    return length + (size_t)snprintf(self->text + length, EVENT_ROOM / 2, "%s]", self->quote);
}

size_t event_write_echo(event_writer *self, uint64_t id) { return write_text(self, "42%llu[\"echo\",%s", id); }

size_t event_write_broadcast(event_writer *self, uint64_t seq) { return write_text(self, "42[\"b\",%llu,%s", seq); }
