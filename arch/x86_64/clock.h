// Time: the time-stamp counter is the clock, the local APIC's timer the alarm. Both frequencies are told by CPUID or
// measured at boot against a timer of known rate.
#pragma once

#include "kernel/include/arch.h"

void x86_clock_init(void);     // boot CPU, once; boot is now
void x86_clock_init_cpu(void); // each CPU, on itself

uint64_t x86_clock_tsc_hz(void);
uint64_t x86_clock_timer_hz(void); // 0: the timer follows the time-stamp counter

void x86_clock_delay(uint64_t nanoseconds); // busy

// After a timer interrupt: whether the deadline has passed. If not, the timer is set again.
[[nodiscard]] bool x86_clock_expired(void);

// Make a further CPU's clock agree with the boot CPU's, if their counters differ: both call this at the same time, the
// boot CPU with the other's data.
void x86_clock_match_boot(struct arch_cpu *other);
void x86_clock_match_other(void);
