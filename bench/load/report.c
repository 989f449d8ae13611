#define _GNU_SOURCE
#include "report.h"

#include <stdio.h>
#include <time.h>

double own_cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static sample sample_take(pid_t pid, uint64_t count) {
    sample taken = {.count = count, .server = proc_read_cpu(pid)};
    taken.own_seconds = own_cpu_seconds();
    taken.time = now(); /* after the reading, which takes milliseconds where there are many processes */
    return taken;
}

void measure_start(measure *self, const options *options) {
    *self = (measure){.options = options, .due = now() + options->warmup};
}

bool measure_update(measure *self, uint64_t count) {
    if (self->over || now() < self->due) return self->over;
    sample taken = sample_take(self->options->pid, count);
    if (self->running) {
        self->last = taken;
        self->over = true;
    } else {
        self->first = taken;
        self->running = true;
        self->due = taken.time + self->options->seconds;
    }
    return self->over;
}

void report_begin(const options *options) {
    printf("{\"mode\":\"%s\",\"clients\":%u,\"window\":%u,\"outstanding\":%u,\"pollers\":%u,\"size\":%zu", options->mode,
           options->clients, options->window, options->outstanding, options->pollers,
           options->size);
}

void report_number(const char *name, double value) { printf(",\"%s\":%.10g", name, value); }

void report_measure(const measure *measure) {
    const sample *first = &measure->first, *last = &measure->last;
    uint64_t count = last->count - first->count;
    if (count == 0) fail("nothing was counted in the measured period");
    double seconds = last->time - first->time;
    double total_us = (double)(last->server.total_ns - first->server.total_ns) / 1e3 / (double)count;
    double user = (double)(last->server.user_ticks - first->server.user_ticks);
    double system = (double)(last->server.system_ticks - first->server.system_ticks);
    double user_us = user + system > 0 ? total_us * user / (user + system) : 0;
    report_number("count", (double)count);
    report_number("seconds", seconds);
    report_number("per_second", (double)count / seconds);
    report_number("user_us", user_us);
    report_number("system_us", total_us - user_us);
    report_number("total_us", total_us);
    report_number("server_cpu_seconds", total_us * (double)count / 1e6);
    report_number("generator_cpu_seconds", last->own_seconds - first->own_seconds);
}

void report_end(void) { puts(",\"verified\":true}"); }
