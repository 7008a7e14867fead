#include "map.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"

enum : uint64_t { PAGE = 4096, LARGE = 2ull << 20, HUGE = 1ull << 30 };

enum {
    ENTRIES = 512,
    WINDOW_TABLES = 4, // 8 MiB: the stacks of 64 CPUs, and devices
    IMAGE_HUGES = 2,   // GiB in which the image lies: 2 if it crosses a border
};

typedef uint64_t table[ENTRIES];

// `high` covers the last 512 GiB: the root in Sv39, below the root in Sv48. `direct` is Sv48's first 512 GiB of the
// direct map; Sv39's is in `high`.
[[gnu::section(".bss.pages")]] alignas(4096) static table root, high, direct;
[[gnu::section(".bss.pages")]] alignas(4096) static table image_directory, window_directory;
[[gnu::section(".bss.pages")]] alignas(4096) static table image_table[RISCV_IMAGE_TABLES];
[[gnu::section(".bss.pages")]] alignas(4096) static table direct_directory[IMAGE_HUGES];
[[gnu::section(".bss.pages")]] alignas(4096) static table direct_table[RISCV_IMAGE_TABLES];
[[gnu::section(".bss.pages")]] alignas(4096) static table window_table[WINDOW_TABLES];

extern table riscv_boot_root; // start.S
extern const uint8_t riscv_image_start[], riscv_text_end[], riscv_rodata_end[], riscv_image_end[];

uint64_t riscv_image_offset;
// The boot code's. "Used" keeps the linker from making a bool of it, since it has one of two values: to turn that into an address
// takes more than to load one.
[[gnu::used]] uint64_t riscv_direct_map = RISCV_DIRECT_MAP_SV39;
uint64_t riscv_kernel_satp;
unsigned riscv_levels = 3;

