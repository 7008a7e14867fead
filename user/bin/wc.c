// wc: count lines, words and bytes.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct option options[] = {{'l', "lines", nullptr, "count lines"},
                                        {'w', "words", nullptr, "count words"},
                                        {'c', "bytes", nullptr, "count bytes"},
                                        {}};
static const struct program program = {"[-lwc] [PATH…]", "Count lines, words and bytes; all three if none is chosen.",
                                       options};

struct counts {
    unsigned long lines;
    unsigned long words;
    unsigned long bytes;
};

static bool show_lines, show_words, show_bytes;

static void show(const struct counts *counts, const char *name) {
    const char *gap = "";
    if (show_lines) {
        print("%lu", counts->lines);
        gap = " ";
    }
    if (show_words) {
        print("%s%lu", gap, counts->words);
        gap = " ";
    }
    if (show_bytes) {
        print("%s%lu", gap, counts->bytes);
    }
    print("%s%s\n", name != nullptr ? " " : "", name != nullptr ? name : "");
}

static long count(handle_t handle, struct counts *counts) {
    char buffer[4096];
    bool inside = false;
    long length;
    while ((length = file_read(handle, buffer, sizeof buffer)) > 0) {
        counts->bytes += (unsigned long)length;
        for (long i = 0; i < length; i++) {
            bool blank = buffer[i] == ' ' || (buffer[i] >= '\t' && buffer[i] <= '\r');
            counts->lines += buffer[i] == '\n';
            counts->words += !blank && !inside;
            inside = !blank;
        }
    }
    return length;
}

static int count_file(const char *path, struct counts *total) {
    long handle = path == nullptr ? self_input() : file_open(path, OPEN_READ, 0);
    struct counts counts = {};
    long status = handle < 0 ? handle : count((handle_t)handle, &counts);
    if (path != nullptr && handle >= 0) {
        file_close((handle_t)handle);
    }
    if (status < 0) {
        return error_report(path == nullptr ? "standard input" : path, status);
    }
    show(&counts, path);
    total->lines += counts.lines;
    total->words += counts.words;
    total->bytes += counts.bytes;
    return 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        show_lines |= option == 'l';
        show_words |= option == 'w';
        show_bytes |= option == 'c';
    }
    if (!show_lines && !show_words && !show_bytes) {
        show_lines = show_words = show_bytes = true;
    }
    struct counts total = {};
    if (state.argc == 0) {
        return count_file(nullptr, &total);
    }
    int status = 0;
    for (int i = 0; i < state.argc; i++) {
        status |= count_file(state.argv[i], &total);
    }
    if (state.argc > 1) {
        show(&total, "total");
    }
    return status;
}
