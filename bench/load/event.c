#include "event.h"

#include <stdio.h>

#include "load.h"

event_writer event_writer_new(size_t size) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345678";
    char *pattern = allocate(size + PATTERN_PERIOD + 1, 1);
    _Static_assert(sizeof(LETTERS) == PATTERN_PERIOD + 1, "one period of the pattern");
    for (size_t i = 0; i < size + PATTERN_PERIOD; i++) pattern[i] = LETTERS[i % PATTERN_PERIOD];
    return (event_writer){.text = allocate(size + EVENT_ROOM, 1), .pattern = pattern, .size = size};
}

static size_t write_text(event_writer *self, const char *format, uint64_t number) {
    int head = snprintf(self->text, EVENT_ROOM, format, (unsigned long long)number);
    memcpy(self->text + head, event_payload(self, number), self->size);
    memcpy(self->text + head + self->size, "\"]", 2);
    return (size_t)head + self->size + 2;
}

size_t event_write_echo(event_writer *self, uint64_t id) { return write_text(self, "42%llu[\"echo\",\"", id); }

size_t event_write_broadcast(event_writer *self, uint64_t seq) { return write_text(self, "42[\"b\",%llu,\"", seq); }
