// Address spaces: page tables below a root whose upper half is the kernel's, and which CPU may hold which translations of
// them.
//
// With ASIDs, a switch flushes nothing: a CPU that left a space keeps its translations, as long as space->ready says so.
// Pages taken out of a space are flushed at once on the CPUs running in it (by the core); the others only lose their bit in
// ready, and flush when they next enter. ASID 0 is the kernel's own, and that of spaces for which no other was left: for
// those no CPU is ever ready. A space that all CPUs are ready for says so by `settled`, for switches that look no further.
//
// What the specification leaves open, and how it is met:
//   - A hart may remember that an address was not mapped. Who maps a page flushes that one page on itself; any other hart
//     takes one fault too many, flushes the page and goes on (trap.c).
//   - A hart walks page tables without regard to the order of other harts' stores. It walks for a space only when it is in
//     it: it came there under the kernel lock, behind the stores, and what is taken out later reaches it by a shoot-down,
//     whose request it acquires before its sfence.vma.
//   - Fetches follow stores only after fence.i on the fetching hart. When an executable page is mapped, the one that maps
//     makes it, those in the space are made to through the firmware, the others lose their bit in ready, too.
#include "space.h"

#include "kernel/include/arch.h"
#include "kernel/include/tables.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/memory.h"
#include "base/tags.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "smp.h"

enum { USER_ENTRIES = TABLE_ENTRIES / 2, ASIDS_MAX = 4096 };
enum { PAGE_SHIFT = 12 };
enum : uint64_t { PAGE = 1 << PAGE_SHIFT };
enum { FLUSH_PAGES_MAX = 32 }; // beyond, flushing everything of the space is cheaper

static struct tags asids = {.taken = (uint64_t[ASIDS_MAX / 64]){}, .limit = 1};
static unsigned asid_bits;

// ---- ASIDs -----------------------------------------------------------------------------------------------------------

// Bits that are not implemented stay 0.
void riscv_space_probe(void) {
    riscv_csr_write(satp, riscv_kernel_satp | (uint64_t)RISCV_SATP_ASID_MASK << RISCV_SATP_ASID_SHIFT);
    uint64_t mask = riscv_csr_read(satp) >> RISCV_SATP_ASID_SHIFT & RISCV_SATP_ASID_MASK;
    riscv_csr_write(satp, riscv_kernel_satp);
    riscv_flush_all();
    asid_bits = bits_count(mask);
    asids.limit = mask + 1 < ASIDS_MAX ? (unsigned)mask + 1 : ASIDS_MAX;
}

unsigned riscv_space_asid_bits(void) {
    return asid_bits;
}

uint64_t riscv_space_asids_used(void) {
    return asids.count;
}

// ---- life ------------------------------------------------------------------------------------------------------------

static paddr_t address_of(uint64_t entry) {
    return (entry & RISCV_PTE_ADDRESS) << 2;
}

static paddr_t root_of(const struct arch_space *space) {
    return (space->satp & RISCV_SATP_ROOT) << PAGE_SHIFT;
}

static uint64_t asid_of(const struct arch_space *space) {
    return space->satp >> RISCV_SATP_ASID_SHIFT & RISCV_SATP_ASID_MASK;
}

status_t arch_space_create(struct arch_space *space) {
    paddr_t page = page_alloc(0);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    uint64_t *root = arch_phys_to_virt(page);
    const uint64_t *kernel = arch_phys_to_virt(riscv_kernel_satp << 12);
    memset(root, 0, USER_ENTRIES * sizeof *root);
    memcpy(root + USER_ENTRIES, kernel + USER_ENTRIES, (TABLE_ENTRIES - USER_ENTRIES) * sizeof *root);
    uint64_t asid = tags_take(&asids);
    *space = (struct arch_space){.satp = (riscv_kernel_satp & RISCV_SATP_MODE) | asid << RISCV_SATP_ASID_SHIFT |
                                         page >> PAGE_SHIFT};
    return 0;
}

bool arch_space_destroy(struct arch_space *space, unsigned *budget) {
    if (space->satp == 0) {
        return true;
    }
    const struct tables tables = {arch_phys_to_virt(root_of(space)), USER_ENTRIES, riscv_levels, address_of};
    if (!tables_free(&tables, &space->freed, budget)) {
        return false;
    }
    page_free(root_of(space), 0);
    tags_give(&asids, asid_of(space)); // whoever gets it next flushes it before use: no CPU is ready then
    *space = (struct arch_space){};
    return true;
}

// ---- pages -----------------------------------------------------------------------------------------------------------

