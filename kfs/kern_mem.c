// /kern/mem/stats/{pages,slabs}: physical memory and kernel objects. See kfs/doc/mem.md.
#include "abi/abi.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/slice.h"
#include "kfs/text.h"
#include "kfs/tree.h"

enum { SLAB_UNITS = 3 }; // of work, for what is written of a size

static void pages_snapshot(const struct node *, const struct process *, struct text *text) {
    struct page_stats stats = page_alloc_stats();
    text_header(text, "total", "free", "used", "low_water", "allocations", "frees", "failures", "page_size");
    text_numbers(text, stats.total, stats.free, stats.total - stats.free, stats.low_water, stats.allocations,
                 stats.frees, stats.failures, PAGE_SIZE);
}

static const struct text_columns slab_columns =
    TEXT_COLUMNS("size", "used", "capacity", "pages", "allocations", "failures");

static bool slabs_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *budget) {
    if (*cursor == SLAB_CLASSES) {
        return false;
    }
    struct slab_stats stats = slab_stats((unsigned)(*cursor)++);
    slice_spend(budget, SLAB_UNITS);
    text_numbers(text, stats.size, stats.used, stats.capacity, stats.pages, stats.allocations, stats.failures);
    return true;
}

static const struct tree_ops pages_ops = {.snapshot = pages_snapshot};
static const struct tree_ops slabs_ops = {.columns = &slab_columns, .record = slabs_record};

static const struct tree_entry entries[] = {
    {"kern/mem/stats/pages", NODE_KERNEL, 0444, &pages_ops},
    {"kern/mem/stats/slabs", NODE_KERNEL, 0444, &slabs_ops},
};

status_t kern_mem_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
