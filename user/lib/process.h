// Other processes: by handle, as spawn_program gives it, or by pid through /proc.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// What a shell shows as the status of a process that did not end by itself.
enum {
    STATUS_KILLED = 128, // plus the status given to kill
    STATUS_FAULTED = 139,
};

// Wait until the process has ended or the deadline comes, and tell about it; info may be null. 0 or ERR_TIMED_OUT.
[[nodiscard]] long process_wait(handle_t process, uint64_t deadline, struct abi_process_info *info);

// The status of an ended process as a shell's `$?`: its exit status, STATUS_KILLED + n, or STATUS_FAULTED.
int process_status(const struct abi_process_info *info);

// Run a program to its end. `process` is what spawn_program gave: an error comes back as it is; otherwise waits, closes
// the handle, and gives process_status.
[[nodiscard]] long process_finish(long process);

// Give another process a handle with every right that it has here. The handle's value there.
[[nodiscard]] long process_give(handle_t process, handle_t handle);

// End a process by pid: write the status to its /proc ctl file.
[[nodiscard]] long process_kill(uint32_t pid, int status);

// End a process and everything that descends from it, children of dead children excepted.
void process_kill_tree(uint32_t pid, int status);
