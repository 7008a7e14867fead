// ps: the processes, as /proc tells of each in its status file.
#include "base/str.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/path.h"
#include "lib/print.h"
#include "lib/table.h"

enum { STATUS_MAX = 1024 };

static const struct program program = {"[PID…]", "List processes: the fields of /proc/PID/status, one line for each.",
                                       nullptr};

struct row {
    struct table table;
    char text[STATUS_MAX];
};

static struct row *rows;
static unsigned row_count;

// Load the status of a process. 0, or why not; a process that has just gone is no error.
static long load(const char *pid) {
    char path[PATH_LEN_MAX + 1];
    struct row *more = realloc(rows, (row_count + 1) * sizeof *rows);
    if (more == nullptr) {
        return ERR_NO_MEMORY;
    }
    rows = more;
    long status = path_join("/proc", pid, path);
    if (status == 0) {
        status = path_join(path, "status", path);
    }
    if (status == 0) {
        status = file_load(path, rows[row_count].text, STATUS_MAX);
    }
    row_count += status > 0;
    return status < 0 ? status : 0;
}

static int load_all(void) {
    struct abi_dirent *entries;
    long count = file_list("/proc", &entries);
    if (count < 0) {
        return error_report("/proc", count);
    }
    for (long i = 0; i < count; i++) {
        uint64_t pid;
        if (str_to_u64(entries[i].name, &pid)) {
            (void)load(entries[i].name);
        }
    }
    free(entries);
    return 0;
}

static uint64_t pid_of(const struct row *row) {
    uint64_t pid = 0;
    (void)table_number(&row->table, 0, "pid", &pid);
    return pid;
}

static void sort_by_pid(struct row **order) {
    for (unsigned i = 1; i < row_count; i++) {
        struct row *moving = order[i];
        unsigned at = i;
        for (; at > 0 && pid_of(order[at - 1]) > pid_of(moving); at--) {
            order[at] = order[at - 1];
        }
        order[at] = moving;
    }
}

// The fields are those of the first row, each as wide as its widest value.
static void show(struct row **order) {
    const struct table *first = &order[0]->table;
    int widths[TABLE_FIELDS_MAX];
    for (unsigned field = 0; field < first->field_count; field++) {
        size_t width = strlen(first->field[field]);
        for (unsigned i = 0; i < row_count; i++) {
            const char *value = table_value(&order[i]->table, 0, first->field[field]);
            width = value != nullptr && strlen(value) > width ? strlen(value) : width;
        }
        widths[field] = field + 1 < first->field_count ? (int)width : 0; // nothing to align behind the last
    }
    for (unsigned i = 0; i <= row_count; i++) {
        for (unsigned field = 0; field < first->field_count; field++) {
            const char *value =
                i == 0 ? first->field[field] : table_value(&order[i - 1]->table, 0, first->field[field]);
            print("%-*s%s", widths[field], value != nullptr ? value : "-", field + 1 < first->field_count ? " " : "\n");
        }
    }
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    int result = state.argc == 0 ? load_all() : 0;
    for (int i = 0; i < state.argc; i++) {
        (void)option_operand_number(state.argv[i], 1, UINT32_MAX);
        long status = load(state.argv[i]);
        if (status == ERR_NOT_FOUND) {
            result = error_say("%s: no such process", state.argv[i]);
        } else if (status < 0) {
            result = error_report(state.argv[i], status);
        }
    }
    struct row **order = calloc(row_count + 1, sizeof *order);
    if (order == nullptr) {
        return error_report(nullptr, ERR_NO_MEMORY);
    }
    unsigned usable = 0;
    for (unsigned i = 0; i < row_count; i++) {
        if (table_parse(&rows[i].table, rows[i].text) && rows[i].table.line_count > 0) {
            order[usable++] = &rows[i];
        }
    }
    row_count = usable;
    if (row_count > 0) {
        sort_by_pid(order);
        show(order);
    }
    return result;
}
