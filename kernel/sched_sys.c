// abi_version, clock, yield: calls without an object.
#include "abi/calls.h"
#include "kernel/fast.h"
#include "kernel/sched.h"

long sys_abi_version(struct thread *) {
    return ABI_VERSION;
}

struct fast_answer fast_abi_version(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    FAST_LOCK(CALL_ABI_VERSION, a0, a1, a2, a3, a4, a5);
    FAST_CPU(count[COUNT_FAST_VERSION])++;
    struct thread *self = FAST_CPU(current);
    self->process->calls++;
    FAST_STAY(self, ABI_VERSION, 0);
}

long sys_clock(struct thread *, struct call_results *out) {
    out->word[0] = arch_time_now();
    return 0;
}

long sys_yield(struct thread *self) {
    sched_pass(self);
    return 0;
}
