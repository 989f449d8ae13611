/* report: the measured period and the line of JSON.
 *
 * A measure runs from the first sample, at or after the end of the warm-up, to the last, `seconds` later. The mode
 * says when samples may be taken, with its count at that moment, so that it can choose one with nothing in flight.
 */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "load.h"
#include "proc.h"

typedef struct sample {
    double time;
    double own_seconds; /* CPU of this process */
    uint64_t count;     /* deliveries, acknowledgements or handshakes so far */
    proc_cpu server;
} sample;

typedef struct measure {
    const options *options;
    double due; /* when the next sample is to be taken */
    bool running, over;
    sample first, last;
} measure;

void measure_start(measure *self, const options *options); /* the warm-up begins */

/* Takes the sample that is due, if any. True when the period is over. */
bool measure_update(measure *self, uint64_t count);

double own_cpu_seconds(void);

/* The JSON object: the options, then figures, then `verified`, which is true whenever a line is printed at all. */
void report_begin(const options *options);
void report_number(const char *name, double value);
void report_measure(const measure *measure); /* server CPU per count, and this process's own */
void report_end(void);

#endif
