// watch: what happens to files, directories, channels and processes, as it happens; or files again and again.
#include "base/str.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/notify.h"
#include "lib/option.h"
#include "lib/path.h"
#include "lib/print.h"
#include "lib/self.h"
#include "lib/table.h"

enum { RECORDS_TOGETHER = 32, STATUS_MAX = 2048 };

static const struct option options[] = {
    {'e', "events", "NAMES", "only these, separated by commas; all if not given"},
    {'n', "count", "N", "stop after N events (with -p: N looks); without it, never"},
    {'t', "timeout", "TIME", "stop after this time; a failure if fewer than -n have come"},
    {'c', "coalesce", nullptr, "a line may stand for several equal events: see its count"},
    {'p', "poll", "TIME", "instead show the contents of files, again every TIME"},
    {}};
static const struct program program = {
    "[-e NAMES] [-n N] [-t TIME] [-c] PATH… | -p TIME [-n N] [-t TIME] FILE…",
    "Show what happens to each PATH, a line for each event, as it happens: to a directory, file, device, channel, or\n"
    "to a process by its /proc/PID. Ends when all of them are gone; Ctrl-C ends it earlier.\n"
    "Events: readable writable opened closed created deleted attribute removed exited peer_lost, or all.",
    options};

struct settings {
    uint32_t events;
    uint32_t flags;
    uint64_t count;    // 0: no end
    uint64_t deadline; // since boot
    uint64_t interval; // of polling; 0: events
    bool limited;      // -n was given
};

static int path_count;
static char **paths;
static bool *gone; // the paths of which nothing more will be heard

// ---- polling ---------------------------------------------------------------------------------------------------------

static int show(const char *path) {
    long handle = file_open(path, OPEN_READ, 0);
    if (handle < 0) {
        return error_report(path, handle);
    }
    long status = file_copy((handle_t)handle, self_output());
    file_close((handle_t)handle);
    return status < 0 ? error_report(path, status) : 0;
}

static int poll(const struct settings *settings) {
    for (uint64_t round = 1;; round++) {
        uint64_t now = clock_now();
        print("-- %lu.%03lu s\n", (unsigned long)(now / SECOND), (unsigned long)(now % SECOND / MILLISECOND));
        print_flush();
        for (int i = 0; i < path_count; i++) {
            if (show(paths[i]) != 0) {
                return 1;
            }
        }
        if (round == settings->count) {
            return 0;
        }
        if (clock_deadline(settings->interval) >= settings->deadline) {
            return settings->limited ? error_report(nullptr, ERR_TIMED_OUT) : 0;
        }
        clock_sleep(settings->interval);
    }
}

// ---- events ----------------------------------------------------------------------------------------------------------

// Whether `path` is the directory of a process that has ended: it will tell nothing any more.
static bool has_ended(const char *path) {
    static struct table table;
    static char text[STATUS_MAX];
    char status[PATH_LEN_MAX + 1];
    if (path_join(path, "status", status) < 0 || file_load(status, text, sizeof text) < 0 ||
        !table_parse(&table, text)) {
        return false;
    }
    uint64_t ended;
    return table_value(&table, 0, "pid") != nullptr && table_number(&table, 0, "ended_ns", &ended) && ended != 0;
}

static bool is_channel(const char *path) {
    struct abi_stat stat;
    return file_stat(path, &stat) == 0 && stat.kind == NODE_CHANNEL;
}

static int subscribe(handle_t notifier, const struct settings *settings) {
    for (int i = 0; i < path_count; i++) {
        struct abi_watch_spec spec = {.cookie = (uint64_t)i, .events = settings->events, .flags = settings->flags};
        long status = notify_watch_path(notifier, paths[i], &spec);
        if (status < 0) {
            return error_report(paths[i], status);
        }
        if (has_ended(paths[i])) {
            return error_report(paths[i], ERR_DEAD);
        }
    }
    return 0;
}

