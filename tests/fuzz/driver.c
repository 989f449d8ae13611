/* driver: runs a fuzz target where libFuzzer is not at hand: `program RUNS [SEED]`.
 *
 * Inputs are pseudo-random or mutations of earlier ones, the same ones on every machine for the same seed.
 * Each lies in a block of exactly its size, so that the sanitizer sees a read beyond it. A target may name the
 * bytes that are worth trying in fuzz_alphabet. When a run dies its input is printed in hexadecimal;
 * `program -x HEX` runs that one alone.
 */
#include <sanitizer/common_interface_defs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL 64
#define MAX_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const char fuzz_alphabet[] __attribute__((weak));

typedef struct input {
    size_t size;
    uint8_t bytes[MAX_SIZE];
} input;

static uint64_t state;
static const input *running;

/* abort() in a target is reported as the sanitizer's own findings are. */
const char *__asan_default_options(void) {
    return "handle_abort=1";
}

static void show_input(void) {
    if (running == NULL) return;
    fprintf(stderr, "input: ");
    for (size_t i = 0; i < running->size; i++) fprintf(stderr, "%02x", running->bytes[i]);
    fprintf(stderr, "\n");
}

/* xorshift64* */
static uint32_t below(uint32_t limit) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1Du >> 32) % limit);
}

static uint8_t any_byte(void) {
    if (fuzz_alphabet != NULL && below(4) != 0) return (uint8_t)fuzz_alphabet[below((uint32_t)strlen(fuzz_alphabet))];
    return (uint8_t)below(256);
}

static void make(input *to) {
    to->size = below(1u << below(13));
    for (size_t i = 0; i < to->size; i++) to->bytes[i] = any_byte();
}

/* Copies a stretch of one input over, or between, the bytes of another. */
static void splice(input *to, const input *from) {
    if (from->size == 0) return;
    size_t start = below((uint32_t)from->size);
    size_t size = 1 + below((uint32_t)(from->size - start));
    size_t at = below((uint32_t)to->size + 1);
    if (size > MAX_SIZE - at) size = MAX_SIZE - at;
    if (below(2)) {
        if (to->size + size > MAX_SIZE) to->size = MAX_SIZE - size;
        if (at > to->size) at = to->size;
        memmove(to->bytes + at + size, to->bytes + at, to->size - at);
        to->size += size;
    }
    memmove(to->bytes + at, from->bytes + start, size);
    if (to->size < at + size) to->size = at + size;
}

static void mutate(input *to, const input *pool) {
    size_t at = to->size ? below((uint32_t)to->size) : 0;
    switch (below(6)) {
    case 0:
        if (to->size) to->bytes[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        if (to->size) to->bytes[at] = any_byte();
        break;
    case 2: to->size = at; break;
    case 3:
        if (to->size == 0) break;
        memmove(to->bytes + at, to->bytes + at + 1, to->size - at - 1);
        to->size--;
        break;
    default: splice(to, &pool[below(POOL)]);
    }
}

static void run(const input *from) {
    uint8_t *exact = malloc(from->size);
    if (from->size) memcpy(exact, from->bytes, from->size);
    running = from;
    LLVMFuzzerTestOneInput(exact, from->size);
    running = NULL;
    free(exact);
}

static void run_hex(const char *hex) {
    static input given;
    unsigned byte;
    for (; given.size < MAX_SIZE && sscanf(hex, "%2x", &byte) == 1; hex += 2) given.bytes[given.size++] = (uint8_t)byte;
    run(&given);
}

int main(int count, char **args) {
    static input pool[POOL];
    __sanitizer_set_death_callback(show_input);
    if (count == 3 && strcmp(args[1], "-x") == 0) {
        run_hex(args[2]);
        return 0;
    }
    long runs = count > 1 ? atol(args[1]) : 1000;
    state = 0x9E3779B97F4A7C15u + (count > 2 ? (uint64_t)atol(args[2]) : 0);
    for (long i = 0; i < runs; i++) {
        input *next = &pool[below(POOL)];
        if (below(4) == 0) {
            make(next);
        } else {
            *next = pool[below(POOL)];
            for (uint32_t changes = 1 + below(8); changes != 0; changes--) mutate(next, pool);
        }
        run(next);
    }
    return 0;
}
