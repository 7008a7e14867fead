// Stopping the other CPUs, once and for all; the rest of power is in the seam (arch_power_*).
#pragma once

void arm64_stop_others(void); // as soon as they have interrupts on. Idempotent.
