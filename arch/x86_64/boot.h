// From what a loader tells to the common boot record (struct boot_info). A loader's reader (boot_pvh.c,
// boot_multiboot2.c) reports what it finds through the functions here; boot_finish makes the record of it.
#pragma once

#include "kernel/include/arch.h"

void x86_boot_loader(const char *name);
void x86_boot_command_line(const char *text);                   // zero-terminated
void x86_boot_memory(paddr_t base, uint64_t size, bool usable); // one range of the firmware's map, in any order
void x86_boot_archive(paddr_t base, uint64_t size);
void x86_boot_rsdp(paddr_t address); // where the ACPI root pointer is, if the loader knows

// The readers; false: this is not what it should be.
[[nodiscard]] bool x86_boot_read_pvh(paddr_t information);
[[nodiscard]] bool x86_boot_read_multiboot2(paddr_t information);

// The record. The loader's own structures may be overwritten from now on.
const struct boot_info *x86_boot_finish(void);

// A page below 1 MiB for starting CPUs, kept out of the record; 0 if there is none. After x86_boot_finish.
extern paddr_t x86_boot_trampoline;
extern paddr_t x86_boot_rsdp_address; // 0: not told
