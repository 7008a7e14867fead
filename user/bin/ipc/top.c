// ipc top: where messages and calls move, again and again.
#include "abi/abi.h"
#include "base/str.h"
#include "bin/ipc/ipc.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/grid.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/self.h"

enum { ROWS_ON_SCREEN = 18 };

static const char channels_path[] = "/kern/ipc/channels";

// One channel at one moment; `..._now` are since the picture before.
struct row {
    uint64_t id;
    uint64_t sent;
    uint64_t received;
    uint64_t rejected;
    uint64_t calls;
    uint64_t queued;
    uint64_t connections;
    uint64_t servers;
    uint64_t sent_now;
    uint64_t received_now;
    uint64_t rejected_now;
    uint64_t calls_now;
    char path[PATH_LEN_MAX + 1];
};

struct picture {
    uint64_t time;
    struct row *rows; // in the order of ids
    size_t count;
};

static void fill(struct row *row, const struct source *source) {
    *row = (struct row){
        .id = source_number(source, "id"),
        .sent = source_number(source, "sent"),
        .received = source_number(source, "received"),
        .rejected = source_number(source, "rejected"),
        .calls = source_number(source, "calls"),
        .queued = source_number(source, "queued"),
        .connections = source_number(source, "connections"),
        .servers = source_number(source, "servers"),
    };
    row->sent_now = row->sent;
    row->received_now = row->received;
    row->rejected_now = row->rejected;
    row->calls_now = row->calls;
    (void)str_copy(row->path, sizeof row->path, source_word(source, "path"));
}

static long take(struct picture *picture) {
    static struct source source;
    *picture = (struct picture){.time = clock_now()};
    size_t capacity = 0;
    long status = source_begin(&source, channels_path);
    while (status == 0 && source_next(&source)) {
        if (picture->count == capacity) {
            capacity = capacity == 0 ? 16 : 2 * capacity;
            struct row *more = realloc(picture->rows, capacity * sizeof *more);
            if (more == nullptr) {
                status = ERR_NO_MEMORY;
                break;
            }
            picture->rows = more;
        }
        fill(&picture->rows[picture->count++], &source);
    }
    source_end(&source);
    return status;
}

// What was new since `before`; both are in the order of ids.
static void compare(struct picture *now, const struct picture *before) {
    for (size_t i = 0, j = 0; i < now->count; i++) {
        struct row *row = &now->rows[i];
        while (j < before->count && before->rows[j].id < row->id) {
            j++;
        }
        if (j < before->count && before->rows[j].id == row->id) {
            row->sent_now -= before->rows[j].sent;
            row->received_now -= before->rows[j].received;
            row->rejected_now -= before->rows[j].rejected;
            row->calls_now -= before->rows[j].calls;
        }
    }
}

static uint64_t per_second(uint64_t count, uint64_t elapsed) {
    uint64_t milliseconds = elapsed / MILLISECOND;
    return milliseconds == 0 ? 0 : count * 1000 / milliseconds;
}

static bool is_busier(const struct row *a, const struct row *b) {
    uint64_t of_a = a->sent_now + a->calls_now;
    uint64_t of_b = b->sent_now + b->calls_now;
    return of_a != of_b ? of_a > of_b : a->queued > b->queued;
}

// The index of the busiest row not yet shown.
static size_t busiest(const struct picture *now, const bool *shown) {
    size_t best = now->count;
    for (size_t i = 0; i < now->count; i++) {
        if (!shown[i] && (best == now->count || is_busier(&now->rows[i], &now->rows[best]))) {
            best = i;
        }
    }
    return best;
}

static void add_row(struct grid *grid, const struct row *row, uint64_t elapsed) {
    grid_add_number(grid, row->id);
    grid_add(grid, row->path);
    grid_add_number(grid, per_second(row->sent_now, elapsed));
    grid_add_number(grid, per_second(row->received_now, elapsed));
    grid_add_number(grid, per_second(row->rejected_now, elapsed));
    grid_add_number(grid, per_second(row->calls_now, elapsed));
    grid_add_number(grid, row->queued);
    grid_add_number(grid, row->sent);
    grid_add_number(grid, row->connections);
    grid_add_number(grid, row->servers);
}

static long show(const struct picture *now, uint64_t elapsed, bool tabs, bool screen) {
    static const char *const names[] = {"id",      "path",   "sent/s", "received/s",  "rejected/s",
                                        "calls/s", "queued", "sent",   "connections", "servers"};
    struct grid grid = {.columns = sizeof names / sizeof names[0]};
    bool *shown = calloc(now->count + 1, sizeof *shown);
    if (shown == nullptr) {
        return ERR_NO_MEMORY;
    }
    for (unsigned i = 0; i < grid.columns; i++) {
        grid_add(&grid, names[i]);
    }
    for (size_t i = 0; i < now->count && (!screen || i < ROWS_ON_SCREEN); i++) {
        size_t next = busiest(now, shown);
        shown[next] = true;
        add_row(&grid, &now->rows[next], elapsed);
    }
    free(shown);
    if (screen) {
        print("\x1b[H\x1b[J");
    }
    if (!tabs) {
        print("up %lu.%03lu s, %lu channels\n", (unsigned long)(now->time / SECOND),
              (unsigned long)(now->time % SECOND / MILLISECOND), (unsigned long)now->count);
    }
    long status = grid_print(&grid, tabs);
    print_flush();
    return status;
}

// Wait for the next table. False if the person has had enough.
static bool pause(uint64_t interval) {
    char typed[MESSAGE_MAX];
    uint64_t deadline = clock_deadline(interval);
    for (;;) {
        long length = file_read_until(self_input(), typed, sizeof typed, deadline);
        if (length == ERR_TIMED_OUT) {
            return true;
        }
        if (length <= 0) { // nobody is there to type
            clock_sleep(deadline - clock_now());
            return true;
        }
        if (typed[0] == 'q') {
            return false;
        }
    }
}

long ipc_top(const struct request *request, const char **subject) {
    bool screen = request->count == UINT64_MAX && !request->tabs && self_env("COLUMNS") != nullptr;
    struct picture before = {};
    long status;
    for (uint64_t round = 1;; round++) {
        struct picture now;
        status = take(&now);
        if (status < 0) {
            *subject = channels_path;
            free(now.rows);
            break;
        }
        compare(&now, &before);
        status = show(&now, now.time - before.time, request->tabs, screen);
        free(before.rows);
        before = now;
        if (status < 0 || round == request->count || !pause(request->interval)) {
            break;
        }
    }
    free(before.rows);
    return status;
}
