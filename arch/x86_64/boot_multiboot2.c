// Multiboot2 boot information, as GRUB passes it on BIOS and on UEFI machines: a list of tags.
#include "boot.h"

#include "base/bits.h"
#include "base/memory.h"

enum {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_RSDP_1 = 14,
    TAG_RSDP_2 = 15,
};
enum { MEMORY_RAM = 1 };

struct information {
    uint32_t size, reserved;
};

struct tag {
    uint32_t type, size;
};

struct tag_text {
    struct tag tag;
    char text[];
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

struct memory {
    uint64_t address, size;
    uint32_t type, reserved;
};

static void read_memory_map(const struct tag_memory_map *tag) {
    const uint8_t *at = (const uint8_t *)(tag + 1), *end = (const uint8_t *)tag + tag->tag.size;
    for (; tag->entry_size != 0 && at + sizeof(struct memory) <= end; at += tag->entry_size) {
        struct memory memory;
        memcpy(&memory, at, sizeof memory);
        x86_boot_memory(memory.address, memory.size, memory.type == MEMORY_RAM);
    }
}

bool x86_boot_read_multiboot2(paddr_t information) {
    const struct information *start = arch_phys_to_virt(information);
    const uint8_t *at = (const uint8_t *)(start + 1), *end = (const uint8_t *)start + start->size;
    bool map_found = false;
    x86_boot_loader("multiboot2");
    while (at + sizeof(struct tag) <= end) {
        const struct tag *tag = (const struct tag *)at;
        if (tag->type == TAG_END || tag->size < sizeof *tag || tag->size > (size_t)(end - at)) {
            break;
        }
        switch (tag->type) {
        case TAG_COMMAND_LINE:
            x86_boot_command_line(((const struct tag_text *)tag)->text);
            break;
        case TAG_MODULE: {
            const struct tag_module *module = (const struct tag_module *)tag;
            x86_boot_archive(module->start, module->end - module->start);
            break;
        }
        case TAG_MEMORY_MAP:
            read_memory_map((const struct tag_memory_map *)tag);
            map_found = true;
            break;
        case TAG_RSDP_1:
            if (x86_boot_rsdp_address != 0) {
                break; // the newer one is better
            }
            [[fallthrough]];
        case TAG_RSDP_2:
            // A copy, in memory that will be given away: found again before that (x86_acpi_init).
            x86_boot_rsdp(information + (paddr_t)((const uint8_t *)(tag + 1) - (const uint8_t *)start));
            break;
        default:
            break;
        }
        at += align_up(tag->size, 8);
    }
    return map_found;
}
