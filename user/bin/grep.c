// grep: lines that match a pattern.
#include "base/str.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/pattern.h"
#include "lib/print.h"
#include "lib/reader.h"
#include "lib/self.h"

static const struct option options[] = {{'v', "invert", nullptr, "lines that do not match"},
                                        {'i', "ignore-case", nullptr, "small and capital letters are the same"},
                                        {'n', "number", nullptr, "with line numbers"},
                                        {'c', "count", nullptr, "only count the lines"},
                                        {'q', "quiet", nullptr, "only tell by the exit status"},
                                        {}};
static const struct program program = {
    "[-vincq] PATTERN [PATH…]",
    "Show lines that match PATTERN: . any character, [abc] [a-z] [^a-z] sets, * any number of the thing before,\n"
    "^ at the beginning, $ at the end, \\ takes away a special meaning. Exit status 1 when there is none, 2 for "
    "errors.",
    options};

enum { EXIT_NONE = 1, EXIT_TROUBLE = 2 };

static bool invert, ignore_case, numbers, count_only, quiet;
static unsigned long found;

static void show(const char *name, unsigned long number, const struct text *line) {
    if (name != nullptr) {
        print("%s:", name);
    }
    if (numbers) {
        print("%lu:", number);
    }
    print_bytes(text_string(line), line->length);
    print_char('\n');
}

static long search(handle_t handle, const char *pattern, const char *name) {
    static struct reader reader;
    static struct text line;
    reader_init(&reader, handle);
    unsigned long here = 0;
    long status;
    for (unsigned long number = 1; (status = reader_line(&reader, &line)) > 0; number++) {
        if (pattern_search(pattern, text_string(&line), ignore_case) == invert) {
            continue;
        }
        here++;
        if (!count_only && !quiet) {
            show(name, number, &line);
        }
    }
    if (count_only && !quiet) {
        print("%s%s%lu\n", name != nullptr ? name : "", name != nullptr ? ":" : "", here);
    }
    found += here;
    return status;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        invert |= option == 'v';
        ignore_case |= option == 'i';
        numbers |= option == 'n';
        count_only |= option == 'c';
        quiet |= option == 'q';
    }
    option_operands(&state, 1, argc);
    const char *pattern = state.argv[0];
    if (!pattern_valid(pattern)) {
        option_refuse("the pattern '%s' is incomplete", pattern);
    }
    bool trouble = false;
    if (state.argc == 1) {
        long status = search(self_input(), pattern, nullptr);
        if (status < 0) {
            trouble = error_report("standard input", status);
        }
    }
    for (int i = 1; i < state.argc; i++) {
        long handle = file_open(state.argv[i], OPEN_READ, 0);
        long status = handle;
        if (handle >= 0) {
            status = search((handle_t)handle, pattern, state.argc > 2 ? state.argv[i] : nullptr);
            file_close((handle_t)handle);
        }
        if (status < 0) {
            trouble = error_report(state.argv[i], status);
        }
    }
    return trouble ? EXIT_TROUBLE : found > 0 ? 0 : EXIT_NONE;
}
