/* mode stall: how long a broadcast to all clients keeps the server's event loop from anything else.
 *
 * The server acknowledges `stall` with the longest gap, in milliseconds, that a timer of its own has seen since the
 * last call. A round is: reset by a call, one broadcast, wait until all clients have it, call again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "event.h"
#include "load.h"
#include "pool.h"
#include "report.h"

#define ROUNDS 10
#define SETTLE_SECONDS 0.05 /* around the broadcast, so that the server's timer runs before it is asked */
#define ROUND_SECONDS 60

typedef struct stall_mode {
    pool pool;
    event_writer events;
    uint64_t round;    /* also the number of its broadcast */
    uint32_t arrived;
    uint64_t call;     /* ack id of the last call */
    bool answered;
    double answer;     /* milliseconds */
    uint64_t *expected; /* the broadcast that comes next, by client */
} stall_mode;

static void on_answer(stall_mode *self, const char *text, size_t length) {
    char copy[EVENT_ROOM];
    const char *at = text + 2;
    uint64_t id;
    char *end;
    if (length >= sizeof(copy) || !event_read_number(&at, text + length, &id) || id != self->call || *at != '[')
        fail("not the acknowledgement of stall: %.*s", (int)length, text);
    snprintf(copy, sizeof(copy), "%.*s", (int)(text + length - at - 1), at + 1);
    self->answer = strtod(copy, &end);
    if (end == copy || strcmp(end, "]") != 0) fail("stall answers %.*s, not one number", (int)length, text);
    self->answered = true;
}

static void on_packet(void *mode, client *client, const char *text, size_t length) {
    stall_mode *self = mode;
    uint64_t seq;
    if (length > 2 && memcmp(text, "43", 2) == 0) {
        on_answer(self, text, length);
        return;
    }
    if (!event_read_broadcast(&self->events, text, length, &seq) || seq != self->expected[client->index]++)
        fail("client %u: not the broadcast of round %llu: %.*s", client->index, (unsigned long long)self->round,
             (int)length, text);
    self->arrived++;
}

static double call_stall(stall_mode *self) {
    char text[EVENT_ROOM];
    int length = snprintf(text, sizeof(text), "42%llu[\"stall\"]", (unsigned long long)++self->call);
    self->answered = false;
    pool_send(&self->pool, &self->pool.clients[0], text, (size_t)length);
    pool_flush(&self->pool);
    for (double end = now() + ROUND_SECONDS; !self->answered;) {
        pool_poll(&self->pool);
        if (now() > end) fail("stall is not acknowledged");
    }
    return self->answer;
}

static double run_round(stall_mode *self) {
    call_stall(self);
    pool_wait(&self->pool, SETTLE_SECONDS);
    self->arrived = 0;
    pool_send(&self->pool, &self->pool.clients[0], self->events.text,
              event_write_broadcast(&self->events, self->round));
    pool_flush(&self->pool);
    for (double end = now() + ROUND_SECONDS; self->arrived < self->pool.size;) {
        pool_poll(&self->pool);
        if (now() > end) fail("%u of %u clients got the broadcast", self->arrived, self->pool.size);
    }
    pool_wait(&self->pool, SETTLE_SECONDS);
    return call_stall(self);
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void run_stall(const options *options) {
    stall_mode self = {.events = event_writer_new(options)};
    double gaps[ROUNDS];
    self.expected = allocate(options->clients, sizeof(uint64_t));
    pool_init(&self.pool, options, &self, on_packet);
    pool_open_all(&self.pool);
    for (; self.round < ROUNDS; self.round++) gaps[self.round] = run_round(&self);
    qsort(gaps, ROUNDS, sizeof(double), compare);
    report_begin(options);
    report_number("count", ROUNDS);
    report_number("median_ms", (gaps[ROUNDS / 2 - 1] + gaps[ROUNDS / 2]) / 2);
    report_number("max_ms", gaps[ROUNDS - 1]);
    report_number("generator_cpu_seconds", own_cpu_seconds());
    report_end();
}
