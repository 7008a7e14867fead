// The kernel's own address space, the same in every address space's upper half (and nothing there ever changes once
// user spaces exist, but by filling window entries):
//   riscv_direct_map   all RAM, no-execute; the image's code and constants read-only here too
//   RISCV_WINDOW       single mappings: devices, kernel stacks between pages that are not mapped
//   RISCV_IMAGE        the image, each section with its own protection
//
// Window and image have the same addresses in both translation modes: Sv48's last top-level entry is a table that looks
// like Sv39's root. Sv39's direct map is what is left there; Sv48 has room for more.
#pragma once

#include "kernel/include/arch.h"

#define RISCV_DIRECT_MAP_SV39      0xffffffc000000000u
#define RISCV_DIRECT_MAP_SV39_SIZE (252ull << 30)
#define RISCV_DIRECT_MAP_SV48      0xffff800000000000u
#define RISCV_DIRECT_MAP_SV48_SIZE (64ull << 40)
#define RISCV_WINDOW               0xffffffff40000000u

enum { RISCV_IMAGE_TABLES = 4 }; // 2 MiB of image each; kernel.ld checks

extern uint64_t riscv_kernel_satp; // mode and top table, nothing in its lower half; ASID 0
extern unsigned riscv_levels;      // of page tables: 3 in Sv39, 4 in Sv48

// Boot CPU, in order. Choose Sv48 if the processor has it and may be used; tells how many bytes of physical addresses the
// direct map can hold.
uint64_t riscv_map_choose(bool sv48_allowed);
// RAM, in any order: the direct map will have it.
void riscv_map_memory(paddr_t base, paddr_t end);
// Build all this and switch to it. Addresses in the direct map of before are invalid then. Returns boot_info.mapped_limit.
uint64_t riscv_map_init(void);

// Map physical memory for good in the window, read-write, size rounded to pages. Returns the address of `base`, or 0: the
// window is full.
[[nodiscard]] uint64_t riscv_window_map(paddr_t base, uint64_t size);
