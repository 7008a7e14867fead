// Kernel objects by size class over the page allocator; zeroed memory, aligned to 32 bytes; every failure is a return
// value. Above SLAB_MAX whole pages are taken, a power of two of them. Allocation and release are O(1). A class keeps
// at most one empty page. A wrong size at free and a double free are always caught; touching what is free is caught
// where the address sanitizer runs. Needs the kernel lock.
#pragma once

#include "base/types.h"

enum {
    SLAB_MAX = 2016, // two objects of this size fill a page beside its header
    SLAB_SIZES = 12,
    SLAB_CLASSES = SLAB_SIZES + 1, // the last one: whole pages
};

struct slab_stats {
    uint32_t size; // bytes of one object; in the last class PAGE_SIZE, and objects are pages
    uint64_t used, capacity, pages;
    uint64_t allocations, failures;
};

[[nodiscard]] void *slab_alloc(size_t size); // null: no memory
// The same, of which only the first `cleared` bytes are zero: the rest is written before it is read.
[[nodiscard]] void *slab_alloc_partly(size_t size, size_t cleared);
void slab_free(void *pointer, size_t size);         // the same size; null is fine
struct slab_stats slab_stats(unsigned class_index); // 0 to SLAB_CLASSES - 1
