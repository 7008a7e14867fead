// Address spaces: four levels of page tables below a root whose upper half is the kernel's, and which CPU may hold which
// translations of them.
//
// With PCIDs, a switch flushes nothing: a CPU that left a space keeps its translations. space->cached tells which CPUs
// may have some. Pages taken out of a space are flushed at once on the CPUs running in it (x86_cpus, by the core);
// the others only lose their bit in cached, and flush when they next enter. PCID 0 is the kernel's own, and that of
// spaces for which no other was left: those are flushed by every switch.
#include "kernel/include/arch.h"
#include "kernel/include/tables.h"

#include "abi/abi.h"
#include "base/memory.h"
#include "base/tags.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "processor.h"
#include "smp.h"
#include "space.h"

enum { USER_ENTRIES = TABLE_ENTRIES / 2, LEVELS = 4, PCIDS = 4096 };
enum : uint64_t { PAGE = 4096 };
enum { FLUSH_PAGES_MAX = 32 }; // beyond, flushing everything is cheaper

static struct tags pcids = {.taken = (uint64_t[PCIDS / 64]){}, .limit = PCIDS};

uint64_t x86_pcid_count(void) {
    return pcids.count;
}

// ---- life ------------------------------------------------------------------------------------------------------------

static paddr_t address_of(uint64_t entry) {
    return entry & X86_PTE_ADDRESS;
}

status_t arch_space_create(struct arch_space *space) {
    paddr_t page = page_alloc(0);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    uint64_t *root = arch_phys_to_virt(page);
    const uint64_t *kernel = arch_phys_to_virt(x86_kernel_root);
    memset(root, 0, USER_ENTRIES * sizeof *root);
    memcpy(root + USER_ENTRIES, kernel + USER_ENTRIES, (TABLE_ENTRIES - USER_ENTRIES) * sizeof *root);
    uint64_t pcid = x86_features.pcid ? tags_take(&pcids) : 0;
    *space = (struct arch_space){.root = page | pcid, .tagged = pcid != 0};
    return 0;
}

bool arch_space_destroy(struct arch_space *space, unsigned *budget) {
    if (space->root == 0) {
        return true;
    }
    paddr_t root = address_of(space->root);
    const struct tables tables = {arch_phys_to_virt(root), USER_ENTRIES, LEVELS, address_of};
    if (!tables_free(&tables, &space->freed, budget)) {
        return false;
    }
    page_free(root, 0);
    // Whoever gets it next flushes it before use: nothing is marked as cached then.
    tags_give(&pcids, space->root & (PCIDS - 1));
    *space = (struct arch_space){};
    return true;
}

// ---- pages -----------------------------------------------------------------------------------------------------------

// The lowest-level entry for an address; null: there is none (or, when it was to be made, no memory).
static uint64_t *entry_of(const struct arch_space *space, uint64_t va, bool make) {
    uint64_t *table = arch_phys_to_virt(address_of(space->root));
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry = &table[va >> shift & (TABLE_ENTRIES - 1)];
        if ((*entry & X86_PTE_PRESENT) == 0) {
            paddr_t page = make ? page_alloc_zeroed() : 0;
            if (page == 0) {
                return nullptr;
            }
            *entry = page | X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER;
        }
        table = arch_phys_to_virt(address_of(*entry));
    }
    return &table[va >> 12 & (TABLE_ENTRIES - 1)];
}

status_t arch_space_map(struct arch_space *space, uint64_t va, paddr_t page, unsigned protection) {
    uint64_t *entry = entry_of(space, va, true);
    if (entry == nullptr) {
        return ERR_NO_MEMORY;
    }
    uint64_t flags = X86_PTE_PRESENT | X86_PTE_USER | X86_PTE_ACCESSED;
    flags |= (protection & ARCH_PROT_WRITE) != 0 ? X86_PTE_WRITE | X86_PTE_DIRTY : 0;
    flags |= (protection & ARCH_PROT_EXEC) != 0 ? 0 : X86_PTE_NO_EXEC;
    *entry = page | flags;
    return 0;
}

bool arch_space_unmap(struct arch_space *space, uint64_t va) {
    uint64_t *entry = entry_of(space, va, false);
    if (entry == nullptr || (*entry & X86_PTE_PRESENT) == 0) {
        return false;
    }
    *entry = 0;
    return true;
}

bool arch_space_query(const struct arch_space *space, uint64_t va, paddr_t *page, unsigned *protection) {
    const uint64_t *entry = entry_of(space, va, false);
    if (entry == nullptr || (*entry & X86_PTE_PRESENT) == 0) {
        return false;
    }
    *page = address_of(*entry);
    *protection = ARCH_PROT_READ;
    *protection |= (*entry & X86_PTE_WRITE) != 0 ? ARCH_PROT_WRITE : 0;
    *protection |= (*entry & X86_PTE_NO_EXEC) != 0 ? 0 : ARCH_PROT_EXEC;
    return true;
}

// ---- translations ----------------------------------------------------------------------------------------------------

void arch_space_switch(struct arch_space *space) {
    if (space == nullptr) {
        x86_write_cr3(x86_kernel_root | (x86_features.pcid ? X86_CR3_KEEP : 0));
        return;
    }
    arch_fast_space(space);
}

uint64_t arch_space_stale(struct arch_space *space) {
    uint64_t running = 0;
    for (unsigned i = 0; i < x86_cpu_slots; i++) {
        const struct arch_cpu *cpu = x86_cpus[i];
        if (cpu != nullptr && *(struct arch_space *const *)((const char *)cpu + CPU_SPACE_OFFSET) == space) {
            running |= cpu->bit;
        }
    }
    space->cached &= running;
    return running;
}

void arch_tlb_flush(struct arch_space *space, uint64_t va, uint64_t pages) {
    (void)space;
    if (pages > FLUSH_PAGES_MAX) {
        x86_write_cr3(x86_read_cr3()); // bit 63 reads as 0: flushes this PCID
        return;
    }
    for (uint64_t i = 0; i < pages; i++) {
        x86_invalidate_page(va + i * PAGE);
    }
}
