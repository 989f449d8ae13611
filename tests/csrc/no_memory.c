/* With the flags that test_c.py gives, every malloc, calloc and realloc of csrc and of the tests comes here. */
#undef malloc
#undef calloc
#undef realloc
#include "no_memory.h"

#include <stdlib.h>

static int left; /* 0: never fail; 1: fail now */

void fail_allocation(int number) {
    left = number;
}

static int fails(void) {
    if (left > 1) {
        left--;
        return 0;
    }
    return left;
}

void *tests_malloc(size_t size) {
    return fails() ? NULL : malloc(size);
}

void *tests_calloc(size_t count, size_t size) {
    return fails() ? NULL : calloc(count, size);
}

void *tests_realloc(void *old, size_t size) {
    return fails() ? NULL : realloc(old, size);
}
