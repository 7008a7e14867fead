// ls: list directories. Names only, one per line (in columns when the shell says that a terminal is COLUMNS wide), or
// with -l everything that stat tells.
#include "base/format.h"
#include "base/str.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/path.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct option options[] = {{'l', "long", nullptr, "mode, owner, group, size, time of change, name"},
                                        {'a', "all", nullptr, "also names that begin with a dot"},
                                        {'R', "recursive", nullptr, "directories below, too"},
                                        {'d', "directory", nullptr, "the paths themselves, not what is in them"},
                                        {}};
static const struct program program = {"[-laRd] [PATH…]", "List directories; a channel is a directory, too.", options};

static bool long_form, all, recursive, themselves;
static uint64_t columns; // 0: one name per line

static bool is_directory(const struct abi_stat *stat) {
    return stat->kind == NODE_DIR || stat->kind == NODE_CHANNEL;
}

// One line of the long form; `path` is where the node is, `name` how it is shown.
static void show_long(const struct abi_stat *stat, const char *path, const char *name) {
    char mode[11];
    char time[24];
    file_mode_text(stat, mode);
    (void)format(time, sizeof time, "%lu.%03lu", (unsigned long)(stat->modified / 1000000000),
                 (unsigned long)(stat->modified / 1000000 % 1000));
    print("%s %4u %4u %8lu %10s %s", mode, stat->owner, stat->group, (unsigned long)stat->size, time, name);
    char target[PATH_LEN_MAX + 1];
    if (stat->kind == NODE_LINK && file_read_link(path, target) >= 0) {
        print(" -> %s", target);
    }
    print_char('\n');
}

static bool hidden(const struct abi_dirent *entry) {
    return entry->name[0] == '.' && !all;
}

// Names in columns, as many as the terminal's width allows.
static void show_columns(const struct abi_dirent *entries, long count) {
    size_t width = 0;
    long shown = 0;
    for (long i = 0; i < count; i++) {
        if (!hidden(&entries[i])) {
            shown++;
            width = entries[i].name_len > width ? entries[i].name_len : width;
        }
    }
    width += 2;
    long per_line = columns > width ? (long)(columns / width) : 1;
    long at = 0;
    for (long i = 0; i < count; i++) {
        if (hidden(&entries[i])) {
            continue;
        }
        at++;
        if (at % per_line == 0 || at == shown) {
            print("%s\n", entries[i].name);
        } else {
            print("%-*s", (int)width, entries[i].name);
        }
    }
}

static int list(const char *path);

static int list_below(const char *path, const struct abi_dirent *entries, long count) {
    int status = 0;
    for (long i = 0; i < count; i++) {
        char child[PATH_LEN_MAX + 1];
        if (hidden(&entries[i]) || !is_directory(&entries[i].stat)) {
            continue;
        }
        long joined = path_join(path, entries[i].name, child);
        if (joined < 0) {
            status = error_report(path, joined);
            continue;
        }
        print("\n%s:\n", child);
        status |= list(child);
    }
    return status;
}

static int list(const char *path) {
    struct abi_dirent *entries;
    long count = file_list(path, &entries);
    if (count < 0) {
        return error_report(path, count);
    }
    if (columns > 0 && !long_form) {
        show_columns(entries, count);
    }
    for (long i = 0; i < count; i++) {
        char child[PATH_LEN_MAX + 1];
        if (hidden(&entries[i]) || (columns > 0 && !long_form)) {
            continue;
        }
        if (!long_form) {
            print("%s\n", entries[i].name);
        } else if (path_join(path, entries[i].name, child) == 0) {
            show_long(&entries[i].stat, child, entries[i].name);
        } else {
            show_long(&entries[i].stat, "", entries[i].name);
        }
    }
    int status = recursive ? list_below(path, entries, count) : 0;
    free(entries);
    return status;
}

// Whether an operand is listed as a directory: a link to one is, unless the long form asks for the link itself, which a
// slash behind it takes back.
static bool listed_inside(const char *path, const struct abi_stat *stat) {
    if (themselves) {
        return false;
    }
    bool slash = path[0] != 0 && path[strlen(path) - 1] == '/';
    if (stat->kind != NODE_LINK || (long_form && !slash)) {
        return is_directory(stat);
    }
    long handle = file_open(path, OPEN_READ | OPEN_DIR, 0);
    if (handle >= 0) {
        file_close((handle_t)handle);
    }
    return handle >= 0;
}

// One operand, in one of two passes: single nodes first, then directories, each with its name if there are `several`.
static int show_operand(const char *path, int pass, bool several, bool gap) {
    struct abi_stat stat;
    long known = file_stat(path, &stat);
    if (known < 0) {
        return pass == 0 ? error_report(path, known) : 1;
    }
    bool inside = listed_inside(path, &stat);
    if (inside != (pass == 1)) {
        return 0;
    }
    if (inside) {
        if (several) {
            print("%s%s:\n", gap ? "\n" : "", path);
        }
        return list(path);
    }
    if (long_form) {
        show_long(&stat, path, path);
    } else {
        print("%s\n", path);
    }
    return 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        long_form |= option == 'l';
        all |= option == 'a';
        recursive |= option == 'R';
        themselves |= option == 'd';
    }
    const char *width = self_env("COLUMNS");
    if (width == nullptr || !str_to_u64(width, &columns)) {
        columns = 0;
    }
    if (state.argc == 0) {
        return show_operand(".", !themselves, recursive, false);
    }
    int status = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < state.argc; i++) {
            status |= show_operand(state.argv[i], pass, state.argc > 1 || recursive, i > 0);
        }
    }
    return status;
}
