// leak-check: run a program and compare what the kernel holds before and after: objects by kind, nodes, blocks of every
// size class, pages. The program runs once before the first look, because what the kernel keeps for the next time (a
// table that has grown, an empty slab) is no leak. Prints each figure that grew, then "leaks N".
#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "lib/table.h"

static const struct program program = {"PATH [ARGUMENT…]", "Run a program twice; tell what the second run left.",
                                       nullptr};

// Which fields of which statistics; "used" may stay below what it was, never above.
static const struct {
    const char *path;
    const char *fields[8];
} figures[] = {
    {"/kern/proc/stats/objects", {"processes", "threads", "pages", "channels", "connections", "notifiers", "files"}},
    {"/kern/proc/stats/processes", {"active"}},
    {"/kern/thread/stats/threads", {"active"}},
    {"/kern/ipc/stats/channels", {"active", "connections_active"}},
    {"/kern/ns/stats/nodes", {"linked"}},
    {"/kern/ns/stats/opens", {"open"}},
    {"/kern/mem/stats/slabs", {"used"}},
    {"/kern/mem/stats/pages", {"used"}},
};

enum { VALUES_MAX = 64, PATIENCE = 500, CALM = 5 };

struct snapshot {
    unsigned count;
    uint64_t pages; // used, those of slabs included
    uint64_t value[VALUES_MAX];
    char name[VALUES_MAX][64];
};

// Pages that slabs have: how many depends on how blocks came to lie, the blocks themselves are counted by size.
static uint64_t slab_pages(const struct table *table) {
    uint64_t total = 0;
    for (unsigned line = 0; line < table->line_count; line++) {
        uint64_t pages = 0;
        (void)table_number(table, line, "pages", &pages);
        total += pages;
    }
    return total;
}

static long take(struct snapshot *snapshot) {
    uint64_t in_slabs = 0;
    snapshot->count = 0;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        static char text[8192];
        static struct table table;
        long length = file_load(figures[i].path, text, sizeof text);
        if (length < 0) {
            return error_report(figures[i].path, length);
        }
        if (!table_parse(&table, text)) {
            return error_say("%s: no table", figures[i].path);
        }
        if (str_equal(figures[i].path, "/kern/mem/stats/slabs")) {
            in_slabs = slab_pages(&table);
        }
        for (unsigned line = 0; line < table.line_count; line++) {
            for (unsigned field = 0; field < 8 && figures[i].fields[field] != nullptr; field++) {
                const char *name = figures[i].fields[field];
                const char *size = table_value(&table, line, "size");
                unsigned at = snapshot->count;
                if (at == VALUES_MAX || !table_number(&table, line, name, &snapshot->value[at])) {
                    return error_say("%s: no field %s", figures[i].path, name);
                }
                (void)format(snapshot->name[at], sizeof snapshot->name[at], "%s %s %s", figures[i].path, name,
                             size == nullptr ? "" : size);
                if (str_equal(figures[i].path, "/kern/mem/stats/pages")) {
                    snapshot->pages = snapshot->value[at];
                    snapshot->value[at] -= in_slabs;
                }
                snapshot->count++;
            }
        }
    }
    return 0;
}

// The kernel takes large things apart in steps, after the end of what held them: look until nothing changes any more. All
// pages, for slabs are counted at a moment of their own: while they go, the rest is told wrong.
static long settle(struct snapshot *snapshot) {
    uint64_t last = 0;
    unsigned calm = 0;
    for (unsigned i = 0; i < PATIENCE && calm < CALM; i++) {
        clock_sleep(10 * MILLISECOND);
        long status = take(snapshot);
        if (status != 0) {
            return status;
        }
        calm = snapshot->pages == last ? calm + 1 : 0;
        last = snapshot->pages;
    }
    return 0;
}

static long run(char **argv) {
    struct spawn spawn = {.path = argv[0], .arguments = argv, .output = self_output(), .error = self_error()};
    return process_finish(spawn_program(&spawn));
}

int main(int argc, char **argv) {
    static struct snapshot before, after;
    struct option_state state = option_begin(&program, argc, argv);
    if (argc > 1 && str_starts(argv[1], "--")) {
        (void)option_next(&state);
    }
    option_operands(&state, 1, argc);
    long status = run(state.argv);
    if (status < 0) {
        return error_report(state.argv[0], status);
    }
    // The first look at `after` touches its memory, which is then not counted as a leak.
    if (take(&after) != 0 || settle(&before) != 0 || run(state.argv) < 0) {
        return 1;
    }
    unsigned leaks = 0;
    for (unsigned attempt = 0; attempt < PATIENCE; attempt++) {
        if (take(&after) != 0) {
            return 1;
        }
        leaks = 0;
        for (unsigned i = 0; i < before.count; i++) {
            leaks += after.value[i] > before.value[i];
        }
        if (leaks == 0) {
            break;
        }
        clock_sleep(10 * MILLISECOND);
    }
    for (unsigned i = 0; i < before.count; i++) {
        if (after.value[i] > before.value[i]) {
            print("%s: %lu, then %lu\n", before.name[i], (unsigned long)before.value[i], (unsigned long)after.value[i]);
        }
    }
    print("leaks %u\n", leaks);
    return leaks != 0;
}
