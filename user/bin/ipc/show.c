// The subcommands that show files of the kernel: for people some fields in handy units, for scripts every field as it
// is.
#include "abi/abi.h"
#include "base/format.h"
#include "base/str.h"
#include "bin/ipc/ipc.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/grid.h"
#include "lib/path.h"

enum { FIELDS_MAX = 16, BAR_MAX = 40 };

// A file and what of it people get to see, up to the first null.
struct view {
    const char *path;
    const char *field[FIELDS_MAX];
};

typedef bool (*row_filter)(const struct source *source, const void *context);

static bool ends_in_ns(const char *field) {
    size_t length = strlen(field);
    return length > 3 && str_equal(field + length - 3, "_ns");
}

// What people get to see instead of points in time.
static const struct {
    const char *field;
    const char *name;
} relative[] = {{"since_ns", "waiting"}, {"deadline_ns", "gives_up_in"}};

static void add_name(struct grid *grid, const char *field) {
    for (size_t i = 0; i < sizeof relative / sizeof relative[0]; i++) {
        if (str_equal(field, relative[i].field)) {
            grid_add(grid, relative[i].name);
            return;
        }
    }
    char name[64];
    (void)str_copy(name, sizeof name, field);
    if (ends_in_ns(name)) {
        name[strlen(name) - 3] = 0;
    }
    grid_add(grid, name);
}

static void add_seconds(struct grid *grid, uint64_t time) {
    char text[40];
    (void)format(text, sizeof text, "%lu.%06lus", (unsigned long)(time / SECOND),
                 (unsigned long)(time % SECOND / MICROSECOND));
    grid_add(grid, text);
}

static void add_for_people(struct grid *grid, const struct source *source, const char *field) {
    const char *value = source_word(source, field);
    uint64_t time;
    if (str_equal(field, "stuck")) {
        grid_add(grid, str_equal(value, "1") ? "STUCK" : "-");
    } else if (str_equal(field, "deadline_ns") && str_equal(value, "0")) {
        grid_add(grid, "never");
    } else if (!ends_in_ns(field) || !str_to_u64(value, &time)) {
        grid_add(grid, value);
    } else if (str_equal(field, "since_ns")) {
        uint64_t now = clock_now();
        add_seconds(grid, now > time ? now - time : 0);
    } else if (str_equal(field, "deadline_ns")) {
        uint64_t now = clock_now();
        add_seconds(grid, time > now ? time - now : 0);
    } else {
        add_seconds(grid, time);
    }
}

static void add_line(struct grid *grid, const struct source *source, const char *const *fields, bool tabs) {
    for (unsigned i = 0; i < grid->columns; i++) {
        if (tabs) {
            grid_add(grid, source_word(source, source->table.field[i]));
        } else {
            add_for_people(grid, source, fields[i]);
        }
    }
}

static long show_lines(struct source *source, const struct view *view, bool tabs, row_filter keep,
                       const void *context) {
    struct grid grid = {};
    while (tabs ? grid.columns < source->table.field_count
                : grid.columns < FIELDS_MAX && view->field[grid.columns] != nullptr) {
        grid.columns++;
    }
    for (unsigned i = 0; i < grid.columns; i++) {
        if (tabs) {
            grid_add(&grid, source->table.field[i]);
        } else {
            add_name(&grid, view->field[i]);
        }
    }
    while (source_next(source)) {
        if (keep == nullptr || keep(source, context)) {
            add_line(&grid, source, view->field, tabs);
        }
    }
    return grid_print(&grid, tabs);
}

static long show(const struct view *view, const struct request *request, row_filter keep, const void *context,
                 const char **subject) {
    static struct source source;
    long status = source_begin(&source, view->path);
    if (status == 0) {
        status = show_lines(&source, view, request->tabs, keep, context);
    } else {
        *subject = view->path;
    }
    source_end(&source);
    return status;
}

