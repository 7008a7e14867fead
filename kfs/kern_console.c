// /kern/console/stats/bytes: the system console. See kfs/doc/console.md.
#include "abi/abi.h"
#include "kernel/console.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void bytes_snapshot(const struct node *, const struct process *, struct text *text) {
    struct console_stats stats = console_get_stats();
    text_header(text, "received", "dropped", "read", "queued", "written", "sending", "lost");
    text_numbers(text, stats.received, stats.dropped, stats.read, stats.queued, stats.written, stats.sending,
                 stats.lost);
}

static const struct tree_ops bytes_ops = {.snapshot = bytes_snapshot};

static const struct tree_entry entries[] = {{"kern/console/stats/bytes", NODE_KERNEL, 0444, &bytes_ops}};

status_t kern_console_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
