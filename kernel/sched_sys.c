// abi_version, clock, yield: calls without an object.
#include "abi/calls.h"
#include "kernel/include/arch.h"
#include "kernel/sched.h"

long sys_abi_version(struct thread *) {
    return ABI_VERSION;
}

long sys_clock(struct thread *, struct call_results *out) {
    out->word[0] = arch_time_now();
    return 0;
}

long sys_yield(struct thread *self) {
    sched_pass(self);
    return 0;
}
