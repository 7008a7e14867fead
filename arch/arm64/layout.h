// Constants that C and assembly code of the port share; assembly sees them through offsets.c.
#pragma once

#include "base/types.h"

// Translation-table entries, 4 KiB granule.
#define ARM64_PTE_VALID          (1u << 0)
#define ARM64_PTE_TABLE          (1u << 1) // a table, or at the lowest level a page; else a block
#define ARM64_PTE_DEVICE         (1u << 2) // memory attribute 1 (MAIR): device; without it 0: ordinary, write-back
#define ARM64_PTE_USER           (1u << 6)
#define ARM64_PTE_READ_ONLY      (1u << 7)
#define ARM64_PTE_SHARED         (3u << 8) // inner shareable
#define ARM64_PTE_ACCESSED       (1u << 10)
#define ARM64_PTE_NOT_GLOBAL     (1u << 11)
#define ARM64_PTE_NO_EXEC_KERNEL (1ull << 53)
#define ARM64_PTE_NO_EXEC_USER   (1ull << 54)
#define ARM64_PTE_ADDRESS        0x0000fffffffff000u

#define ARM64_PTE_ORDINARY (ARM64_PTE_VALID | ARM64_PTE_SHARED | ARM64_PTE_ACCESSED)

// A CPU's kernel stack. The stack lies at an even multiple of its size and as much below is not mapped, so that one bit of
// the stack pointer tells that it has overflowed.
#define ARM64_STACK_SHIFT    14
#define ARM64_STACK_SIZE     (1u << ARM64_STACK_SHIFT)
#define ARM64_STACK_RESERVED 16 // at the top: zeroes (entry.S)

#define ARM64_WINDOW       0xffffffffc0000000u
#define ARM64_IMAGE_BLOCKS 4 // of 2 MiB; kernel.ld checks

// SCTLR_EL1: bits that must be 1 where they have no function, then those that the port sets.
#define ARM64_SCTLR_MMU         (1u << 0)
#define ARM64_SCTLR_CACHE       (1u << 2)
#define ARM64_SCTLR_STACK_CHECK (1u << 3 | 1u << 4) // stack pointers are aligned, in the kernel and for users
#define ARM64_SCTLR_INSTRUCTION (1u << 12)          // instruction cache
#define ARM64_SCTLR_USER_WFE    (1u << 18)
#define ARM64_SCTLR_WXN         (1u << 19) // what is writable is not executable, whatever its entry says
#define ARM64_SCTLR_KEEP_PAN    (1u << 23) // entries do not set PSTATE.PAN
#define ARM64_SCTLR_EPAN        (1ull << 57)
#define ARM64_SCTLR_ONES        (1u << 11 | 1u << 20 | 1u << 22 | 1u << 23 | 1u << 28 | 1u << 29)
