/* no_memory: lets the tests run out of memory. After fail_allocation(n) the n-th allocation from then on fails,
 * counted from 1, and so do all after it, until fail_allocation(0). */
#ifndef FASTSIO_TESTS_NO_MEMORY_H
#define FASTSIO_TESTS_NO_MEMORY_H

#include <stddef.h>

void fail_allocation(int number);

void *tests_malloc(size_t size);
void *tests_calloc(size_t count, size_t size);
void *tests_realloc(void *old, size_t size);

#endif
