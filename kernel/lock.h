// The kernel lock: one fair lock around the neutral core. Taken at every kernel entry with interrupts off, released before
// the return to user mode or idle.
//
// `contenders` counts the CPUs that hold or want the lock, less one. Who finds it at -1 has the lock at once; everybody
// else draws a ticket and waits until it is granted, in the order of the tickets, by whoever has the lock before. Who gives
// the lock back and finds that others want it grants the next ticket; nobody can have it in between, since nobody finds -1.
// A ticket may be granted before it is drawn: then its owner need not wait.
//
// What a holder wrote is seen by the next one: either through contenders (release, acquire; additions in between belong to
// the release sequence) or through the grant.
//
// While it waits, a CPU answers TLB requests; when that takes long, it rests until its turn. On a virtual machine with more
// CPUs than the host gives it, the one whose turn it is may not be running at all, and those that spin keep it from
// running.
#pragma once

#include <stdatomic.h>

#include "base/types.h"

struct lock_stats {
    uint64_t acquisitions, contended;
    uint64_t spins;     // turns of the waiting loop, in total
    uint64_t spins_max; // in one acquisition
    uint64_t rests;     // times that a CPU rested
};

extern _Atomic int32_t lock_contenders;

// The first step: true, this CPU has the lock; false, kernel_lock_queue must follow. Its mirror: true, the lock is free;
// false, kernel_lock_grant must follow.
[[nodiscard]] static inline bool kernel_lock_first(void) {
    return atomic_fetch_add_explicit(&lock_contenders, 1, memory_order_acquire) == -1;
}
[[nodiscard]] static inline bool kernel_lock_last(void) {
    return atomic_fetch_sub_explicit(&lock_contenders, 1, memory_order_release) <= 0;
}
void kernel_lock_queue(void);
void kernel_lock_grant(void);

void kernel_lock(void);
void kernel_unlock(void);
bool kernel_lock_held(void); // by this CPU, other than in a fast path: for assertions
struct lock_stats kernel_lock_stats(void);
