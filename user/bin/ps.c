// ps: the processes, as /proc tells of each in its status file.
#include "base/str.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process_list.h"

static const struct program program = {
    "[PID…]", "List processes, all or those named: the fields of /proc/PID/status, one line for each.", nullptr};

// The fields are those of the first entry, each as wide as its widest value.
static void show(const struct process_entry *entries, long count) {
    const struct table *first = &entries[0].status;
    int widths[TABLE_FIELDS_MAX] = {};
    for (unsigned field = 0; field + 1 < first->field_count; field++) { // nothing to align behind the last
        size_t width = strlen(first->field[field]);
        for (long i = 0; i < count; i++) {
            const char *value = table_value(&entries[i].status, 0, first->field[field]);
            width = value != nullptr && strlen(value) > width ? strlen(value) : width;
        }
        widths[field] = (int)width;
    }
    for (long i = -1; i < count; i++) {
        for (unsigned field = 0; field < first->field_count; field++) {
            const char *value = first->field[field];
            value = i < 0 ? value : table_value(&entries[i].status, 0, value);
            print("%-*s%s", widths[field], value != nullptr ? value : "-", field + 1 < first->field_count ? " " : "\n");
        }
    }
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    struct process_entry *entries = nullptr;
    long count = 0;
    int result = 0;
    if (state.argc == 0) {
        count = process_list(&entries);
    } else {
        entries = calloc((size_t)state.argc, sizeof *entries);
        count = entries == nullptr ? ERR_NO_MEMORY : 0;
    }
    if (count < 0) {
        return error_report("/proc", count);
    }
    for (int i = 0; i < state.argc; i++) {
        uint32_t pid = (uint32_t)option_operand_number(state.argv[i], 1, UINT32_MAX);
        long status = process_entry_load(&entries[count], pid);
        if (status == ERR_NOT_FOUND) {
            result = error_say("%s: no such process", state.argv[i]);
        } else if (status < 0) {
            result = error_report(state.argv[i], status);
        } else {
            count++;
        }
    }
    if (count > 0) {
        show(entries, count);
    }
    free(entries);
    return result;
}
