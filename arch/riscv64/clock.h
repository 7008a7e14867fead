// Time: the machine's real-time counter is the clock, which all harts read alike (to one tick: the specification says so);
// the alarm is the comparator of Sstc where the processor has it, else the firmware's.
#pragma once

#include "kernel/include/arch.h"

[[nodiscard]] bool riscv_clock_init(void); // boot CPU, once; boot is now. False: the counter's rate is not known
void riscv_clock_init_cpu(void);           // each further CPU, on itself

bool riscv_clock_has_sstc(void);

// After a timer interrupt: whether the deadline has passed. Either way the interrupt is no longer pending; if not, the
// timer is set again.
[[nodiscard]] bool riscv_clock_expired(void);
