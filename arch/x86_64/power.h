// Stopping the other CPUs, once and for all; the rest of power is in the seam (arch_power_*).
#pragma once

#include "base/types.h"

void x86_stop_others(void); // by NMI, whatever they do. Idempotent.
bool x86_stop_asked(void);  // an NMI means that
