// From the device tree's memory, command line and archive to the common boot record (struct boot_info).
#pragma once

#include "fdt/fdt.h"
#include "kernel/include/arch.h"

// Read all that the record needs; the tree's own memory counts as free afterwards. False: no memory is told of.
[[nodiscard]] bool riscv_boot_read(const struct fdt *fdt);
// Choose the translation mode and build the final map: the record, without mapped_limit. Addresses in the direct map of
// before are invalid then.
const struct boot_info *riscv_boot_finish(void);
