/* load: what all files of the load generator share: the options, the clock, the one way to fail, and the modes.
 *
 * The generator is one thread and lives for one measurement. Whatever is not as expected, on the wire or in the
 * system, ends it by fail(): a figure is printed only when everything was right.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct options {
    const char *mode;
    const char *host;
    uint16_t port;
    pid_t pid; /* the server; its children count with it */
    uint32_t clients;
    uint32_t window;      /* broadcasts in flight */
    uint32_t outstanding; /* requests in flight per client */
    uint32_t pollers;     /* of the clients, over HTTP polling; the others are on websockets */
    size_t size;          /* bytes of a payload */
    int deflate;          /* websockets offer permessage-deflate, and broadcasts must come compressed */
    int json;             /* payloads are arrays of JSON, not strings */
    double seconds;       /* measured */
    double warmup;        /* before that */
} options;

#define LEAST_JSON 256 /* bytes of a payload of JSON, at least */

double now(void); /* monotonic, in seconds */
void *allocate(size_t count, size_t size); /* zeroed; never NULL */

/* Says why on stderr and exits with status 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void run_connect(const options *);
void run_idle(const options *);
void run_echo(const options *);
void run_broadcast(const options *);
void run_chat(const options *);
void run_stall(const options *);

#endif
