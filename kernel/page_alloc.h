// Physical pages: a buddy allocator over the boot ranges. O(log size), never sleeps, never panics: exhaustion is an
// answer. Page 0 is never given out, so 0 means "none". Needs the kernel lock (or the boot CPU alone).
#pragma once

#include "kernel/include/arch.h"

enum {
    PAGE_ORDER_MAX = 10, // 4 MiB
    PAGE_FREE_UNITS = 4, // of a slice's budget (slice.h): to free a page
};

struct page_stats {
    uint64_t total, free, low_water; // pages
    uint64_t allocations, frees, failures;
};

void page_alloc_init(const struct boot_info *boot);   // ranges below boot->mapped_limit
void page_alloc_extend(const struct boot_info *boot); // the rest, once the direct map has them
[[nodiscard]] paddr_t page_alloc(unsigned order); // 2^order contiguous pages, aligned to their size; contents undefined
[[nodiscard]] paddr_t page_alloc_zeroed(void);    // one page of zeroes
void page_free(paddr_t page, unsigned order);
void page_alloc_add(paddr_t base, uint64_t size); // give further RAM, such as an archive that was unpacked
struct page_stats page_alloc_stats(void);
