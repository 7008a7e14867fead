// Address spaces beyond the seam.
#pragma once

#include "base/types.h"

void riscv_space_probe(void); // boot CPU, in the final map: how many ASIDs there are
unsigned riscv_space_asid_bits(void);
uint64_t riscv_space_asids_used(void);