long ipc_list(const struct request *request, const char **subject) {
    static const struct view view = {"/kern/ipc/channels",
                                     {"id", "path", "owner_pid", "servers", "connections", "depth", "queued", "sent",
                                      "received", "discarded", "rejected", "calls"}};
    return show(&view, request, nullptr, nullptr, subject);
}

static bool is_stuck(const struct source *source, const void *) {
    return source_number(source, "stuck") == 1;
}

long ipc_waits(const struct request *request, const char **subject) {
    static const struct view view = {
        "/kern/ipc/waits",
        {"pid", "process", "thread", "operation", "object", "about", "since_ns", "deadline_ns", "wakers", "stuck"}};
    return show(&view, request, request->stuck_only ? is_stuck : nullptr, nullptr, subject);
}

long ipc_notifiers(const struct request *request, const char **subject) {
    static const struct view view = {"/kern/ipc/notifiers",
                                     {"id", "owner_pid", "bits", "depth", "queued", "watches", "takers", "events",
                                      "lost", "coalesced", "read", "signals", "taken"}};
    return show(&view, request, nullptr, nullptr, subject);
}

long ipc_errors(const struct request *request, const char **subject) {
    static const struct view view = {"/kern/ipc/stats/errors", {"call", "error", "count"}};
    return show(&view, request, nullptr, nullptr, subject);
}

// ---- one channel -----------------------------------------------------------------------------------------------------

// A file of the channel at request->path. Positive when what is there is none, and that has been told.
static long open_of_channel(struct source *source, const struct request *request, const char *name,
                            const char **subject) {
    char path[PATH_LEN_MAX + 1];
    struct abi_stat stat;
    *subject = request->path;
    long status = file_stat(request->path, &stat);
    if (status == 0 && stat.kind != NODE_CHANNEL && stat.kind != NODE_LINK) {
        return error_say("%s: not a channel", request->path);
    }
    if (status == 0) {
        status = path_join(request->path, name, path);
    }
    return status < 0 ? status : source_begin(source, path);
}

// What it holds is told as `server_of_ID_PATH`, `client_N_of_ID_PATH` or `events_of_ID_PATH`.
static bool is_of_channel(const struct source *source, const void *context) {
    const char *needle = context;
    for (const char *at = source_word(source, "about"); *at != 0; at++) {
        if (*at == '/') {
            return false; // the path begins: an id would have stood before it
        }
        if (str_starts(at, needle)) {
            return true;
        }
    }
    return false;
}

long ipc_holders(const struct request *request, const char **subject) {
    static const struct view view = {"/kern/ipc/holders",
                                     {"object", "about", "pid", "process", "handle", "rights", "badge", "derived"}};
    if (request->path == nullptr) {
        return show(&view, request, nullptr, nullptr, subject);
    }
    static struct source configuration;
    char needle[40] = "";
    long status = open_of_channel(&configuration, request, "ctl", subject);
    if (status == 0 && source_next(&configuration)) {
        (void)format(needle, sizeof needle, "of_%s_", source_word(&configuration, "id"));
    } else if (status == 0) {
        status = ERR_WRONG_KIND;
    }
    source_end(&configuration);
    return status != 0 ? status : show(&view, request, is_of_channel, needle, subject);
}

// Every field of the current line that is not in `before` (which may be null): for people a row each, for scripts first
// the names, then the values.
static void add_fields(struct grid *names, struct grid *values, const struct source *source,
                       const struct source *before, bool tabs) {
    for (unsigned i = 0; i < source->table.field_count; i++) {
        const char *field = source->table.field[i];
        if (before != nullptr && table_value(&before->table, 0, field) != nullptr) {
            continue;
        }
        if (tabs) {
            grid_add(names, field);
            grid_add(values, source_word(source, field));
            names->columns = ++values->columns;
        } else {
            add_name(names, field);
            add_for_people(names, source, field);
        }
    }
}

