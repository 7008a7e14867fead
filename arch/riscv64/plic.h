// The platform-level interrupt controller.
#pragma once

#include "base/types.h"

[[nodiscard]] bool riscv_plic_init(void); // everything masked. False: its registers cannot be reached
void riscv_plic_enable(uint32_t source);
uint32_t riscv_plic_claim(void); // 0: none is pending
void riscv_plic_complete(uint32_t source);
