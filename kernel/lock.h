// The kernel lock: one fair (ticket) lock around the neutral core. Taken at every kernel entry with interrupts off,
// released before the return to user mode or idle. While it waits, a CPU answers TLB requests; when that takes long, it
// rests until its turn. On a virtual machine with more CPUs than the host gives it, the one whose turn it is may not be
// running at all, and those that spin keep it from running.
#pragma once

#include "base/types.h"

struct lock_stats {
    uint64_t acquisitions, contended;
    uint64_t spins;     // turns of the waiting loop, in total
    uint64_t spins_max; // in one acquisition
    uint64_t rests;     // times that a CPU rested
};

void kernel_lock(void);
void kernel_unlock(void);
bool kernel_lock_held(void); // by this CPU: for assertions
struct lock_stats kernel_lock_stats(void);
