// The processor itself: which features it has, and the control registers and descriptors that each CPU is set up with.
#pragma once

#include "kernel/include/arch.h"

struct x86_features {
    bool smep, smap, umip, pcid, gib_pages, x2apic, tsc_deadline, tsc_invariant;
    bool fxsave_leaks; // FXSAVE leaves the last x87 pointers of somebody else in place
    uint8_t physical_bits;
    uint32_t family, model, stepping;
    char name[49]; // as the processor spells itself
};

extern struct x86_features x86_features; // of the boot CPU; the others are taken to be the same
extern struct arch_cpu x86_boot_cpu;     // until arch_cpu_attach

void x86_features_detect(void); // once, before anything else here; arms the SMAP instructions while code is writable

// Set up this CPU: control registers, descriptor tables, call entry, gs base. cpu->stack_top is given. The tables stay
// in use: cpu and ist (the tops of one stack per use) must stay.
enum x86_ist { X86_IST_NMI = 1, X86_IST_DOUBLE_FAULT, X86_IST_MACHINE_CHECK, X86_IST_DEBUG, X86_IST_COUNT = 4 };
void x86_cpu_init(struct arch_cpu *cpu, const uint64_t ist[X86_IST_COUNT]);

// The kernel stacks of a CPU, each with a page above and below that is not mapped. ERR_NO_MEMORY.
[[nodiscard]] status_t x86_stacks_map(struct arch_cpu *cpu, const paddr_t pages[X86_IST_COUNT], paddr_t stack,
                                      uint64_t ist[X86_IST_COUNT]);

void x86_run(void (*function)(void *argument), void *argument); // on this CPU's kernel stack, then idle; entry.S
