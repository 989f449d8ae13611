/* modes broadcast and chat: messages that the server sends to everybody.
 *
 * There are S senders: one (broadcast) or all clients (chat). Message number SEQ is the sender's (SEQ / S)th and is
 * sent by client SEQ % S. Every client must get every sender's messages in order, without a gap and with the right
 * payload. A broadcast is over when all clients have it, and then the next leaves; in chat a sender's next message
 * leaves when it has got its own back. At the end all that was sent is waited for. With permessage-deflate every
 * broadcast must have come compressed.
 */
#include "event.h"
#include "load.h"
#include "pool.h"
#include "report.h"

#define DRAIN_SECONDS 60

typedef struct broadcast_mode {
    pool pool;
    event_writer events;
    measure measure;
    uint32_t senders, receivers;
    uint32_t *expected; /* the sender's number that comes next, by receiver and sender */
    uint64_t sent, delivered;
    void (*on_delivery)(struct broadcast_mode *, client *, uint32_t sender, uint32_t round);
    uint32_t window;   /* broadcast only */
    uint32_t *arrived; /* receivers that have a broadcast in flight, by number % window */
} broadcast_mode;

static void send_message(broadcast_mode *self, uint32_t sender, uint32_t round) {
    uint64_t seq = (uint64_t)round * self->senders + sender;
    pool_send(&self->pool, &self->pool.clients[sender], self->events.text, event_write_broadcast(&self->events, seq));
    self->sent++;
}

static void on_packet(void *mode, client *client, const char *text, size_t length) {
    broadcast_mode *self = mode;
    uint64_t seq;
    if (!event_read_broadcast(&self->events, text, length, &seq) || seq > UINT32_MAX)
        fail("client %u: not a broadcast with its payload: %.*s", client->index, (int)length, text);
    uint32_t sender = (uint32_t)seq % self->senders, round = (uint32_t)seq / self->senders;
    uint32_t *expected = &self->expected[(size_t)client->index * self->senders + sender];
    if (round != *expected)
        fail("client %u: number %u of sender %u came, expected %u", client->index, round, sender, *expected);
    *expected += 1;
    self->delivered++;
    self->on_delivery(self, client, sender, round);
}

static void on_broadcast_delivery(broadcast_mode *self, client *client, uint32_t sender, uint32_t round) {
    uint32_t *arrived = &self->arrived[round % self->window];
    (void)client;
    if (++*arrived < self->receivers) return;
    *arrived = 0;
    /* The moment with least in flight: with a window of 1, or a server that sends bursts as one, nothing at all. */
    if (!measure_update(&self->measure, self->delivered)) send_message(self, sender, round + self->window);
}

static void on_chat_delivery(broadcast_mode *self, client *client, uint32_t sender, uint32_t round) {
    if (client->index != sender) return;
    if (!measure_update(&self->measure, self->delivered)) send_message(self, sender, round + 1);
}

static void check_deflated(const broadcast_mode *self) {
    for (uint32_t i = 0; i < self->receivers; i++)
        if (self->pool.clients[i].inflater.count < self->sent) fail("client %u: not every broadcast came compressed", i);
}

static void run(broadcast_mode *self, const options *options) {
    self->events = event_writer_new(options);
    self->receivers = options->clients;
    self->expected = allocate((size_t)self->receivers * self->senders, sizeof(uint32_t));
    self->arrived = allocate(self->window, sizeof(uint32_t));
    pool_init(&self->pool, options, self, on_packet);
    pool_open_all(&self->pool);
    measure_start(&self->measure, options);
    for (uint32_t round = 0; round < self->window; round++)
        for (uint32_t sender = 0; sender < self->senders; sender++) send_message(self, sender, round);
    pool_flush(&self->pool);
    while (!self->measure.over) pool_poll(&self->pool);
    for (double end = now() + DRAIN_SECONDS; self->delivered < self->sent * self->receivers;) {
        pool_poll(&self->pool);
        if (now() > end)
            fail("%llu of %llu deliveries are missing",
                 (unsigned long long)(self->sent * self->receivers - self->delivered),
                 (unsigned long long)(self->sent * self->receivers));
    }
    if (options->deflate) check_deflated(self);
    report_begin(options);
    report_measure(&self->measure);
    if (options->deflate) report_number("deflated_to", inflation_ratio(self->pool.context.inflation));
    report_end();
}

void run_broadcast(const options *options) {
    run(&(broadcast_mode){.senders = 1, .window = options->window, .on_delivery = on_broadcast_delivery}, options);
}

void run_chat(const options *options) {
    run(&(broadcast_mode){.senders = options->clients, .window = 1, .on_delivery = on_chat_delivery}, options);
}
