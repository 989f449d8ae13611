/* floor-echo: the least that a server of acknowledged requests can do: epoll, websocket frames, a prefix compared.
 *
 *   floor-echo [--port P]          prints "ready PORT"; port 0 takes a free one
 *
 * Listens on 127.0.0.1. Knows the upgrade, the open packet, `40`, `42ID["echo",...]` -> `43ID[...]`, ping and close
 * frames, and nothing else: no heartbeat, no limits, no validation. All that one recv brought is answered by one send.
 * A client that sends anything else, or does not read, is closed. For measuring only; never put it on a network.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept_key.h"

#define MAX_EVENTS 1024
#define BUFFER_SIZE (256 * 1024)
#define OUT_SIZE (2 * BUFFER_SIZE) /* an answer is never longer than twice its request */

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10, FIN = 0x80, MASKED = 0x80 }; /* RFC 6455, 5.2 */

typedef struct connection {
    int fd;
    bool upgraded;
    uint8_t *carry; /* the beginning of a frame or of the request */
    size_t carried;
} connection;

static uint8_t in[BUFFER_SIZE], out[OUT_SIZE];
static size_t out_length;

_Noreturn static void fail(const char *what) {
    fprintf(stderr, "floor-echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- out ---- */

/* The header of a frame of `length` bytes; its payload is to follow. */
static void put_head(int opcode, size_t length) {
    out[out_length++] = (uint8_t)(FIN | opcode);
    size_t wide = length < 126 ? 0 : length <= 0xffff ? 2 : 8;
    out[out_length++] = (uint8_t)(wide == 0 ? length : wide == 2 ? 126 : 127);
    while (wide-- > 0) out[out_length++] = (uint8_t)((uint64_t)length >> (8 * wide));
}

static void put(const void *data, size_t length) {
    memcpy(out + out_length, data, length);
    out_length += length;
}

static void put_text(const char *text) {
    put_head(OP_TEXT, strlen(text));
    put(text, strlen(text));
}

/* ---- in: each returns false when the connection is to be closed ---- */

static bool on_text(const char *text, size_t length) {
    static const char EVENT[] = "[\"echo\",";
    if (length == 2 && memcmp(text, "40", 2) == 0) {
        put_text("40{\"sid\":\"x\"}");
        return true;
    }
    if (length == 1 && *text == '3') return true;
    if (length < 2 || memcmp(text, "42", 2) != 0) return false;
    size_t digits = 2;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9') digits++;
    size_t prefix = digits + sizeof(EVENT) - 1;
    if (prefix > length || memcmp(text + digits, EVENT, sizeof(EVENT) - 1) != 0) return false;
    put_head(OP_TEXT, digits + 1 + length - prefix);
    put("43", 2);
    put(text + 2, digits - 2);
    put("[", 1);
    put(text + prefix, length - prefix);
    return true;
}

static void unmask(uint8_t *data, size_t length, const uint8_t key[4]) {
    uint64_t wide;
    uint8_t twice[8];
    memcpy(twice, key, 4);
    memcpy(twice + 4, key, 4);
    memcpy(&wide, twice, 8);
    size_t at = 0;
    for (; length - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, data + at, 8);
        word ^= wide;
        memcpy(data + at, &word, 8);
    }
    for (; at < length; at++) data[at] ^= key[at % 4];
}

static bool on_frame(uint8_t first, const uint8_t *data, size_t length) {
    if (first == (FIN | OP_TEXT)) return on_text((const char *)data, length);
    if (first != (FIN | OP_PING)) return false;
    put_head(OP_PONG, length);
    put(data, length);
    return true;
}

/* Works off whole frames; *used is what they took. */
static bool walk_frames(uint8_t *data, size_t length, size_t *used) {
    *used = 0;
    while (length - *used >= 2) {
        uint8_t *frame = data + *used;
        size_t size = frame[1] & 0x7f, wide = size < 126 ? 0 : size == 126 ? 2 : 8, head = 2 + wide + 4;
        if (!(frame[1] & MASKED)) return false;
        if (length - *used < head) break;
        if (wide) size = 0;
        for (size_t i = 0; i < wide; i++) size = size << 8 | frame[2 + i];
        if (size > BUFFER_SIZE - head) return false;
        if (length - *used - head < size) break;
        unmask(frame + head, size, frame + head - 4);
        if (!on_frame(frame[0], frame + head, size)) return false;
        *used += head + size;
    }
    return true;
}

static bool on_request(connection *self, const char *request, size_t length, size_t *used) {
    static const char NAME[] = "\r\nsec-websocket-key:";
    char accept[ACCEPT_LENGTH + 1], answer[256];
    const char *end = memmem(request, length, "\r\n\r\n", 4);
    *used = 0;
    if (end == NULL) return true;
    for (const char *line = request; end - line >= (long)sizeof(NAME) + KEY_LENGTH; line++) {
        if (*line != '\r' || strncasecmp(line, NAME, sizeof(NAME) - 1) != 0) continue;
        const char *key = line + sizeof(NAME) - 1;
        while (*key == ' ') key++;
        if (end - key < KEY_LENGTH) return false;
        accept_key(key, accept);
        int size = snprintf(answer, sizeof(answer),
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
        put(answer, (size_t)size);
        put_text("0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":100000}");
        self->upgraded = true;
        *used = (size_t)(end + 4 - request);
        return true;
    }
    return false;
}

static bool on_bytes(connection *self, size_t length) {
    size_t head = 0, used = 0;
    out_length = 0;
    if (!self->upgraded && !on_request(self, (char *)in, length, &head)) return false;
    if (self->upgraded && !walk_frames(in + head, length - head, &used)) return false;
    used += head;
    self->carried = length - used;
    if (self->carried > 0) {
        self->carry = realloc(self->carry, self->carried);
        if (self->carry == NULL) fail("realloc");
        memcpy(self->carry, in + used, self->carried);
    }
    return out_length == 0 || send(self->fd, out, out_length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)out_length;
}

static void on_readable(connection *self) {
    if (self->carried > 0) memcpy(in, self->carry, self->carried);
    ssize_t received = recv(self->fd, in + self->carried, BUFFER_SIZE - self->carried, MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN) return;
    if (received > 0 && on_bytes(self, self->carried + (size_t)received)) return;
    close(self->fd);
    free(self->carry);
    free(self);
}

/* ---- the loop ---- */

static void accept_some(int epoll_fd, int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        connection *connection = calloc(1, sizeof(*connection));
        if (connection == NULL) fail("calloc");
        connection->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    }
    if (errno != EAGAIN) fail("accept");
}

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0) fail("listen");
    getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    printf("ready %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **values) {
    static const struct option NAMES[] = {{"port", 1, 0, 'p'}, {0}};
    uint16_t port = 0;
    for (int name; (name = getopt_long(count, values, "", NAMES, NULL)) != -1;) {
        if (name != 'p') return 1;
        port = (uint16_t)atoi(optarg);
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int listener = listen_on(port), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[MAX_EVENTS], accepting = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &accepting);
    for (;;) {
        int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL) accept_some(epoll_fd, listener);
            else on_readable(events[i].data.ptr);
        }
    }
}
