// Address spaces: four levels of page tables below TTBR0, told apart in the TLBs by ASIDs.
//
// With ASIDs, a switch flushes nothing. Invalidations are broadcast: the CPU that takes pages out of a space invalidates
// their translations on all CPUs itself and waits until that is done, so no other needs to be interrupted. An ASID is
// clean when it is given back. ASID 0 is the kernel's own, for which TTBR0 has an empty table, and that of spaces for
// which no other was left: entering one of those flushes it.
//
// An entry is only ever made from an invalid one, and becomes invalid before it becomes another (break before make): the
// core flushes between unmapping an address and mapping something there.
#include "space.h"

#include "kernel/include/arch.h"
#include "kernel/include/tables.h"

#include "abi/abi.h"
#include "base/tags.h"
#include "kernel/page_alloc.h"

#include "cache.h"
#include "instructions.h"
#include "layout.h"
#include "map.h"

enum { LEVELS = 4, ASIDS_MAX = 1 << 16 };
enum : uint64_t { PAGE = 4096 };
enum { FLUSH_PAGES_MAX = 32 }; // beyond, flushing everything of the space is cheaper

static struct tags asids = {.taken = (uint64_t[ASIDS_MAX / 64]){}};
static unsigned asid_bits;

// ---- ASIDs -----------------------------------------------------------------------------------------------------------

void arm64_space_init(void) {
    asid_bits = (ARM64_READ(id_aa64mmfr0_el1) >> 4 & 15) == 2 ? 16 : 8;
    asids.limit = 1u << asid_bits;
}

unsigned arm64_asid_bits(void) {
    return asid_bits;
}

uint64_t arm64_asid_count(void) {
    return asids.count;
}

// On all CPUs.
static void asid_flush(uint16_t asid) {
    arm64_dsb_stores(); // no walk after this finds what was taken out before
    __asm__ volatile("tlbi aside1is, %0" ::"r"((uint64_t)asid << ARM64_ASID_SHIFT) : "memory");
    arm64_dsb();
    arm64_isb();
}

static void asid_free(uint16_t asid) {
    if (asid != 0) {
        asid_flush(asid);
        tags_give(&asids, asid);
    }
}

// ---- life ------------------------------------------------------------------------------------------------------------

static uint16_t asid_of(const struct arch_space *space) {
    return (uint16_t)(space->translation >> ARM64_ASID_SHIFT);
}

static paddr_t root_of(const struct arch_space *space) {
    return space->translation & ARM64_PTE_ADDRESS & ~ARM64_ASID_SHARED;
}

static paddr_t address_of(uint64_t entry) {
    return entry & ARM64_PTE_ADDRESS;
}

status_t arch_space_create(struct arch_space *space) {
    paddr_t page = page_alloc_zeroed();
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    uint64_t asid = tags_take(&asids), tag = asid != 0 ? asid << ARM64_ASID_SHIFT : ARM64_ASID_SHARED;
    *space = (struct arch_space){.translation = page | tag};
    return 0;
}

bool arch_space_destroy(struct arch_space *space, unsigned *budget) {
    if (space->translation == 0) {
        return true;
    }
    // No CPU is in the space, so none walks its tables. Of what was walked before, the ASID's flush leaves nothing, and
    // until then nobody uses it.
    const struct tables tables = {arch_phys_to_virt(root_of(space)), TABLE_ENTRIES, LEVELS, address_of};
    if (!tables_free(&tables, &space->freed, budget)) {
        return false;
    }
    page_free(root_of(space), 0);
    asid_free(asid_of(space));
    *space = (struct arch_space){};
    return true;
}

// ---- pages -----------------------------------------------------------------------------------------------------------

// The lowest-level entry for an address; null: there is none (or, when it was to be made, no memory).
static uint64_t *entry_of(const struct arch_space *space, uint64_t va, bool make) {
    uint64_t *table = arch_phys_to_virt(root_of(space));
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry = &table[va >> shift & (TABLE_ENTRIES - 1)];
        if ((*entry & ARM64_PTE_VALID) == 0) {
            paddr_t page = make ? page_alloc_zeroed() : 0;
            if (page == 0) {
                return nullptr;
            }
            arm64_dsb_stores(); // other CPUs walk here: they must find it empty
            *entry = page | ARM64_PTE_VALID | ARM64_PTE_TABLE;
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
    uint64_t flags = ARM64_PTE_ORDINARY | ARM64_PTE_TABLE | ARM64_PTE_USER | ARM64_PTE_NOT_GLOBAL;
    flags |= ARM64_PTE_NO_EXEC_KERNEL;
    flags |= (protection & ARCH_PROT_WRITE) != 0 ? 0 : ARM64_PTE_READ_ONLY;
    if ((protection & ARCH_PROT_EXEC) != 0) {
        arm64_cache_page_code(page);
    } else {
        flags |= ARM64_PTE_NO_EXEC_USER;
    }
    arm64_dsb_stores(); // whoever reads through the entry finds the page's bytes as they were written before
    *entry = page | flags;
    arm64_dsb_stores(); // this CPU's next access, by a walk, finds the entry; another that does not yet faults, and tries again
    arm64_isb();
    return 0;
}

bool arch_space_unmap(struct arch_space *space, uint64_t va) {
    uint64_t *entry = entry_of(space, va, false);
    if (entry == nullptr || (*entry & ARM64_PTE_VALID) == 0) {
        return false;
    }
    *entry = 0;
    return true;
}

bool arch_space_query(const struct arch_space *space, uint64_t va, paddr_t *page, unsigned *protection) {
    const uint64_t *entry = entry_of(space, va, false);
    if (entry == nullptr || (*entry & ARM64_PTE_VALID) == 0) {
        return false;
    }
    *page = address_of(*entry);
    *protection = ARCH_PROT_READ;
    *protection |= (*entry & ARM64_PTE_READ_ONLY) != 0 ? 0 : ARCH_PROT_WRITE;
    *protection |= (*entry & ARM64_PTE_NO_EXEC_USER) != 0 ? 0 : ARCH_PROT_EXEC;
    return true;
}

// ---- translations ----------------------------------------------------------------------------------------------------

void arch_space_switch(struct arch_space *space) {
    if (space != nullptr) {
        arch_fast_space(space);
    } else {
        ARM64_WRITE(ttbr0_el1, arch_virt_to_phys(arm64_empty_table));
        arm64_isb();
    }
}

uint64_t arch_space_stale(struct arch_space *space) {
    (void)space;
    return 1ull << ((struct arch_cpu *)arch_cpu_current())->index;
}

void arch_tlb_flush(struct arch_space *space, uint64_t va, uint64_t pages) {
    if (pages > FLUSH_PAGES_MAX) {
        asid_flush(asid_of(space));
        return;
    }
    arm64_dsb_stores();
    uint64_t operand = (uint64_t)asid_of(space) << ARM64_ASID_SHIFT;
    for (uint64_t i = 0; i < pages; i++) {
        __asm__ volatile("tlbi vale1is, %0" ::"r"(operand | (va >> 12) + i) : "memory");
    }
    arm64_dsb();
    arm64_isb();
}
