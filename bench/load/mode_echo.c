/* mode echo: every client keeps K acknowledged requests in flight.
 *
 * Each of the K places of a client has one request in flight, with an id that no other request of the client has:
 * place, place + K, place + 2K, ... An acknowledgement must carry the id that its place waits for, and its payload.
 */
#include "event.h"
#include "load.h"
#include "pool.h"
#include "report.h"

#define DRAIN_SECONDS 30

typedef struct echo_mode {
    pool pool;
    event_writer events;
    uint32_t outstanding;
    uint64_t *awaited; /* the id in flight, by client and place */
    uint64_t sent, acked;
    bool stopping;
} echo_mode;

static void send_request(echo_mode *self, client *client, uint64_t id) {
    pool_send(&self->pool, client, self->events.text, event_write_echo(&self->events, id));
    self->sent++;
}

static void on_packet(void *mode, client *client, const char *text, size_t length) {
    echo_mode *self = mode;
    uint64_t id;
    if (!event_read_echo(&self->events, text, length, &id))
        fail("client %u: not an acknowledgement with its payload: %.*s", client->index, (int)length, text);
    uint64_t *awaited = &self->awaited[(uint64_t)client->index * self->outstanding + id % self->outstanding];
    if (*awaited != id)
        fail("client %u: acknowledgement %llu, awaited %llu", client->index, (unsigned long long)id,
             (unsigned long long)*awaited);
    *awaited += self->outstanding;
    self->acked++;
    if (!self->stopping) send_request(self, client, *awaited);
}

void run_echo(const options *options) {
    echo_mode self = {.events = event_writer_new(options), .outstanding = options->outstanding};
    measure measure;
    self.awaited = allocate((size_t)options->clients * options->outstanding, sizeof(uint64_t));
    pool_init(&self.pool, options, &self, on_packet);
    pool_open_all(&self.pool);
    for (uint32_t i = 0; i < options->clients; i++)
        for (uint32_t place = 0; place < options->outstanding; place++) {
            self.awaited[(size_t)i * options->outstanding + place] = place;
            send_request(&self, &self.pool.clients[i], place);
        }
    pool_flush(&self.pool);
    measure_start(&measure, options);
    while (!measure_update(&measure, self.acked)) pool_poll(&self.pool);
    self.stopping = true;
    for (double end = now() + DRAIN_SECONDS; self.acked < self.sent;) {
        pool_poll(&self.pool);
        if (now() > end) fail("%llu acknowledgements are missing", (unsigned long long)(self.sent - self.acked));
    }
    report_begin(options);
    report_measure(&measure);
    report_end();
}
