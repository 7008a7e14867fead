#include "map.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/memory.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"
#include "processor.h"

enum : uint64_t { PAGE = 4096, LARGE = 2ull << 20, HUGE = 1ull << 30 };

enum {
    ENTRIES = 512,
    IMAGE_TABLES = 4,  // 2 MiB of image each; kernel.ld checks
    WINDOW_TABLES = 4, // 8 MiB: the stacks of 64 CPUs, and devices
};

typedef uint64_t table[ENTRIES];

[[gnu::section(".bss.pages")]] alignas(4096) static table root, direct, high, image_directory, window_directory;
[[gnu::section(".bss.pages")]] alignas(4096) static table image_table[IMAGE_TABLES], direct_table[IMAGE_TABLES];
[[gnu::section(".bss.pages")]] alignas(4096) static table window_table[WINDOW_TABLES];
[[gnu::section(".bss.pages")]] alignas(4096) static table identity_root, identity, identity_directory;

extern table x86_direct_directory[4]; // start.S: the low 4 GiB by large pages
extern const uint8_t x86_image_start[], x86_text_start[], x86_text_end[], x86_rodata_end[], x86_image_end[];

uint64_t x86_kernel_root;

static unsigned index(uint64_t va, unsigned level) {
    return va >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static uint64_t entry_to(const table *next) {
    return arch_virt_to_phys(next) | X86_PTE_PRESENT | X86_PTE_WRITE;
}

// The page tables of the image, and of the same physical pages in the direct map.
static void image_map(void) {
    paddr_t first = arch_virt_to_phys(x86_image_start);
    for (unsigned i = 0; i < IMAGE_TABLES; i++) {
        paddr_t large = first + i * LARGE;
        for (unsigned j = 0; j < ENTRIES; j++) {
            paddr_t page = large + j * PAGE;
            uint64_t va = page + X86_IMAGE_OFFSET;
            bool in_image = va >= (uint64_t)x86_text_start && va < (uint64_t)x86_image_end;
            bool constant = in_image && va < (uint64_t)x86_rodata_end;
            uint64_t common = page | X86_PTE_PRESENT | X86_PTE_GLOBAL | (constant ? 0 : X86_PTE_WRITE);
            direct_table[i][j] = common | X86_PTE_NO_EXEC;
            if (in_image) {
                image_table[i][j] = common | (va < (uint64_t)x86_text_end ? 0 : X86_PTE_NO_EXEC);
            }
        }
        image_directory[index(large + X86_IMAGE_OFFSET, 2)] = entry_to(&image_table[i]);
        x86_direct_directory[0][index(large, 2)] = entry_to(&direct_table[i]);
    }
}

void x86_map_init(void) {
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < ENTRIES; j++) {
            x86_direct_directory[i][j] |= X86_PTE_GLOBAL;
        }
        // No-execute here, where it holds for everything below: the boot code still runs from these pages elsewhere.
        direct[i] = entry_to(&x86_direct_directory[i]) | X86_PTE_NO_EXEC;
    }
    image_map();
    for (unsigned i = 0; i < WINDOW_TABLES; i++) {
        window_directory[i] = entry_to(&window_table[i]);
    }
    high[index(X86_IMAGE_OFFSET, 3)] = entry_to(&image_directory);
    high[index(X86_WINDOW, 3)] = entry_to(&window_directory);
    root[index(X86_DIRECT_MAP, 4)] = entry_to(&direct);
    root[index(X86_IMAGE_OFFSET, 4)] = entry_to(&high);
    x86_kernel_root = arch_virt_to_phys(root);
    x86_write_cr3(x86_kernel_root);
}

uint64_t x86_window_map(paddr_t base, uint64_t size, uint64_t flags) {
    static uint64_t used = PAGE;
    paddr_t first = align_down(base, PAGE);
    uint64_t length = align_up(base + size, PAGE) - first;
    if (length + PAGE > WINDOW_TABLES * LARGE - used) {
        return 0;
    }
    uint64_t va = X86_WINDOW + used;
    for (uint64_t offset = 0; offset < length; offset += PAGE) {
        uint64_t at = va + offset;
        window_table[index(at, 2)][index(at, 1)] = (first + offset) | X86_PTE_PRESENT | X86_PTE_GLOBAL | flags;
    }
    used += length + PAGE; // a page between any two mappings stays out
    return va + (base - first);
}

paddr_t x86_map_identity_root(void) {
    memcpy(identity_root, root, sizeof root);
    identity_root[0] = entry_to(&identity);
    identity[0] = entry_to(&identity_directory);
    identity_directory[0] = X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_LARGE;
    return arch_virt_to_phys(identity_root);
}

// The table below an entry, made if there is none; null: no memory.
static table *next_table(uint64_t *entry) {
    if ((*entry & X86_PTE_PRESENT) == 0) {
        paddr_t page = page_alloc_zeroed();
        if (page == 0) {
            return nullptr;
        }
        *entry = page | X86_PTE_PRESENT | X86_PTE_WRITE;
    }
    return arch_phys_to_virt(*entry & X86_PTE_ADDRESS);
}

status_t arch_direct_map_extend(const struct boot_info *boot) {
    uint64_t flags = X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_LARGE | X86_PTE_GLOBAL | X86_PTE_NO_EXEC;
    for (unsigned i = 0; i < boot->range_count; i++) {
        paddr_t at = boot->range[i].base, end = at + boot->range[i].size;
        at = align_down(at < boot->mapped_limit ? boot->mapped_limit : at, LARGE);
        while (at < end) {
            uint64_t va = at + X86_DIRECT_MAP;
            table *level3 = next_table(&root[index(va, 4)]);
            if (level3 == nullptr) {
                return ERR_NO_MEMORY;
            }
            uint64_t *entry = &(*level3)[index(va, 3)];
            bool whole = is_aligned(at, HUGE) && end - at >= HUGE;
            if (*entry == 0 && whole && x86_features.gib_pages) {
                *entry = at | flags;
                at += HUGE;
                continue;
            }
            table *level2 = next_table(entry);
            if (level2 == nullptr) {
                return ERR_NO_MEMORY;
            }
            (*level2)[index(va, 2)] = at | flags;
            at += LARGE;
        }
    }
    return 0;
}
