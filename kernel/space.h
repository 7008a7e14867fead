// An address space: non-overlapping mappings of memory objects, filled in at first touch. Needs the kernel lock.
//
// Unmapping: the mapping stops to be found at once, so that nothing new comes in. Its page-table entries are removed, and
// with them what CPUs hold of them (tlb.h); only when all are gone does it stop to count in its object, give back its
// reference and leave its range free. A mapping with few pages is gone when space_unmap returns; of a larger one the
// rest goes in slices.
#pragma once

#include "abi/abi.h"
#include "kernel/include/arch.h"
#include "kernel/pages.h"
#include "kernel/slice.h"

struct mapping {
    uint64_t base, size; // bytes, whole pages
    uint64_t offset;     // into the object
    unsigned protection; // PROT_*, PROT_READ always among them
    struct pages *pages; // referenced
    bool unmapping;      // being taken out: space_find passes it over
    uint64_t removed;    // unmapping: pages from the base whose entries are removed
    struct list link;    // unmapping: in space->unmapping
};

struct space {
    struct arch_space arch;
    struct mapping **mapping; // sorted by base
    uint32_t mapping_count, mapping_capacity;
    uint64_t mapped;       // bytes
    uint64_t resident;     // pages present in the page table
    struct list unmapping; // mappings whose rest goes in slices
    struct slice teardown; // does that
};

// Fill in a new space, whatever was there before. ERR_NO_MEMORY.
[[nodiscard]] status_t space_create(struct space *space);
// As sys_map documents; *address 0 chooses one. Takes a reference to pages. ERR_INVALID, ERR_EXISTS, ERR_BUSY,
// ERR_LIMIT, ERR_NO_MEMORY.
[[nodiscard]] status_t space_map(struct space *space, struct pages *pages, uint64_t *address, uint64_t offset,
                                 uint64_t length, unsigned protection);
[[nodiscard]] status_t space_unmap(struct space *space, uint64_t address); // ERR_INVALID
// A page is touched with this access (one ARCH_PROT_* bit): bring it in. ERR_FAULT: no mapping permits it;
// ERR_NO_MEMORY.
[[nodiscard]] status_t space_fault(struct space *space, uint64_t address, unsigned access);
// The mapping that has this address, or null.
const struct mapping *space_find(const struct space *space, uint64_t address);
// Give everything back in steps; no CPU runs in it. True when done.
[[nodiscard]] bool space_destroy(struct space *space, unsigned *budget);
