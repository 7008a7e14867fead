// The firmware's power interface (PSCI 0.2 and later), by the instruction that the device tree names.
#pragma once

#include "base/types.h"

bool arm64_psci_init(void); // boot CPU, once; whether there is any
bool arm64_psci_found(void);
// Start a CPU at a physical address at the highest exception level that is ours, with an argument in x0. Returns
// PSCI's status: 0, or negative.
[[nodiscard]] int64_t arm64_psci_cpu_on(uint64_t affinity, uint64_t entry, uint64_t argument);
void arm64_psci_system_off(void); // these return only if there is no such firmware
void arm64_psci_system_reset(void);
