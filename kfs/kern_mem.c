// /kern/mem/stats/{pages,slabs}: physical memory and kernel objects. See kfs/doc/mem.md.
#include "abi/abi.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void pages_snapshot(const struct node *, const struct process *, struct text *text) {
    struct page_stats stats = page_alloc_stats();
    text_header(text, "total", "free", "used", "low_water", "allocations", "frees", "failures", "page_size");
    text_numbers(text, stats.total, stats.free, stats.total - stats.free, stats.low_water, stats.allocations,
                 stats.frees, stats.failures, PAGE_SIZE);
}

static void slabs_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "size", "used", "capacity", "pages", "allocations", "failures");
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        struct slab_stats stats = slab_stats(i);
        text_numbers(text, stats.size, stats.used, stats.capacity, stats.pages, stats.allocations, stats.failures);
    }
}

static const struct tree_ops pages_ops = {.snapshot = pages_snapshot};
static const struct tree_ops slabs_ops = {.snapshot = slabs_snapshot};

static const struct tree_entry entries[] = {
    {"kern/mem/stats/pages", NODE_KERNEL, 0444, &pages_ops},
    {"kern/mem/stats/slabs", NODE_KERNEL, 0444, &slabs_ops},
};

status_t kern_mem_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