long ipc_stat(const struct request *request, const char **subject) {
    static const char *const file[] = {"ctl", "stats"};
    static struct source source[2];
    struct grid names = {.columns = request->tabs ? 0 : 2};
    struct grid values = {};
    if (!request->tabs) {
        grid_add(&names, "path");
        grid_add(&names, request->path);
    }
    long status = 0;
    for (unsigned i = 0; i < 2 && status == 0; i++) {
        status = open_of_channel(&source[i], request, file[i], subject);
        if (status == 0 && source_next(&source[i])) {
            add_fields(&names, &values, &source[i], i == 0 ? nullptr : &source[0], request->tabs);
        } else if (status == 0) {
            status = ERR_WRONG_KIND;
        }
    }
    source_end(&source[0]);
    source_end(&source[1]);
    if (status == 0) {
        status = grid_print(&names, request->tabs);
    }
    return status == 0 && request->tabs ? grid_print(&values, true) : status;
}

// ---- latency ---------------------------------------------------------------------------------------------------------

static void add_time(struct grid *grid, uint64_t time) {
    static const struct {
        const char *name;
        uint64_t length;
    } units[] = {{"s", SECOND}, {"ms", MILLISECOND}, {"us", MICROSECOND}, {"ns", NANOSECOND}};
    unsigned unit = 0;
    while (unit < 3 && time < units[unit].length) {
        unit++;
    }
    char text[40];
    (void)format(text, sizeof text, "<%lu.%lu%s", (unsigned long)(time / units[unit].length),
                 (unsigned long)(time % units[unit].length * 10 / units[unit].length), units[unit].name);
    grid_add(grid, text);
}

static void add_bar(struct grid *grid, uint64_t part, uint64_t most) {
    char bar[BAR_MAX + 1] = "";
    uint64_t length = part * BAR_MAX / most;
    for (uint64_t i = 0; i < length || (i == 0 && part > 0); i++) {
        bar[i] = '#';
        bar[i + 1] = 0;
    }
    grid_add(grid, bar);
}

// For people: first what the most and the sum are, then the lines with their bars.
static long show_histogram(struct source *counting, struct source *source) {
    uint64_t most = 1;
    uint64_t sum = 0;
    while (source_next(counting)) {
        uint64_t messages = source_number(counting, "messages");
        most = messages > most ? messages : most;
        sum += messages;
    }
    struct grid grid = {.columns = 4};
    grid_add(&grid, "time");
    grid_add(&grid, "messages");
    grid_add(&grid, "share");
    grid_add(&grid, "");
    while (source_next(source)) {
        uint64_t messages = source_number(source, "messages");
        char share[16];
        uint64_t tenths = sum == 0 ? 0 : messages * 1000 / sum;
        (void)format(share, sizeof share, "%3lu.%lu%%", (unsigned long)(tenths / 10), (unsigned long)(tenths % 10));
        add_time(&grid, source_number(source, "below_ns"));
        grid_add_number(&grid, messages);
        grid_add(&grid, share);
        add_bar(&grid, messages, most);
    }
    return grid_print(&grid, false);
}

static long begin_latency(struct source *source, const struct request *request, const char **subject) {
    static const char all[] = "/kern/ipc/stats/latency";
    if (request->path != nullptr) {
        return open_of_channel(source, request, "latency", subject);
    }
    *subject = all;
    return source_begin(source, all);
}

long ipc_latency(const struct request *request, const char **subject) {
    static struct source source;
    static struct source counting;
    static const struct view whole = {};
    long status = begin_latency(&source, request, subject);
    if (status == 0 && request->tabs) {
        status = show_lines(&source, &whole, true, nullptr, nullptr);
    } else if (status == 0) {
        status = begin_latency(&counting, request, subject);
        if (status == 0) {
            status = show_histogram(&counting, &source);
        }
        source_end(&counting);
    }
    source_end(&source);
    return status;
}
