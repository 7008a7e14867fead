#include "map.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"

enum : uint64_t { PAGE = 4096, WINDOW_SIZE = 64ull << 20 };
enum { ENTRIES = 512, LEVELS = 4, EARLY_TABLES = 64 };

typedef uint64_t table[ENTRIES];

// The kernel's top table: for start.S too, when further CPUs come.
[[gnu::section(".tables")]] alignas(4096) table arm64_kernel_table;
alignas(4096) table arm64_empty_table;
// Tables from before there is a page allocator.
alignas(4096) static table early_table[EARLY_TABLES];
static unsigned early_used;
static bool early = true;

extern const uint8_t arm64_image_start[], arm64_text_end[], arm64_rodata_end[], arm64_image_end[];

// ---- tables ----------------------------------------------------------------------------------------------------------

static paddr_t table_new(void) {
    if (!early) {
        return page_alloc_zeroed();
    }
    return early_used < EARLY_TABLES ? arch_virt_to_phys(early_table[early_used++]) : 0;
}

// Before the switch to the kernel's own map, tables are reached where the image is.
static uint64_t *table_at(uint64_t entry) {
    paddr_t at = entry & ARM64_PTE_ADDRESS;
    return early ? (uint64_t *)(at + arm64_image_offset) : arch_phys_to_virt(at);
}

// The entry of an address at a level (3: pages), with the tables above it made; null: no memory.
static uint64_t *entry_of(uint64_t va, unsigned level) {
    uint64_t *at = arm64_kernel_table;
    for (unsigned i = 0; i < level; i++) {
        uint64_t *entry = &at[va >> (39 - 9 * i) & (ENTRIES - 1)];
        if (*entry == 0) {
            paddr_t page = table_new();
            if (page == 0) {
                return nullptr;
            }
            *entry = page | ARM64_PTE_VALID | ARM64_PTE_TABLE;
        }
        at = table_at(*entry);
    }
    return &at[va >> (39 - 9 * level) & (ENTRIES - 1)];
}

// Map [at, end) of physical memory at an address, by the largest entries that fit. ERR_NO_MEMORY: up to some address.
static status_t map(uint64_t va, paddr_t at, paddr_t end, uint64_t flags) {
    flags |= ARM64_PTE_ORDINARY | ARM64_PTE_NO_EXEC_USER;
    while (at < end) {
        unsigned level = 1;
        uint64_t size = 1ull << 30;
        while (level < LEVELS - 1 && (!is_aligned(at | va, size) || end - at < size)) {
            level++;
            size >>= 9;
        }
        uint64_t *entry = entry_of(va, level);
        if (entry == nullptr) {
            return ERR_NO_MEMORY;
        }
        *entry = at | flags | (level == LEVELS - 1 ? ARM64_PTE_TABLE : 0);
        at += size;
        va += size;
    }
    return 0;
}

// ---- the kernel's map ------------------------------------------------------------------------------------------------

static status_t map_image_part(const uint8_t *from, const uint8_t *to, uint64_t flags) {
    paddr_t base = arch_virt_to_phys(from), end = arch_virt_to_phys(to);
    uint64_t direct = (flags & ARM64_PTE_READ_ONLY) | ARM64_PTE_NO_EXEC_KERNEL;
    status_t status = map((uint64_t)from, base, end, flags);
    return status != 0 ? status : map(base + ARM64_DIRECT_MAP, base, end, direct);
}

static status_t map_ram(paddr_t base, paddr_t end) {
    return map(base + ARM64_DIRECT_MAP, base, end, ARM64_PTE_NO_EXEC_KERNEL);
}

// A piece of RAM, but for the image.
static status_t map_around_image(paddr_t base, paddr_t end) {
    paddr_t image = arch_virt_to_phys(arm64_image_start), image_end = arch_virt_to_phys(arm64_image_end);
    if (image >= end || image_end <= base) {
        return map_ram(base, end);
    }
    status_t status = base < image ? map_ram(base, image) : 0;
    return status != 0 || image_end >= end ? status : map_ram(image_end, end);
}

void arm64_map_init(const struct spans *ram, paddr_t *mapped_limit) {
    // The tables that exist suffice for these.
    (void)map_image_part(arm64_image_start, arm64_text_end, ARM64_PTE_READ_ONLY);
    (void)map_image_part(arm64_text_end, arm64_rodata_end, ARM64_PTE_READ_ONLY | ARM64_PTE_NO_EXEC_KERNEL);
    (void)map_image_part(arm64_rodata_end, arm64_image_end, ARM64_PTE_NO_EXEC_KERNEL);
    for (uint64_t at = 0; at < WINDOW_SIZE; at += 1ull << 21) {
        (void)entry_of(ARM64_WINDOW + at, LEVELS - 1);
    }
    *mapped_limit = 0;
    for (unsigned i = 0; i < ram->count; i++) {
        if (map_around_image(ram->span[i].base, ram->span[i].end) != 0) {
            break;
        }
        *mapped_limit = ram->span[i].end;
    }
    arm64_dsb_stores(); // the tables are written before the first walk
    arm64_map_switch(arch_virt_to_phys(arm64_kernel_table), arch_virt_to_phys(arm64_empty_table));
    early = false;
}

status_t arch_direct_map_extend(const struct boot_info *boot) {
    for (unsigned i = 0; i < boot->range_count; i++) {
        paddr_t base = boot->range[i].base, end = base + boot->range[i].size;
        base = base < boot->mapped_limit ? boot->mapped_limit : base;
        status_t status = base < end ? map_ram(base, end) : 0;
        if (status != 0) {
            return status;
        }
    }
    arm64_dsb_stores();
    arm64_isb();
    return 0;
}

// ---- the window ------------------------------------------------------------------------------------------------------

// Nothing is ever mapped twice in the window, and its tables exist: only entries that were invalid change. At least `gap`
// bytes below stay out.
static uint64_t window_map(paddr_t base, uint64_t size, uint64_t alignment, uint64_t gap, uint64_t flags) {
    static uint64_t used;
    paddr_t first = align_down(base, PAGE);
    uint64_t length = align_up(base + size, PAGE) - first, start = align_up(used + gap, alignment);
    if (start > WINDOW_SIZE || length > WINDOW_SIZE - start) {
        return 0;
    }
    used = start + length;
    for (uint64_t at = 0; at < length; at += PAGE) {
        uint64_t *entry = entry_of(ARM64_WINDOW + start + at, LEVELS - 1);
        *entry = (first + at) | flags | ARM64_PTE_ORDINARY | ARM64_PTE_TABLE | ARM64_PTE_NO_EXEC_USER |
                 ARM64_PTE_NO_EXEC_KERNEL;
    }
    arm64_dsb_stores();
    arm64_isb();
    return ARM64_WINDOW + start + (base - first);
}

volatile uint8_t *arm64_window_device(paddr_t base, uint64_t size) {
    return (volatile uint8_t *)window_map(base, size, PAGE, PAGE, ARM64_PTE_DEVICE);
}

const void *arm64_window_constant(paddr_t base, uint64_t size) {
    return (const void *)window_map(base, size, PAGE, PAGE, ARM64_PTE_READ_ONLY);
}

uint64_t arm64_window_stack(paddr_t base) {
    uint64_t va = window_map(base, ARM64_STACK_SIZE, 2 * ARM64_STACK_SIZE, ARM64_STACK_SIZE, 0);
    return va != 0 ? va + ARM64_STACK_SIZE : 0;
}
