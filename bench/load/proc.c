#define _GNU_SOURCE
#include "proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define MAX_PROCESSES 32768

typedef struct process {
    pid_t pid, parent;
    uint64_t user_ticks, system_ticks;
    bool in_tree;
} process;

static process processes[MAX_PROCESSES];
static size_t process_count;

/* The file as a string in one static buffer, or NULL: the process may have ended. */
static char *read_text(const char *path) {
    static char text[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length < 0) return NULL;
    text[length] = '\0';
    return text;
}

/* proc(5), /proc/pid/stat: the name (field 2) may hold anything, so fields are counted from its last bracket. */
static bool read_process(pid_t pid, process *found) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    char *text = read_text(path);
    char *fields = text ? strrchr(text, ')') : NULL;
    unsigned long user, system;
    int parent;
    if (fields == NULL || sscanf(fields + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &parent, &user,
                                 &system) != 3)
        return false;
    *found = (process){.pid = pid, .parent = parent, .user_ticks = user, .system_ticks = system};
    return true;
}

static void read_processes(void) {
    DIR *directory = opendir("/proc");
    if (directory == NULL) fail("/proc cannot be read");
    process_count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && process_count < MAX_PROCESSES;) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 0 && read_process(pid, &processes[process_count])) process_count++;
    }
    closedir(directory);
}

static bool parent_in_tree(const process *child) {
    for (size_t i = 0; i < process_count; i++)
        if (processes[i].pid == child->parent) return processes[i].in_tree;
    return false;
}

static void find_tree(pid_t root) {
    read_processes();
    bool grown = false;
    for (size_t i = 0; i < process_count; i++) grown |= processes[i].in_tree = processes[i].pid == root;
    if (!grown) fail("no server process %d", root);
    while (grown) {
        grown = false;
        for (size_t i = 0; i < process_count; i++)
            if (!processes[i].in_tree && parent_in_tree(&processes[i])) grown = processes[i].in_tree = true;
    }
}

/* Time on a CPU of all threads: the first number of each thread's schedstat. */
static uint64_t threads_ns(pid_t pid) {
    char path[64 + sizeof(((struct dirent *)0)->d_name)];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *directory = opendir(path);
    if (directory == NULL) return 0;
    uint64_t total = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        char *text = read_text(path);
        if (text != NULL) total += strtoull(text, NULL, 10);
    }
    closedir(directory);
    return total;
}

proc_cpu proc_read_cpu(pid_t root) {
    find_tree(root);
    proc_cpu sum = {0};
    for (size_t i = 0; i < process_count; i++) {
        if (!processes[i].in_tree) continue;
        sum.total_ns += threads_ns(processes[i].pid);
        sum.user_ticks += processes[i].user_ticks;
        sum.system_ticks += processes[i].system_ticks;
    }
    return sum;
}

static uint64_t kilobytes(const char *text, const char *label) {
    const char *line = text ? strstr(text, label) : NULL;
    return line ? strtoull(line + strlen(label), NULL, 10) : 0;
}

proc_memory proc_read_memory(pid_t root) {
    find_tree(root);
    proc_memory sum = {0};
    for (size_t i = 0; i < process_count; i++) {
        if (!processes[i].in_tree) continue;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", processes[i].pid);
        char *text = read_text(path);
        uint64_t pss = kilobytes(text, "\nPss:"), rss = kilobytes(text, "\nRss:");
        if (rss == 0) {
            snprintf(path, sizeof(path), "/proc/%d/status", processes[i].pid);
            rss = pss = kilobytes(read_text(path), "\nVmRSS:");
        }
        sum.pss_kb += pss;
        sum.rss_kb += rss;
    }
    return sum;
}
