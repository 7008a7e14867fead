// top: what the system is busy with, again and again.
#include "base/memory.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process_list.h"
#include "lib/self.h"

enum { ROWS_ON_SCREEN = 16, STATISTICS_MAX = 8192 };

static const struct option options[] = {{'n', "count", "N", "stop after N tables; all processes in each"},
                                        {'t', "interval", "TIME", "time between two tables, 2s if not given"},
                                        {}};
static const struct program program = {
    "[-n N] [-t TIME]",
    "Show processors, memory, messages and the busiest processes, again and again. q and Enter, or Ctrl-C, ends it.",
    options};

// What is known of one process at one moment.
struct row {
    uint32_t pid;
    uint64_t cpu;   // nanoseconds it ran
    uint64_t share; // of that, since the last table
    const char *name;
    const char *state;
    uint64_t threads;
    uint64_t pages;
    uint64_t calls;
};

struct picture {
    uint64_t time;
    uint64_t idle; // of all CPUs together
    unsigned cpus;
    struct process_entry *entries;
    struct row *rows;
    long count;
};

// Load a statistics file into a table over `text`.
static bool load(const char *path, struct table *table, char text[STATISTICS_MAX]) {
    return file_load(path, text, STATISTICS_MAX) > 0 && table_parse(table, text);
}

static uint64_t number(const struct table *table, unsigned line, const char *field) {
    uint64_t value = 0;
    (void)table_number(table, line, field, &value);
    return value;
}

static const char *word(const struct table *table, const char *field) {
    const char *value = table_value(table, 0, field);
    return value != nullptr ? value : "-";
}

static long take(struct picture *picture) {
    static struct table table;
    static char text[STATISTICS_MAX];
    *picture = (struct picture){.time = clock_now()};
    if (load("/kern/sched/stats/cpus", &table, text)) {
        picture->cpus = table.line_count;
        for (unsigned i = 0; i < table.line_count; i++) {
            picture->idle += number(&table, i, "idle_ns");
        }
    }
    picture->count = process_list(&picture->entries);
    if (picture->count < 0) {
        return picture->count;
    }
    picture->rows = calloc((size_t)picture->count + 1, sizeof *picture->rows);
    if (picture->rows == nullptr) {
        free(picture->entries);
        return ERR_NO_MEMORY;
    }
    for (long i = 0; i < picture->count; i++) {
        const struct table *status = &picture->entries[i].status;
        uint64_t cpu = number(status, 0, "cpu_ns");
        picture->rows[i] = (struct row){
            .pid = picture->entries[i].pid,
            .cpu = cpu,
            .share = cpu,
            .name = word(status, "name"),
            .state = word(status, "state"),
            .threads = number(status, 0, "threads"),
            .pages = number(status, 0, "resident_pages"),
            .calls = number(status, 0, "calls"),
        };
    }
    return 0;
}

static void drop(struct picture *picture) {
    free(picture->entries);
    free(picture->rows);
}

// The shares since `before`; then the busiest first.
static void compare(struct picture *now, const struct picture *before) {
    for (long i = 0, j = 0; i < now->count; i++) { // both are in the order of pids
        while (j < before->count && before->rows[j].pid < now->rows[i].pid) {
            j++;
        }
        if (j < before->count && before->rows[j].pid == now->rows[i].pid) {
            now->rows[i].share -= before->rows[j].cpu;
        }
    }
}

static void sort(struct picture *picture) {
    for (long i = 1; i < picture->count; i++) {
        struct row moving = picture->rows[i];
        long at = i;
        for (; at > 0 && picture->rows[at - 1].share < moving.share; at--) {
            picture->rows[at] = picture->rows[at - 1];
        }
        picture->rows[at] = moving;
    }
}

// Per mille, as percent with one digit.
static void print_share(uint64_t part, uint64_t whole) {
    uint64_t share = whole == 0 ? 0 : part * 1000 / whole;
    print("%3lu.%lu%%", (unsigned long)(share / 10), (unsigned long)(share % 10));
}

static void show_system(const struct picture *now, uint64_t elapsed, uint64_t idle) {
    static struct table table;
    static char text[STATISTICS_MAX];
    print("up %lu.%03lu s, %u CPUs, idle", (unsigned long)(now->time / SECOND),
          (unsigned long)(now->time % SECOND / MILLISECOND), now->cpus);
    print_share(idle, elapsed * now->cpus);
    if (load("/kern/mem/stats/pages", &table, text)) {
        uint64_t size = number(&table, 0, "page_size") / 1024;
        print(", memory %lu of %lu KiB free", (unsigned long)(number(&table, 0, "free") * size),
              (unsigned long)(number(&table, 0, "total") * size));
    }
    if (load("/kern/ipc/stats/messages", &table, text)) {
        print(", messages %lu sent %lu queued", (unsigned long)number(&table, 0, "sent"),
              (unsigned long)number(&table, 0, "queued"));
    }
    print("\n");
}

static void show(const struct picture *now, uint64_t elapsed, uint64_t idle, bool screen) {
    if (screen) {
        print("\x1b[H\x1b[J");
    }
    show_system(now, elapsed, idle);
    print("%6s %-20s %-8s %7s %7s %7s %11s %9s\n", "pid", "name", "state", "cpu", "threads", "pages", "cpu_ms",
          "calls");
    for (long i = 0; i < now->count && (!screen || i < ROWS_ON_SCREEN); i++) {
        const struct row *row = &now->rows[i];
        print("%6u %-20s %-8s  ", row->pid, row->name, row->state);
        print_share(row->share, elapsed);
        print(" %7lu %7lu %11lu %9lu\n", (unsigned long)row->threads, (unsigned long)row->pages,
              (unsigned long)(row->cpu / MILLISECOND), (unsigned long)row->calls);
    }
    print_flush();
}

// Wait for the next table. False if the person has had enough.
static bool pause(uint64_t interval) {
    char typed[MESSAGE_MAX];
    uint64_t deadline = clock_deadline(interval);
    if (self_input() == 0) {
        clock_sleep(interval);
        return true;
    }
    for (;;) {
        long length = file_read_until(self_input(), typed, sizeof typed, deadline);
        if (length <= 0) {
            return length == ERR_TIMED_OUT;
        }
        if (typed[0] == 'q') {
            return false;
        }
    }
}

int main(int argc, char **argv) {
    uint64_t count = UINT64_MAX;
    uint64_t interval = 2 * SECOND;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            count = option_number(&state, 1, UINT32_MAX);
        } else if (!clock_parse(state.value, &interval)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 0, 0);
    bool screen = count == UINT64_MAX && self_env("COLUMNS") != nullptr;
    struct picture before = {};
    for (;;) {
        struct picture now;
        long status = take(&now);
        if (status < 0) {
            drop(&before);
            return error_report("/proc", status);
        }
        compare(&now, &before);
        struct picture next_before = now;
        size_t size = (size_t)now.count * sizeof *now.rows;
        next_before.rows = malloc(size + 1);
        if (next_before.rows == nullptr) {
            free(now.rows);
            drop(&before);
            return error_report(nullptr, ERR_NO_MEMORY);
        }
        memcpy(next_before.rows, now.rows, size);
        sort(&now);
        show(&now, now.time - before.time, now.idle - before.idle, screen);
        free(now.rows);
        drop(&before);
        before = next_before;
        if (--count == 0 || !pause(interval)) {
            drop(&before);
            return 0;
        }
    }
}
