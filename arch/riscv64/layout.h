// Constants that C and assembly code of the port share; assembly sees them through offsets.c.
#pragma once

#include "base/types.h"

// Page-table entries.
#define RISCV_PTE_VALID    (1u << 0)
#define RISCV_PTE_READ     (1u << 1)
#define RISCV_PTE_WRITE    (1u << 2)
#define RISCV_PTE_EXEC     (1u << 3)
#define RISCV_PTE_USER     (1u << 4)
#define RISCV_PTE_GLOBAL   (1u << 5)
#define RISCV_PTE_ACCESSED (1u << 6)
#define RISCV_PTE_DIRTY    (1u << 7)
#define RISCV_PTE_ADDRESS  0x003ffffffffffc00u // shifted right by 2

// A leaf of the kernel's own data. Accessed and dirty are always set: no hardware needs to write page tables, and
// hardware that raises a fault instead never does.
#define RISCV_PTE_KERNEL                                                                                               \
    (RISCV_PTE_VALID | RISCV_PTE_READ | RISCV_PTE_WRITE | RISCV_PTE_GLOBAL | RISCV_PTE_ACCESSED | RISCV_PTE_DIRTY)

// satp
#define RISCV_SATP_SV39       (8ull << 60)
#define RISCV_SATP_SV48       (9ull << 60)
#define RISCV_SATP_MODE       (15ull << 60)
#define RISCV_SATP_ASID_SHIFT 44
#define RISCV_SATP_ASID_MASK  0xffffu
#define RISCV_SATP_ROOT       0x00000fffffffffffu // page number

// sstatus
#define RISCV_STATUS_SIE (1u << 1)
#define RISCV_STATUS_SPP (1u << 8)
#define RISCV_STATUS_VS  (3u << 9)
#define RISCV_STATUS_FS  (3u << 13)
#define RISCV_STATUS_SUM (1u << 18)
#define RISCV_STATUS_MXR (1u << 19)

// Bits of sie and sip.
#define RISCV_INTERRUPT_SOFTWARE (1u << 1)
#define RISCV_INTERRUPT_TIMER    (1u << 5)
#define RISCV_INTERRUPT_EXTERNAL (1u << 9)

// Marks the minimal frame of a call. As a value of scause it is the misaligned fetch, which cannot happen where there are
// compressed instructions, and the kernel itself is made of them.
#define RISCV_CAUSE_CALL      0
#define RISCV_CAUSE_USER_CALL 8 // scause of ecall in user mode

enum { RISCV_STACK_SIZE = 4 * 4096, RISCV_SPARE_STACK_SIZE = 4096 };
