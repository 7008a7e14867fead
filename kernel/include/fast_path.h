// Fast paths: what a call does when nothing stands in its way. The general path (trap_syscall) defines what a call means;
// a fast path does exactly the same for the common case, or nothing at all. Each one lists its preconditions in order,
// then acts; when one fails, it leaves by arch_fast_leave and nothing has happened.
//
// The port's entry code calls fast_paths[number] with the arguments in the registers of the C convention, on the CPU's
// kernel stack, interrupts off, no lock held. There are two sets of them, compiled from the same source: one that takes the
// kernel lock, and one for where no second CPU was ever started, to contend with. What the ABI keeps of the caller is by then in its frame, or in registers that
// a fast path leaves alone: which, is for the port to choose. The message words always stay in registers that C functions
// keep; thus a fast path that switches from one thread to the other hands over the message by leaving it alone.
//
// A fast path may copy user memory (arch_fast_copy_in, arch_fast_bulk_in, …): a fault there is the copy's failure, and
// leaves the caller's registers alone. Behind arch_fast_frames it may call any function that neither parks the caller nor looks
// at its frame for more than what was put there.
//
// It ends with one of the arch_fast_*_exit or with arch_fast_leave, always by a tail call: the port then enters user mode,
// with zero in every register that could hold anything of the kernel's or of another process.
//
// Both kinds of entry are needed for SMP and for every feature: there is no build without one of them. A fast path can be
// switched off (fast_limit), so that tests can compare the two.
#pragma once

#include "base/types.h"

struct thread;

// Where a port is a library (arch/host), they return to it: who goes on, or null. On a machine nothing ever returns.
struct fast_answer {
    struct thread *next;
};

// An argument that does not matter: whatever is in its register.
static inline uint64_t fast_any(void) {
    uint64_t any;
    __asm__ volatile("" : "=r"(any));
    return any;
}

typedef struct fast_answer fast_path(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
typedef fast_path *fast_path_t;

extern fast_path_t fast_paths[]; // by number
// The set without the lock, or that with it. It is chosen before another CPU runs, and before ports copy the table to where
// they like it better, at the end of their boot.
void fast_paths_choose(bool alone);
extern const fast_path_t fast_paths_alone[], fast_paths_shared[];

// Calls below this number have a fast path: CALL_FAST, or 0 where fast paths are switched off (boot option "nofast").
extern uint64_t fast_limit;
