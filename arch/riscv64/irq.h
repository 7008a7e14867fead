// External interrupts: whichever controller the machine has (plic.c, aia.c), all its interrupts go to the boot CPU.
#pragma once

#include "base/types.h"

void riscv_irq_init(void);              // boot CPU, once the window can be filled
void riscv_irq_enable(uint32_t source); // source 0 is none
void riscv_irq_handle(void);            // external interrupts are pending: take them to the core