// The columns are those of a channel's events file; then the name of an entry, and the path if there are several.
static void print_header(bool names) {
    print("sequence time_ns      event     pid   value    count%s%s\n", names ? " name" : "",
          path_count > 1 ? " path" : "");
    print_flush();
}

static void print_record(const struct abi_event_record *record, bool names) {
    print("%-8lu %-12lu %-9s %-5u %-8lu %-5u", (unsigned long)record->sequence, (unsigned long)record->time,
          notify_event_name(record->event), record->pid, (unsigned long)record->value, record->count);
    if (names) {
        print(" %.*s", (int)sizeof record->name, record->name_len > 0 ? record->name : "-");
    }
    if (path_count > 1) {
        bool known = record->event != EVENT_OVERFLOW && record->cookie < (uint64_t)path_count;
        print(" %s", known ? paths[record->cookie] : "-");
    }
    print_char('\n');
}

// Whether something may still come, after this event.
static bool goes_on(const struct abi_event_record *record) {
    bool last = (record->event & (EVENT_REMOVED | EVENT_EXITED)) != 0;
    if (last && record->cookie < (uint64_t)path_count) {
        gone[record->cookie] = true;
    }
    for (int i = 0; i < path_count; i++) {
        if (!gone[i]) {
            return true;
        }
    }
    return false;
}

static int listen(handle_t notifier, const struct settings *settings, bool names) {
    static struct abi_event_record records[RECORDS_TOGETHER];
    for (uint64_t shown = 0;;) {
        long count = notify_read(notifier, records, RECORDS_TOGETHER, settings->deadline);
        if (count == ERR_TIMED_OUT && !settings->limited) {
            return 0;
        }
        if (count < 0) {
            return error_report(nullptr, count);
        }
        bool more = true;
        for (long i = 0; i < count && more; i++) {
            bool asked = (records[i].event & (settings->events | EVENT_OVERFLOW)) != 0;
            if (asked) {
                print_record(&records[i], names);
                shown++;
            }
            more = goes_on(&records[i]) && shown != settings->count;
        }
        print_flush();
        if (!more) {
            return 0;
        }
    }
}

static int watch(const struct settings *settings) {
    long notifier = notify_create(NOTIFIER_DEPTH_MAX);
    if (notifier < 0) {
        return error_report(nullptr, notifier);
    }
    // Ends are heard of in any case.
    struct settings heard = *settings;
    heard.events |= EVENT_REMOVED | EVENT_EXITED;
    if (subscribe((handle_t)notifier, &heard) != 0) {
        return 1;
    }
    bool names = false;
    for (int i = 0; i < path_count; i++) {
        names = names || !is_channel(paths[i]);
    }
    print_header(names);
    return listen((handle_t)notifier, settings, names);
}

static void take_option(const struct option_state *state, int option, struct settings *settings) {
    uint64_t duration = 0;
    if (option == 'e') {
        if (!notify_parse_events(state->value, &settings->events)) {
            option_refuse("'%s' names no events", state->value);
        }
    } else if (option == 'n') {
        settings->count = option_number(state, 1, UINT64_MAX);
        settings->limited = true;
    } else if (option == 'c') {
        settings->flags = WATCH_COALESCE;
    } else if (!clock_parse(state->value, &duration)) {
        option_refuse("'%s' is not a duration", state->value);
    } else if (option == 't') {
        settings->deadline = clock_deadline(duration);
    } else if ((settings->interval = duration) == 0) {
        option_refuse("a pause of nothing");
    }
}

int main(int argc, char **argv) {
    struct settings settings = {.events = NOTIFY_EVENTS_ALL, .deadline = FOREVER};
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        take_option(&state, option, &settings);
    }
    option_operands(&state, 1, argc);
    path_count = state.argc;
    paths = state.argv;
    gone = calloc((size_t)path_count, sizeof *gone);
    if (gone == nullptr) {
        return error_report(nullptr, ERR_NO_MEMORY);
    }
    return settings.interval > 0 ? poll(&settings) : watch(&settings);
}
