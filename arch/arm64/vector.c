#include "vector.h"

#include "instructions.h"

// CPACR_EL1: who may use vector registers without a trap. Never: SVE, SME.
enum : uint64_t { ACCESS_KERNEL = 1 << 20, ACCESS_ALL = 3 << 20 };

static struct arch_thread *arch_of(struct thread *thread) {
    return (struct arch_thread *)((uint8_t *)thread + THREAD_FRAME_OFFSET + sizeof(struct arch_frame));
}

// The exception return to user mode makes it effective.
static void set_enabled(struct arch_cpu *cpu, bool enabled) {
    if (enabled != cpu->vector_enabled) {
        cpu->vector_enabled = enabled;
        ARM64_WRITE(cpacr_el1, enabled ? ACCESS_ALL : ACCESS_KERNEL);
    }
}

void arch_thread_switch(struct thread *from, struct thread *to) {
    struct arch_cpu *cpu = (struct arch_cpu *)arch_cpu_current();
    if (from != nullptr && cpu->vector_enabled) {
        arm64_vector_save(arch_of(from));
    }
    if (to == nullptr) {
        set_enabled(cpu, false);
        return;
    }
    const struct arch_thread *next = arch_of(to);
    set_enabled(cpu, next->vector_used);
    if (next->vector_used) {
        arm64_vector_load(next);
    }
}

void arch_thread_destroy(struct arch_thread *thread) {
    (void)thread; // all of it is in the thread itself
}

bool arm64_vector_first_use(struct thread *thread) {
    struct arch_thread *arch = arch_of(thread);
    if (arch->vector_used) {
        return false;
    }
    *arch_thread_holds(thread) |= HOLD_STATE;
    arch->vector_used = true; // all zero: no exception enabled, to nearest
    set_enabled((struct arch_cpu *)arch_cpu_current(), true);
    arm64_vector_load(arch);
    return true;
}
