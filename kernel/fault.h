// Reports of faults, for people. A fault of a user is recorded when it happens; its report is then written to the console,
// to the log and into process->fault_text, some lines at a time, by a slice: so it is long, but nobody waits for it, and no
// other output comes in between. Reports come in the order of faults, and a process has exited only when its own is whole.
// A fault of the kernel is told straight to the console.
#pragma once

#include "base/list.h"
#include "kernel/include/trap.h"

enum { FAULT_TRACE_MAX = 16 };

// What is to be told of a thread, beside its registers, which nothing changes any more.
struct fault_record {
    struct list link; // among those that are still to be told
    struct fault fault;
    const char *reason; // why a page fault was not resolved
    unsigned line;      // told next
    unsigned depth;
    uint64_t trace[FAULT_TRACE_MAX];
    size_t told; // bytes in process->fault_text
};

// self, which is running, has committed a fault that ends its process; status is why a page fault could not be resolved.
// Its address space is in place. The caller ends the process. Needs the kernel lock, as does fault_write_all.
void fault_report(struct thread *self, const struct fault *fault, status_t status);
void fault_write_all(void); // finish all reports at once, waiting for the console: before the power goes
// In a panic, with or without the lock: tell the rest of them straight to the console.
void fault_write_rest(void);
// The kernel itself has faulted: report and stop.
[[noreturn]] void fault_kernel_report(const struct arch_frame *frame, const struct fault *fault);
