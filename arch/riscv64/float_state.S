// Floating-point registers to and from memory: the only instructions in the kernel that touch them.

#include "riscv_offsets.h"

    .option arch, +f, +d
    .text

.macro EACH instruction
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \instruction f\n, THREAD_FLOAT + 8 * \n(a0)
    .endr
.endm

// void riscv_float_save(struct arch_thread *thread); sstatus.FS is not off
    .global riscv_float_save
riscv_float_save:
    EACH fsd
    frcsr t0
    sw t0, THREAD_FCSR(a0)
    ret

// void riscv_float_load(const struct arch_thread *thread); sstatus.FS is not off
    .global riscv_float_load
riscv_float_load:
    EACH fld
    lwu t0, THREAD_FCSR(a0)
    fscsr t0
    ret

    .section .note.GNU-stack, "", @progbits
