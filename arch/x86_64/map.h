// The kernel's own address space, the same in every address space's upper half (and nothing there ever changes once
// user spaces exist, but by filling window entries):
//   X86_DIRECT_MAP     all RAM, no-execute; the image's code and constants read-only here too
//   X86_WINDOW         single mappings: devices uncached, kernel stacks between pages that are not mapped
//   X86_IMAGE_OFFSET   the image, each section with its own protection
#pragma once

#include "kernel/include/arch.h"

#define X86_DIRECT_MAP_SIZE (64ull << 40) // physical addresses above cannot be used
#define X86_WINDOW          0xffffffffc0000000u

extern uint64_t x86_kernel_root; // physical address of the top table, nothing in its lower half

void x86_map_init(void); // boot CPU: builds all this and switches to it; the low mapping of the boot code is gone then

// Map physical memory for good in the window, size rounded to pages, X86_PTE_* flags besides present and global. Returns
// the address of `base`, or 0: the window is full.
[[nodiscard]] uint64_t x86_window_map(paddr_t base, uint64_t size, uint64_t flags);

// Page tables in which the low 2 MiB are executable at their own address, above which all is as in the kernel's: for
// CPUs that start. Its physical address, below 4 GiB.
paddr_t x86_map_identity_root(void);
