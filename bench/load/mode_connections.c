/* modes connect and idle: what connections cost by themselves.
 *
 * connect: N connections at a time are opened and, once CONNECTed, closed; the count is of those that got there.
 * idle: memory of the server before and after N clients have connected.
 */
#include "load.h"
#include "pool.h"
#include "report.h"

#define SETTLE_SECONDS 1.0 /* for the server to finish what a connection started */

typedef struct connect_mode {
    pool pool;
    uint64_t connected;
} connect_mode;

/* A server may greet its clients. */
static void ignore_packet(void *mode, client *client, const char *text, size_t length) {
    (void)mode, (void)client, (void)text, (void)length;
}

static void close_ready(void *mode, client *client) {
    connect_mode *self = mode;
    self->connected++;
    pool_close(&self->pool, client);
}

void run_connect(const options *options) {
    connect_mode self = {0};
    measure measure;
    pool_init(&self.pool, options, &self, ignore_packet);
    self.pool.on_ready = close_ready;
    measure_start(&measure, options);
    while (!measure_update(&measure, self.connected)) pool_poll(&self.pool);
    self.pool.reopen = false;
    while (self.pool.opening > 0) pool_poll(&self.pool);
    report_begin(options);
    report_measure(&measure);
    report_end();
}

void run_idle(const options *options) {
    pool pool;
    proc_memory before = proc_read_memory(options->pid);
    pool_init(&pool, options, NULL, ignore_packet);
    pool_open_all(&pool);
    pool_wait(&pool, SETTLE_SECONDS);
    proc_memory after = proc_read_memory(options->pid);
    report_begin(options);
    report_number("count", options->clients);
    report_number("pss_kb_before", (double)before.pss_kb);
    report_number("pss_kb_after", (double)after.pss_kb);
    report_number("pss_kb_per_client", ((double)after.pss_kb - (double)before.pss_kb) / options->clients);
    report_number("rss_kb_before", (double)before.rss_kb);
    report_number("rss_kb_after", (double)after.rss_kb);
    report_number("rss_kb_per_client", ((double)after.rss_kb - (double)before.rss_kb) / options->clients);
    report_number("generator_cpu_seconds", own_cpu_seconds());
    report_end();
}
