// The kernel's own address space, in TTBR1 (and nothing there ever changes once user spaces exist, but by filling window
// entries):
//   ARM64_DIRECT_MAP   all RAM, no-execute; the image's code and constants read-only here too
//   ARM64_IMAGE        the image, each section with its own protection
//   ARM64_WINDOW       single mappings: devices, and kernel stacks with nothing mapped below
#pragma once

#include "kernel/include/arch.h"
#include "span/span.h"

#define ARM64_DIRECT_MAP_SIZE (64ull << 40) // physical addresses above cannot be used

// Boot CPU: build all this and switch to it. Of the RAM given, sorted, all below *mapped_limit is mapped then.
void arm64_map_init(const struct spans *ram, paddr_t *mapped_limit);

// Map physical memory for good in the window, size rounded to pages. Returns the address of `base`, or null: the window
// is full.
[[nodiscard]] volatile uint8_t *arm64_window_device(paddr_t base, uint64_t size);
[[nodiscard]] const void *arm64_window_constant(paddr_t base, uint64_t size);
// A stack of ARM64_STACK_SIZE; its top, or 0.
[[nodiscard]] uint64_t arm64_window_stack(paddr_t base);

void arm64_map_switch(paddr_t root, paddr_t empty); // start.S
