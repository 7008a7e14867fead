// The further CPUs.
#pragma once

#include "kernel/include/arch.h"

void x86_smp_init(void);                                     // boot CPU, once: numbers the CPUs, itself first
[[noreturn]] void x86_start_secondary(struct arch_cpu *cpu); // from the trampoline, on the CPU's kernel stack
