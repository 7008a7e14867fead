// /kern/sched/stats/{cpus,lock,queues}: what the CPUs do. See kfs/doc/sched.md.
#include "abi/abi.h"
#include "base/bits.h"
#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/sched.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void cpus_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "cpu", "idle_ns", "switches", "preemptions", "steals", "wakes", "parks", "syscalls",
                "syscall_errors");
    for (unsigned i = 0; i < cpu_slots; i++) {
        const struct cpu *cpu = cpu_table[i];
        if (cpu == nullptr) {
            continue;
        }
        text_numbers(text, i, cpu_idle_time(cpu), cpu_count_of(cpu, COUNT_SWITCH), cpu_count_of(cpu, COUNT_PREEMPTION),
                     cpu_count_of(cpu, COUNT_STEAL), cpu_count_of(cpu, COUNT_WAKE), cpu_count_of(cpu, COUNT_PARK),
                     cpu_count_of(cpu, COUNT_SYSCALL), cpu_count_of(cpu, COUNT_SYSCALL_ERROR));
    }
}

static void lock_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "acquisitions", "contended", "spins", "spins_max", "rests");
    struct lock_stats stats = kernel_lock_stats();
    text_numbers(text, stats.acquisitions, stats.contended, stats.spins, stats.spins_max, stats.rests);
}

static void queues_snapshot(const struct node *, const struct process *, struct text *text) {
    sched_admit();
    text_header(text, "cpu", "ready", "highest", "running");
    for (unsigned i = 0; i < cpu_slots; i++) {
        const struct cpu *cpu = cpu_table[i];
        if (cpu == nullptr) {
            continue;
        }
        text_numbers(text, i, cpu->queue.length);
        text_i64(text, cpu->queue.occupied != 0 ? (int64_t)bits_highest(cpu->queue.occupied) : -1);
        text_u64(text, cpu->current != nullptr);
    }
}

static const struct tree_ops cpus_ops = {.snapshot = cpus_snapshot};
static const struct tree_ops lock_ops = {.snapshot = lock_snapshot};
static const struct tree_ops queues_ops = {.snapshot = queues_snapshot};

static const struct tree_entry entries[] = {
    {"kern/sched/stats/cpus", NODE_KERNEL, 0444, &cpus_ops},
    {"kern/sched/stats/lock", NODE_KERNEL, 0444, &lock_ops},
    {"kern/sched/stats/queues", NODE_KERNEL, 0444, &queues_ops},
};

status_t kern_sched_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
