// Time: the architecture's counter, the same on all CPUs, and each CPU's virtual timer.
#pragma once

#include "kernel/include/arch.h"

[[nodiscard]] bool arm64_clock_init(void);       // boot CPU, once; boot is now. False: the tree names no timer
void arm64_clock_init_cpu(struct arch_cpu *cpu); // each CPU, on itself

uint64_t arm64_clock_hz(void);
unsigned arm64_clock_interrupt(void);

// After a timer interrupt: whether the deadline has passed. If not, the timer is set again.
[[nodiscard]] bool arm64_clock_expired(void);
