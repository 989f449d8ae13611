/* proc: CPU time and memory of the server's process tree, read from /proc.
 *
 * The tree is found anew at each reading. Threads and children that have ended since are not in the sum, so a
 * server must keep its own while it is measured. A server that is gone ends the program.
 */
#ifndef LOAD_PROC_H
#define LOAD_PROC_H

#include <stdint.h>
#include <sys/types.h>

typedef struct proc_cpu {
    uint64_t total_ns;     /* on a CPU, all threads, by the scheduler's clock */
    uint64_t user_ticks;   /* coarse: good for the ratio of the two */
    uint64_t system_ticks;
} proc_cpu;

typedef struct proc_memory {
    uint64_t pss_kb; /* shared pages divided by their users; resident size where the kernel does not say */
    uint64_t rss_kb;
} proc_memory;

proc_cpu proc_read_cpu(pid_t root);
proc_memory proc_read_memory(pid_t root);

#endif
