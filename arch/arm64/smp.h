// The further CPUs.
#pragma once

#include "kernel/include/arch.h"

void arm64_smp_init(void);                                     // boot CPU, once: numbers the CPUs, itself first
[[noreturn]] void arm64_start_secondary(struct arch_cpu *cpu); // from start.S, on the CPU's kernel stack
