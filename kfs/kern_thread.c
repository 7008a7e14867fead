// /kern/thread/stats/threads: threads in total. See kfs/doc/thread.md.
#include "abi/abi.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void threads_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "active", "created", "limit", "switches", "wakes", "parks");
    text_numbers(text, thread_count(), thread_created(), THREAD_LIMIT, cpu_count_total(COUNT_SWITCH),
                 cpu_count_total(COUNT_WAKE), cpu_count_total(COUNT_PARK));
}

static const struct tree_ops threads_ops = {.snapshot = threads_snapshot};

static const struct tree_entry entries[] = {{"kern/thread/stats/threads", NODE_KERNEL, 0444, &threads_ops}};

status_t kern_thread_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
