// /kern/proc/stats/{processes,objects}: how many processes, and how many kernel objects. See kfs/doc/proc.md.
#include "abi/abi.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void processes_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "active", "created", "ended", "limit", "calls", "call_errors", "faults");
    text_numbers(text, process_count(), process_created(), process_ended(), PROCESS_LIMIT,
                 cpu_count_total(COUNT_SYSCALL), cpu_count_total(COUNT_SYSCALL_ERROR),
                 cpu_count_total(COUNT_FAULT_FATAL));
}

static void objects_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "processes", "threads", "pages", "channels", "connections", "notifiers", "files");
    text_numbers(text, object_count(OBJECT_PROCESS), object_count(OBJECT_THREAD), object_count(OBJECT_PAGES),
                 object_count(OBJECT_CHANNEL), object_count(OBJECT_CONNECTION), object_count(OBJECT_NOTIFIER),
                 object_count(OBJECT_FILE));
}

static const struct tree_ops processes_ops = {.snapshot = processes_snapshot};
static const struct tree_ops objects_ops = {.snapshot = objects_snapshot};

static const struct tree_entry entries[] = {
    {"kern/proc/stats/processes", NODE_KERNEL, 0444, &processes_ops},
    {"kern/proc/stats/objects", NODE_KERNEL, 0444, &objects_ops},
};

status_t kern_proc_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
