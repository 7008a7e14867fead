// The PVH boot protocol: struct hvm_start_info, as QEMU and Xen-style loaders pass it.
#include "boot.h"

enum : uint32_t { START_MAGIC = 0x336ec578 };
enum { MEMORY_RAM = 1 };

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp;
    // from version 1
    uint64_t memory_map;
    uint32_t memory_map_entries, reserved;
};

struct module {
    uint64_t address, size, command_line, reserved;
};

struct memory {
    uint64_t address, size;
    uint32_t type, reserved;
};

bool x86_boot_read_pvh(paddr_t information) {
    const struct start_info *start = arch_phys_to_virt(information);
    if (start->magic != START_MAGIC || start->version < 1 || start->memory_map_entries == 0) {
        return false;
    }
    x86_boot_loader("pvh");
    if (start->command_line != 0) {
        x86_boot_command_line(arch_phys_to_virt(start->command_line));
    }
    if (start->rsdp != 0) {
        x86_boot_rsdp(start->rsdp);
    }
    const struct memory *map = arch_phys_to_virt(start->memory_map);
    for (uint32_t i = 0; i < start->memory_map_entries; i++) {
        x86_boot_memory(map[i].address, map[i].size, map[i].type == MEMORY_RAM);
    }
    const struct module *modules = arch_phys_to_virt(start->modules);
    for (uint32_t i = 0; i < start->module_count; i++) {
        x86_boot_archive(modules[i].address, modules[i].size);
    }
    return true;
}
