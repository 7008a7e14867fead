// /kern/proc/stats/{processes,objects}: how many processes, and how many kernel objects. See kfs/doc/proc.md.
#include "abi/abi.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void processes_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "active created ended limit calls call_errors faults");
    text_u64(text, process_count());
    text_u64(text, process_created());
    text_u64(text, process_ended());
    text_u64(text, PROCESS_LIMIT);
    text_u64(text, cpu_count_total(COUNT_SYSCALL));
    text_u64(text, cpu_count_total(COUNT_SYSCALL_ERROR));
    text_u64(text, cpu_count_total(COUNT_FAULT_FATAL));
}

static void objects_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "processes threads pages channels connections notifiers files");
    text_u64(text, object_count(OBJECT_PROCESS));
    text_u64(text, object_count(OBJECT_THREAD));
    text_u64(text, object_count(OBJECT_PAGES));
    text_u64(text, object_count(OBJECT_CHANNEL));
    text_u64(text, object_count(OBJECT_CONNECTION));
    text_u64(text, object_count(OBJECT_NOTIFIER));
    text_u64(text, object_count(OBJECT_FILE));
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
