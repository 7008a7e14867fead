// The kernel lock: one fair (ticket) lock around the neutral core. Taken at every kernel entry with interrupts off,
// released before the return to user mode or idle. While it waits, a CPU answers TLB requests.
#pragma once

#include "base/types.h"

struct lock_stats {
    uint64_t acquisitions, contended;
    uint64_t spins;     // turns of the waiting loop, in total
    uint64_t spins_max; // in one acquisition
};

void kernel_lock(void);
void kernel_unlock(void);
bool kernel_lock_held(void); // by this CPU: for assertions
struct lock_stats kernel_lock_stats(void);
