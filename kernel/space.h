// An address space: non-overlapping mappings of memory objects, filled in at first touch. Needs the kernel lock.
#pragma once

#include "kernel/include/arch.h"
#include "kernel/pages.h"

enum { MAPPINGS_MAX = 1024 };

struct mapping {
    uint64_t base, size; // bytes, whole pages
    uint64_t offset;     // into the object
    unsigned protection; // PROT_*
    struct pages *pages; // referenced
};

struct space {
    struct arch_space arch;
    struct mapping **mapping; // sorted by base
    uint32_t mapping_count, mapping_capacity;
    uint64_t mapped; // bytes
    uint64_t resident; // pages present in the page table
};

[[nodiscard]] status_t space_create(struct space *space); // ERR_NO_MEMORY
// As sys_map documents; *address 0 chooses one. Takes a reference to pages.
[[nodiscard]] status_t space_map(struct space *space, struct pages *pages, uint64_t *address, uint64_t offset,
                                 uint64_t length, unsigned protection);
[[nodiscard]] status_t space_unmap(struct space *space, uint64_t address); // ERR_INVALID
// A page is touched with this access (one ARCH_PROT_* bit): bring it in. ERR_FAULT: no mapping permits it;
// ERR_NO_MEMORY.
[[nodiscard]] status_t space_fault(struct space *space, uint64_t address, unsigned access);
const struct mapping *space_find(const struct space *space, uint64_t address);
// Give everything back in steps; no CPU runs in it. True when done.
[[nodiscard]] bool space_destroy(struct space *space, unsigned *budget);
