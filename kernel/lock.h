// The kernel lock: one fair lock around the neutral core. Taken at every kernel entry with interrupts off, released before
// the return to user mode or idle.
//
// `contenders` counts the CPUs that hold or want the lock, less one. Who finds it at -1 has the lock at once; everybody
// else draws a ticket and waits until it is granted, in the order of the tickets, by whoever has the lock before. Who gives
// the lock back and finds that others want it grants the next ticket; nobody can have it in between, since nobody finds -1.
// A ticket may be granted before it is drawn: then its owner need not wait.
//
// What a holder wrote is seen by the next one: either through contenders (release, acquire; additions in between belong to
// the release sequence) or through the grant. On RVWMO (riscv64) the first is amoadd.rl, behind all that its hart did
// before, and amoadd.aq, ahead of all that its hart does then; one in between, by whoever wanted the lock, needs neither
// annotation, since an AMO reads and writes at one place of the global order. The second is a store behind `fence rw, w`,
// and a load ahead of `fence r, rw`.
//
// While it waits, a CPU answers TLB requests; when that takes long, it rests until its turn. On a virtual machine with more
// CPUs than the host gives it, the one whose turn it is may not be running at all, and those that spin keep it from
// running.
#pragma once

#include <stdatomic.h>

#include "base/types.h"
#include "kernel/include/arch.h"

struct lock_stats {
    uint64_t acquisitions, contended;
    uint64_t spins;     // turns of the waiting loop, in total
    uint64_t spins_max; // in one acquisition
    uint64_t rests;     // times that a CPU rested
};

extern _Atomic int32_t lock_contenders;

// The first CPU that was started beside the boot CPU; 0: none. Until then entries need not contend with each other, since
// interrupts are off between the two steps below. Written once, under the lock, while nobody else is there to read it: from
// then on the lock is held as if it had been contended for from the start.
extern uint32_t lock_other;
void kernel_lock_share(uint32_t other); // before that CPU is started

// The steps below, by who knows that there are others.
[[nodiscard]] static inline bool kernel_lock_take(void) {
    return atomic_fetch_add_explicit(&lock_contenders, 1, memory_order_acquire) < 0;
}
[[nodiscard]] static inline bool kernel_lock_give(void) {
    return atomic_fetch_sub_explicit(&lock_contenders, 1, memory_order_release) <= 0;
}

// The first step: true, this CPU has the lock; false, kernel_lock_queue must follow. Its mirror: true, the lock is free;
// false, kernel_lock_grant must follow.
[[nodiscard]] static inline bool kernel_lock_first(void) {
    return lock_other == 0 || kernel_lock_take();
}
[[nodiscard]] static inline bool kernel_lock_last(void) {
    return lock_other == 0 || kernel_lock_give();
}
void kernel_lock_queue(void);
void kernel_lock_grant(void);

// By whom it is held, for assertions. A CPU that finds itself here wrote that itself and has not written null since: each
// CPU sees its own stores in order, and others only ever write themselves or null. Nothing follows for another CPU.
extern struct cpu *_Atomic lock_holder;

void kernel_lock(void);
void kernel_unlock(void);
// The same for an entry that is counted elsewhere: as a call (COUNT_SYSCALL), from which the statistics take it.
static inline void kernel_lock_counted(struct cpu *self) {
    if (!kernel_lock_first()) {
        kernel_lock_queue();
    }
    atomic_store_explicit(&lock_holder, self, memory_order_relaxed);
}
static inline void kernel_unlock_counted(void) {
    atomic_store_explicit(&lock_holder, nullptr, memory_order_relaxed);
    if (!kernel_lock_last()) {
        kernel_lock_grant();
    }
}
void kernel_lock_count(void); // that entry was no call after all

bool kernel_lock_held(void); // by this CPU, other than in a fast path: for assertions
struct lock_stats kernel_lock_stats(void);
