// Accounts: what the core holds.
#include <stdio.h>
#include <string.h>

#include "kernel/alloc_fault.h"
#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/page_alloc.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "kfs/node.h"
#include "machine_impl.h"

enum { DRAIN_TURNS = 1000000 };

// Queued work is done in interrupts: let CPU 0 have some.
static void drain(void) {
    machine_settle();
    for (unsigned turns = 0; slice_pending(); turns++) {
        if (turns > DRAIN_TURNS) {
            machine_fail("queued work never ends");
        }
        host_enter(0, HOST_TIMER, nullptr);
        machine_settle();
    }
}

void machine_end_others(void) {
    machine_settle();
    host_become(0);
    kernel_lock();
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        if (process->pid != machine_init()->pid && process_alive(process)) {
            process_end(process, PROCESS_KILLED, -1);
        }
    }
    kernel_unlock();
    host_enter(0, HOST_SPURIOUS, nullptr); // CPU 0 was not told: it did it
    drain();
}

// Places that handle tables keep for the next handle are a reserve.
static uint64_t spare_places(void) {
    uint64_t count = 0;
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        count += process->handles.spare != nullptr;
    }
    return count;
}

void machine_count(struct machine_census *census) {
    drain();
    memset(census, 0, sizeof *census);
    census->free_pages = page_alloc_stats().free;
    census->table_pages = host_table_pages();
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        struct slab_stats stats = slab_stats(i);
        census->slab[i] = stats.used;
        if (i < SLAB_SIZES) { // whole pages are no reserve
            census->free_pages += stats.pages;
        }
    }
    unsigned places = 0;
    while (slab_stats(places).size < sizeof(struct lineage)) {
        places++;
    }
    census->slab[places] -= spare_places();
    for (unsigned i = 0; i < OBJECT_KINDS; i++) {
        census->objects[i] = object_count((enum object_kind)i);
    }
    census->processes = process_count();
    census->threads = thread_count();
    struct node_stats nodes = node_get_stats();
    for (unsigned i = 0; i < NODE_KINDS; i++) {
        census->nodes += nodes.alive[i];
    }
}

static void compare(const char *what, unsigned index, uint64_t before, uint64_t after, char *text, size_t capacity) {
    size_t length = strlen(text);
    if (before != after) {
        snprintf(text + length, capacity - length, " %s[%u] %llu -> %llu", what, index, (unsigned long long)before,
                 (unsigned long long)after);
    }
}

void machine_compare(const struct machine_census *before, const struct machine_census *after) {
    char text[900] = "";
    compare("free pages", 0, before->free_pages, after->free_pages, text, sizeof text);
    compare("table pages", 0, before->table_pages, after->table_pages, text, sizeof text);
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        compare("slab", i, before->slab[i], after->slab[i], text, sizeof text);
    }
    for (unsigned i = 0; i < OBJECT_KINDS; i++) {
        compare("objects", i, before->objects[i], after->objects[i], text, sizeof text);
    }
    compare("processes", 0, before->processes, after->processes, text, sizeof text);
    compare("threads", 0, before->threads, after->threads, text, sizeof text);
    compare("nodes", 0, before->nodes, after->nodes, text, sizeof text);
    if (text[0] != 0) {
        machine_fail("not everything came back:%s", text);
    }
}

// ---- refused allocations ---------------------------------------------------------------------------------------------

unsigned machine_refuse_each_allocation(const struct machine_scenario *scenario) {
    for (unsigned n = 1;; n++) {
        struct machine_census before, after;
        machine_boot(&scenario->options);
        if (scenario->prepare != nullptr) {
            scenario->prepare();
        }
        machine_count(&before);
        alloc_fault_arm(n, false);
        scenario->scenario();
        bool fired = alloc_fault_fired();
        alloc_fault_arm(0, false);
        if (scenario->undo != nullptr) {
            scenario->undo();
        }
        machine_check();
        machine_count(&after);
        machine_compare(&before, &after);
        if (!fired) {
            return n;
        }
    }
}
