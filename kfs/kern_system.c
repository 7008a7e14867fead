// /kern/{version,stage,cpus,uptime,log}: what system this is. See kfs/doc/system.md.
#include "abi/abi.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void version_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "name", "version", "stage", "arch", "abi");
    text_word(text, "isthmus");
    text_word(text, ISTHMUS_VERSION);
    text_u64(text, ISTHMUS_STAGE);
    text_word(text, ARCH_NAME);
    text_u64(text, ABI_VERSION);
}

static void stage_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "stage");
    text_u64(text, ISTHMUS_STAGE);
}

static void uptime_snapshot(const struct node *, const struct process *, struct text *text) {
    uint64_t idle = 0;
    for (unsigned i = 0; i < cpu_slots; i++) {
        idle += cpu_table[i] != nullptr ? cpu_idle_time(cpu_table[i]) : 0;
    }
    text_header(text, "uptime_ns", "idle_ns", "cpus");
    text_numbers(text, arch_time_now(), idle, cpu_online_count());
}

static void cpus_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "cpu", "state", "description");
    for (unsigned i = 0; i < arch_cpu_count(); i++) {
        char description[128];
        arch_cpu_describe(i, description, sizeof description);
        const struct cpu *cpu = cpu_table[i];
        text_u64(text, i);
        text_word(text, cpu != nullptr ? "online" : "offline"); // boot waits for those that it starts
        text_label(text, description);
    }
}

static const struct text_columns no_columns = {.line = ""};

static bool log_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *) {
    char lines[2 * CONSOLE_LINE_MAX];
    size_t length = log_copy(cursor, lines, sizeof lines);
    text_bytes(text, lines, length);
    return length > 0;
}

static const struct tree_ops version_ops = {.snapshot = version_snapshot};
static const struct tree_ops stage_ops = {.snapshot = stage_snapshot};
static const struct tree_ops uptime_ops = {.snapshot = uptime_snapshot};
static const struct tree_ops cpus_ops = {.snapshot = cpus_snapshot};
static const struct tree_ops log_ops = {.columns = &no_columns, .record = log_record};

static const struct tree_entry entries[] = {
    {"kern/version", NODE_KERNEL, 0444, &version_ops}, {"kern/stage", NODE_KERNEL, 0444, &stage_ops},
    {"kern/cpus", NODE_KERNEL, 0444, &cpus_ops},       {"kern/uptime", NODE_KERNEL, 0444, &uptime_ops},
    {"kern/log", NODE_KERNEL, 0444, &log_ops},
};

status_t kern_system_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