// The lowest-level entry for an address; null: there is none (or, when it was to be made, no memory).
static uint64_t *entry_of(const struct arch_space *space, uint64_t va, bool make) {
    uint64_t *table = arch_phys_to_virt(root_of(space));
    for (unsigned shift = 12 + 9 * (riscv_levels - 1); shift > 12; shift -= 9) {
        uint64_t *entry = &table[va >> shift & (TABLE_ENTRIES - 1)];
        if ((*entry & RISCV_PTE_VALID) == 0) {
            paddr_t page = make ? page_alloc_zeroed() : 0;
            if (page == 0) {
                return nullptr;
            }
            // The zeroes come before the entry for whoever walks.
            __atomic_store_n(entry, page >> 2 | RISCV_PTE_VALID, __ATOMIC_RELEASE);
        }
        table = arch_phys_to_virt(address_of(*entry));
    }
    return &table[va >> 12 & (TABLE_ENTRIES - 1)];
}

// The space in place on a CPU; null: the kernel's.
static struct arch_space *space_of(const void *cpu) {
    return *(struct arch_space *const *)((const char *)cpu + CPU_SPACE_OFFSET);
}

static bool is_here(const struct arch_space *space) {
    return space_of(arch_cpu_current()) == space;
}

static uint64_t running(const struct arch_space *space) {
    uint64_t cpus = 0;
    for (unsigned i = 0; i < riscv_cpu_slots; i++) {
        if (riscv_cpus[i] != nullptr && space_of(riscv_cpus[i]) == space) {
            cpus |= riscv_cpus[i]->bit;
        }
    }
    return cpus;
}

// From now on only these CPUs are ready, if they are now.
static void keep_ready(struct arch_space *space, uint64_t cpus) {
    space->ready &= cpus;
    space->settled = space->ready == riscv_all_cpus ? space->satp : 0;
}

// What is fetched from a page just mapped is what was stored there, on every CPU.
static void fetch_sync(struct arch_space *space) {
    uint64_t cpus = running(space);
    riscv_fence_fetch();
    riscv_smp_fence_fetch(cpus & ~((const struct arch_cpu *)arch_cpu_current())->bit);
    keep_ready(space, cpus);
}

status_t arch_space_map(struct arch_space *space, uint64_t va, paddr_t page, unsigned protection) {
    uint64_t *entry = entry_of(space, va, true);
    if (entry == nullptr) {
        return ERR_NO_MEMORY;
    }
    uint64_t flags = RISCV_PTE_VALID | RISCV_PTE_USER | RISCV_PTE_READ | RISCV_PTE_ACCESSED;
    flags |= (protection & ARCH_PROT_WRITE) != 0 ? RISCV_PTE_WRITE | RISCV_PTE_DIRTY : 0;
    if ((protection & ARCH_PROT_EXEC) != 0) {
        flags |= RISCV_PTE_EXEC;
        fetch_sync(space);
    }
    __atomic_store_n(entry, page >> 2 | flags, __ATOMIC_RELEASE);
    if (is_here(space)) {
        riscv_flush_page(va, asid_of(space));
    }
    return 0;
}

bool arch_space_unmap(struct arch_space *space, uint64_t va) {
    uint64_t *entry = entry_of(space, va, false);
    if (entry == nullptr || (*entry & RISCV_PTE_VALID) == 0) {
        return false;
    }
    *entry = 0;
    return true;
}

bool arch_space_query(const struct arch_space *space, uint64_t va, paddr_t *page, unsigned *protection) {
    const uint64_t *entry = entry_of(space, va, false);
    if (entry == nullptr || (*entry & RISCV_PTE_VALID) == 0) {
        return false;
    }
    *page = address_of(*entry);
    *protection = ARCH_PROT_READ;
    *protection |= (*entry & RISCV_PTE_WRITE) != 0 ? ARCH_PROT_WRITE : 0;
    *protection |= (*entry & RISCV_PTE_EXEC) != 0 ? ARCH_PROT_EXEC : 0;
    return true;
}

// ---- translations ----------------------------------------------------------------------------------------------------

void arch_space_switch(struct arch_space *space) {
    if (space != nullptr) {
        arch_fast_space(space);
        return;
    }
    uint64_t before = riscv_csr_read(satp) >> RISCV_SATP_ASID_SHIFT & RISCV_SATP_ASID_MASK;
    riscv_csr_write(satp, riscv_kernel_satp);
    if (before == 0) {
        riscv_flush_space(0); // the kernel goes by the same number
    }
}

uint64_t arch_space_stale(struct arch_space *space) {
    uint64_t cpus = running(space);
    keep_ready(space, cpus);
    return cpus;
}

void arch_tlb_flush(struct arch_space *space, uint64_t va, uint64_t pages) {
    if (pages > FLUSH_PAGES_MAX) {
        riscv_flush_space(asid_of(space));
        return;
    }
    for (uint64_t i = 0; i < pages; i++) {
        riscv_flush_page(va + i * PAGE, asid_of(space));
    }
}

void riscv_space_forget(uint64_t va) {
    const struct arch_space *space = space_of(arch_cpu_current());
    if (space != nullptr) {
        riscv_flush_page(va, asid_of(space));
    }
}
