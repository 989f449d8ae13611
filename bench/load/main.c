/* main: reads the command line and starts a mode. The modes print their result themselves. */
#define _GNU_SOURCE
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GRACE_SECONDS 120 /* for opening the clients and for what is in flight at the end */

static const char USAGE[] =
    "usage: load MODE --port P --pid PID [--clients N] [--seconds S] [--warmup S] [--size BYTES]\n"
    "            [--window W] [--outstanding K] [--pollers N] [--deflate] [--json] [--host ADDRESS]\n"
    "\n"
    "  connect    open and close connections, N at a time\n"
    "  idle       memory that N idle clients take\n"
    "  echo       K acknowledged requests in flight from each of N clients\n"
    "  broadcast  W broadcasts in flight to N clients\n"
    "  chat       each of N clients broadcasts, one message in flight\n"
    "  stall      how long a broadcast to N clients stops the server's event loop\n"
    "\n"
    "Of the clients, --pollers N use HTTP polling. --deflate: websockets negotiate permessage-deflate.\n"
    "\n"
    "Prints one JSON object. Server CPU is that of PID and its children.\n";

static const struct {
    const char *name;
    void (*run)(const options *);
} MODES[] = {
    {"connect", run_connect}, {"idle", run_idle}, {"echo", run_echo},
    {"broadcast", run_broadcast}, {"chat", run_chat}, {"stall", run_stall},
};

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (memory == NULL) fail("no memory for %zu x %zu bytes", count, size);
    return memory;
}

static double number(const char *name, const char *text, double least, double most) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        fail("--%s %s: a number from %.10g to %.10g is wanted", name, text, least, most);
    return value;
}

static void read_arguments(int count, char **values, options *options) {
    enum { PORT, PID, CLIENTS, SECONDS, WARMUP, SIZE, WINDOW, OUTSTANDING, POLLERS, DEFLATE, JSON, HOST };
    static const struct option NAMES[] = {
        {"port", 1, 0, PORT}, {"pid", 1, 0, PID}, {"clients", 1, 0, CLIENTS}, {"seconds", 1, 0, SECONDS},
        {"warmup", 1, 0, WARMUP}, {"size", 1, 0, SIZE}, {"window", 1, 0, WINDOW},
        {"outstanding", 1, 0, OUTSTANDING}, {"pollers", 1, 0, POLLERS}, {"deflate", 0, 0, DEFLATE},
        {"json", 0, 0, JSON}, {"host", 1, 0, HOST}, {0},
    };
    int index = 0;
    for (int name; (name = getopt_long(count, values, "", NAMES, &index)) != -1;) {
        if (name == '?') fail("bad arguments\n%s", USAGE);
        const char *label = NAMES[index].name;
        switch (name) {
            case PORT: options->port = (uint16_t)number(label, optarg, 1, 65535); break;
            case PID: options->pid = (pid_t)number(label, optarg, 1, 1 << 30); break;
            case CLIENTS: options->clients = (uint32_t)number(label, optarg, 1, 1000000); break;
            case SECONDS: options->seconds = number(label, optarg, 0.01, 3600); break;
            case WARMUP: options->warmup = number(label, optarg, 0, 3600); break;
            case SIZE: options->size = (size_t)number(label, optarg, 0, 200000); break;
            case WINDOW: options->window = (uint32_t)number(label, optarg, 1, 100000); break;
            case OUTSTANDING: options->outstanding = (uint32_t)number(label, optarg, 1, 100000); break;
            case POLLERS: options->pollers = (uint32_t)number(label, optarg, 0, 1000000); break;
            case DEFLATE: options->deflate = 1; break;
            case JSON: options->json = 1; break;
            case HOST: options->host = optarg; break;
        }
    }
    if (optind != count - 1) fail("one MODE is wanted\n%s", USAGE);
    options->mode = values[optind];
    if (!options->port || !options->pid) fail("--port and --pid are wanted\n%s", USAGE);
    if (options->pollers > options->clients) fail("--pollers: some of the clients are wanted, at most all");
    if (options->json && options->size < LEAST_JSON) fail("--size: %d bytes at least with --json", LEAST_JSON);
}

static void allow_descriptors(uint32_t connections) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < connections + 64ul)
        fail("%u connections need more descriptors than the limit of %lu", connections, (unsigned long)limit.rlim_max);
}

static void out_of_time(int signal) {
    static const char TEXT[] = "load: the run did not come to its end\n";
    (void)signal;
    if (write(STDERR_FILENO, TEXT, sizeof(TEXT) - 1)) {}
    _exit(1);
}

int main(int count, char **values) {
    options options = {
        .host = "127.0.0.1", .clients = 100, .window = 1, .outstanding = 1,
        .size = 64, .seconds = 2, .warmup = 0.5,
    };
    read_arguments(count, values, &options);
    allow_descriptors(options.clients + options.pollers);
    signal(SIGALRM, out_of_time);
    alarm((unsigned)(options.seconds + options.warmup) + GRACE_SECONDS);
    for (size_t i = 0; i < sizeof(MODES) / sizeof(MODES[0]); i++) {
        if (strcmp(options.mode, MODES[i].name) != 0) continue;
        MODES[i].run(&options);
        return 0;
    }
    fail("no mode %s\n%s", options.mode, USAGE);
}
