// The further CPUs.
#pragma once

#include "kernel/include/arch.h"

extern struct arch_cpu *x86_cpus[CPU_MAX]; // by index; null: not started
extern unsigned x86_cpu_slots;             // none from here on

void x86_smp_init(void);                                     // boot CPU, once: numbers the CPUs, itself first
[[noreturn]] void x86_start_secondary(struct arch_cpu *cpu); // from the trampoline, on the CPU's kernel stack
