// Address spaces: page tables below a root whose upper half is the kernel's, and which CPU may hold which translations of
// them.
//
// With ASIDs, a switch flushes nothing: a CPU that left a space keeps its translations, as long as space->ready says so.
// Pages taken out of a space are flushed at once on the CPUs running in it (by the core); the others only lose their bit in
// ready, and flush when they next enter. ASID 0 is the kernel's own, and that of spaces for which no other was left: for
// those no CPU is ever ready.
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

#include "abi/abi.h"
#include "base/bits.h"
#include "base/memory.h"
#include "kernel/page_alloc.h"

#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "smp.h"

enum { ENTRIES = 512, USER_ENTRIES = 256, ASIDS_MAX = 4096 };
enum { PAGE_SHIFT = 12 };
enum : uint64_t { PAGE = 1 << PAGE_SHIFT };
enum { FLUSH_PAGES_MAX = 32 }; // beyond, flushing everything of the space is cheaper
// Of a teardown: entries looked at for a unit of a budget, and what freeing a table is worth in them.
enum { ENTRIES_PER_UNIT = 16, FREE_WORK = 32 };

static uint64_t asid_used[ASIDS_MAX / 64] = {1};
static unsigned asid_bits, asid_limit = 1, asid_hint;
static uint64_t asid_count;

// ---- ASIDs -----------------------------------------------------------------------------------------------------------

// Bits that are not implemented stay 0.
void riscv_space_probe(void) {
    riscv_csr_write(satp, riscv_kernel_satp | (uint64_t)RISCV_SATP_ASID_MASK << RISCV_SATP_ASID_SHIFT);
    uint64_t mask = riscv_csr_read(satp) >> RISCV_SATP_ASID_SHIFT & RISCV_SATP_ASID_MASK;
    riscv_csr_write(satp, riscv_kernel_satp);
    riscv_flush_all();
    asid_bits = bits_count(mask);
    asid_limit = mask + 1 < ASIDS_MAX ? (unsigned)mask + 1 : ASIDS_MAX;
    for (unsigned asid = asid_limit; asid < 64; asid++) {
        asid_used[0] |= 1ull << asid; // of a word that is there in part only
    }
}

static uint64_t asid_alloc(void) {
    unsigned words = (asid_limit + 63) / 64;
    for (unsigned i = 0; i < words; i++) {
        unsigned word = (asid_hint + i) % words;
        if (asid_used[word] != UINT64_MAX) {
            unsigned bit = bits_lowest(~asid_used[word]);
            asid_used[word] |= 1ull << bit;
            asid_hint = word;
            asid_count++;
            return word * 64 + bit;
        }
    }
    return 0;
}

static void asid_free(uint64_t asid) {
    if (asid != 0) {
        asid_used[asid / 64] &= ~(1ull << (asid % 64));
        asid_count--;
    }
}

unsigned riscv_space_asid_bits(void) {
    return asid_bits;
}

uint64_t riscv_space_asids_used(void) {
    return asid_count;
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

static uint64_t *table_of(uint64_t entry) {
    return arch_phys_to_virt(address_of(entry));
}

status_t arch_space_create(struct arch_space *space) {
    paddr_t page = page_alloc(0);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    uint64_t *root = arch_phys_to_virt(page);
    const uint64_t *kernel = arch_phys_to_virt(riscv_kernel_satp << 12);
    memset(root, 0, USER_ENTRIES * sizeof *root);
    memcpy(root + USER_ENTRIES, kernel + USER_ENTRIES, (ENTRIES - USER_ENTRIES) * sizeof *root);
    uint64_t asid = asid_alloc();
    *space = (struct arch_space){.satp = (riscv_kernel_satp & RISCV_SATP_MODE) | asid << RISCV_SATP_ASID_SHIFT |
                                         page >> PAGE_SHIFT};
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
            page_free(address_of(table[i]), 0);
            table[i] = 0;
            *work -= *work < FREE_WORK ? *work : FREE_WORK;
        }
    }
    space->freed = base + ((uint64_t)entries << shift);
    return true;
}

bool arch_space_destroy(struct arch_space *space, unsigned *budget) {
    if (space->satp == 0) {
        return true;
    }
    unsigned work = *budget * ENTRIES_PER_UNIT;
    bool done = tables_free(space, arch_phys_to_virt(root_of(space)), USER_ENTRIES, riscv_levels, &work);
    *budget = work / ENTRIES_PER_UNIT;
    if (!done) {
        return false;
    }
    page_free(root_of(space), 0);
    asid_free(asid_of(space)); // whoever gets it next flushes it before use: no CPU is ready then
    *space = (struct arch_space){};
    return true;
}

// ---- pages -----------------------------------------------------------------------------------------------------------

// The lowest-level entry for an address; null: there is none (or, when it was to be made, no memory).
static uint64_t *entry_of(const struct arch_space *space, uint64_t va, bool make) {
    uint64_t *table = arch_phys_to_virt(root_of(space));
    for (unsigned shift = 12 + 9 * (riscv_levels - 1); shift > 12; shift -= 9) {
        uint64_t *entry = &table[va >> shift & (ENTRIES - 1)];
        if ((*entry & RISCV_PTE_VALID) == 0) {
            paddr_t page = make ? page_alloc_zeroed() : 0;
            if (page == 0) {
                return nullptr;
            }
            // The zeroes come before the entry for whoever walks.
            __atomic_store_n(entry, page >> 2 | RISCV_PTE_VALID, __ATOMIC_RELEASE);
        }
        table = table_of(*entry);
    }
    return &table[va >> 12 & (ENTRIES - 1)];
}

static bool is_here(const struct arch_space *space) {
    return ((const struct arch_cpu *)arch_cpu_current())->space == space;
}

static uint64_t running(const struct arch_space *space) {
    uint64_t cpus = 0;
    for (unsigned i = 0; i < riscv_cpu_slots; i++) {
        if (riscv_cpus[i] != nullptr && riscv_cpus[i]->space == space) {
            cpus |= riscv_cpus[i]->bit;
        }
    }
    return cpus;
}

// What is fetched from a page just mapped is what was stored there, on every CPU.
static void fetch_sync(struct arch_space *space) {
    uint64_t cpus = running(space);
    riscv_fence_fetch();
    riscv_smp_fence_fetch(cpus & ~((const struct arch_cpu *)arch_cpu_current())->bit);
    space->ready &= cpus;
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
    struct arch_cpu *cpu = (struct arch_cpu *)arch_cpu_current();
    const struct arch_space *before = cpu->space;
    if (before == space) {
        return;
    }
    cpu->space = space;
    if (space == nullptr) {
        riscv_csr_write(satp, riscv_kernel_satp);
        if (asid_of(before) == 0) {
            riscv_flush_space(0); // the kernel goes by the same number
        }
        return;
    }
    riscv_csr_write(satp, space->satp);
    if ((space->ready & cpu->bit) == 0) {
        riscv_flush_space(asid_of(space));
        riscv_fence_fetch();
        space->ready |= asid_of(space) != 0 ? cpu->bit : 0;
    }
}

uint64_t arch_space_stale(struct arch_space *space) {
    uint64_t cpus = running(space);
    space->ready &= cpus;
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
    const struct arch_space *space = ((const struct arch_cpu *)arch_cpu_current())->space;
    if (space != nullptr) {
        riscv_flush_page(va, asid_of(space));
    }
}
