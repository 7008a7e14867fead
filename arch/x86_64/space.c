// Address spaces: four levels of page tables below a root whose upper half is the kernel's, and which CPU may hold which
// translations of them.
//
// With PCIDs, a switch flushes nothing: a CPU that left a space keeps its translations. space->cached tells which CPUs
// may have some. Pages taken out of a space are flushed at once on the CPUs running in it (x86_cpus, by the core);
// the others only lose their bit in cached, and flush when they next enter. PCID 0 is the kernel's own, and that of
// spaces for which no other was left: those are flushed by every switch.
#include "kernel/include/arch.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/memory.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "processor.h"
#include "smp.h"
#include "space.h"

enum { ENTRIES = 512, USER_ENTRIES = 256, PCIDS = 4096 };
enum : uint64_t { PAGE = 4096 };
enum { FLUSH_PAGES_MAX = 32 }; // beyond, flushing everything is cheaper
// Of a teardown: entries looked at for a unit of a budget, and what freeing a table is worth in them.
enum { ENTRIES_PER_UNIT = 16, FREE_WORK = 32 };

static uint64_t pcid_used[PCIDS / 64] = {1};
static unsigned pcid_hint;
static uint64_t pcid_count;

// ---- PCIDs -----------------------------------------------------------------------------------------------------------

static uint16_t pcid_alloc(void) {
    if (!x86_features.pcid) {
        return 0;
    }
    for (unsigned i = 0; i < PCIDS / 64; i++) {
        unsigned word = (pcid_hint + i) % (PCIDS / 64);
        if (pcid_used[word] != UINT64_MAX) {
            unsigned bit = bits_lowest(~pcid_used[word]);
            pcid_used[word] |= 1ull << bit;
            pcid_hint = word;
            pcid_count++;
            return (uint16_t)(word * 64 + bit);
        }
    }
    return 0;
}

static void pcid_free(uint64_t pcid) {
    if (pcid != 0) {
        pcid_used[pcid / 64] &= ~(1ull << (pcid % 64));
        pcid_count--;
    }
}

uint64_t x86_pcid_count(void) {
    return pcid_count;
}

// ---- life ------------------------------------------------------------------------------------------------------------

static uint64_t *table_of(uint64_t entry) {
    return arch_phys_to_virt(entry & X86_PTE_ADDRESS);
}

status_t arch_space_create(struct arch_space *space) {
    paddr_t page = page_alloc(0);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    uint64_t *root = arch_phys_to_virt(page);
    const uint64_t *kernel = arch_phys_to_virt(x86_kernel_root);
    memset(root, 0, USER_ENTRIES * sizeof *root);
    memcpy(root + USER_ENTRIES, kernel + USER_ENTRIES, (ENTRIES - USER_ENTRIES) * sizeof *root);
    uint16_t pcid = pcid_alloc();
    *space = (struct arch_space){.root = page | pcid, .tagged = pcid != 0};
    return 0;
}

// Free what is below a table of the given level, tables only, from where the last turn stopped; false when *work, counted
// in entries looked at, ran out first.
static bool tables_free(struct arch_space *space, uint64_t *table, unsigned entries, unsigned level, unsigned *work) {
    unsigned shift = 12 + 9 * (level - 1);
    uint64_t base = space->freed >> (shift + 9) << (shift + 9); // what the table maps begins here
    for (uint64_t i = space->freed >> shift & (ENTRIES - 1); i < entries; i++) {
        for (; *work > 0 && table[i] == 0 && i < entries - 1; i++) {
            --*work;
        }
        if (space->freed < base + (i << shift)) { // else below entry i the last turn has freed something
            space->freed = base + (i << shift);
        }
        if (*work == 0) {
            return false;
        }
        --*work;
        if (table[i] != 0) {
            if (level > 2 && !tables_free(space, table_of(table[i]), ENTRIES, level - 1, work)) {
                return false;
            }
            page_free(table[i] & X86_PTE_ADDRESS, 0);
            table[i] = 0;
            *work -= *work < FREE_WORK ? *work : FREE_WORK;
        }
    }
    space->freed = base + ((uint64_t)entries << shift);
    return true;
}

bool arch_space_destroy(struct arch_space *space, unsigned *budget) {
    if (space->root == 0) {
        return true;
    }
    unsigned work = *budget * ENTRIES_PER_UNIT;
    bool done = tables_free(space, table_of(space->root), USER_ENTRIES, 4, &work);
    *budget = work / ENTRIES_PER_UNIT;
    if (!done) {
        return false;
    }
    page_free(space->root & X86_PTE_ADDRESS, 0);
    pcid_free(space->root &
              (PCIDS - 1)); // whoever gets it next flushes it before use: nothing is marked as cached then
    *space = (struct arch_space){};
    return true;
}

// ---- pages -----------------------------------------------------------------------------------------------------------

// The lowest-level entry for an address; null: there is none (or, when it was to be made, no memory).
static uint64_t *entry_of(const struct arch_space *space, uint64_t va, bool make) {
    uint64_t *table = table_of(space->root);
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry = &table[va >> shift & (ENTRIES - 1)];
        if ((*entry & X86_PTE_PRESENT) == 0) {
            paddr_t page = make ? page_alloc_zeroed() : 0;
            if (page == 0) {
                return nullptr;
            }
            *entry = page | X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER;
        }
        table = table_of(*entry);
    }
    return &table[va >> 12 & (ENTRIES - 1)];
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
    *page = *entry & X86_PTE_ADDRESS;
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