static unsigned index(uint64_t va, unsigned level) {
    return va >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static uint64_t entry_of(paddr_t address) {
    return address >> 2 & RISCV_PTE_ADDRESS;
}

static uint64_t entry_to(const table *next) {
    return entry_of(arch_virt_to_phys(next)) | RISCV_PTE_VALID;
}

// ---- the mode --------------------------------------------------------------------------------------------------------

// A mode that the processor lacks leaves satp as it was. While it is tried the code must be mapped in it: the boot code's
// root serves as the last table of the level below.
uint64_t riscv_map_choose(bool sv48_allowed) {
    uint64_t before = riscv_csr_read(satp);
    if (sv48_allowed) {
        root[index(RISCV_IMAGE, 4)] = entry_to(&riscv_boot_root);
        uint64_t wanted = RISCV_SATP_SV48 | arch_virt_to_phys(root) >> 12;
        riscv_flush_all();
        riscv_csr_write(satp, wanted);
        riscv_flush_all();
        riscv_levels = riscv_csr_read(satp) == wanted ? 4 : 3;
        riscv_csr_write(satp, before);
        riscv_flush_all();
        root[index(RISCV_IMAGE, 4)] = 0;
    }
    return riscv_levels == 4 ? RISCV_DIRECT_MAP_SV48_SIZE : RISCV_DIRECT_MAP_SV39_SIZE;
}

// ---- the direct map --------------------------------------------------------------------------------------------------

// The entries of the direct map that need no table made, one per GiB.
static uint64_t *direct_entry(paddr_t address) {
    uint64_t at = address / HUGE;
    if (riscv_levels == 4) {
        return at < ENTRIES ? &direct[at] : nullptr;
    }
    return address < RISCV_DIRECT_MAP_SV39_SIZE ? &high[index(RISCV_DIRECT_MAP_SV39, 3) + at] : nullptr;
}

// By whole GiB: what of one is not RAM has its own attributes, which page tables do not change, and is touched by nobody.
void riscv_map_memory(paddr_t base, paddr_t end) {
    for (paddr_t at = align_down(base, HUGE); at < end; at += HUGE) {
        uint64_t *entry = direct_entry(at);
        if (entry == nullptr) {
            return; // arch_direct_map_extend has the rest
        }
        *entry = entry_of(at) | RISCV_PTE_KERNEL;
    }
}

// The page tables of the image, and of the same physical pages in the direct map.
static void image_map(void) {
    paddr_t first = arch_virt_to_phys(riscv_image_start);
    for (unsigned i = 0; i < IMAGE_HUGES; i++) {
        paddr_t huge = align_down(first, HUGE) + i * HUGE;
        for (unsigned j = 0; j < ENTRIES; j++) {
            direct_directory[i][j] = entry_of(huge + j * LARGE) | RISCV_PTE_KERNEL;
        }
        uint64_t *entry = direct_entry(huge);
        if (entry != nullptr && huge < first + RISCV_IMAGE_TABLES * LARGE) {
            *entry = entry_to(&direct_directory[i]);
        }
    }
    for (unsigned i = 0; i < RISCV_IMAGE_TABLES; i++) {
        paddr_t large = first + i * LARGE;
        for (unsigned j = 0; j < ENTRIES; j++) {
            paddr_t page = large + j * PAGE;
            uint64_t va = page + riscv_image_offset;
            bool constant = va < (uint64_t)riscv_rodata_end;
            uint64_t common = entry_of(page) | (RISCV_PTE_KERNEL & ~(constant ? RISCV_PTE_WRITE | RISCV_PTE_DIRTY : 0));
            direct_table[i][j] = common;
            if (va < (uint64_t)riscv_image_end) {
                image_table[i][j] = common | (va < (uint64_t)riscv_text_end ? RISCV_PTE_EXEC : 0);
            }
        }
        image_directory[index(large + riscv_image_offset, 2)] = entry_to(&image_table[i]);
        direct_directory[large / HUGE - first / HUGE][index(large, 2)] = entry_to(&direct_table[i]);
    }
}

uint64_t riscv_map_init(void) {
    image_map();
    for (unsigned i = 0; i < WINDOW_TABLES; i++) {
        window_directory[i] = entry_to(&window_table[i]);
    }
    high[index(RISCV_IMAGE, 3)] = entry_to(&image_directory);
    high[index(RISCV_WINDOW, 3)] = entry_to(&window_directory);
    if (riscv_levels == 4) {
        root[index(RISCV_DIRECT_MAP_SV48, 4)] = entry_to(&direct);
        root[index(RISCV_IMAGE, 4)] = entry_to(&high);
        riscv_kernel_satp = RISCV_SATP_SV48 | arch_virt_to_phys(root) >> 12;
        riscv_direct_map = RISCV_DIRECT_MAP_SV48;
    } else {
        riscv_kernel_satp = RISCV_SATP_SV39 | arch_virt_to_phys(high) >> 12;
    }
    riscv_flush_all();
    riscv_csr_write(satp, riscv_kernel_satp);
    riscv_flush_all();
    return riscv_levels == 4 ? ENTRIES * HUGE : RISCV_DIRECT_MAP_SV39_SIZE;
}

// The table below an entry, made if there is none; null: no memory.
static table *next_table(uint64_t *entry) {
    if ((*entry & RISCV_PTE_VALID) == 0) {
        paddr_t page = page_alloc_zeroed();
        if (page == 0) {
            return nullptr;
        }
        *entry = entry_of(page) | RISCV_PTE_VALID;
    }
    return arch_phys_to_virt((*entry & RISCV_PTE_ADDRESS) << 2);
}

// RAM above what riscv_map_init has mapped: in Sv48 only, as boot.c leaves out what Sv39 cannot reach.
status_t arch_direct_map_extend(const struct boot_info *boot) {
    for (unsigned i = 0; i < boot->range_count; i++) {
        paddr_t at = boot->range[i].base, end = at + boot->range[i].size;
        at = align_down(at < boot->mapped_limit ? boot->mapped_limit : at, HUGE);
        for (; at < end; at += HUGE) {
            table *level3 = next_table(&root[index(at + riscv_direct_map, 4)]);
            if (level3 == nullptr) {
                return ERR_NO_MEMORY;
            }
            (*level3)[index(at + riscv_direct_map, 3)] = entry_of(at) | RISCV_PTE_KERNEL;
        }
    }
    riscv_flush_all();
    return 0;
}

// ---- the window ------------------------------------------------------------------------------------------------------

uint64_t riscv_window_map(paddr_t base, uint64_t size) {
    static uint64_t used = PAGE;
    paddr_t first = align_down(base, PAGE);
    uint64_t length = align_up(base + size, PAGE) - first;
    if (length + PAGE > WINDOW_TABLES * LARGE - used) {
        return 0;
    }
    uint64_t va = RISCV_WINDOW + used;
    for (uint64_t offset = 0; offset < length; offset += PAGE) {
        uint64_t at = va + offset;
        window_table[index(at, 2)][index(at, 1)] = entry_of(first + offset) | RISCV_PTE_KERNEL;
    }
    used += length + PAGE; // a page between any two mappings stays out
    riscv_flush_all();     // of this CPU: others begin with none, or never use what is mapped later
    return va + (base - first);
}
