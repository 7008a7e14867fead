// Figures of the address spaces beyond the seam.
#pragma once

#include "base/types.h"

void arm64_space_init(void);     // boot CPU, once
unsigned arm64_asid_bits(void);  // 8 or 16
uint64_t arm64_asid_count(void); // in use
