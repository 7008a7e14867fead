// From the device tree to the common boot record (struct boot_info).
#pragma once

#include "fdt/fdt.h"
#include "kernel/include/arch.h"

extern struct fdt arm64_tree; // for whoever looks for a device; where it lies in memory is kept

// Read the tree and build the kernel's map. Null: there is none that makes sense.
const struct boot_info *arm64_boot_read(paddr_t tree, const void *tree_now);

// The number of a device's interrupt, as its index-th specifier for a GIC tells; false: it has none.
[[nodiscard]] bool arm64_boot_interrupt(const struct fdt_node *node, uint32_t index, unsigned *number);
