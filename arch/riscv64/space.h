// Address spaces beyond the seam.
#pragma once

#include "base/types.h"

void riscv_space_probe(void); // boot CPU, in the final map: how many ASIDs there are
unsigned riscv_space_asid_bits(void);
uint64_t riscv_space_asids_used(void);

// This CPU took a fault at an address of the space it is in. Another CPU may have mapped the page just before: then this
// one may remember that it was not there.
void riscv_space_forget(uint64_t va);
