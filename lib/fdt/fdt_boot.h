// What a device tree tells a kernel that starts: memory, the command line, the initial archive.
#pragma once

#include "fdt/fdt.h"
#include "span/span.h"

// Add all memory to *usable. Add what of it is somebody else's to *reserved, and to *unmapped too where the tree asks
// that there be no translation for it. Not merged. False: what is reserved does not fit, so that nothing may be used;
// memory that does not fit is only left out.
[[nodiscard]] bool fdt_memory(const struct fdt *fdt, struct spans *usable, struct spans *reserved,
                              struct spans *unmapped);

const char *fdt_command_line(const struct fdt *fdt); // "" if there is none
// The initial archive that the loader put into memory; false: there is none.
[[nodiscard]] bool fdt_initial_archive(const struct fdt *fdt, uint64_t *base, uint64_t *size);
