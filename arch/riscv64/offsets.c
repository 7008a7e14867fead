// The source of riscv_offsets.h, through which assembly code knows C: this file is compiled to assembly and never linked,
// and scripts/asm_offsets.py picks its marked lines.
#include "kernel/include/arch.h"

#include "layout.h"
#include "map.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"((int64_t)(value)))
#define FRAME(name, field)  DEFINE(FRAME_##name, offsetof(struct arch_frame, field))
#define CPU(name, field)    DEFINE(CPU_##name, offsetof(struct arch_cpu, field))

void riscv_offsets(void);

void riscv_offsets(void) {
    FRAME(PC, pc);
    FRAME(RA, ra);
    FRAME(SP, sp);
    FRAME(GP, gp);
    FRAME(TP, tp);
    FRAME(T0, t0);
    FRAME(T1, t1);
    FRAME(T2, t2);
    FRAME(S0, s0);
    FRAME(S1, s1);
    FRAME(A0, a0);
    FRAME(A1, a1);
    FRAME(A2, a2);
    FRAME(A3, a3);
    FRAME(A4, a4);
    FRAME(A5, a5);
    FRAME(A6, a6);
    FRAME(A7, a7);
    FRAME(S2, s2);
    FRAME(S3, s3);
    FRAME(S4, s4);
    FRAME(S5, s5);
    FRAME(S6, s6);
    FRAME(S7, s7);
    FRAME(S8, s8);
    FRAME(S9, s9);
    FRAME(S10, s10);
    FRAME(S11, s11);
    FRAME(T3, t3);
    FRAME(T4, t4);
    FRAME(T5, t5);
    FRAME(T6, t6);
    FRAME(CAUSE, cause);
    FRAME(STATUS, status);
    DEFINE(FRAME_SIZE, sizeof(struct arch_frame));
    DEFINE(THREAD_FRAME, THREAD_FRAME_OFFSET);

    DEFINE(THREAD_FLOAT, offsetof(struct arch_thread, f));
    DEFINE(THREAD_FCSR, offsetof(struct arch_thread, fcsr));

    DEFINE(CPU_THREAD, CPU_CURRENT_OFFSET);
    CPU(SCRATCH, scratch);
    CPU(STACK_TOP, stack_top);
    CPU(STACK_LIMIT, stack_limit);
    CPU(SPARE_TOP, spare_top);
    CPU(FAST_LIMIT, fast_limit);
    CPU(FAST_PATHS, fast);
    CPU(START_SATP, start_satp);
    CPU(HART, hart);
    CPU(SELF, self);

    DEFINE(CAUSE_CALL, RISCV_CAUSE_CALL);
    DEFINE(CAUSE_USER_CALL, RISCV_CAUSE_USER_CALL);
    DEFINE(STATUS_SIE, RISCV_STATUS_SIE);
    DEFINE(STATUS_SPP, RISCV_STATUS_SPP);
    DEFINE(STATUS_SUM, RISCV_STATUS_SUM);
    DEFINE(STATUS_CLEARED, RISCV_STATUS_SIE | RISCV_STATUS_SPP | RISCV_STATUS_VS | RISCV_STATUS_FS | RISCV_STATUS_SUM |
                               RISCV_STATUS_MXR);

    DEFINE(IMAGE, RISCV_IMAGE);
    DEFINE(BOOT_DIRECT_MAP_ENTRY, RISCV_DIRECT_MAP_SV39 >> 30 & 511);
    DEFINE(BOOT_DIRECT_MAP_ENTRIES, RISCV_DIRECT_MAP_SV39_SIZE >> 30);
    DEFINE(IMAGE_ENTRY, RISCV_IMAGE >> 30 & 511);
    DEFINE(IMAGE_LARGE_PAGES, RISCV_IMAGE_TABLES);
    DEFINE(BOOT_STACK_SIZE, RISCV_STACK_SIZE);
    DEFINE(SATP_SV39, RISCV_SATP_SV39);
    DEFINE(BOOT_TABLE, RISCV_PTE_VALID);
    DEFINE(BOOT_DATA, RISCV_PTE_KERNEL & ~RISCV_PTE_GLOBAL);
    DEFINE(BOOT_IMAGE, (RISCV_PTE_KERNEL | RISCV_PTE_EXEC) & ~RISCV_PTE_GLOBAL);
}
