#include "kernel/tlb.h"

#include "base/bits.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"

static void request(struct cpu *cpu, struct space *space, uint64_t va, uint64_t pages) {
    KASSERT(!__atomic_load_n(&cpu->tlb.pending, __ATOMIC_RELAXED)); // the last initiator has waited for it
    cpu->tlb.space = space;
    cpu->tlb.va = va;
    cpu->tlb.pages = pages;
    __atomic_store_n(&cpu->tlb.pending, 1, __ATOMIC_RELEASE);
    arch_cpu_ipi(cpu->index);
}

void tlb_shootdown(struct space *space, uint64_t va, uint64_t pages) {
    const struct cpu *self = arch_cpu_current();
    // Which CPUs run in the space does not change while this one holds the lock: switching needs it.
    uint64_t stale = arch_space_stale(&space->arch);
    uint64_t here = UINT64_C(1) << self->index;
    if ((stale & here) != 0) {
        arch_tlb_flush(&space->arch, va, pages);
    }
    uint64_t others = stale & ~here;
    if (others == 0) {
        return;
    }
    cpu_count(COUNT_SHOOTDOWN);
    for (uint64_t rest = others; rest != 0; rest &= rest - 1) {
        request(cpu_table[bits_lowest(rest)], space, va, pages);
    }
    for (uint64_t rest = others; rest != 0; rest &= rest - 1) {
        const struct cpu *cpu = cpu_table[bits_lowest(rest)];
        while (__atomic_load_n(&cpu->tlb.pending, __ATOMIC_ACQUIRE)) {
            arch_cpu_relax();
        }
    }
}

void tlb_answer(void) {
    struct cpu *self = arch_cpu_current();
    if (__atomic_load_n(&self->tlb.pending, __ATOMIC_ACQUIRE)) {
        arch_tlb_flush(&self->tlb.space->arch, self->tlb.va, self->tlb.pages);
        __atomic_store_n(&self->tlb.pending, 0, __ATOMIC_RELEASE);
    }
}
