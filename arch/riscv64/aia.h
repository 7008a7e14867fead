// The advanced interrupt architecture: an APLIC that interrupts a hart directly, or sends messages to its IMSIC.
#pragma once

#include "base/types.h"

[[nodiscard]] bool riscv_aia_init(void); // everything masked. False: its registers cannot be reached
void riscv_aia_enable(uint32_t source);
uint32_t riscv_aia_claim(void); // and acknowledge; 0: none is pending
void riscv_aia_complete(uint32_t source);
