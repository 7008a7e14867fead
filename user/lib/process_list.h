// All processes, as /proc tells of each in its status file.
#pragma once

#include "lib/table.h"

enum { PROCESS_STATUS_MAX = 1024 };

struct process_entry {
    uint32_t pid;
    struct table status; // one line; its fields are those of /proc/PID/status
    char text[PROCESS_STATUS_MAX];
};

// Load the status of every process into memory from malloc, in the order of pids. Their number, or an error.
[[nodiscard]] long process_list(struct process_entry **entries);

// The status of one process. 0 or an error.
[[nodiscard]] long process_entry_load(struct process_entry *entry, uint32_t pid);
