// head: the beginning of files.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/reader.h"
#include "lib/self.h"

static const struct option options[] = {{'n', "lines", "N", "show N lines, 10 if not given"}, {}};
static const struct program program = {"[-n N] [PATH…]", "Show the first lines of files.", options};

static int show(const char *path, uint64_t lines) {
    long handle = path == nullptr ? self_input() : file_open(path, OPEN_READ, 0);
    if (handle < 0) {
        return error_report(path, handle);
    }
    static struct reader reader;
    static struct text line;
    reader_init(&reader, (handle_t)handle);
    long status = 1;
    for (uint64_t i = 0; i < lines && (status = reader_line(&reader, &line)) > 0; i++) {
        print_bytes(text_string(&line), line.length);
        print_char('\n');
    }
    if (path != nullptr) {
        file_close((handle_t)handle);
    }
    return status < 0 ? error_report(path == nullptr ? "standard input" : path, status) : 0;
}

int main(int argc, char **argv) {
    uint64_t lines = 10;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        lines = option_number(&state, 0, UINT32_MAX);
    }
    int status = state.argc == 0 ? show(nullptr, lines) : 0;
    for (int i = 0; i < state.argc; i++) {
        if (state.argc > 1) {
            print("%s==> %s <==\n", i > 0 ? "\n" : "", state.argv[i]);
        }
        status |= show(state.argv[i], lines);
    }
    return status;
}
