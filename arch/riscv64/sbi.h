// Calls to the machine's firmware (Supervisor Binary Interface, version 0.2 or later).
#pragma once

#include "base/types.h"

struct riscv_sbi {
    uint32_t version;        // major << 24 | minor
    uint64_t implementation; // 1: OpenSBI
    uint64_t implementation_version;
    bool time, ipi, rfence, hsm, srst, dbcn; // extensions
};

extern struct riscv_sbi riscv_sbi;

// Ask what there is. False: not what the kernel needs (TIME, IPI and RFENCE; without HSM one CPU stays alone).
[[nodiscard]] bool riscv_sbi_init(void);

void riscv_sbi_put(char byte); // to the firmware's console
void riscv_sbi_timer(uint64_t ticks);
// For harts base + i, for each bit i of mask.
void riscv_sbi_ipi(uint64_t mask, uint64_t base);
void riscv_sbi_fence_fetch(uint64_t mask, uint64_t base); // fence.i there, done on return
// Start a hart at a physical address with its number in a0 and argument in a1. False: refused.
[[nodiscard]] bool riscv_sbi_hart_start(uint64_t hart, uint64_t address, uint64_t argument);

enum riscv_sbi_reset { RISCV_SBI_SHUTDOWN = 0, RISCV_SBI_COLD_REBOOT = 1 };
void riscv_sbi_reset(enum riscv_sbi_reset type); // returns only if the firmware cannot
