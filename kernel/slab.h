// Kernel objects by size class over the page allocator; zeroed memory; every failure is a return value. Above SLAB_MAX
// whole pages are taken. A wrong size at free, a double free and a write after free are caught in builds with checks.
// Needs the kernel lock.
#pragma once

#include "base/types.h"

enum { SLAB_MAX = 2048, SLAB_CLASSES = 12 };

struct slab_stats {
    uint32_t size; // bytes of one object
    uint64_t used, capacity, pages;
    uint64_t allocations, failures;
};

[[nodiscard]] void *slab_alloc(size_t size); // null: no memory
void slab_free(void *pointer, size_t size);  // the same size; null is fine
struct slab_stats slab_stats(unsigned class_index); // 0 to SLAB_CLASSES - 1
