// /kern/irq/stats/counts: interrupts and faults per CPU. See kfs/doc/irq.md.
#include "abi/abi.h"
#include "kernel/cpu.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void counts_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "cpu", "timer", "ipi", "console", "spurious", "faults", "faults_fatal", "shootdowns");
    for (unsigned i = 0; i < cpu_slots; i++) {
        const struct cpu *cpu = cpu_table[i];
        if (cpu == nullptr) {
            continue;
        }
        text_numbers(text, i, cpu->count[COUNT_TIMER], cpu->count[COUNT_IPI], cpu->count[COUNT_CONSOLE],
                     cpu->count[COUNT_SPURIOUS], cpu->count[COUNT_FAULT], cpu->count[COUNT_FAULT_FATAL],
                     cpu->count[COUNT_SHOOTDOWN]);
    }
}

static const struct tree_ops counts_ops = {.snapshot = counts_snapshot};

static const struct tree_entry entries[] = {{"kern/irq/stats/counts", NODE_KERNEL, 0444, &counts_ops}};

status_t kern_irq_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
