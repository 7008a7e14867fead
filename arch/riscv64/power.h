// Stopping the other CPUs, once and for all; the rest of power is in the seam (arch_power_*).
#pragma once

#include "base/types.h"

void riscv_power_init(void);  // boot CPU: once the window can be filled
void riscv_stop_others(void); // by IPI: as soon as they look at interrupts. Idempotent.
bool riscv_stop_asked(void);  // an IPI means that
