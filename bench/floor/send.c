/* floor-send: what the kernel alone takes for a broadcast.
 *
 *   floor-send [--clients N] [--size BYTES] [--seconds S] [--warmup S]
 *
 * One process sends one buffer over N TCP connections of the loopback interface, one send(2) each, round after round,
 * like a server with one broadcast at a time: a round begins when the receiving process has drained the one before.
 * The receiver is an epoll loop on another core, where there is one. Prints one JSON object with the sender's CPU time
 * per send, which is the least that a server can take that sends each broadcast on its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS 1024
#define RECEIVE_SIZE (256 * 1024)

typedef struct usage {
    double seconds;                     /* monotonic */
    double cpu, user_ticks, system_ticks; /* of this process; the ticks are for their ratio */
} usage;

_Noreturn static void fail(const char *what) {
    fprintf(stderr, "floor-send: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double clock_seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static usage usage_now(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (usage){
        .seconds = clock_seconds(CLOCK_MONOTONIC),
        .cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID),
        .user_ticks = (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec * 1e-6,
        .system_ticks = (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec * 1e-6,
    };
}

/* The nth of the cores that this process was started on. */
static void pin(const cpu_set_t *allowed, int nth) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, allowed) || nth-- > 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof(one), &one);
        return;
    }
}

/* ---- the receiver ---- */

/* Says through `drained` whenever another `round` bytes have come. Ends with the connections or with its parent. */
_Noreturn static void receive(int epoll_fd, int drained, uint64_t round) {
    static uint8_t buffer[RECEIVE_SIZE];
    struct epoll_event events[MAX_EVENTS];
    uint64_t received = 0;
    for (;;) {
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            ssize_t got = recv(events[i].data.fd, buffer, sizeof(buffer), MSG_DONTWAIT);
            if (got == 0) _exit(0);
            if (got > 0) received += (uint64_t)got;
        }
        if (received < round) continue;
        received -= round;
        if (write(drained, &(uint64_t){1}, 8) != 8) fail("eventfd");
    }
}

static int connect_all(int clients, struct sockaddr_in server) {
    int epoll_fd = epoll_create1(0);
    for (int i = 0; i < clients; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0) fail("connect");
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    }
    return epoll_fd;
}

/* ---- the sender ---- */

static int listen_any(struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 || listen(fd, 4096) < 0) fail("listen");
    getsockname(fd, (struct sockaddr *)address, &(socklen_t){sizeof(*address)});
    return fd;
}

static void accept_all(int listener, int *fds, int clients) {
    for (int i = 0; i < clients; i++) {
        fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fds[i] < 0) fail("accept");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    }
}

static void send_round(const int *fds, int clients, const void *data, size_t size, int drained) {
    for (int i = 0; i < clients; i++)
        if (send(fds[i], data, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
            fail("send did not take the buffer");
    uint64_t rounds;
    if (read(drained, &rounds, 8) != 8) fail("eventfd");
}

static uint64_t send_for(double seconds, const int *fds, int clients, const void *data, size_t size, int drained) {
    uint64_t rounds = 0;
    for (double end = clock_seconds(CLOCK_MONOTONIC) + seconds; clock_seconds(CLOCK_MONOTONIC) < end; rounds++)
        send_round(fds, clients, data, size, drained);
    return rounds * (uint64_t)clients;
}

static void print_result(int clients, size_t size, uint64_t sends, usage first, usage last) {
    double total = (last.cpu - first.cpu) * 1e6 / (double)sends;
    double user = last.user_ticks - first.user_ticks, system = last.system_ticks - first.system_ticks;
    double user_us = user + system > 0 ? total * user / (user + system) : 0;
    printf("{\"mode\":\"floor-send\",\"clients\":%d,\"size\":%zu,\"count\":%llu,\"seconds\":%.6f,\"user_us\":%.6f,"
           "\"system_us\":%.6f,\"total_us\":%.6f}\n",
           clients, size, (unsigned long long)sends, last.seconds - first.seconds, user_us, total - user_us, total);
}

/* ---- */

typedef struct options {
    int clients;
    size_t size;
    double seconds, warmup;
} options;

static options read_arguments(int count, char **values) {
    static const struct option NAMES[] = {
        {"clients", 1, 0, 'c'}, {"size", 1, 0, 'b'}, {"seconds", 1, 0, 's'}, {"warmup", 1, 0, 'w'}, {0}};
    options options = {.clients = 1000, .size = 90, .seconds = 2, .warmup = 0.5};
    for (int name; (name = getopt_long(count, values, "", NAMES, NULL)) != -1;) {
        switch (name) {
            case 'c': options.clients = atoi(optarg); break;
            case 'b': options.size = (size_t)atol(optarg); break;
            case 's': options.seconds = atof(optarg); break;
            case 'w': options.warmup = atof(optarg); break;
            default: exit(1);
        }
    }
    if (options.clients < 1 || options.clients > 28000 || options.size < 1 || optind != count) {
        fputs("usage: floor-send [--clients 1..28000] [--size BYTES] [--seconds S] [--warmup S]\n", stderr);
        exit(1);
    }
    return options;
}

int main(int count, char **values) {
    options options = read_arguments(count, values);
    cpu_set_t allowed;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    struct sockaddr_in address;
    int listener = listen_any(&address), drained = eventfd(0, 0);
    pid_t receiver = fork();
    if (receiver < 0) fail("fork");
    if (receiver == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(&allowed, 1);
        receive(connect_all(options.clients, address), drained, (uint64_t)options.clients * options.size);
    }
    pin(&allowed, 0);
    int *fds = calloc((size_t)options.clients, sizeof(int));
    uint8_t *data = malloc(options.size);
    memset(data, 'x', options.size);
    accept_all(listener, fds, options.clients);
    send_for(options.warmup, fds, options.clients, data, options.size, drained);
    usage first = usage_now();
    uint64_t sends = send_for(options.seconds, fds, options.clients, data, options.size, drained);
    print_result(options.clients, options.size, sends, first, usage_now());
    kill(receiver, SIGKILL);
    return 0;
}
