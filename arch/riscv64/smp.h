// The further CPUs.
#pragma once

#include "kernel/include/arch.h"

extern struct arch_cpu riscv_boot_cpu;       // until arch_cpu_attach
extern struct arch_cpu *riscv_cpus[CPU_MAX]; // by index; null: does not run
extern unsigned riscv_cpu_slots;             // none from here on runs

void riscv_cpu_init(void);                                     // each CPU, on itself: interrupts that it takes
void riscv_cpu_ready(void);                                    // each CPU, on itself, last: calls may come
void riscv_smp_fence_fetch(uint64_t cpus);                     // bit i: CPU i makes its fetches follow; done on return
void riscv_smp_ipi_others(void);                               // all that run
[[noreturn]] void riscv_start_secondary(struct arch_cpu *cpu); // from start.S, on the CPU's kernel stack
[[nodiscard]] bool riscv_stacks_map(struct arch_cpu *cpu, paddr_t stack, paddr_t spare); // guarded; false: no room

void riscv_run(void (*function)(void *argument), void *argument); // on this CPU's kernel stack, then idle; entry.S
